//! Writes that were never answered: whatever became of them, each change is applied once or the commit says that it
//! does not know.

use super::*;
use crate::clock::Clock;

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    (kit, token)
}

#[test]
fn an_update_that_landed_is_found_under_up_to_four_later_ones() {
    for others in 0..=4 {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        kit.store.answer(Call::Update, Answer::Lost);
        kit.store.before(Call::Load, Answer::Given, kit.counts(&token, others));
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written), "{others}");
        assert_eq!(kit.store.calls(), [Call::Load, Call::Update, Call::Load]);
        assert_eq!(kit.counter(token.id()), Some(others as u64 + 1));
    }
}

#[test]
fn an_update_under_five_or_more_later_ones_is_indeterminate_and_stays_so() {
    for answer in [Answer::Lost, Answer::Swallowed] {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        kit.store.answer(Call::Update, answer);
        kit.store.before(Call::Load, Answer::Given, kit.counts(&token, 5));
        assert!(kit.try_commit(&session).expect_err("too many").is_indeterminate());
        assert!(kit.try_commit(&session).expect_err("it is never applied blindly").is_indeterminate());
        let landed = u64::from(answer == Answer::Lost);
        assert_eq!(kit.counter(token.id()), Some(5 + landed));
    }
}

#[test]
fn an_update_that_did_not_land_is_repeated_as_it_was() {
    for times in 1..=7 {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        (0..times).for_each(|_| kit.store.answer(Call::Update, Answer::Swallowed));
        assert_eq!(kit.commit(&session).outcome, Outcome::Written);
        let versions: Vec<Version> = kit.store.seen().into_iter().filter_map(|seen| seen.version).collect();
        assert_eq!(versions, vec![versions[0]; times + 1], "the very same write");
        assert_eq!(kit.counter(token.id()), Some(1));
    }
}

/// The base is superseded by another's write, so that the unanswered one can never land: it is applied anew, once.
#[test]
fn an_update_whose_base_is_superseded_is_applied_anew_once() {
    for answer in [Answer::Swallowed, Answer::Late] {
        for others in 1..=4 {
            let (kit, token) = kit();
            let session = kit.counting(&token);
            kit.store.answer(Call::Update, answer);
            kit.store.before(Call::Load, Answer::Given, kit.counts(&token, others));
            assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
            kit.store.land();
            assert_eq!(kit.counter(token.id()), Some(others as u64 + 1), "{answer:?} under {others}");
        }
    }
}

#[test]
fn an_update_that_lands_late_lands_once() {
    // After the repeated one was written: it conflicts.
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.store.answer(Call::Update, Answer::Late);
    kit.commit(&session);
    kit.store.land();
    assert_eq!(kit.counter(token.id()), Some(1));

    // Between the look and the repeating, also with others' writes on top: found by its version.
    for others in 0..=4 {
        let (kit, token) = self::kit();
        let session = kit.counting(&token);
        kit.store.answer(Call::Update, Answer::Late);
        let (store, counts) = (kit.store.clone(), kit.counts(&token, others));
        kit.store.before(Call::Update, Answer::Given, move || {
            store.land();
            counts();
        });
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
        assert_eq!(kit.counter(token.id()), Some(others as u64 + 1));
    }

    // Before the look.
    let (kit, token) = self::kit();
    let session = kit.counting(&token);
    kit.store.answer(Call::Update, Answer::Late);
    let store = kit.store.clone();
    kit.store.before(Call::Load, Answer::Given, move || store.land());
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(1));
}

/// The look fails as well. Taken up again, the commit finds out.
#[test]
fn when_the_look_fails_too_the_commit_is_indeterminate_and_can_be_taken_up_again() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        for look in [Answer::Refused, Answer::Swallowed] {
            for others in 0..=4 {
                let (kit, token) = kit();
                let session = kit.counting(&token);
                kit.store.answer(Call::Update, answer);
                kit.store.answer(Call::Load, look);
                assert!(kit.try_commit(&session).expect_err("no answer").is_indeterminate());
                kit.counts(&token, others)();
                assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
                kit.store.land();
                assert_eq!(kit.counter(token.id()), Some(others as u64 + 1), "{answer:?} {look:?} {others}");
            }
        }
    }
}

