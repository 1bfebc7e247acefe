//! Activity: when it is written, and that it never decides about a response.

use super::*;

fn kit() -> (Kit, Token) {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    (kit, token)
}

fn expires_in(kit: &Kit, token: &Token) -> Duration {
    kit.store.stored(token.id()).expect("live").expires_at.since(kit.now())
}

#[test]
fn a_touch_is_written_when_a_sixteenth_of_the_window_has_passed() {
    let (kit, token) = kit();
    kit.clock.advance(Duration::from_millis(99_999));
    assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Unchanged);
    kit.clock.advance(Duration::from_millis(1));
    assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Touched);
    assert_eq!(expires_in(&kit, &token), secs(1_600));
    let version = kit.store.stored(token.id()).expect("live").version;
    kit.advance(100);
    kit.commit(&kit.open(&token));
    assert_eq!(kit.store.stored(token.id()).expect("live").version, version, "G10: it moves time only");
}

#[test]
fn with_a_fraction_of_zero_every_request_touches() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)).touch_fraction(0));
    let token = kit.stored(|_| {});
    for _ in 0..3 {
        kit.clock.advance(Duration::from_millis(1));
        assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Touched);
    }
}

#[test]
fn without_an_idle_timeout_nothing_is_touched() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    for _ in 0..20 {
        kit.advance(60 * 60);
        assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Unchanged);
    }
}

/// On some backends a write that leaves the expiry alone is much cheaper.
#[test]
fn a_write_moves_the_expiry_only_when_a_touch_is_due() {
    let (kit, token) = kit();
    let ttl_of = |session: &Session| {
        kit.store.seen();
        kit.commit(session);
        let update = kit.store.seen().pop().expect("an update");
        (update.ttl.expect("an update"), update.reindex)
    };
    kit.advance(99);
    assert_eq!(ttl_of(&kit.counting(&token)), (Ttl::Keep, false));
    kit.advance(1);
    assert_eq!(ttl_of(&kit.counting(&token)), (Ttl::After(secs(1_600)), false));
    assert_eq!(expires_in(&kit, &token), secs(1_600));
    let session = kit.open(&token);
    session.rotate().expect("open");
    assert_eq!(ttl_of(&session), (Ttl::After(secs(1_600)), true), "a new deadline");
}

#[test]
fn near_the_deadline_a_touch_goes_to_the_deadline_and_no_further() {
    let kit = Kit::with(|builder| builder.lifetime(secs(2_000)).idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    kit.advance(1_000);
    assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Touched);
    assert_eq!(expires_in(&kit, &token), secs(1_000));
    kit.advance(900);
    assert_eq!(kit.commit(&kit.open(&token)).outcome, Outcome::Unchanged, "nothing to gain");
}

#[test]
fn a_touch_that_fails_does_not_fail_the_request() {
    for answer in [Answer::Refused, Answer::Swallowed, Answer::Lost, Answer::Full] {
        let (kit, token) = kit();
        kit.advance(200);
        kit.store.answer(Call::Touch, answer);
        let session = kit.open(&token);
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
        assert_eq!(kit.store.calls(), [Call::Load, Call::Touch]);
    }
}

#[test]
fn a_touch_that_meets_a_writer_or_nothing_writes_nothing() {
    let (kit, token) = kit();
    kit.advance(200);
    let (overtaken, orphan) = (kit.open(&token), kit.open(&token));
    kit.counts(&token, 1)();
    assert_eq!(kit.commit(&overtaken), Committed::quiet(Outcome::Unchanged), "the writer has moved it");
    block_on(kit.others.delete_session(&token.id())).expect("deleted");
    assert_eq!(kit.commit(&orphan), Committed::quiet(Outcome::Unchanged));
    assert!(kit.store.ids().is_empty(), "G8: a touch brings nothing back");
}

#[test]
fn asvs_7_4_1_a_touch_that_lands_after_a_destroy_brings_nothing_back() {
    let (kit, token) = kit();
    kit.advance(200);
    kit.store.answer(Call::Touch, Answer::Late);
    kit.commit(&kit.open(&token));
    kit.request(&token, |session| session.destroy().expect("open"));
    kit.store.land();
    assert!(kit.store.ids().is_empty());
}

#[test]
fn the_last_activity_is_known_from_the_expiry() {
    let (kit, token) = kit();
    kit.advance(500);
    kit.commit(&kit.open(&token));
    let touched = kit.now();
    kit.advance(90);
    assert_eq!(kit.open(&token).last_active(), Some(touched));
    let no_idle = Kit::new();
    assert_eq!(no_idle.open(&no_idle.stored(|_| {})).last_active(), None);
}
