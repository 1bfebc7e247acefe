//! Looks for an order of the calls that explains every answer.
//!
//! The search of Wing and Gong ("Testing and verifying concurrent objects", 1993): take any call that no other one precedes
//! which was not taken yet, see whether the model answers it so, go on from there, and go back where nothing fits. With
//! Lowe's memory ("Testing for linearizability", 2017) of the sets of taken calls that led to a state before. Two things make it
//! fast here without missing an order, if there is one:
//!
//! - A call that was answered so, and changes nothing, is taken at once: taken later, it would have the same answer and change
//!   nothing either, and it is in nobody's way.
//! - A call without an end is only taken where it changes something that somebody has seen, and only if the call after it would
//!   not come to the same without it. An order that takes as few of them as possible takes none that could be left out.

use std::collections::BTreeMap;
use std::fmt;

use super::{Operation, Seen};
use search::Search;

mod search;

/// What was found in histories that are linearizable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Sessions, each with a history of its own.
    pub histories: usize,
    /// Calls in all of them.
    pub operations: usize,
    /// Calls whose end nobody knows.
    pub unanswered: usize,
    /// Of these, the ones that have had an effect in the order that was found.
    pub took_effect: usize,
    /// Second copies of answered calls that have had an effect, see [`History::with_repeats`](super::History::with_repeats).
    pub repeated: usize,
    /// Calls that overlapped with one of another process.
    pub overlapping: usize,
    /// The longest history.
    pub longest: usize,
    /// Calls that were tried in the search.
    pub steps: usize,
}

/// No order of the calls explains the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The session.
    pub session: u64,
    /// The longest beginning of an order that was found.
    pub order: Vec<Operation>,
    /// What is stored after it.
    pub state: Option<Seen>,
    /// The calls one of which would have to be next.
    pub next: Vec<Operation>,
    /// Whether everything was tried. If not, the search took too long to say anything.
    pub exhausted: bool,
}

/// Checks every session of a history.
///
/// # Errors
///
/// The first session for which there is no order.
pub fn check(sessions: &BTreeMap<u64, Vec<Operation>>) -> Result<Figures, Box<Violation>> {
    let mut figures = Figures::default();
    for operations in sessions.values() {
        let Found { took_effect, repeated, steps } = check_one(operations)?;
        let count = |counts: fn(&&Operation) -> bool| operations.iter().filter(counts).count();
        let asked = count(|operation| !operation.repeat);
        figures += Figures {
            histories: 1,
            operations: asked,
            unanswered: count(|operation| !operation.repeat && operation.end.is_none()),
            took_effect,
            repeated,
            overlapping: operations.iter().filter(|one| overlaps_another_process(one, operations)).count(),
            longest: asked,
            steps,
        };
    }
    Ok(figures)
}

fn overlaps_another_process(one: &Operation, operations: &[Operation]) -> bool {
    let of_another = |other: &&Operation| other.number.process != one.number.process && other.end.is_some();
    one.end.is_some() && operations.iter().filter(of_another).any(|other| one.overlaps(other))
}

/// An order of the operations on one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Of the calls without an end, those that had an effect.
    pub took_effect: usize,
    /// Of the second copies, those that had an effect.
    pub repeated: usize,
    /// How many calls were tried.
    pub steps: usize,
}

/// Checks the operations on one session.
///
/// # Errors
///
/// When there is no order.
pub fn check_one(operations: &[Operation]) -> Result<Found, Box<Violation>> {
    Search::of(operations)
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        let Self { histories, operations, unanswered, took_effect, repeated, overlapping, longest, steps } = other;
        self.histories += histories;
        self.operations += operations;
        self.unanswered += unanswered;
        self.took_effect += took_effect;
        self.repeated += repeated;
        self.overlapping += overlapping;
        self.longest = self.longest.max(longest);
        self.steps += steps;
    }
}

/// Pairs of names and values, as `cargo xtask proof` takes them.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, operations, unanswered, took_effect, repeated, overlapping, longest, steps } = self;
        write!(
            f,
            "histories={histories}; operations={operations}; longest={longest}; overlapping={overlapping}; \
             unanswered={unanswered}; of which took effect={took_effect}; done twice={repeated}; steps of search={steps}"
        )
    }
}

/// The end of the order, and what does not fit after it; times in µs from the beginning of the history.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, order, state, next, exhausted } = self;
        let start = order.iter().chain(next).map(|operation| operation.from).min().unwrap_or_default();
        let line = |operation: &Operation| {
            let micros = |time: u64| time.saturating_sub(start) / 1_000;
            let Operation { number, session: _, call, from, end, repeat } = operation;
            let call = format!("{call}{}", if *repeat { ", again" } else { "" });
            match end {
                Some((until, answer)) => {
                    format!("{number:<10} {:>9} to {:>9}  {call} -> {answer}", micros(*from), micros(*until))
                }
                None => format!("{number:<10} {:>9} to         ?  {call} -> ?", micros(*from)),
            }
        };
        let verdict = if *exhausted { "no order explains" } else { "the search took too long for" };
        let earlier = order.len().saturating_sub(SHOWN);
        writeln!(f, "{verdict} the answers on session {session}. After {earlier} others and these:")?;
        for operation in &order[earlier..] {
            writeln!(f, "    {}", line(operation))?;
        }
        let state = state.map_or_else(|| "nothing".to_owned(), |seen: Seen| seen.to_string());
        writeln!(f, "{state} is stored, and one of these would have to be next:")?;
        next.iter().try_for_each(|operation| writeln!(f, "    {}", line(operation)))
    }
}

const SHOWN: usize = 20;

#[cfg(test)]
mod tests;
