//! Histories by hand, such that are linearizable and such that are not.

use super::*;
use crate::history::{Answer, Call, History, Line, Number};

const ONE: Seen = Seen { version: 1, mark: 1 };
const CREATE: Call = Call::Create(ONE);

fn seen(version: u64, mark: u64) -> Seen {
    Seen { version, mark }
}

fn update(expected: u64, version: u64) -> Call {
    Call::Update { expected, version, mark: None }
}

/// Process, beginning, end with its answer, call.
type Row = (u16, u64, Option<(u64, Answer)>, Call);

fn history(calls: &[Row]) -> Vec<Operation> {
    let operation = |(at, &(process, from, end, call)): (usize, &Row)| {
        let number = Number { process, task: 0, call: u32::try_from(at).expect("a short history") };
        Operation { number, session: 7, call, from, end, repeat: false }
    };
    calls.iter().enumerate().map(operation).collect()
}

/// An answer that came at this time.
fn at(until: u64, answer: Answer) -> Option<(u64, Answer)> {
    Some((until, answer))
}

fn there(version: u64, mark: u64) -> Answer {
    Answer::There(seen(version, mark))
}

#[track_caller]
fn holds(calls: &[Row]) -> usize {
    match check_one(&history(calls)) {
        Ok(found) => found.took_effect,
        Err(violation) => panic!("{violation}"),
    }
}

#[track_caller]
fn fails(calls: &[Row]) -> Violation {
    let violation = *check_one(&history(calls)).expect_err("no order explains this");
    assert!(violation.exhausted);
    violation
}

#[test]
fn one_after_the_other() {
    holds(&[]);
    holds(&[
        (0, 1, at(2, Answer::Absent), Call::Load),
        (0, 3, at(4, Answer::Done), CREATE),
        (0, 5, at(6, Answer::Done), update(1, 2)),
        (1, 7, at(8, there(2, 1)), Call::Load),
        (1, 9, at(10, Answer::Done), Call::Delete),
        (0, 11, at(12, Answer::Absent), update(2, 3)),
    ]);
}

#[test]
fn overlapping_calls_may_come_in_either_order() {
    for read in [Answer::Absent, Answer::There(ONE)] {
        holds(&[(0, 1, at(9, Answer::Done), CREATE), (1, 2, at(8, read), Call::Load)]);
    }
    // The one that began last came first.
    holds(&[
        (0, 1, at(10, there(2, 2)), CREATE),
        (1, 5, at(11, Answer::Done), Call::Create(seen(2, 2))),
        (2, 12, at(13, there(2, 2)), Call::Load),
    ]);
}

#[test]
fn equal_stamps_are_an_overlap() {
    holds(&[(0, 1, at(5, Answer::Done), CREATE), (1, 5, at(6, Answer::Absent), Call::Load)]);
    fails(&[(0, 1, at(5, Answer::Done), CREATE), (1, 6, at(7, Answer::Absent), Call::Load)]);
}

/// What a cache serves.
#[test]
fn a_stale_read_is_none() {
    let violation = fails(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(4, Answer::Done), update(1, 2)),
        (1, 5, at(6, there(1, 1)), Call::Load),
    ]);
    assert_eq!((violation.session, violation.order.len(), violation.state), (7, 2, Some(seen(2, 1))));
    assert_eq!(violation.next.len(), 1);
    let text = violation.to_string();
    assert!(text.contains("2/1 is stored") && text.contains("load -> there:1/1"), "{text}");
    // Two reads that see the two states of an update the wrong way round, while it runs.
    fails(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(9, Answer::Done), update(1, 2)),
        (1, 4, at(5, there(2, 1)), Call::Load),
        (1, 6, at(7, there(1, 1)), Call::Load),
    ]);
}

/// What an upsert answers.
#[test]
fn two_updates_of_one_version_are_not() {
    fails(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(6, Answer::Done), update(1, 2)),
        (1, 4, at(5, Answer::Done), update(1, 3)),
    ]);
}

#[test]
fn two_creators_are_not() {
    fails(&[(0, 1, at(4, Answer::Done), CREATE), (1, 2, at(3, Answer::Done), Call::Create(seen(2, 2)))]);
}

#[test]
fn a_session_that_comes_back_is_not() {
    let life = [
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(9, Answer::Done), update(1, 2)),
        (1, 4, at(5, Answer::Done), Call::Delete),
    ];
    // The update came before the deletion, or it could not have been done.
    holds(&[&life[..], &[(1, 10, at(11, Answer::Absent), Call::Load)]].concat());
    fails(&[&life[..], &[(1, 10, at(11, there(2, 1)), Call::Load)]].concat());
}

