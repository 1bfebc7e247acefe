//! tower-sessions, twice: its moka store is made for the version before.

use bench_kit::Contender;

macro_rules! contender {
    ($name:ident, $krate:ident) => {
        mod $name {
            use std::convert::Infallible;
            use std::hint::black_box;

            use bench_kit::{Contender, Job, Runner, ServiceRunner, WithoutSessions, next_user, text};
            use http::{Request, Response};
            use tower::service_fn;
            use tower_layer::Layer;
            use $krate::session::Error;
            use $krate::{Session, SessionManagerLayer, SessionStore};

            pub(super) struct TowerSessions<S: SessionStore>(pub(super) SessionManagerLayer<S>);

            impl<S: SessionStore + Clone> Contender for TowerSessions<S> {
                async fn with(&self, job: Job) -> impl Runner {
                    ServiceRunner(self.0.layer(service_fn(move |request| application(request, job))))
                }

                async fn without(&self) -> impl Runner {
                    let job = black_box(Job::Nothing);
                    ServiceRunner(WithoutSessions(service_fn(move |request| application(request, job))))
                }
            }

            async fn application(request: Request<()>, job: Job) -> Result<Response<()>, Infallible> {
                handle(request, job).await.expect("sessions work");
                Ok(Response::new(()))
            }

            async fn handle(request: Request<()>, job: Job) -> Result<(), Error> {
                if job == Job::Nothing {
                    return Ok(());
                }
                let session = request.extensions().get::<Session>().expect("there is a layer");
                match job {
                    Job::Nothing => {}
                    Job::Read => assert!(session.get::<u64>("n").await?.expect("it is there") > 0),
                    Job::Is(number) => assert_eq!(session.get("n").await?, number),
                    Job::ReadWrite => {
                        let number: u64 = session.get("n").await?.expect("it is there");
                        session.insert("n", number + 1).await?;
                    }
                    Job::Write => session.insert("n", 1_u64).await?,
                    Job::Login => {
                        session.insert("user", "user-42").await?;
                        session.cycle_id().await?;
                    }
                    Job::SignUp { .. } => {
                        session.insert("user", next_user()).await?;
                        session.insert("token", text(1, 32)).await?;
                    }
                    Job::Destroy => session.flush().await?,
                    Job::Fill { texts, bytes } => {
                        session.insert("n", 1_u64).await?;
                        for number in 0..texts {
                            session.insert(&format!("text {number}"), text(number, bytes / texts)).await?;
                        }
                    }
                    Job::ReadText(bytes) => {
                        let text: String = session.get("text 0").await?.expect("it is there");
                        assert_eq!(text.len(), bytes);
                    }
                }
                Ok(())
            }
        }
    };
}

contender!(v0_15, tower_sessions);
contender!(v0_14, tower_sessions_014);

pub(crate) fn on_memory() -> impl Contender {
    v0_15::TowerSessions(::tower_sessions::SessionManagerLayer::new(::tower_sessions::MemoryStore::default()))
}

pub(crate) fn on_moka() -> impl Contender {
    let store = tower_sessions_moka_store::MokaStore::new(None);
    v0_14::TowerSessions(tower_sessions_014::SessionManagerLayer::new(store))
}
