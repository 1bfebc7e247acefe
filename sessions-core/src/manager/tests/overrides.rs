//! What one session has instead of the manager's settings: kept in the record, sticky.

use super::*;

type Change = fn(&Session);

const DAY: u64 = 24 * 60 * 60;

/// "Keep me signed in", at the login.
fn remember(session: &Session) {
    session.set_owner("alice").expect("open");
    session.set_lifetime(secs(30 * DAY)).expect("open");
    session.set_idle_timeout(Some(secs(7 * DAY))).expect("open");
    session.set_persistent(true).expect("open");
}

fn kit() -> Kit {
    Kit::with(|builder| builder.idle_timeout(secs(600)))
}

#[test]
fn overrides_are_sticky_over_rotation_renewal_and_writes() {
    let kit = kit();
    let changes: [Change; 5] = [
        |s| s.rotate().expect("open"),
        |s| s.renew().expect("open"),
        increment,
        |s| s.clear_owner().expect("open"),
        |s| {
            s.set_owner("bob").expect("open");
        },
    ];
    let mut token = kit.stored(remember);
    for change in changes {
        kit.advance(5 * DAY);
        let committed = kit.request(&token, change);
        if let CookieChange::Set { token: new, persistent, max_age } = committed.cookie {
            assert_eq!((persistent, max_age), (Some(true), secs(30 * DAY)));
            token = new;
        }
        let session = kit.peek(token.id());
        assert_eq!(session.expires_at(), Some(kit.now().after(secs(7 * DAY))));
        let issued = session.issued_at().expect("stored");
        assert_eq!(session.deadline(), Some(issued.after(secs(30 * DAY))));
    }
}

#[test]
fn a_new_session_is_stored_with_its_overrides() {
    let kit = kit();
    let session = kit.manager.new_session();
    remember(&session);
    let CookieChange::Set { token, persistent, max_age } = kit.commit(&session).cookie else { panic!("no token") };
    assert_eq!((persistent, max_age), (Some(true), secs(30 * DAY)));
    assert_eq!(kit.peek(token.id()).expires_at(), Some(START.after(secs(7 * DAY))));
}

#[test]
fn each_override_alone_leaves_the_others() {
    let kit = kit();
    let token = kit.stored(remember);
    kit.request(&token, |session| session.set_idle_timeout(None).expect("open"));
    let session = kit.peek(token.id());
    assert_eq!(session.expires_at(), Some(START.after(secs(30 * DAY))), "no idle timeout: the lifetime is all");
    kit.request(&token, |session| session.set_idle_timeout(Some(secs(60))).expect("open"));
    assert_eq!(kit.peek(token.id()).expires_at(), Some(START.after(secs(60))), "earlier, too (G10)");
    kit.request(&token, |session| session.set_persistent(false).expect("open"));
    assert_eq!(kit.peek(token.id()).deadline(), Some(START.after(secs(30 * DAY))));
}

#[test]
fn the_absolute_timeout_is_not_overridden() {
    let kit = Kit::with(|builder| builder.absolute_timeout(secs(DAY)));
    let token = kit.stored(remember);
    assert_eq!(kit.peek(token.id()).deadline(), Some(START.after(secs(DAY))));
}

/// The browser learns of a change by the cookie that it has, sent once more.
#[test]
fn a_change_of_persistence_or_lifetime_sends_the_same_token_again() {
    let kit = kit();
    let token = kit.stored(|_| {});
    let changes: [(Change, Option<bool>, Duration); 3] = [
        (|s| s.set_persistent(true).expect("open"), Some(true), secs(DAY)),
        (|s| s.set_lifetime(secs(9 * DAY)).expect("open"), Some(true), secs(9 * DAY)),
        (|s| s.set_persistent(false).expect("open"), Some(false), secs(9 * DAY)),
    ];
    for (change, persistent, max_age) in changes {
        let cookie = CookieChange::Set { token: token.clone(), persistent, max_age };
        assert_eq!(kit.request(&token, change), Committed { outcome: Outcome::Written, cookie });
        // The same once more is no change for the browser.
        assert_eq!(kit.request(&token, change), Committed::quiet(Outcome::Written));
    }
}

#[test]
fn a_request_by_a_token_in_its_grace_sends_no_cookie() {
    let kit = kit();
    let old = kit.stored(|_| {});
    kit.request(&old, |session| session.renew().expect("open"));
    let committed = kit.request(&old, |session| session.set_persistent(true).expect("open"));
    assert_eq!(committed, Committed::quiet(Outcome::Written));
}

#[test]
fn overrides_end_with_the_session() {
    let kit = kit();
    let old = kit.stored(remember);
    let committed = kit.request(&old, |session| {
        session.destroy().expect("open");
        increment(session);
    });
    let CookieChange::Set { token, persistent, max_age } = committed.cookie else { panic!("no token") };
    assert_eq!((persistent, max_age), (None, secs(DAY)));
    assert_eq!(kit.peek(token.id()).expires_at(), Some(START.after(secs(600))));
}

/// A sibling has renewed meanwhile: its cookie is the better one, and the old token must not take its place.
#[test]
fn a_change_of_persistence_never_sends_a_token_that_a_sibling_has_renewed() {
    let kit = kit();
    let old = kit.stored(|_| {});
    let session = kit.open(&old);
    session.set_persistent(true).expect("open");
    let new = token(&kit.request(&old, |session| session.renew().expect("open")));
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
    let CookieChange::Set { persistent, .. } = kit.request(&new, |s| s.rotate().expect("open")).cookie else {
        panic!("no token")
    };
    assert_eq!(persistent, Some(true), "the next cookie tells the browser");
}