#[test]
fn a_refusal_after_an_unanswered_copy_is_indeterminate() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.store.answer(Call::Update, Answer::Late);
    kit.store.answer(Call::Update, Answer::Refused);
    let error = kit.try_commit(&session).expect_err("refused");
    assert!(error.is_indeterminate() && !error.is_unavailable(), "the first copy may yet land");
    kit.store.land();
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(1));
}

#[test]
fn a_refusal_is_unavailable_and_the_commit_can_be_taken_up_again() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.store.answer(Call::Update, Answer::Refused);
    assert!(kit.try_commit(&session).expect_err("refused").is_unavailable());
    assert_eq!(kit.counter(token.id()), None);
    kit.counts(&token, 7)();
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(8));
}

#[test]
fn a_store_that_never_answers_is_given_up() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    kit.store.always(Call::Update, Answer::Swallowed);
    assert!(kit.try_commit(&session).expect_err("no answer").is_indeterminate());
    assert!(kit.store.calls().len() <= 17);
    kit.store.recover();
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(1));
}

#[test]
fn the_commit_deadline_ends_the_settling() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    for _ in 0..8 {
        let clock = kit.clock.clone();
        kit.store.before(Call::Update, Answer::Swallowed, move || clock.advance(secs(2)));
    }
    assert!(kit.try_commit(&session).expect_err("out of time").is_indeterminate());
    let updates = kit.store.calls().into_iter().filter(|&call| call == Call::Update).count();
    assert_eq!((updates, kit.clock.now().since(START)), (2, secs(4)), "a third would end after the deadline of 5 s");
}

#[test]
fn no_look_is_begun_that_would_end_after_the_deadline() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    let clock = kit.clock.clone();
    kit.store.before(Call::Update, Answer::Lost, move || clock.advance(secs(3)));
    assert!(kit.try_commit(&session).expect_err("out of time").is_indeterminate());
    assert_eq!(kit.store.calls(), [Call::Load, Call::Update]);
    // There is time again.
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(1));
}

#[test]
fn an_unanswered_update_of_a_session_that_ended_is_lost() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        kit.store.answer(Call::Update, answer);
        let other = kit.clone();
        kit.store.before(Call::Load, Answer::Given, move || {
            block_on(other.others.delete_session(&token.id())).expect("deleted");
        });
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Lost));
        assert_eq!(kit.store.calls(), [Call::Load, Call::Update, Call::Load]);
        kit.store.land();
        assert!(kit.store.ids().is_empty(), "G8");
    }
}

#[test]
fn a_rotation_that_was_not_answered_hands_out_the_token_that_is_stored() {
    for answer in [Answer::Lost, Answer::Swallowed, Answer::Late] {
        let (kit, old) = kit();
        let session = kit.open(&old);
        session.set_owner("alice").expect("open");
        kit.store.answer(Call::Update, answer);
        let new = token(&kit.commit(&session));
        kit.store.land();
        assert!(kit.opens(&new) && !kit.opens(&old), "{answer:?}");
        assert_eq!(kit.random.tokens(), 1);
    }
}

/// The unanswered renewal has landed, and somebody has rotated on top: their cookie is the better one.
#[test]
fn a_token_that_was_replaced_before_the_write_was_settled_is_not_sent() {
    let (kit, old) = kit();
    let session = kit.open(&old);
    session.renew().expect("open");
    kit.store.answer(Call::Update, Answer::Lost);
    let (other, sibling) = (kit.clone(), old.clone());
    kit.store.before(Call::Load, Answer::Given, move || {
        other.request(&sibling, |session| session.rotate().expect("open"));
    });
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
    assert!(!kit.opens(&old));
}

/// A sibling's write on top of the renewal leaves the token good.
#[test]
fn a_token_under_a_siblings_write_is_sent() {
    let (kit, old) = kit();
    let session = kit.open(&old);
    session.renew().expect("open");
    kit.store.answer(Call::Update, Answer::Lost);
    kit.store.before(Call::Load, Answer::Given, kit.counts(&old, 4));
    let new = token(&kit.commit(&session));
    assert!(kit.opens(&new));
}
