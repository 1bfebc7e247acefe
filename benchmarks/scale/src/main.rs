//! Ours with many sessions, large records, many writers, and many expired rows.
//!
//! | command | what it measures |
//! |---|---|
//! | `operations STORE BYTES SECONDS COUNT,…` | each operation among so many sessions, by itself and 64 at a time |
//! | `contention STORE MANAGERS SECONDS WRITERS,…` | commits to one session by so many writers, counters exact |
//! | `purge STORE EXPIRED SECONDS` | requests before, during and after the purge of so many expired sessions |
//! | `traffic STORE OPERATION COUNT` | the bytes that so many operations send and receive, one after the other |
//!
//! A JSON value for each count is printed.

mod contention;
mod counting;
mod operations;
mod purge;
mod quantiles;
mod stores;
mod traffic;

use std::process::ExitCode;
use std::time::Duration;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // A purge has a thread of its own, as it has beside requests.
    let threads = if words.first() == Some(&"purge") { 2 } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match runtime.block_on(run(&words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-scale {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> Result<(), Error> {
    match words {
        ["operations", store, bytes, seconds, counts] => {
            let store = stores::connect(store).await?;
            operations::run(&store, bytes.parse()?, duration(seconds)?, &numbers(counts)?).await
        }
        ["contention", store, managers, seconds, writers] => {
            contention::run(store, managers.parse()?, duration(seconds)?, &numbers(writers)?).await
        }
        ["purge", store, expired, seconds] => purge::run(store, expired.parse()?, duration(seconds)?).await,
        ["traffic", store, operation, count] => traffic::run(store, operation, count.parse()?).await,
        _ => Err("usage: operations | contention | purge | traffic, see the source".into()),
    }
}

fn duration(seconds: &str) -> Result<Duration, Error> {
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

fn numbers(list: &str) -> Result<Vec<u64>, Error> {
    Ok(list.split(',').map(str::parse).collect::<Result<_, _>>()?)
}
