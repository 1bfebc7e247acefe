//! Ours on its memory store, and the least that there could be.

mod bare;
mod instant;
mod parts;
// The very file of the layer, which does not publish it.
#[path = "../../../../sessions-tower/src/scan.rs"]
mod scan;

pub use bare::BareLayer;

use std::convert::Infallible;
use std::hint::black_box;
use std::process::ExitCode;

use bench_kit::{Command, Contender, Counter, Job, Parts, Runner, ServiceRunner, WithoutSessions, next_user, text};
use http::{Request, Response};
use sessions_memory::MemoryStore;
use sessions_tower::{Error, Key, SessionLayer, SessionManager, SessionSlot};
use tower::service_fn;
use tower_layer::Layer;

/// One command line, with or without a counting allocator.
#[must_use]
pub fn main(counter: Option<Counter>) -> ExitCode {
    let command = Command::read(counter);
    match command.store() {
        "memory" => command.run(|| {
            // Room for the largest of the cases, and for the most; everything else is as it comes.
            let store = MemoryStore::builder().max_sessions(2 << 20).max_bytes(2 << 30).build();
            let store = store.expect("the settings are valid");
            let manager = SessionManager::builder(store).max_record_bytes(1 << 20).build();
            Ours(SessionLayer::new(manager.expect("the settings are valid")))
        }),
        "bare" => command.run(bare::Bare::new),
        "parts" => match Parts::read(command.words(), counter) {
            Ok(mut parts) => {
                parts::all(&mut parts);
                ExitCode::SUCCESS
            }
            Err(code) => code,
        },
        other => {
            eprintln!("no store {other}: say memory, bare, or parts");
            ExitCode::from(2)
        }
    }
}

struct Ours(SessionLayer);

impl Contender for Ours {
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

const N: Key<u64> = Key::new("n");
const USER: Key<String> = Key::new("user");

async fn handle(request: Request<()>, job: Job) -> Result<(), Error> {
    if job == Job::Nothing {
        return Ok(());
    }
    let slot: SessionSlot = SessionSlot::of(request.extensions()).expect("there is a layer");
    let session = slot.load().await?;
    match job {
        Job::Nothing => {}
        Job::Read => assert!(session.get(&N)?.expect("it is there") > 0),
        Job::Is(number) => assert_eq!(session.get(&N)?, number),
        Job::ReadWrite => {
            let number = session.get(&N)?.expect("it is there");
            session.insert(&N, &(number + 1))?;
        }
        Job::Write => session.insert(&N, &1)?,
        Job::Login => {
            session.insert(&USER, &"user-42".to_owned())?;
            session.rotate()?;
        }
        Job::SignUp { owned } => {
            if owned {
                session.set_owner(next_user())?;
            } else {
                session.insert(&USER, &next_user())?;
            }
            session.insert("token", &text(1, 32))?;
        }
        Job::Destroy => session.destroy()?,
        Job::Fill { texts, bytes } => {
            session.insert(&N, &1)?;
            for number in 0..texts {
                session.insert(format!("text {number}"), &text(number, bytes / texts))?;
            }
        }
        Job::ReadText(bytes) => assert_eq!(session.get::<String>("text 0")?.expect("it is there").len(), bytes),
    }
    Ok(())
}
