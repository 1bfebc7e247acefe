//! Forged histories: an honest one is accepted, and each way to cheat is caught.

use super::*;
use crate::faults::history::{Deadlines, Fault};

/// When the server goes, and when it is back.
const FROM: u64 = 1_000;
const BACK: u64 = 5_000;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn exchange(role: Role, begun: u64, took: u64, answer: Answer) -> Exchange {
    let session = role.needs_store().then_some(0);
    Exchange { tab: 0, session, role, begun: ms(begun), ended: ms(begun + took), answer, cookie: Cookie::Kept }
}

fn visit(begun: u64, visits: u64) -> Exchange {
    exchange(Role::Counts, begun, 10, Answer::Page(Some(visits)))
}

fn refusal(begun: u64, took: u64) -> Exchange {
    exchange(Role::Counts, begun, took, Answer::Unavailable)
}

/// Visits before and after, one refused between them, and somebody who looks at a page without a session.
fn honest() -> History {
    History {
        exchanges: vec![
            visit(100, 8),
            exchange(Role::Looks, 200, 5, Answer::Page(None)),
            refusal(1_500, 2_000),
            exchange(Role::Passes, 1_600, 5, Answer::Page(None)),
            visit(5_100, 9),
        ],
        sessions: vec![Life { before: 7, after: 9 }],
        fault: Fault { is_total: true, from: ms(FROM), back: ms(BACK) },
        keeps: true,
        deadlines: Deadlines::default(),
    }
}

fn findings(history: &History) -> Vec<Finding> {
    judge(history).expect_err("it is not honest").1
}

fn with(more: impl IntoIterator<Item = Exchange>) -> History {
    let mut history = honest();
    history.exchanges.extend(more);
    history
}

fn after(after: u64) -> History {
    History { sessions: vec![Life { before: 7, after }], ..honest() }
}

#[test]
fn an_honest_history_is_accepted() {
    let figures = judge(&honest()).expect("nothing was broken");
    assert_eq!((figures.answered, figures.refused, figures.others), (2, 1, 2));
    assert_eq!((figures.longest, figures.over, figures.noise), (ms(2_000), ms(0), ms(5)));
    assert_eq!((figures.back, figures.acknowledged, figures.lost), (ms(110), 2, 0));
}

#[test]
fn a_refused_visit_may_have_been_counted_and_no_more() {
    judge(&after(10)).expect("the refused one was applied");
    assert_eq!(findings(&after(11)), [Finding::CountedTwice { session: 0, made: 10, found: 11 }]);
}

#[test]
fn an_acknowledged_visit_that_is_not_there_is_lost() {
    assert_eq!(findings(&after(8)), [Finding::Lost { session: 0, acknowledged: 9, found: 8 }]);
    assert_eq!(findings(&after(0)), [Finding::Lost { session: 0, acknowledged: 9, found: 0 }]);
}

#[test]
fn a_server_that_does_not_keep_things_may_lose_them_and_it_is_counted() {
    let figures = judge(&History { keeps: false, ..after(5) }).expect("nothing else was promised");
    assert_eq!(figures.lost, 4);
}

#[test]
fn a_number_shown_twice_is_an_overwritten_visit() {
    // In truth three visits, one of which was overwritten: 10 of them would be there.
    let mut history = with([visit(5_200, 9)]);
    history.sessions[0].after = 10;
    assert_eq!(findings(&history), [Finding::WentBack { session: 0, from: 9, to: 9 }]);
    // Two tabs may be shown the same number.
    history.exchanges[0].tab = 1;
    judge(&history).expect("not one after the other");
}

#[test]
fn a_signed_out_session_stays_gone() {
    let sign_out = Exchange { cookie: Cookie::Cleared, ..exchange(Role::Leaves, 6_000, 10, Answer::Page(None)) };
    let mut history = with([sign_out]);
    assert_eq!(findings(&history), [Finding::Revived { session: 0 }]);
    history.sessions[0].after = 0;
    judge(&history).expect("it is over");
    // Refused, it may be over or not.
    let refused = exchange(Role::Leaves, 1_100, 10, Answer::Unavailable);
    for after in [0, 9] {
        let mut history = with([refused.clone()]);
        history.sessions[0].after = after;
        judge(&history).expect("nobody said");
    }
}

#[test]
fn an_answer_that_is_neither_the_handlers_nor_a_503_is_strange() {
    let strange = Answer::Other("500".into());
    assert_eq!(findings(&with([exchange(Role::Counts, 1_200, 10, strange)])), [Finding::Strange("500".into())]);
}

#[test]
fn who_needs_no_session_does_not_notice() {
    for role in [Role::Looks, Role::Passes] {
        let found = findings(&with([exchange(role, 1_200, 5, Answer::Unavailable)]));
        assert_eq!(found, [Finding::Affected("Unavailable".into())]);
    }
    let slow = (0..3).map(|n| exchange(Role::Looks, 1_200 + n, 1_000, Answer::Page(None)));
    assert!(matches!(findings(&with(slow))[..], [Finding::Affected(_)]));
}

#[test]
fn cookies_are_left_alone() {
    for (role, cookie) in [
        (Role::Counts, Cookie::Cleared),
        (Role::Counts, Cookie::Set),
        (Role::Looks, Cookie::Set),
        (Role::Passes, Cookie::Cleared),
    ] {
        let answer = Answer::Page((role == Role::Counts).then_some(10));
        let mut history = with([Exchange { cookie, ..exchange(role, 5_200, 5, answer) }]);
        history.sessions[0].after += u64::from(role == Role::Counts);
        assert_eq!(findings(&history), [Finding::Cookie(role, cookie)]);
    }
    // A refusal gives no cookie to who comes, and takes none from who leaves.
    for (role, cookie) in [(Role::Comes, Cookie::Set), (Role::Leaves, Cookie::Cleared)] {
        let refused = Exchange { cookie, ..exchange(role, 1_200, 5, Answer::Unavailable) };
        assert_eq!(findings(&with([refused])), [Finding::Cookie(role, cookie)]);
    }
    // A session comes with a cookie.
    let come = Exchange { session: Some(1), ..exchange(Role::Comes, 5_200, 5, Answer::Page(Some(1))) };
    let mut history = with([come]);
    history.sessions.push(Life { before: 0, after: 1 });
    assert_eq!(findings(&history), [Finding::Cookie(Role::Comes, Cookie::Kept)]);
}

#[test]
fn an_answer_has_a_deadline() {
    let noise = ms(5);
    let late = |over| Finding::Late { role: Role::Counts, over: ms(over), noise };
    // Sent to a server that is gone: one load. 255 ms are the grace and the noise.
    judge(&with([refusal(1_100, 2_255)])).expect("in time");
    assert_eq!(findings(&with([refusal(1_100, 2_256)])), [late(256)]);
    // Under way when the server went: one commit, from then on.
    judge(&with([refusal(900, 5_355)])).expect("in time");
    assert_eq!(findings(&with([refusal(900, 5_356)])), [late(256)]);
    // Nothing was ever quite gone: a load and a commit.
    let mut history = with([refusal(1_100, 7_256)]);
    history.fault.is_total = false;
    assert_eq!(findings(&history), [late(256)]);
}

#[test]
fn the_application_is_back_with_its_server() {
    judge(&with([refusal(7_005, 10)])).expect("within 2 s and the noise");
    assert_eq!(findings(&with([refusal(7_006, 10)])), [Finding::NotBack { after: ms(2_006) }]);
}
