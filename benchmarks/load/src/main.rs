//! Closed loops over kept-alive connections: each sends its next request when the answer to the last one is there.
//!
//! | command | what it measures |
//! |---|---|
//! | `http PORT PROCESS PATH SESSIONS CONNECTIONS SECONDS` | requests to an application; its sessions are made through `/new` first |
//! | `fill PORT PATH COUNT CONNECTIONS` | so many requests without a cookie |
//! | `redis ADDRESS PASSWORD get｜set CONNECTIONS SECONDS` | the server by itself, one command a connection at a time |
//! | `empty-redis ADDRESS PASSWORD DATABASE` | nothing: removes what is in this database |
//!
//! One JSON value is printed: requests per second, quantiles of the latency in microseconds, the processor time that the
//! application took for each request, and how many answers were not what they should be.

mod connection;
mod http;
mod latency;
mod processor;
mod redis;

use std::process::ExitCode;
use std::time::Duration;

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run(&words)) {
        Ok(result) => {
            println!("{result}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-load {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[&str]) -> Result<serde_json::Value, Error> {
    match words {
        ["http", port, process, path, sessions, connections, seconds] => {
            let plan = http::Plan {
                port: port.parse()?,
                process: process.parse()?,
                path: (*path).to_owned(),
                sessions: sessions.parse()?,
                connections: connections.parse()?,
                time: Duration::from_secs_f64(seconds.parse()?),
            };
            http::run(&plan).await
        }
        ["fill", port, path, count, connections] => {
            http::fill(port.parse()?, path, count.parse()?, connections.parse()?).await
        }
        ["redis", address, password, command @ ("get" | "set"), connections, seconds] => {
            let time = Duration::from_secs_f64(seconds.parse()?);
            redis::run(address, password, *command == "set", connections.parse()?, time).await
        }
        ["empty-redis", address, password, database] => redis::empty(address, password, database).await,
        _ => Err("usage: http PORT PROCESS PATH SESSIONS CONNECTIONS SECONDS".into()),
    }
}
