//! Redis by itself: one command a connection at a time, as applications without pipelines would have it.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::Error;
use crate::connection::Connection;
use crate::latency::{Latencies, Window};

/// As long as a small session.
const VALUE: &str = "7777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777\
                     777777777777777777777777777777777777777777777777777777777777777777777777777";

pub(crate) async fn run(
    address: &str,
    password: &str,
    writes: bool,
    connections: usize,
    time: Duration,
) -> Result<Value, Error> {
    let mut ready = Vec::new();
    for number in 0..connections {
        let mut connection = Connection::to(address).await?;
        let key = format!("bench:{number}");
        let set = command(&["SET", &key, VALUE]);
        connection.exchange(&command(&["AUTH", password]), length).await?;
        connection.exchange(&set, length).await?;
        ready.push((connection, if writes { set } else { command(&["GET", &key]) }));
    }
    let window = Window::of(time);
    let mut running = JoinSet::new();
    for (mut connection, command) in ready {
        running.spawn(async move {
            let mut latencies = Latencies::default();
            loop {
                let sent = Instant::now();
                if window.is_over(sent) {
                    return Ok::<_, String>(latencies);
                }
                let answer = connection.exchange(&command, length).await.map_err(|error| error.to_string())?;
                latencies.wrong += u64::from(answer.starts_with(b"-"));
                latencies.answered(&window, sent, Instant::now());
            }
        });
    }
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.add(latencies??);
    }
    Ok(all.result(&window))
}

/// Removes everything: how large its tables are, and whether they grow meanwhile, is nothing that a contender shall inherit.
pub(crate) async fn empty(address: &str, password: &str, database: &str) -> Result<Value, Error> {
    let mut connection = Connection::to(address).await?;
    connection.exchange(&command(&["AUTH", password]), length).await?;
    for words in [&["SELECT", database][..], &["FLUSHDB"]] {
        let answer = connection.exchange(&command(words), length).await?;
        if answer != b"+OK\r\n" {
            return Err(String::from_utf8_lossy(answer).into());
        }
    }
    Ok(Value::Bool(true))
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command += &format!("${}\r\n{word}\r\n", word.len());
    }
    command.into_bytes()
}

/// The length of a line, or of a string with its length before it.
fn length(answer: &[u8]) -> Option<usize> {
    let line = memchr::memmem::find(answer, b"\r\n")? + 2;
    match answer.strip_prefix(b"$") {
        None => Some(line),
        Some(_) => {
            let length: usize = std::str::from_utf8(&answer[1..line - 2]).ok()?.parse().ok()?;
            Some(line + length + 2)
        }
    }
}