#[test]
fn a_conflict_that_wrote_is_not() {
    fails(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(4, there(1, 1)), update(9, 2)),
        (0, 5, at(6, there(2, 1)), Call::Load),
    ]);
    // Nor is one that says that its own version was in the way.
    fails(&[(0, 1, at(2, Answer::Done), CREATE), (0, 3, at(4, there(2, 1)), update(1, 2))]);
}

#[test]
fn a_touch_moves_time_only() {
    let touch = Call::Touch { expected: 1, mark: 5 };
    let begun = [(0, 1, at(2, Answer::Done), CREATE), (0, 3, at(4, Answer::Done), touch)];
    holds(&[&begun[..], &[(1, 5, at(6, there(1, 5)), Call::Load)]].concat());
    fails(&[&begun[..], &[(1, 5, at(6, there(1, 1)), Call::Load)]].concat());
    holds(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (0, 3, at(8, Answer::Done), update(1, 2)),
        (1, 4, at(7, Answer::Refused), touch),
        (1, 9, at(10, there(2, 1)), Call::Load),
    ]);
    fails(&[(0, 1, at(2, Answer::Done), CREATE), (1, 4, at(7, Answer::Refused), touch)]);
}

#[test]
fn what_went_unanswered_may_happen_at_any_later_time_or_never() {
    let begun = [(0, 1, at(2, Answer::Done), CREATE), (1, 3, None, update(1, 2))];
    let read = |from, answer| (0, from, at(from + 1, answer), Call::Load);
    assert_eq!(holds(&[&begun[..], &[read(10, there(1, 1)), read(20, there(1, 1))]].concat()), 0);
    assert_eq!(holds(&[&begun[..], &[read(10, there(1, 1)), read(20, there(2, 1))]].concat()), 1);
    // But not twice, not undone, and not before it began.
    fails(&[&begun[..], &[read(10, there(2, 1)), read(20, there(1, 1))]].concat());
    fails(&[(0, 1, at(2, Answer::Done), CREATE), read(3, there(2, 1)), (1, 10, None, update(1, 2))]);
    // A deletion that arrives late takes what was created meanwhile.
    assert_eq!(
        holds(&[
            (0, 1, None, Call::Delete),
            (1, 2, at(3, Answer::Absent), Call::Load),
            (1, 4, at(5, Answer::Done), CREATE),
            (1, 6, at(7, Answer::Absent), Call::Load),
        ]),
        1
    );
}

#[test]
fn a_write_that_surely_had_no_effect_is_not_seen() {
    // It is no part of the history, and so its version has no writer.
    fails(&[(0, 1, at(2, Answer::Done), CREATE), (0, 5, at(6, there(2, 1)), Call::Load)]);
}

/// Many unanswered calls leave many orders. The search must not try them one by one.
#[test]
fn many_unanswered_calls_are_no_explosion() {
    let mut calls = vec![(0, 0, at(1, Answer::Done), CREATE)];
    for n in 0..200 {
        calls.push((1, 2 + n, None, update(1, 1_000 + n)));
        calls.push((2, 2 + n, None, Call::Touch { expected: 1, mark: 1_000 + n }));
    }
    for n in 0..50 {
        calls.push((0, 300 + 2 * n, at(301 + 2 * n, there(1, 1_000 + n)), Call::Load));
    }
    calls.push((0, 500, at(501, there(1_007, 1_049)), Call::Load));
    assert_eq!(holds(&calls), 51);
    calls.push((0, 502, at(503, there(1_008, 1_049)), Call::Load));
    fails(&calls);
}

/// A store repeats by itself what was not answered on a connection that ended; the first copy arrives late.
#[test]
fn what_a_store_may_repeat_may_happen_twice_but_no_create_and_no_update() {
    let mut operations = history(&[
        (0, 1, at(2, Answer::Done), CREATE),
        (1, 3, at(4, Answer::Done), Call::Delete),
        (0, 5, at(6, Answer::Done), CREATE),
        (0, 7, at(8, Answer::Absent), Call::Load),
    ]);
    assert!(check_one(&operations).is_err());
    let heard = |operations: &[Operation]| {
        let mut history = History::default();
        for operation in operations {
            let Operation { number, end, .. } = *operation;
            assert!(history.hear(&Line::Began(*operation).to_string()));
            let (until, answer) = end.expect("answered");
            assert!(history.hear(&Line::Ended { number, until, answer }.to_string()));
        }
        history
    };
    let figures = check(&heard(&operations).with_repeats()).expect("the deletion arrived again");
    assert_eq!((figures.operations, figures.unanswered, figures.repeated), (4, 0, 1));
    (operations[2].call, operations[2].end) = (Call::Load, at(6, there(1, 1)));
    assert!(check(&heard(&operations).with_repeats()).is_err(), "nobody created it again");
}
