//! The command line that all contenders have.

use std::process::ExitCode;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::case::{CASES, Case, Job};
use crate::count::{Counter, count};
use crate::hold::hold;
use crate::looped::{Side, looped};
use crate::runner::Runner;
use crate::time::{Rounds, time};

/// A session library on one store, in this process.
pub trait Contender {
    /// An application whose handler does this with its session.
    #[expect(async_fn_in_trait, reason = "nothing here is sent to another thread")]
    async fn with(&self, job: Job) -> impl Runner;
    /// The same application without sessions, whose handler does nothing.
    #[expect(async_fn_in_trait, reason = "nothing here is sent to another thread")]
    async fn without(&self) -> impl Runner;
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Command {
    store: String,
    words: Vec<String>,
    counter: Option<Counter>,
}

impl Command {
    /// Reads the command line: the store's name, then what to do.
    ///
    /// # Panics
    ///
    /// Without a store's name.
    #[must_use]
    pub fn read(counter: Option<Counter>) -> Self {
        let mut words = std::env::args().skip(1);
        let store = words.next().expect(USAGE);
        Self { store, words: words.collect(), counter }
    }

    /// The name of the store.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// What is to be done, and its arguments.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// What counts allocations, in the binaries that do.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        self.counter
    }

    /// Does it, with contenders on empty stores made by `make`.
    pub fn run<C: Contender>(&self, make: impl Fn() -> C) -> ExitCode {
        let mut words = self.words();
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("time"), rounds, cases, None) => {
                let rounds = rounds.map_or(Some(60), |rounds| rounds.parse().ok());
                let Some(rounds) = rounds else { return usage() };
                let cases = cases.unwrap_or_default();
                let is_asked = |case: &&Case| cases.is_empty() || cases.split(',').any(|name| name == case.name);
                for case in CASES.iter().filter(is_asked) {
                    let Rounds { with, without } = runtime().block_on(time(&make, *case, rounds));
                    let line = json!({ "case": case.name, "with_ns": with, "without_ns": without });
                    println!("{line}");
                }
            }
            (Some("count"), None, None, None) => {
                let Some(counter) = self.counter else { return does_not_count() };
                for case in CASES {
                    let (with, without) = runtime().block_on(count(&make, case, counter));
                    let hundredths = |number: f64| (number * 100.0).round() / 100.0;
                    let allocations = hundredths(with.allocations - without.allocations);
                    let bytes = hundredths(with.bytes - without.bytes);
                    println!("{}", json!({ "case": case.name, "allocations": allocations, "bytes": bytes }));
                }
            }
            (Some("hold"), Some(count), owned, None) if count.parse::<u32>().is_ok() => {
                let Some(counter) = self.counter else { return does_not_count() };
                let count = count.parse().unwrap_or_default();
                println!("{}", runtime().block_on(hold(&make, count, owned == Some("owned"), counter)));
            }
            (Some("loop"), Some(case), Some(count), side) => {
                let (case, count) = (Case::named(case), count.parse().ok());
                let side = match side {
                    None | Some("with") => Some(Side::With),
                    Some("without") => Some(Side::Without),
                    Some(_) => None,
                };
                let (Some(case), Some(count), Some(side)) = (case, count, side) else { return usage() };
                runtime().block_on(looped(&make, case, count, side));
            }
            (Some("cases"), None, None, None) => CASES.iter().for_each(|case| println!("{}", case.name)),
            _ => return usage(),
        }
        ExitCode::SUCCESS
    }
}

/// One thread, and time.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn does_not_count() -> ExitCode {
    eprintln!("this binary does not count; use the one whose name ends in -counted");
    ExitCode::FAILURE
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

const USAGE: &str = "usage: STORE time [ROUNDS [CASE,…]] | STORE count | STORE hold COUNT [owned] | STORE loop CASE COUNT [with|without] | STORE cases";
