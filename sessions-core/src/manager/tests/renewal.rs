//! Graceful renewal: overlapping requests go on, and one renewal serves all.

use super::*;

fn renew(session: &Session) {
    session.renew().expect("open");
}

fn quietly(session: &Session) {
    session.renew_quietly().expect("open");
}

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(increment);
    (kit, token)
}

#[test]
fn the_renewed_token_is_valid_until_its_grace_ends() {
    let (kit, old) = kit();
    let new = token(&kit.request(&old, renew));
    assert_eq!(new.id(), old.id());
    kit.clock.advance(Duration::from_millis(29_999));
    assert!(kit.opens(&old) && kit.opens(&new));
    kit.clock.advance(Duration::from_millis(1));
    assert!(!kit.opens(&old) && kit.opens(&new));
}

/// A grace that ended is over in the record, too: a clock that is set back revives nothing.
#[test]
fn an_old_token_is_forgotten_by_the_next_write_after_its_grace() {
    let (kit, old) = kit();
    let new = token(&kit.request(&old, renew));
    kit.advance(30);
    kit.request(&new, increment);
    kit.clock.set(START);
    assert!(!kit.opens(&old) && kit.opens(&new));
}

#[test]
fn a_request_that_was_under_way_while_a_sibling_renewed_is_merged() {
    let (kit, old) = kit();
    let slow = kit.counting(&old);
    let new = token(&kit.request(&old, renew));
    assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Written), "and sends no cookie");
    assert_eq!(kit.counter(new.id()), Some(2));
    assert!(kit.opens(&new) && kit.opens(&old));
}

#[test]
fn a_request_in_its_grace_may_write_and_one_after_it_is_lost() {
    let (kit, old) = kit();
    let new = token(&kit.request(&old, renew));
    let (first, second) = (kit.counting(&old), kit.counting(&old));
    assert_eq!(kit.commit(&first), Committed::quiet(Outcome::Written));
    kit.advance(31);
    assert_eq!(kit.commit(&second), Committed::quiet(Outcome::Lost), "judged at the conflict");
    assert_eq!(kit.counter(new.id()), Some(2));
}

#[test]
fn when_a_sibling_has_renewed_no_second_token_is_made() {
    for wish in [renew as fn(&Session), quietly] {
        let (kit, old) = kit();
        let (session, writer) = (kit.open(&old), kit.counting(&old));
        wish(&session);
        wish(&writer);
        let new = token(&kit.request(&old, renew));
        kit.random.forget();
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
        assert_eq!(kit.commit(&writer), Committed::quiet(Outcome::Written));
        assert!(kit.opens(&new), "the one cookie that was sent is good");
        assert_eq!(kit.peek(new.id()).issued_at(), Some(kit.now()));
    }
}

#[test]
fn a_request_opened_by_a_token_in_its_grace_makes_none() {
    let (kit, old) = kit();
    let new = token(&kit.request(&old, renew));
    kit.random.forget();
    let session = kit.open(&old);
    kit.store.calls();
    renew(&session);
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
    assert!(kit.store.calls().is_empty());
    assert_eq!(kit.request(&old, renew), Committed::quiet(Outcome::Unchanged));
    assert_eq!(kit.random.tokens(), 0);
    assert!(kit.opens(&old) && kit.opens(&new));
}

/// Every grace is kept: while one runs, the session is not renewed again.
#[test]
fn while_a_grace_runs_the_new_token_is_not_renewed_either() {
    let (kit, first) = kit();
    let second = token(&kit.request(&first, renew));
    assert_eq!(kit.request(&second, renew), Committed::quiet(Outcome::Unchanged));
    assert!(kit.opens(&first) && kit.opens(&second));
    kit.advance(30);
    let third = token(&kit.request(&second, renew));
    assert!(!kit.opens(&first) && kit.opens(&second) && kit.opens(&third));
}

#[test]
fn a_strict_rotation_ends_both_tokens_whoever_asks() {
    for by_grace in [true, false] {
        let (kit, old) = kit();
        let new = token(&kit.request(&old, renew));
        let asked_by = if by_grace { &old } else { &new };
        let last = token(&kit.request(asked_by, |session| session.rotate().expect("open")));
        assert!(!kit.opens(&old) && !kit.opens(&new) && kit.opens(&last));
    }
}

#[test]
fn a_grace_of_zero_makes_every_renewal_strict() {
    let kit = Kit::with(|builder| builder.renew_grace(Duration::ZERO));
    let old = kit.stored(|_| {});
    let slow = kit.counting(&old);
    let new = token(&kit.request(&old, renew));
    assert!(kit.opens(&new) && !kit.opens(&old));
    assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Lost));
    let newest = token(&kit.request(&new, renew));
    assert!(kit.opens(&newest));
}

/// As housekeeping it never fails a request that has only read.
#[test]
fn renewing_quietly_fails_softly() {
    for answer in [Answer::Refused, Answer::Swallowed, Answer::Full] {
        let (kit, old) = kit();
        let session = kit.open(&old);
        quietly(&session);
        kit.store.always(Call::Update, answer);
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
        assert!(kit.opens(&old));
        assert!(session.insert("a", &1).expect_err("the commit is over").is_sealed());
    }
    let (kit, old) = kit();
    let session = kit.open(&old);
    quietly(&session);
    kit.random.fail_after(0);
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
}

#[test]
fn renewing_loudly_or_with_changes_does_not_fail_softly() {
    let wishes: [fn(&Session); 2] = [renew, |s| {
        quietly(s);
        increment(s);
    }];
    for wish in wishes {
        let (kit, old) = kit();
        let session = kit.open(&old);
        wish(&session);
        kit.store.answer(Call::Update, Answer::Refused);
        assert!(kit.try_commit(&session).expect_err("refused").is_unavailable());
        kit.request(&old, |session| session.rotate().expect("open"));
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Lost));
    }
}

#[test]
fn a_renewal_that_is_not_needed_leaves_the_touch() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let old = kit.stored(|_| {});
    kit.advance(90);
    kit.request(&old, renew);
    kit.advance(20);
    let session = kit.open(&old);
    quietly(&session);
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged), "the renewal has moved the expiry");
    kit.advance(9);
    let late = kit.open(&old);
    kit.clock.advance(secs(71));
    quietly(&late);
    assert_eq!(kit.commit(&late), Committed::quiet(Outcome::Touched));
}

/// A lifetime shorter than the grace must not end between two renewals.
#[test]
fn a_session_with_a_short_lifetime_is_renewed_in_time() {
    let kit = Kit::with(|builder| builder.lifetime(secs(10)).rotate_threshold(secs(4)));
    let mut current = kit.stored(|_| {});
    for second in 0..100 {
        kit.advance(1);
        let session = kit.open(&current);
        assert!(!session.is_new(), "in use, and over after {second} s");
        if session.should_rotate() {
            quietly(&session);
        }
        if let CookieChange::Set { token, .. } = kit.commit(&session).cookie {
            current = token;
        }
    }
}

/// The answer to the update had what is stored now, and the decision was judged by it: there is nothing to look for.
#[test]
fn a_renewal_that_a_sibling_has_made_costs_no_further_call() {
    let (kit, old) = kit();
    let slow = kit.open(&old);
    renew(&slow);
    slow.require_unchanged("counter").expect("open");
    kit.request(&old, renew);
    assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Unchanged));
    assert_eq!(kit.store.calls(), [Call::Load, Call::Update]);
}
