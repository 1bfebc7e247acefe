//! When a handle can be used, and for what.

use pollster::block_on;

use super::*;

/// Every method that writes, by name.
fn writes(session: &Session) -> Vec<(&'static str, Result<(), Error>)> {
    vec![
        ("insert", session.insert("a", &1)),
        ("update", session.update("a", |a: Option<i32>| a.unwrap_or(0)).map(drop)),
        ("remove", session.remove("a")),
        ("take", session.take::<i32>("a").map(drop)),
        ("clear", session.clear()),
        ("require_unchanged", session.require_unchanged("a")),
        ("set_owner", session.set_owner("u")),
        ("clear_owner", session.clear_owner()),
        ("rotate", session.rotate()),
        ("renew", session.renew()),
        ("renew_quietly", session.renew_quietly()),
        ("set_lifetime", session.set_lifetime(secs(1))),
        ("set_idle_timeout", session.set_idle_timeout(None)),
        ("set_persistent", session.set_persistent(true)),
        ("destroy", session.destroy()),
    ]
}

/// H4
#[test]
fn after_the_commit_every_change_is_an_error_and_reading_goes_on() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.open(&token);
    session.insert("a", &1).expect("open");
    kit.commit(&session);
    for (write, result) in writes(&session) {
        assert!(result.expect_err(write).is_sealed(), "{write}");
    }
    assert_eq!(session.get::<i32>("a").expect("reading goes on"), Some(1));
    assert_eq!(session.get::<bool>("stored").expect("reading goes on"), Some(true));
    assert!(kit.try_commit(&session).expect_err("once").is_sealed());
    assert!(block_on(kit.manager.open(&session)).expect_err("it is over").is_sealed());
}

#[test]
fn before_it_is_opened_a_session_can_be_neither_read_nor_written() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.manager.begin(Some(token));
    assert!(!session.is_open());
    assert!(session.get::<bool>("stored").expect_err("not loaded").is_unopened());
    for (write, result) in writes(&session) {
        assert!(result.expect_err(write).is_unopened(), "{write}");
    }
    assert_eq!((session.id(), session.keys().len(), session.contains("stored")), (None, 0, false));
    assert!(kit.store.calls().is_empty(), "and it costs nothing");
    block_on(kit.manager.open(&session)).expect("the store answers");
    assert_eq!(session.get::<bool>("stored").expect("loaded"), Some(true));
}

#[test]
fn a_sealed_handle_forgets_nothing_that_was_read_but_commits_nothing() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.open(&token);
    session.insert("a", &1).expect("open");
    session.seal();
    assert!(kit.try_commit(&session).expect_err("sealed").is_sealed());
    assert!(!kit.peek(token.id()).contains("a"));
}

#[test]
fn a_handle_that_was_never_opened_is_sealed_by_its_commit_without_a_call() {
    let kit = Kit::new();
    let session = kit.manager.begin(Some(Token::generate(&OsRandom).expect("OS randomness").0));
    kit.commit(&session);
    assert!(kit.store.calls().is_empty());
    assert!(session.insert("a", &1).expect_err("sealed").is_sealed());
}

#[test]
fn only_a_handle_that_nobody_has_opened_is_sealed_as_unopened() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = kit.manager.begin(Some(token.clone()));
    assert!(session.seal_unopened());
    assert!(block_on(kit.manager.open(&session)).expect_err("sealed").is_sealed());
    assert!(!session.seal_unopened(), "it is sealed already");
    assert!(kit.store.calls().is_empty());

    let session = kit.open(&token);
    assert!(!session.seal_unopened());
    session.insert("a", &1).expect("open");
    assert_eq!(kit.commit(&session).outcome, crate::Outcome::Written);
}

#[test]
fn what_is_written_after_a_destroy_starts_empty() {
    let kit = Kit::new();
    let token = kit.stored(|session| {
        session.set_owner("u").expect("valid");
        session.set_persistent(true).expect("valid");
    });
    let session = kit.open(&token);
    session.insert("gone", &1).expect("open");
    session.destroy().expect("open");
    assert_eq!((session.keys(), session.owner()), (vec![], None));
    assert_eq!(session.get::<bool>("stored").expect("no error"), None);
    session.insert("a", &1).expect("open");
    increment(&session);
    assert_eq!(session.keys(), ["a", "counter"]);
    let after = super::token(&kit.commit(&session));
    assert_ne!(after.id(), token.id());
    assert_eq!(kit.peek(after.id()).keys(), ["a", "counter"]);
    assert_eq!(kit.peek(after.id()).owner(), None);
}
