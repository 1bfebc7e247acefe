//! What a manager can be set to.

use super::*;
use crate::SessionManagerBuilder;
use crate::store::MAX_TTL;

const MS: Duration = Duration::from_millis(1);

#[track_caller]
fn assert_refused(name: &str, configure: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) {
    let error = configure(SessionManager::builder(Kit::new().store)).build().expect_err("out of range");
    assert!(error.is_invalid_setting() && error.to_string().starts_with(name), "{error}");
}

#[test]
fn durations_out_of_range_are_errors_that_name_the_setting() {
    for bad in [Duration::ZERO, Duration::from_nanos(999_999), MAX_TTL + MS, Duration::MAX] {
        assert_refused("lifetime", |builder| builder.lifetime(bad));
        assert_refused("idle_timeout", |builder| builder.idle_timeout(bad));
        assert_refused("absolute_timeout", |builder| builder.absolute_timeout(bad));
        assert_refused("rotate_threshold", |builder| builder.rotate_threshold(bad));
        assert_refused("commit_deadline", |builder| builder.commit_deadline(bad));
    }
    assert_refused("renew_grace", |builder| builder.renew_grace(Duration::MAX));
}

#[test]
fn record_limits_out_of_range_are_errors() {
    for bad in [0, 1023, 1024 * 1024 * 1024 + 1, usize::MAX] {
        assert_refused("max_record_bytes", |builder| builder.max_record_bytes(bad));
    }
}

#[test]
fn the_ends_of_the_ranges_are_in_them_and_work() {
    for edge in [MS, MAX_TTL] {
        let kit = Kit::with(|builder| {
            builder
                .lifetime(edge)
                .idle_timeout(edge)
                .absolute_timeout(edge)
                .rotate_threshold(edge)
                .commit_deadline(edge)
                .renew_grace(edge)
                .touch_fraction(u32::MAX)
                .max_record_bytes(1024)
        });
        let token = kit.stored(increment);
        assert_eq!(kit.peek(token.id()).deadline(), Some(START.after(edge)));
        assert!(kit.opens(&token));
        kit.request(&token, |session| session.renew().expect("open"));
    }
    let grace = [Duration::ZERO, Duration::from_nanos(1)];
    for edge in grace {
        let kit = Kit::with(|builder| builder.renew_grace(edge).max_record_bytes(1024 * 1024 * 1024));
        let old = kit.stored(|_| {});
        let new = token(&kit.request(&old, |session| session.renew().expect("open")));
        assert!(kit.opens(&new) && !kit.opens(&old));
    }
}

#[test]
fn a_manager_and_its_clones_are_one() {
    let kit = Kit::new();
    let clone = kit.manager.clone();
    let session = clone.new_session();
    increment(&session);
    assert!(kit.opens(&token(&kit.commit(&session))));
}

/// A store that is shared is a store.
#[test]
fn an_arc_of_a_store_is_a_store() {
    let store: Arc<dyn SessionStore> = Arc::new(Kit::new().store);
    let manager = SessionManager::builder(store).build().expect("valid settings");
    let session = manager.new_session();
    increment(&session);
    assert_eq!(block_on(manager.commit(&session)).expect("stored").outcome, Outcome::Created);
}

/// ASVS 7.3.2: the limits of a manager hold for every session that it commits.
#[test]
fn a_detached_session_is_committed_under_the_managers_settings() {
    let kit = Kit::with(|builder| {
        builder.lifetime(secs(60)).idle_timeout(secs(30)).absolute_timeout(secs(50)).max_record_bytes(1024)
    });
    let session = Session::detached();
    increment(&session);
    let committed = kit.commit(&session);
    assert_eq!(kit.random.tokens(), 1, "its random source");
    let stored = kit.peek(token(&committed).id());
    assert_eq!((stored.created_at(), stored.deadline()), (Some(START), Some(START.after(secs(50)))));
    assert_eq!(stored.expires_at(), Some(START.after(secs(30))));
    let large = Session::detached();
    large.insert("a", &"x".repeat(2_000)).expect("within the default limit");
    assert!(kit.try_commit(&large).expect_err("over the manager's").is_too_large());
}

#[test]
fn a_manager_shows_its_store() {
    let shown = format!("{:?}", Kit::new().manager);
    assert!(shown.starts_with("SessionManager { store: "), "{shown}");
}
