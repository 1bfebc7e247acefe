//! Every interleaving of every two requests on one session, with every fault at every call; and of three, as far as is
//! bounded.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use sessions_proof::controls::Breakage;
use sessions_proof::{Act, Report, Scenario};

/// Every unordered pair, every act with itself too.
fn pairs() -> impl Iterator<Item = [Act; 2]> {
    Act::ALL.iter().enumerate().flat_map(|(at, a)| Act::ALL[at..].iter().map(move |b| [*a, *b]))
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

#[test]
fn every_interleaving_of_two_requests_with_up_to_two_faults() {
    let report = explore(pairs().map(|acts| Scenario::of(&acts).faults(2)));
    println!("pairs, two faults: {} schedules, {} residues, nothing lost", report.schedules, report.residues);
}

#[test]
fn every_interleaving_of_two_requests_dropped_at_any_call_with_a_fault() {
    let report = explore(pairs().map(|acts| Scenario::of(&acts).faults(1).drops(1)));
    println!("pairs, a drop and a fault: {} schedules, {} residues, nothing lost", report.schedules, report.residues);
}

#[test]
fn every_interleaving_of_three_requests_without_faults() {
    let acts = Act::ALL;
    let triples = (0..acts.len())
        .flat_map(|a| (a..acts.len()).flat_map(move |b| (b..acts.len()).map(move |c| [acts[a], acts[b], acts[c]])));
    let report = explore(triples.map(|acts| Scenario::of(&acts)));
    println!("triples, no fault: {} schedules, {} residues, nothing lost", report.schedules, report.residues);
}

#[test]
fn each_broken_store_is_caught() {
    for breakage in Breakage::ALL {
        let caught: Vec<_> = pairs()
            .filter_map(|acts| Some((acts, Scenario::of(&acts).on(breakage).explore_all().err()?.finding)))
            .collect();
        println!("{breakage:?}: caught by {} of {} pairs, {:?}", caught.len(), pairs().count(), caught.first());
        assert!(!caught.is_empty(), "{breakage:?} goes unnoticed");
    }
}
