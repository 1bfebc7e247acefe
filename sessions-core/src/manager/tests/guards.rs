//! Decisions that were taken from what was read.

use super::*;

type Change = fn(&Session);

const LOST: Committed = Committed::quiet(Outcome::Lost);

/// A request that grants a discount once, with another one in between.
fn overlapped(between: impl FnOnce(&Session)) -> (Kit, Token, Committed) {
    let kit = Kit::new();
    let token = kit.stored(|session| session.insert("coupon", &false).expect("fits"));
    let session = kit.open(&token);
    session.require_unchanged("coupon").expect("open");
    session.require_unchanged("not there").expect("open");
    session.insert("granted", &true).expect("open");
    kit.request(&token, between);
    let committed = kit.commit(&session);
    (kit, token, committed)
}

#[test]
fn a_guarded_key_that_was_changed_makes_the_commit_lost_with_nothing_written() {
    let changes: [Change; 5] = [
        |s| s.insert("coupon", &true).expect("open"),
        |s| s.remove("coupon").expect("open"),
        |s| assert!(s.update("coupon", |_: Option<bool>| true).expect("open")),
        |s| s.clear().expect("open"),
        |s| s.insert("not there", &1).expect("open"),
    ];
    for change in changes {
        let (kit, token, committed) = overlapped(change);
        assert_eq!(committed, LOST);
        assert!(!kit.peek(token.id()).contains("granted"));
    }
}

#[test]
fn other_changes_do_not_matter() {
    let changes: [Change; 4] = [
        increment,
        |s| s.set_persistent(true).expect("open"),
        |s| s.renew().expect("open"),
        |s| s.insert("coupon", &false).expect("the value that was there"),
    ];
    for change in changes {
        let (kit, token, committed) = overlapped(change);
        assert_eq!(committed, Committed::quiet(Outcome::Written));
        assert!(kit.peek(token.id()).contains("granted"));
    }
}

#[test]
fn of_two_requests_that_guard_and_change_one_key_one_wins() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let spend = |session: &Session| {
        session.require_unchanged("spent").expect("open");
        session.insert("spent", &true).expect("open");
    };
    let session = kit.open(&token);
    spend(&session);
    kit.store.before(Call::Update, Answer::Given, {
        let (kit, token) = (kit.clone(), token.clone());
        move || assert_eq!(kit.request(&token, spend).outcome, Outcome::Written)
    });
    assert_eq!(kit.commit(&session), LOST);
}

/// A write of its own that was not answered is no change by others.
#[test]
fn an_unanswered_write_does_not_break_its_own_guard() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        for others in 0..=4 {
            let kit = Kit::new();
            let token = kit.stored(|_| {});
            let session = kit.open(&token);
            session.require_unchanged("spent").expect("open");
            session.insert("spent", &true).expect("open");
            kit.store.answer(Call::Update, answer);
            kit.store.before(Call::Load, Answer::Given, kit.counts(&token, others));
            assert_eq!(kit.commit(&session).outcome, Outcome::Written);
        }
    }
}

#[test]
fn a_destroy_forgets_the_guards() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.open(&token);
    session.require_unchanged("counter").expect("open");
    session.destroy().expect("open");
    kit.counts(&token, 1)();
    assert_eq!(kit.commit(&session).outcome, Outcome::Deleted);
}

/// The decision led to something outside of the session: there is nothing to write, and the answer counts all the same.
#[test]
fn a_guard_without_a_change_is_judged_too() {
    let cases: [(Change, Outcome); 5] = [
        (|_| {}, Outcome::Unchanged),
        (increment, Outcome::Unchanged),
        (|s| s.insert("coupon", &true).expect("open"), Outcome::Lost),
        (|s| s.rotate().expect("open"), Outcome::Lost),
        (|s| s.destroy().expect("open"), Outcome::Lost),
    ];
    for renews in [false, true] {
        for (between, outcome) in cases {
            let kit = Kit::new();
            let token = kit.stored(|session| session.insert("coupon", &false).expect("fits"));
            let session = kit.open(&token);
            session.require_unchanged("coupon").expect("open");
            if renews {
                // A grace is running, so that no renewal is written.
                kit.request(&token, |session| session.renew().expect("open"));
                session.renew_quietly().expect("open");
            }
            kit.request(&token, between);
            assert!(!kit.manager.seal_unless_due(&session), "there is something to ask");
            assert_eq!(kit.commit(&session), Committed::quiet(outcome));
        }
    }
}

#[test]
fn a_guard_without_a_change_costs_one_load_and_is_no_soft_failure() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    let guarded = || {
        let session = kit.open(&token);
        session.require_unchanged("counter").expect("open");
        kit.store.calls();
        session
    };
    kit.commit(&guarded());
    assert_eq!(kit.store.calls(), [Call::Load]);
    kit.advance(200);
    assert_eq!(kit.commit(&guarded()).outcome, Outcome::Touched);
    let session = guarded();
    kit.store.answer(Call::Load, Answer::Refused);
    assert!(kit.try_commit(&session).expect_err("refused").is_unavailable());
    assert_eq!(kit.commit(&session).outcome, Outcome::Unchanged, "taken up again");
    let superseded = guarded();
    kit.request(&token, |session| session.rotate().expect("open"));
    assert_eq!(kit.commit(&superseded), LOST);
    let session = kit.open(&token);
    session.require_unchanged("counter").expect("open");
    assert_eq!(kit.commit(&session), LOST, "overtaken by a rotation");
}
