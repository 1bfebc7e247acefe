//! Sessions by id and by owner: no token is needed, and none is given out.

use super::*;

fn owned(kit: &Kit, owner: &str) -> Token {
    kit.stored(|session| session.set_owner(owner).expect("valid"))
}

fn ids_of(kit: &Kit, owner: &str) -> Vec<SessionId> {
    let sessions = block_on(kit.manager.sessions_of(owner)).expect("the store answers");
    sessions.iter().map(|session| session.id().expect("stored")).collect()
}

#[test]
fn a_session_is_fetched_by_id_and_written_by_id() {
    let kit = Kit::new();
    let token = kit.stored(increment);
    let session = block_on(kit.manager.get_session(&token.id())).expect("the store answers").expect("live");
    assert_eq!((session.id(), session.has_token()), (Some(token.id()), false));
    increment(&session);
    assert_eq!(block_on(kit.manager.set_session(&session)).expect("written"), Committed::quiet(Outcome::Written));
    assert_eq!(kit.counter(token.id()), Some(2));
    assert!(kit.opens(&token), "the client notices nothing");
    assert_eq!(kit.random.tokens(), 0);
}

#[test]
fn an_absent_session_is_none() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    kit.advance(24 * 60 * 60);
    for id in [token.id(), SessionId::from_bytes([0; 16])] {
        assert!(block_on(kit.manager.get_session(&id)).expect("the store answers").is_none());
        assert!(!block_on(kit.manager.delete_session(&id)).expect("the store answers"));
    }
}

#[test]
fn setting_by_id_works_whatever_has_become_of_the_token() {
    let kit = Kit::new();
    let old = kit.stored(|_| {});
    let (by_token, by_id) = (kit.counting(&old), kit.counting(&old));
    let new = token(&kit.request(&old, |session| session.rotate().expect("open")));
    assert_eq!(kit.commit(&by_token).outcome, Outcome::Lost);
    assert_eq!(block_on(kit.manager.set_session(&by_id)).expect("written").outcome, Outcome::Written);
    assert_eq!(kit.counter(new.id()), Some(1));
    assert!(kit.opens(&new));
}

#[test]
fn setting_by_id_does_not_bring_back_what_is_over() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let session = block_on(kit.manager.get_session(&token.id())).expect("the store answers").expect("live");
    increment(&session);
    block_on(kit.others.delete_session(&token.id())).expect("deleted");
    assert_eq!(block_on(kit.manager.set_session(&session)).expect("lost"), Committed::quiet(Outcome::Lost));
    assert!(kit.store.ids().is_empty());
}

/// ASVS 7.5.2
#[test]
fn asvs_7_5_2_an_owners_sessions_are_listed_latest_first() {
    let kit = Kit::new();
    let mut expected = Vec::new();
    for _ in 0..4 {
        expected.insert(0, owned(&kit, "alice").id());
        owned(&kit, "bob");
        kit.stored(|_| {});
        kit.advance(1);
    }
    assert_eq!(ids_of(&kit, "alice"), expected);
    assert_eq!(kit.store.calls().len(), 1 + 4);
    assert_eq!(ids_of(&kit, "nobody"), []);
    kit.advance(24 * 60 * 60 - 2);
    assert_eq!(ids_of(&kit, "alice"), expected[..1], "only the live ones");
}

#[test]
fn a_session_that_changed_hands_is_listed_where_it_is() {
    let kit = Kit::new();
    let first = owned(&kit, "alice");
    let second = token(&kit.request(&first, |session| session.set_owner("bob").expect("open")));
    assert_eq!((ids_of(&kit, "alice"), ids_of(&kit, "bob")), (vec![], vec![first.id()]));
    kit.request(&second, |session| session.clear_owner().expect("open"));
    assert_eq!(ids_of(&kit, "bob"), []);
}

