//! Time: what ends a session, and what moves that.

use super::*;
use crate::clock::Timestamp;

#[test]
fn a_session_ends_with_its_lifetime() {
    let kit = Kit::with(|builder| builder.lifetime(secs(1_000)));
    let token = kit.stored(|_| {});
    kit.clock.advance(Duration::from_millis(999_999));
    assert!(kit.opens(&token));
    kit.request(&token, increment);
    kit.clock.advance(Duration::from_millis(1));
    assert!(!kit.opens(&token), "activity does not extend it");
}

#[test]
fn a_session_ends_when_it_was_idle() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(160)));
    let token = kit.stored(|_| {});
    for _ in 0..50 {
        kit.advance(155);
        let committed = kit.request(&token, |session| drop(session.keys()));
        assert_eq!(committed.outcome, Outcome::Touched);
    }
    kit.clock.advance(Duration::from_millis(159_999));
    assert!(kit.opens(&token));
    kit.clock.advance(Duration::from_millis(1));
    assert!(!kit.opens(&token));
}

/// ASVS 7.3.2: no sequence of operations outlives the absolute cap, or is given a store expiry beyond it.
#[test]
fn asvs_7_3_2_no_sequence_of_operations_outlives_the_absolute_cap() {
    let mut rng = seeded("asvs_7_3_2_no_sequence_of_operations_outlives_the_absolute_cap");
    for round in 0..60 {
        let kit = Kit::with(|builder| {
            builder.lifetime(secs(100)).idle_timeout(secs(60)).absolute_timeout(secs(1_000)).renew_grace(secs(10))
        });
        let mut current = kit.stored(|_| {});
        let cap = START.after(secs(1_000));
        while kit.now() < cap {
            kit.clock.advance(Duration::from_millis(rng.u64(1..30_000)));
            let wish = rng.u8(..10);
            let long = secs(rng.u64(1..1_000_000));
            let committed = kit.request(&current, |session| {
                if session.is_new() {
                    return;
                }
                match wish {
                    0 => session.rotate(),
                    1 => session.renew(),
                    2 => session.set_owner("u"),
                    3 => session.clear_owner(),
                    4 => session.set_lifetime(long),
                    5 => session.set_idle_timeout(Some(long)),
                    6 => session.set_idle_timeout(None),
                    7 => session.insert("a", &1),
                    _ => session.renew_quietly(),
                }
                .expect("open");
            });
            if let CookieChange::Set { token, max_age, .. } = committed.cookie {
                assert!(kit.now().after(max_age) <= cap, "round {round}: a cookie beyond the cap");
                current = token;
            }
            for id in kit.store.ids() {
                let stored = kit.store.stored(id).expect("live");
                assert!(stored.expires_at <= cap, "round {round}: stored beyond the cap");
                match block_on(kit.manager.get_session(&id)).expect("the store answers") {
                    Some(session) => assert!(session.deadline() <= Some(cap), "round {round}"),
                    // A lifetime shorter than has passed: the store keeps the row for the millisecond that is its least.
                    None => assert!(stored.expires_at <= kit.now().after(Duration::from_millis(1)), "round {round}"),
                }
            }
        }
        assert!(!kit.opens(&current), "round {round}");
        assert!(kit.store.ids().is_empty(), "round {round}");
    }
}

/// The record's own deadline holds where a store's clock is behind.
#[test]
fn a_record_past_its_deadline_opens_for_nobody() {
    let kit = Kit::with(|builder| builder.lifetime(secs(1_000)));
    let token = kit.stored(increment);
    let slow = kit.counting(&token);
    kit.store.tamper(token.id(), |stored| stored.expires_at = Timestamp::MAX);
    kit.advance(999);
    assert!(kit.opens(&token));
    kit.advance(1);
    assert!(!kit.opens(&token));
    assert!(block_on(kit.manager.get_session(&token.id())).expect("the store answers").is_none());
    assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Lost), "nor for a request that was loaded before");
}

#[test]
fn a_session_that_expires_between_load_and_commit_is_lost() {
    let wishes: [fn(&Session); 3] =
        [increment, |s| s.rotate().expect("open"), |s| s.set_lifetime(secs(1_000_000)).expect("open")];
    for wish in wishes {
        let kit = Kit::with(|builder| builder.idle_timeout(secs(100)));
        let token = kit.stored(|_| {});
        let slow = kit.open(&token);
        wish(&slow);
        kit.advance(100);
        assert_eq!(kit.commit(&slow), Committed::quiet(Outcome::Lost));
        assert!(kit.store.ids().is_empty());
    }
}

#[test]
fn a_shorter_lifetime_than_has_passed_ends_the_session_at_once() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    kit.advance(100);
    let committed = kit.request(&token, |session| session.set_lifetime(secs(50)).expect("in range"));
    assert_eq!(committed.outcome, Outcome::Written);
    assert!(!kit.opens(&token));
}

#[test]
fn a_clock_that_jumps_back_ends_nothing_and_extends_no_deadline() {
    let kit = Kit::with(|builder| builder.lifetime(secs(1_000)).idle_timeout(secs(100)));
    let token = kit.stored(|_| {});
    let deadline = kit.peek(token.id()).deadline();
    kit.clock.set(Timestamp::from_millis(START.as_millis() - 500_000));
    assert!(kit.opens(&token));
    assert_eq!(kit.request(&token, |_| {}).outcome, Outcome::Unchanged, "no touch into the past");
    assert_eq!(kit.request(&token, increment).outcome, Outcome::Written);
    assert_eq!(kit.peek(token.id()).deadline(), deadline);
    assert_eq!(kit.peek(token.id()).expires_at(), Some(START.after(secs(100))));
    // And back to what it was.
    kit.clock.set(START.after(secs(50)));
    assert!(kit.opens(&token));
}

#[test]
fn a_clock_that_jumps_forward_ends_the_session_and_the_next_one_is_a_new_one() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    kit.clock.set(Timestamp::MAX);
    assert!(!kit.opens(&token));
    let session = kit.open(&token);
    increment(&session);
    // At the end of time nothing can be stored for long; nothing overflows either.
    kit.commit(&session);
}

/// Renewals go on over many lifetimes, each with its whole lifetime.
#[test]
fn a_session_that_is_renewed_lives_on() {
    let kit = Kit::with(|builder| builder.lifetime(secs(600)).rotate_threshold(secs(60)));
    let mut token = kit.stored(|_| {});
    for _ in 0..100 {
        kit.advance(560);
        let committed = kit.request(&token, |session| {
            assert_eq!(session.status(), SessionStatus::ShouldRotate);
            session.renew_quietly().expect("open");
        });
        token = super::token(&committed);
    }
}
