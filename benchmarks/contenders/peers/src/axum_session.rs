//! `axum_session` without a database.

use std::convert::Infallible;
use std::hint::black_box;

use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use bench_kit::{Contender, Job, Runner, ServiceRunner, WithoutSessions, at_once, next_user, text};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tower::service_fn;
use tower_layer::Layer;

pub(crate) fn on_memory() -> impl Contender {
    let store = at_once(SessionStore::<SessionNullPool>::new(None, SessionConfig::default()));
    AxumSession(SessionLayer::new(store.expect("it needs nothing")))
}

struct AxumSession(SessionLayer<SessionNullPool>);

impl Contender for AxumSession {
    async fn with(&self, job: Job) -> impl Runner {
        ServiceRunner(self.0.layer(service_fn(move |request| application(request, job))))
    }

    async fn without(&self) -> impl Runner {
        let job = black_box(Job::Nothing);
        ServiceRunner(WithoutSessions(service_fn(move |request| application(request, job))))
    }
}

async fn application(request: Request<()>, job: Job) -> Result<Response<Empty<Bytes>>, Infallible> {
    handle(&request, job);
    Ok(Response::new(Empty::new()))
}

fn handle(request: &Request<()>, job: Job) {
    if job == Job::Nothing {
        return;
    }
    let session = request.extensions().get::<Session<SessionNullPool>>().expect("there is a layer");
    match job {
        Job::Nothing => {}
        Job::Read => assert!(session.get::<u64>("n").expect("it is there") > 0),
        Job::Is(number) => assert_eq!(session.get("n"), number),
        Job::ReadWrite => {
            let number: u64 = session.get("n").expect("it is there");
            session.set("n", number + 1);
        }
        Job::Write => session.set("n", 1_u64),
        Job::Login => {
            session.set("user", "user-42");
            session.renew();
        }
        Job::SignUp { .. } => {
            session.set("user", next_user());
            session.set("token", text(1, 32));
        }
        Job::Destroy => session.destroy(),
        Job::Fill { texts, bytes } => {
            session.set("n", 1_u64);
            for number in 0..texts {
                session.set(&format!("text {number}"), text(number, bytes / texts));
            }
        }
        Job::ReadText(bytes) => {
            assert_eq!(session.get::<String>("text 0").expect("it is there").len(), bytes);
        }
    }
}
