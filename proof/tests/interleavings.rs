//! Every interleaving of every two requests on one session, with every fault at every call; of three without faults; and a
//! random sample of three with faults, fifty times as large with `SESSIONS_PROOF_LONG=1`.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use sessions_proof::controls::Breakage;
use sessions_proof::{Act, Report, Scenario};

/// Every unordered pair, every act with itself too.
fn pairs() -> impl Iterator<Item = [Act; 2]> {
    Act::ALL.iter().enumerate().flat_map(|(at, a)| Act::ALL[at..].iter().map(move |b| [*a, *b]))
}

/// The same of three.
fn triples() -> impl Iterator<Item = [Act; 3]> {
    let (acts, count) = (Act::ALL, Act::ALL.len());
    (0..count).flat_map(move |a| (a..count).flat_map(move |b| (b..count).map(move |c| [acts[a], acts[b], acts[c]])))
}

fn explore(scenarios: impl Iterator<Item = Scenario>) -> Report {
    let mut total = Report::default();
    for scenario in scenarios {
        match scenario.explore_all() {
            Ok(report) => total += report,
            Err(broken) => panic!("{scenario:?}\n{broken}"),
        }
    }
    total
}

/// Everything went well: a finding would have ended the exploration.
fn say(of: &str, Report { schedules, residues }: Report) {
    println!("proof: interleavings: of={of}; schedules={schedules}; documented residues={residues}; lost=0");
}

#[test]
fn every_interleaving_of_two_requests_with_up_to_two_faults() {
    let report = explore(pairs().map(|acts| Scenario::of(&acts).faults(2)));
    say("two requests, up to two faults", report);
}

#[test]
fn every_interleaving_of_two_requests_dropped_at_any_call_with_a_fault() {
    let report = explore(pairs().map(|acts| Scenario::of(&acts).faults(1).drops(1)));
    say("two requests, a dropped future and a fault", report);
}

#[test]
fn every_interleaving_of_three_requests_without_faults() {
    let report = explore(triples().map(|acts| Scenario::of(&acts)));
    say("three requests, no fault", report);
}

/// A seed that is printed; `SESSIONS_SEED` gives it again. A failure prints its choices as well.
#[test]
fn a_sample_of_three_requests_with_faults_and_a_dropped_future() {
    let given = std::env::var("SESSIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("SESSIONS_SEED={seed}");
    let each = if std::env::var_os("SESSIONS_PROOF_LONG").is_some() { 20_000 } else { 400 };
    let mut total = Report::default();
    for acts in triples() {
        let scenario = Scenario::of(&acts).faults(3).drops(1);
        match scenario.explore_some(each, seed) {
            Ok(report) => total += report,
            Err(broken) => panic!("{scenario:?}\n{broken}"),
        }
    }
    say("three requests, up to three faults and a dropped future, at random", total);
}

#[test]
fn each_broken_store_is_caught() {
    for breakage in Breakage::ALL {
        let caught: Vec<_> = pairs()
            .filter_map(|acts| Some((acts, Scenario::of(&acts).on(breakage).explore_all().err()?.finding)))
            .collect();
        assert!(!caught.is_empty(), "{breakage:?} goes unnoticed");
        let (by, of) = (caught.len(), pairs().count());
        println!("proof: interleavings: control: a store that breaks by {breakage:?} is caught by {by} of {of} pairs");
    }
}
