//! Parts of a request: closures that are timed, counted or looped.

use std::pin::pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use serde_json::json;

use crate::count::Counter;

/// What is done with each part.
#[derive(Debug)]
pub struct Parts(Mode);

#[derive(Debug)]
enum Mode {
    Time,
    Count(Counter),
    /// For callgrind; the part's name, and how often.
    Loop(String, u32),
}

impl Parts {
    /// `parts time`, `parts count` or `parts loop PART COUNT`.
    ///
    /// # Errors
    ///
    /// With 2 for other words.
    pub fn read<'a>(mut words: impl Iterator<Item = &'a str>, counter: Option<Counter>) -> Result<Self, ExitCode> {
        match (words.next(), words.next(), words.next(), counter) {
            (Some("time"), None, None, _) => Ok(Self(Mode::Time)),
            (Some("count"), None, None, Some(counter)) => Ok(Self(Mode::Count(counter))),
            (Some("loop"), Some(name), Some(count), _) if count.parse::<u32>().is_ok() => {
                Ok(Self(Mode::Loop(name.to_owned(), count.parse().unwrap_or_default())))
            }
            _ => {
                eprintln!("usage: parts time | parts count (the binary that counts) | parts loop PART COUNT");
                Err(ExitCode::from(2))
            }
        }
    }

    /// One part.
    pub fn part(&mut self, name: &str, mut part: impl FnMut()) {
        let mut repeat = |count| (0..count).for_each(|_| part());
        match &self.0 {
            Mode::Time => {
                repeat(RUNS);
                let mut rounds = Vec::new();
                for _ in 0..ROUNDS {
                    let start = Instant::now();
                    repeat(RUNS);
                    rounds.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(RUNS));
                }
                println!("{}", json!({ "part": name, "ns": rounds }));
            }
            Mode::Count(counter) => {
                repeat(RUNS);
                let start = counter();
                repeat(RUNS);
                let end = counter();
                let each = |difference: f64| (difference * 100.0 / f64::from(RUNS)).round() / 100.0;
                let allocations = each(end.allocations - start.allocations);
                let bytes = each(end.bytes - start.bytes);
                println!("{}", json!({ "part": name, "allocations": allocations, "bytes": bytes }));
            }
            Mode::Loop(wanted, count) if wanted == name => repeat(*count),
            Mode::Loop(..) => {}
        }
    }
}

/// The result of a future that never waits.
///
/// # Panics
///
/// If it waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

const RUNS: u32 = 1_000;
const ROUNDS: u32 = 100;