/// ASVS 7.4.3: all, or all but this one.
#[test]
fn asvs_7_4_3_signing_out_everywhere() {
    let kit = Kit::new();
    let mine: Vec<Token> = (0..3).map(|_| owned(&kit, "alice")).collect();
    let others = owned(&kit, "bob");
    let slow = kit.counting(&mine[1]);
    let count = block_on(kit.manager.delete_sessions_of("alice", Some(mine[0].id()))).expect("the store answers");
    assert_eq!(count, 2);
    assert!(kit.opens(&mine[0]) && !kit.opens(&mine[1]) && !kit.opens(&mine[2]) && kit.opens(&others));
    assert_eq!(kit.commit(&slow).outcome, Outcome::Lost, "a request in flight cannot bring it back");
    assert_eq!(block_on(kit.manager.delete_sessions_of("alice", None)).expect("the store answers"), 1);
    assert_eq!(block_on(kit.manager.delete_sessions_of("alice", None)).expect("the store answers"), 0);
    assert!(kit.opens(&others));
}

#[test]
fn deleting_counts_what_was_live() {
    let kit = Kit::new();
    let ids: Vec<SessionId> = (0..5).map(|_| kit.stored(|_| {}).id()).collect();
    assert!(block_on(kit.manager.delete_session(&ids[0])).expect("the store answers"));
    assert_eq!(block_on(kit.manager.delete_sessions(&ids)).expect("the store answers"), 4);
    assert_eq!(block_on(kit.manager.delete_sessions(&[])).expect("the store answers"), 0);
}

#[test]
fn owners_out_of_range_are_errors_without_a_call() {
    let kit = Kit::new();
    for bad in [String::new(), "o".repeat(256)] {
        assert!(block_on(kit.manager.sessions_of(&bad)).expect_err("out of range").is_invalid_owner());
        assert!(block_on(kit.manager.delete_sessions_of(&bad, None)).expect_err("out of range").is_invalid_owner());
    }
    assert!(kit.store.calls().is_empty());
}

#[test]
fn purging_and_stopping_reach_the_store() {
    let kit = Kit::with(|builder| builder.lifetime(secs(10)));
    for _ in 0..5 {
        kit.stored(|_| {});
    }
    kit.advance(10);
    assert_eq!(block_on(kit.manager.purge_expired(3)).expect("the store answers"), 3);
    assert_eq!(block_on(kit.manager.purge_expired(3)).expect("the store answers"), 2);
    block_on(kit.manager.stop()).expect("the store answers");
    assert_eq!(kit.store.calls(), [Call::Purge, Call::Purge, Call::Stop]);
}

#[test]
fn a_failing_store_is_an_error_everywhere() {
    let kit = Kit::new();
    let id = kit.stored(|_| {}).id();
    for call in [Call::Load, Call::Delete, Call::OwnedBy, Call::Purge, Call::Stop] {
        kit.store.always(call, Answer::Refused);
    }
    let manager = &kit.manager;
    assert!(block_on(manager.get_session(&id)).expect_err("refused").is_unavailable());
    assert!(block_on(manager.delete_session(&id)).expect_err("refused").is_unavailable());
    assert!(block_on(manager.sessions_of("u")).expect_err("refused").is_unavailable());
    assert!(block_on(manager.delete_sessions_of("u", None)).expect_err("refused").is_unavailable());
    assert!(block_on(manager.purge_expired(1)).expect_err("refused").is_unavailable());
    assert!(block_on(manager.stop()).expect_err("refused").is_unavailable());
}

/// A commit under the token that is under way keeps the right that it began with.
#[test]
fn setting_by_id_waits_for_a_commit_that_has_begun() {
    let kit = Kit::new();
    let token = kit.stored(increment);
    let session = kit.open(&token);
    increment(&session);
    kit.store.slow(true);
    let mut commit = Box::pin(kit.manager.commit(&session));
    assert!(poll_at_most(1, commit.as_mut()).is_none(), "the store has not answered");
    kit.store.slow(false);
    let login = kit.open(&token);
    login.set_owner("u").expect("valid");
    assert_eq!(kit.commit(&login).outcome, Outcome::Written);
    assert!(!kit.opens(&token), "it was rotated");

    let mut by_id = Box::pin(kit.manager.set_session(&session));
    assert!(poll_at_most(1, by_id.as_mut()).is_none(), "it is not its turn");
    assert_eq!(block_on(commit).expect("the store answers").outcome, Outcome::Lost);
    assert!(block_on(by_id).expect_err("committed already").is_sealed());
    assert_eq!(kit.counter(token.id()), Some(1));
}
