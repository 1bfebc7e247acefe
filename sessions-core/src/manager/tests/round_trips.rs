//! The table of store calls per request, row by row: you pay for what you use.

use super::*;

/// The calls of a request with a cookie, from its opening to its commit.
fn calls(kit: &Kit, token: &Token, handle: impl FnOnce(&Session)) -> (Outcome, Vec<Call>) {
    kit.store.calls();
    let session = kit.open(token);
    handle(&session);
    (kit.commit(&session).outcome, kit.store.calls())
}

#[test]
fn no_cookie_and_nothing_written_is_no_call() {
    let kit = Kit::new();
    let session = kit.manager.begin(None);
    block_on(kit.manager.open(&session)).expect("nothing to ask");
    assert_eq!(kit.commit(&session).outcome, Outcome::Unchanged);
    assert_eq!(kit.store.calls(), []);
}

#[test]
fn a_session_that_nobody_asked_for_is_no_call() {
    let kit = Kit::new();
    let session = kit.manager.begin(Some(kit.stored(|_| {})));
    assert_eq!(kit.commit(&session).outcome, Outcome::Unchanged);
    assert_eq!(kit.store.calls(), []);
}

#[test]
fn reading_is_one_call_and_two_when_a_touch_is_due() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let token = kit.stored(|_| {});
    assert_eq!(calls(&kit, &token, |_| {}), (Outcome::Unchanged, vec![Call::Load]));
    kit.advance(100);
    assert_eq!(calls(&kit, &token, |_| {}), (Outcome::Touched, vec![Call::Load, Call::Touch]));
    assert_eq!(calls(&kit, &token, |_| {}), (Outcome::Unchanged, vec![Call::Load]));
}

#[test]
fn a_new_session_with_data_is_one_call() {
    let kit = Kit::new();
    let session = kit.manager.new_session();
    session.insert("a", &1).expect("open");
    session.set_owner("u").expect("valid");
    assert_eq!(kit.commit(&session).outcome, Outcome::Created);
    assert_eq!(kit.store.calls(), [Call::Create]);
}

#[test]
fn writing_is_two_calls_whatever_is_written() {
    let kit = Kit::with(|builder| builder.idle_timeout(secs(1_600)));
    let writes: [fn(&Session); 9] = [
        |s| s.insert("a", &1).expect("open"),
        |s| s.remove("stored").expect("open"),
        |s| s.clear().expect("open"),
        increment,
        |s| s.set_lifetime(secs(50)).expect("open"),
        |s| s.set_idle_timeout(None).expect("open"),
        |s| s.set_persistent(true).expect("open"),
        |s| s.rotate().expect("open"),
        |s| s.renew().expect("open"),
    ];
    for write in writes {
        let token = kit.stored(|_| {});
        // A touch that is due rides along.
        kit.advance(100);
        assert_eq!(calls(&kit, &token, write), (Outcome::Written, vec![Call::Load, Call::Update]));
    }
}

#[test]
fn a_login_with_write_owner_and_rotation_is_two_calls() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let login = |session: &Session| {
        session.set_owner("alice").expect("open");
        session.insert("name", &"Alice").expect("open");
        session.set_persistent(true).expect("open");
        session.set_lifetime(secs(1_000_000)).expect("open");
        session.rotate().expect("open");
    };
    assert_eq!(calls(&kit, &token, login), (Outcome::Written, vec![Call::Load, Call::Update]));
    assert_eq!(kit.random.tokens(), 1, "one secret");
}

#[test]
fn destroying_is_two_calls_and_three_when_another_session_follows() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let destroy = |session: &Session| session.destroy().expect("open");
    assert_eq!(calls(&kit, &token, destroy), (Outcome::Deleted, vec![Call::Load, Call::Delete]));
    let token = kit.stored(|_| {});
    let destroy_and_write = |session: &Session| {
        session.destroy().expect("open");
        session.insert("flash", &"bye").expect("open");
    };
    let expected = vec![Call::Load, Call::Delete, Call::Create];
    assert_eq!(calls(&kit, &token, destroy_and_write), (Outcome::Created, expected));
}

#[test]
fn a_write_that_meets_a_writer_is_three_calls_and_nothing_is_lost() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    kit.store.before(Call::Update, Answer::Given, kit.counts(&token, 1));
    let expected = vec![Call::Load, Call::Update, Call::Update];
    assert_eq!(calls(&kit, &token, increment), (Outcome::Written, expected));
    assert_eq!(kit.counter(token.id()), Some(2));
}

#[test]
fn what_cancels_out_is_not_written() {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    let nothing = |session: &Session| {
        session.insert("a", &1).expect("open");
        session.remove("a").expect("open");
        session.remove("not there").expect("open");
    };
    assert_eq!(calls(&kit, &token, nothing), (Outcome::Unchanged, vec![Call::Load]));
}

/// ASVS 7.6.2: no session without an explicit act.
#[test]
fn asvs_7_6_2_an_empty_new_session_is_never_stored() {
    let kit = Kit::new();
    let acts: [fn(&Session); 8] = [
        |s| s.rotate().expect("open"),
        |s| s.renew().expect("open"),
        |s| s.destroy().expect("open"),
        |s| s.clear().expect("open"),
        |s| s.clear_owner().expect("open"),
        |s| s.set_persistent(true).expect("open"),
        |s| s.set_lifetime(secs(5)).expect("open"),
        |s| s.require_unchanged("a").expect("open"),
    ];
    for act in acts {
        let session = kit.manager.new_session();
        act(&session);
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Unchanged));
    }
    assert_eq!(kit.store.calls(), []);
    assert_eq!(kit.random.tokens(), 0);
}
