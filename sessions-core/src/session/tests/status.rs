//! What the handle says is to happen at the commit.

use super::*;

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    (kit, token)
}

/// Status of a loaded session after `asked`, and whether a commit has something to write.
#[track_caller]
fn assert_status(asked: impl FnOnce(&Session), expected: SessionStatus) {
    let (kit, token) = kit();
    let session = kit.open(&token);
    asked(&session);
    assert_eq!(session.status(), expected);
    assert_eq!(session.is_changed(), expected != SessionStatus::Unchanged);
}

#[test]
fn each_change_has_its_status() {
    use SessionStatus::{Changed, Destroyed, Rotated, Unchanged};
    assert_status(|_| {}, Unchanged);
    assert_status(|s| assert!(s.get::<bool>("stored").expect("a bool").is_some()), Unchanged);
    assert_status(|s| s.remove("not there").expect("open"), Unchanged);
    assert_status(|s| s.insert("a", &1).expect("open"), Changed);
    assert_status(|s| s.remove("stored").expect("open"), Changed);
    assert_status(|s| assert!(s.take::<bool>("stored").expect("open").is_some()), Changed);
    assert_status(|s| s.clear().expect("open"), Changed);
    assert_status(increment, Changed);
    assert_status(|s| s.set_lifetime(secs(9)).expect("open"), Changed);
    assert_status(|s| s.set_idle_timeout(None).expect("open"), Changed);
    assert_status(|s| s.set_persistent(false).expect("open"), Changed);
    assert_status(|s| s.rotate().expect("open"), Rotated);
    assert_status(|s| s.renew().expect("open"), Rotated);
    assert_status(|s| s.renew_quietly().expect("open"), Rotated);
    assert_status(|s| s.set_owner("u").expect("open"), Rotated);
    assert_status(|s| s.clear_owner().expect("open"), Rotated);
    assert_status(|s| s.destroy().expect("open"), Destroyed);
}

#[test]
fn the_strongest_change_is_the_status() {
    use SessionStatus::{Changed, Destroyed, Rotated, Unchanged};
    assert_status(|s| [s.insert("a", &1), s.rotate()].into_iter().for_each(|r| r.expect("open")), Rotated);
    assert_status(|s| [s.rotate(), s.renew()].into_iter().for_each(|r| r.expect("open")), Rotated);
    assert_status(|s| [s.rotate(), s.destroy()].into_iter().for_each(|r| r.expect("open")), Destroyed);
    assert_status(|s| [s.set_owner("u"), s.destroy()].into_iter().for_each(|r| r.expect("open")), Destroyed);
    // What follows a destroy is a new session.
    assert_status(|s| [s.destroy(), s.insert("a", &1)].into_iter().for_each(|r| r.expect("open")), Changed);
    assert_status(|s| [s.destroy(), s.set_owner("u")].into_iter().for_each(|r| r.expect("open")), Rotated);
    // Setting and removing a new key is nothing.
    assert_status(|s| [s.insert("a", &1), s.remove("a")].into_iter().for_each(|r| r.expect("open")), Unchanged);
}

#[test]
fn renewing_after_rotating_stays_strict() {
    let (kit, old) = kit();
    let committed = kit.request(&old, |session| {
        session.rotate().expect("open");
        session.renew().expect("open");
        session.renew_quietly().expect("open");
    });
    assert!(kit.opens(&token(&committed)));
    assert!(!kit.opens(&old));
}

#[test]
fn with_little_lifetime_left_the_session_should_rotate() {
    let kit = Kit::with(|builder| builder.lifetime(secs(1_000)).rotate_threshold(secs(100)));
    let token = kit.stored(|_| {});
    kit.advance(900);
    let session = kit.open(&token);
    assert!(!session.should_rotate());
    kit.clock.advance(Duration::from_millis(1));
    assert!(session.should_rotate());
    assert_eq!(session.status(), SessionStatus::ShouldRotate);
    assert!(!session.is_changed(), "it is advice, not a change");
    session.insert("a", &1).expect("open");
    assert_eq!(session.status(), SessionStatus::Changed);
    assert!(!kit.manager.new_session().should_rotate());
}

#[test]
fn a_session_whose_own_lifetime_is_long_need_not_rotate() {
    let kit = Kit::with(|builder| builder.lifetime(secs(1_000)).rotate_threshold(secs(100)));
    let token = kit.stored(|session| session.set_lifetime(secs(10_000)).expect("in range"));
    kit.advance(950);
    assert!(!kit.open(&token).should_rotate());
}
