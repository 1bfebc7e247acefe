//! Damaged records and values, and those of a newer version.

use bytes::Bytes;

use super::*;
use crate::store::Stored;

fn damage(at: impl Fn(usize) -> usize) -> impl Fn(&mut Stored) {
    move |stored| {
        let mut bytes = stored.record.to_vec();
        let at = at(bytes.len());
        bytes[at] ^= 1;
        stored.record = Bytes::from(bytes);
    }
}

/// The frame is damaged: the record as a whole.
fn frame(stored: &mut Stored) {
    damage(|_| 10)(stored);
}

/// The last value is damaged, and nothing else.
fn last_value(stored: &mut Stored) {
    damage(|len| len - 1)(stored);
}

fn newer(stored: &mut Stored) {
    let mut bytes = stored.record.to_vec();
    bytes[0] = 2;
    stored.record = Bytes::from(bytes);
}

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(|session| {
        session.insert("a", &1).expect("fits");
        session.insert("z", &"last").expect("fits");
    });
    (kit, token)
}

#[test]
fn a_corrupt_record_counts_as_absent_and_is_left_alone() {
    let (kit, token) = kit();
    kit.store.tamper(token.id(), frame);
    let before = kit.store.stored(token.id());
    let session = kit.open(&token);
    assert!(session.is_new() && !session.is_superseded());
    assert!(block_on(kit.manager.load(&token)).expect("no error").is_none());
    assert!(block_on(kit.manager.get_session(&token.id())).expect("no error").is_none());
    increment(&session);
    let new = super::token(&kit.commit(&session));
    assert_ne!(new.id(), token.id());
    assert_eq!(kit.store.stored(token.id()), before);
}

#[test]
fn a_record_of_a_newer_version_is_an_error_that_touches_nothing() {
    let (kit, token) = kit();
    kit.store.tamper(token.id(), newer);
    let before = kit.store.stored(token.id());
    let session = kit.manager.begin(Some(token.clone()));
    assert!(block_on(kit.manager.open(&session)).expect_err("newer").is_newer_format());
    assert!(!session.is_open(), "never an empty session in its place");
    assert!(block_on(kit.manager.load(&token)).expect_err("newer").is_newer_format());
    assert!(block_on(kit.manager.get_session(&token.id())).expect_err("newer").is_newer_format());
    assert_eq!(kit.store.stored(token.id()), before);
}

#[test]
fn a_damaged_value_fails_alone_and_survives_other_writes_as_damaged() {
    let (kit, token) = kit();
    kit.store.tamper(token.id(), last_value);
    let session = kit.open(&token);
    assert!(session.get::<String>("z").expect_err("damaged").is_corrupt());
    assert!(session.take::<String>("z").expect_err("damaged").is_corrupt());
    assert!(session.update("z", |z: Option<String>| z.unwrap_or_default()).expect_err("damaged").is_corrupt());
    assert_eq!(session.get::<i32>("a").expect("whole"), Some(1));
    increment(&session);
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert!(kit.peek(token.id()).get::<String>("z").expect_err("still damaged").is_corrupt());
    kit.request(&token, |session| session.insert("z", &"anew").expect("open"));
    assert_eq!(kit.peek(token.id()).get::<String>("z").expect("mended").as_deref(), Some("anew"));
}

#[test]
fn a_closure_that_meets_a_damaged_value_fails_the_commit() {
    let (kit, token) = kit();
    let session = kit.open(&token);
    session.update("z", |z: Option<String>| z.unwrap_or_default() + "!").expect("whole");
    kit.counts(&token, 1)();
    kit.store.tamper(token.id(), last_value);
    let before = kit.store.stored(token.id());
    assert!(kit.try_commit(&session).expect_err("damaged").is_corrupt());
    assert_eq!(kit.store.stored(token.id()), before, "nothing was written");
}

#[test]
fn a_record_of_a_newer_version_at_a_conflict_is_an_error_that_touches_nothing() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.counts(&token, 1)();
    kit.store.tamper(token.id(), newer);
    let before = kit.store.stored(token.id());
    assert!(kit.try_commit(&session).expect_err("newer").is_newer_format());
    assert_eq!(kit.store.stored(token.id()), before);
}

#[test]
fn a_corrupt_record_at_a_conflict_counts_as_absent() {
    let unanswered = [None, Some(Answer::Swallowed), Some(Answer::Late)];
    for answer in unanswered {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        kit.counts(&token, 1)();
        kit.store.tamper(token.id(), frame);
        let before = kit.store.stored(token.id());
        answer.into_iter().for_each(|answer| kit.store.answer(Call::Update, answer));
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Lost), "{answer:?}");
        kit.store.land();
        assert_eq!(kit.store.stored(token.id()), before, "it is left alone");
    }
}

/// A request that only decided, and wrote nothing, looks whether what it decided upon still stands.
#[test]
fn a_damaged_record_under_a_decision_counts_as_absent_and_a_newer_one_is_an_error() {
    let decided = || {
        let (kit, token) = kit();
        let session = kit.open(&token);
        session.require_unchanged("a").expect("open");
        kit.counts(&token, 1)();
        (kit, token, session)
    };
    let (kit, token, session) = decided();
    kit.store.tamper(token.id(), frame);
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Lost));
    let (kit, token, session) = decided();
    kit.store.tamper(token.id(), newer);
    assert!(kit.try_commit(&session).expect_err("newer").is_newer_format());
}

/// A newer binary has written upon it, and whether that was before or after this write cannot be told.
#[test]
fn a_record_of_a_newer_version_upon_an_unanswered_write_is_indeterminate() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.counts(&token, 1)();
    let intact = kit.store.stored(token.id()).expect("live");
    kit.store.tamper(token.id(), newer);
    kit.store.answer(Call::Update, Answer::Swallowed);
    assert!(kit.try_commit(&session).expect_err("cannot be told").is_indeterminate());
    // After the deployment it is known.
    kit.store.tamper(token.id(), |stored| *stored = intact);
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(2));
}

/// Answered by a conflict, it is known not to have been applied: taken up again, it is made anew however many have
/// written since.
#[test]
fn a_commit_that_met_a_newer_version_is_made_anew_when_taken_up_again() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.counts(&token, 6)();
    let intact = kit.store.stored(token.id()).expect("live");
    kit.store.tamper(token.id(), newer);
    assert!(kit.try_commit(&session).expect_err("newer").is_newer_format());
    kit.store.tamper(token.id(), |stored| *stored = intact);
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(7));
}

/// A random id that is taken by a damaged or a newer record is taken.
#[test]
fn a_new_session_leaves_a_row_that_it_cannot_read_alone() {
    for change in [frame as fn(&mut Stored), newer] {
        let (kit, token) = kit();
        kit.store.tamper(token.id(), change);
        let before = kit.store.stored(token.id());
        kit.random.repeat(&token);
        let session = kit.manager.new_session();
        increment(&session);
        let new = super::token(&kit.commit(&session));
        assert_ne!(new.id(), token.id());
        assert_eq!(kit.store.stored(token.id()), before);
    }
}
