//! Serves one contender on a loopback port that it prints: `bench-server NAME`.
//!
//! The addresses of the servers are in the environment: `BENCH_REDIS`, `BENCH_POSTGRES`, and `BENCH_SQLITE` for a file.
//!
//! | path | what the handler does with its session |
//! |---|---|
//! | `/untouched` | nothing |
//! | `/read` | reads the number under `n` |
//! | `/read_write` | reads it and writes it, one higher |
//! | `/new` | writes 1 under `n`, and a text of 32 bytes under `text` |
//! | `/login` | writes the id of another user than any request before it, and gives the session a new token or id |
//! | `/destroy` | ends it |
//! | `/sign_up` | writes a user's id and a text of 32 bytes: a small session |
//! | `/sign_up_owned` | the same with the user as the session's owner, where there are owners |

mod actix;
mod address;
mod axum_session;
mod bare;
mod ours;
mod serve;
mod tower_sessions;

use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    match run(&name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-server {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(name: &str) -> Result<(), Error> {
    let Some((library, store)) = name.split_once('/') else { return Err("usage: bench-server LIBRARY/STORE".into()) };
    if library == "actix" {
        return actix::run(store);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = match library {
            "axum" => bare::app(store).await?,
            "sessions" => ours::app(store).await?,
            "tower-sessions" => tower_sessions::app(store).await?,
            "axum_session" => axum_session::app(store).await?,
            _ => return Err(format!("no library {library}").into()),
        };
        serve::serve(app).await
    })
}
