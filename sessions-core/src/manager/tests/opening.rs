//! What a token opens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::test_kit::Wakes;

#[test]
fn a_token_opens_its_session_with_one_load() {
    let kit = Kit::new();
    let token = kit.stored(|session| session.insert("a", &1).expect("fits"));
    let session = kit.open(&token);
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(1));
    assert_eq!(kit.store.calls(), [Call::Load]);
    block_on(kit.manager.open(&session)).expect("open already");
    assert!(kit.store.calls().is_empty(), "none when it is open already");
}

#[test]
fn without_a_token_opening_is_a_new_session_without_a_call() {
    let kit = Kit::new();
    let session = kit.manager.begin(None);
    block_on(kit.manager.open(&session)).expect("nothing to ask");
    assert!(session.is_new() && session.is_open());
    assert!(kit.store.calls().is_empty());
}

#[test]
fn an_unknown_token_reads_as_a_new_session_and_is_never_adopted() {
    let kit = Kit::new();
    let chosen = kit.stored(|_| {});
    block_on(kit.others.delete_session(&chosen.id())).expect("deleted");
    assert!(block_on(kit.manager.load(&chosen)).expect("the store answers").is_none());
    let session = kit.open(&chosen);
    assert!(session.is_new());
    session.insert("a", &1).expect("open");
    let committed = kit.commit(&session);
    assert_eq!(committed.outcome, Outcome::Created);
    assert_ne!(token(&committed).id(), chosen.id(), "a client-chosen id");
    assert!(!kit.opens(&chosen));
}

/// The id is no secret: with another secret it opens nothing, also when a record was copied onto it.
#[test]
fn the_right_id_with_a_wrong_secret_opens_nothing() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let mut text = token.encode().as_str().to_owned();
    let last = if text.pop() == Some('A') { 'B' } else { 'A' };
    text.push(last);
    let wrong = Token::parse(text.as_bytes()).expect("well-formed");
    kit.advance(31);
    assert!(block_on(kit.manager.load(&wrong)).expect("the store answers").is_none());
    let other = kit.stored(|_| {});
    let copy = kit.store.stored(token.id()).expect("stored");
    kit.store.tamper(other.id(), |stored| stored.record = copy.record);
    assert!(!kit.opens(&other), "a record copied onto another row");
}

#[test]
fn several_askers_at_once_make_one_load() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.manager.begin(Some(token));
    kit.store.slow(true);
    let mut askers: Vec<_> = (0..8).map(|_| Box::pin(kit.manager.open(&session))).collect();
    for asker in &mut askers {
        assert!(poll_at_most(1, asker.as_mut()).is_none(), "the store has not answered");
    }
    for asker in askers {
        block_on(asker).expect("the store answers");
    }
    assert_eq!(kit.store.calls(), [Call::Load]);
}

/// Also when a turn is dropped in the middle. A waiter that goes away takes nobody's turn along.
#[test]
fn who_waits_for_a_turn_is_woken_when_it_ends() {
    for finishes in [true, false] {
        let kit = Kit::new();
        let token = kit.stored(|_| {});
        let session = kit.manager.begin(Some(token));
        kit.store.slow(true);
        let mut first = Box::pin(kit.manager.open(&session));
        assert!(poll_at_most(1, first.as_mut()).is_none(), "the store has not answered");
        let (wakes, mut leaves) = (Arc::new(Wakes::default()), Box::pin(kit.manager.open(&session)));
        let (waker, mut waits) = (Arc::clone(&wakes).into(), Box::pin(kit.manager.open(&session)));
        let mut context = Context::from_waker(&waker);
        assert!(poll_at_most(1, leaves.as_mut()).is_none());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(leaves);
        assert_eq!(wakes.count(), 0);
        if finishes {
            block_on(first).expect("the store answers");
        } else {
            drop(first);
        }
        assert_eq!(wakes.count(), 1);
        kit.store.slow(false);
        assert!(waits.as_mut().poll(&mut context).is_ready());
        assert!(session.is_open() && !session.is_new());
    }
}

/// A clock is the application's, and is asked while a commit begins.
#[test]
fn a_clock_that_panics_leaves_the_turn_to_others() {
    #[derive(Debug)]
    struct Panics(AtomicBool);
    impl Clock for Panics {
        fn now(&self) -> Timestamp {
            assert!(!self.0.load(Ordering::SeqCst), "on purpose");
            Timestamp::from_millis(1)
        }
    }
    let clock = Arc::new(Panics(AtomicBool::new(false)));
    let kit = Kit::with(|builder| builder.clock(Arc::clone(&clock)).idle_timeout(secs(100)));
    let session = kit.open(&kit.stored(|_| {}));
    clock.0.store(true, Ordering::SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| kit.try_commit(&session))).is_err());
    clock.0.store(false, Ordering::SeqCst);
    let committed = poll_at_most(10, pin!(kit.manager.commit(&session))).expect("nobody has the turn");
    assert_eq!(committed.expect("nothing to write").outcome, Outcome::Unchanged);
}

/// An outage is never an empty session (ASVS 16.5.2), and a later call tries again.
#[test]
fn an_outage_is_an_error_and_the_next_call_tries_again() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    for (answer, indeterminate) in [(Answer::Refused, false), (Answer::Swallowed, true)] {
        let session = kit.manager.begin(Some(token.clone()));
        kit.store.answer(Call::Load, answer);
        let error = block_on(kit.manager.open(&session)).expect_err("an outage");
        assert_eq!((error.is_unavailable(), error.is_indeterminate()), (!indeterminate, indeterminate));
        assert!(session.insert("a", &1).expect_err("not open").is_unopened());
        block_on(kit.manager.open(&session)).expect("the store is back");
        assert!(!session.is_new());
    }
}

#[test]
fn an_opening_that_is_dropped_at_any_point_can_be_taken_up_again() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    kit.store.slow(true);
    for polls in 0..3 {
        let session = kit.manager.begin(Some(token.clone()));
        assert!(poll_at_most(polls, kit.manager.open(&session)).is_none());
        assert!(!session.is_open());
        block_on(kit.manager.open(&session)).expect("the store answers");
        assert!(!session.is_new());
    }
}

/// A request that read its session need not be committed; one that has anything to write must.
#[test]
fn sealing_unless_due_seals_only_what_has_nothing_to_write() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    let session = kit.open(&token);
    assert!(kit.manager.seal_unless_due(&session));
    assert!(session.insert("a", &1).expect_err("sealed").is_sealed());
    assert!(!kit.manager.seal_unless_due(&session), "it is sealed already");
    assert!(!kit.manager.seal_unless_due(&kit.counting(&token)));
    assert!(!kit.manager.seal_unless_due(&kit.manager.begin(Some(token.clone()))));
    kit.advance(100);
    assert!(!kit.manager.seal_unless_due(&kit.open(&token)), "a touch is due");
}
