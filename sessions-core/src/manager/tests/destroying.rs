//! What is over stays over.

use super::*;

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(increment);
    (kit, token)
}

fn destroying(kit: &Kit, token: &Token) -> Session {
    let session = kit.open(token);
    session.destroy().expect("open");
    session
}

const DELETED: Committed = Committed { outcome: Outcome::Deleted, cookie: CookieChange::Remove };

/// ASVS 7.4.1
#[test]
fn asvs_7_4_1_a_destroyed_session_is_over() {
    let (kit, token) = kit();
    assert_eq!(kit.commit(&destroying(&kit, &token)), DELETED);
    assert!(!kit.opens(&token));
    assert!(kit.store.ids().is_empty());
}

#[test]
fn a_destroy_wins_over_a_writer_that_came_between() {
    let (kit, token) = kit();
    let session = destroying(&kit, &token);
    kit.counts(&token, 3)();
    assert_eq!(kit.commit(&session), DELETED);
    assert!(kit.store.ids().is_empty());
}

/// Whatever a slow request wants: it cannot bring the session back, and sends no cookie.
#[test]
fn asvs_7_4_1_a_slow_request_cannot_restore_a_destroyed_session() {
    let wishes: [fn(&Session); 10] = [
        increment,
        |s| s.insert("a", &1).expect("open"),
        |s| s.clear().expect("open"),
        |s| s.rotate().expect("open"),
        |s| s.renew().expect("open"),
        |s| s.set_owner("u").expect("open"),
        |s| s.clear_owner().expect("open"),
        |s| s.set_persistent(true).expect("open"),
        |s| s.set_lifetime(secs(1_000_000)).expect("open"),
        |s| s.set_idle_timeout(None).expect("open"),
    ];
    for wish in wishes {
        let (kit, token) = kit();
        let slow = kit.open(&token);
        wish(&slow);
        kit.request(&token, |session| session.destroy().expect("open"));
        assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Lost));
        assert!(kit.store.ids().is_empty());
        assert!(!kit.opens(&token));
    }
}

#[test]
fn when_the_row_was_gone_already_the_cookie_is_left_alone() {
    let (kit, token) = kit();
    let session = destroying(&kit, &token);
    kit.request(&token, |session| session.destroy().expect("open"));
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Deleted));
}

#[test]
fn an_unanswered_delete_is_repeated_and_its_own_work_is_recognised() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        let (kit, token) = kit();
        kit.store.answer(Call::Delete, answer);
        assert_eq!(kit.commit(&destroying(&kit, &token)), DELETED, "{answer:?}");
        assert!(kit.store.ids().is_empty());
        assert_eq!(kit.store.calls(), [Call::Load, Call::Delete, Call::Delete]);
    }
}

#[test]
fn a_delete_that_failed_can_be_taken_up_again() {
    let (kit, token) = kit();
    let session = destroying(&kit, &token);
    kit.store.answer(Call::Delete, Answer::Refused);
    assert!(kit.try_commit(&session).expect_err("refused").is_unavailable());
    assert!(kit.opens(&token), "nothing was applied");
    assert_eq!(kit.commit(&session), DELETED);

    let (kit, token) = self::kit();
    let session = destroying(&kit, &token);
    kit.store.always(Call::Delete, Answer::Swallowed);
    assert!(kit.try_commit(&session).expect_err("no answer").is_indeterminate());
    kit.store.recover();
    kit.store.answer(Call::Delete, Answer::Refused);
    assert!(kit.try_commit(&session).expect_err("an earlier one may have landed").is_indeterminate());
    assert_eq!(kit.commit(&session), DELETED);
}

#[test]
fn what_follows_a_destroy_has_a_fresh_id_and_token() {
    let (kit, old) = kit();
    let session = destroying(&kit, &old);
    session.set_owner("bob").expect("open");
    let new = token(&kit.commit(&session));
    assert_ne!(new.id(), old.id());
    assert_eq!(kit.store.ids(), [new.id()]);
    assert!(kit.opens(&new) && !kit.opens(&old));
    assert_eq!(kit.peek(new.id()).created_at(), Some(kit.now()), "it is a new session");
}

#[test]
fn a_new_session_after_a_destroy_is_created_once_whatever_fails() {
    let (kit, old) = kit();
    let session = destroying(&kit, &old);
    increment(&session);
    kit.store.answer(Call::Delete, Answer::Lost);
    kit.store.answer(Call::Create, Answer::Refused);
    assert!(kit.try_commit(&session).expect_err("refused, after the deletion").is_indeterminate());
    kit.store.answer(Call::Create, Answer::Lost);
    let new = token(&kit.commit(&session));
    assert_eq!((kit.store.ids(), kit.counter(new.id())), (vec![new.id()], Some(1)));
    let expected = [Call::Load, Call::Delete, Call::Delete, Call::Create, Call::Create, Call::Create, Call::Delete];
    assert_eq!(
        kit.store.calls(),
        expected,
        "what is deleted is not deleted again; what was not answered is cleared up"
    );
}

#[test]
fn what_cannot_be_stored_after_a_destroy_is_refused_before_it() {
    let (kit, token) = kit();
    let session = destroying(&kit, &token);
    for n in 0..5 {
        session.insert(format!("k{n}"), &"x".repeat(60 * 1024)).expect("each fits");
    }
    assert!(kit.try_commit(&session).expect_err("together they do not").is_too_large());
    assert!(kit.opens(&token), "nothing was deleted");
}

#[test]
fn destroying_a_session_that_is_not_stored_costs_nothing() {
    let kit = Kit::new();
    let session = kit.manager.new_session();
    session.destroy().expect("open");
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
    assert!(kit.store.calls().is_empty());
}
