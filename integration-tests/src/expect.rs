//! What tests say about answers, in one word each.

use std::time::Duration;

use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, Entry, SessionId, SessionStore, StoreError, Stored, Timestamp, Ttl, UpdateOutcome, Version,
};

use crate::harness::Profile;

/// A change that leaves the expiry alone and promises nothing.
pub(crate) const KEEP: Change = Change { ttl: Ttl::Keep, reindex: true };

/// A change that moves the expiry and promises nothing.
pub(crate) const fn after(ttl: Duration) -> Change {
    Change { ttl: Ttl::After(ttl), reindex: true }
}

/// An answer of a store that is up: an error fails the test.
pub(crate) trait Expect<T> {
    fn answer(self) -> T;
}

impl<T> Expect<T> for Result<T, StoreError> {
    #[track_caller]
    fn answer(self) -> T {
        self.unwrap_or_else(|error| panic!("the store answers an error: {error}; {error:?}"))
    }
}

/// What is live under an id that must be.
#[track_caller]
pub(crate) fn live(loaded: Result<Option<Stored>, StoreError>) -> Stored {
    loaded.answer().expect("the session is live")
}

/// Loads a session that must be live.
pub(crate) async fn load(store: &impl SessionStore, id: &SessionId) -> Stored {
    live(store.load(id).await)
}

/// Updates a session that must be there in the expected version.
pub(crate) async fn write(store: &impl SessionStore, id: &SessionId, expected: Version, entry: &Entry, change: Change) {
    let outcome = store.update(id, expected, entry, change).await.answer();
    assert_eq!(outcome, UpdateOutcome::Written, "update of the expected version");
}

/// Checks that the store holds what was written: version, record and owner.
#[track_caller]
pub(crate) fn assert_holds(stored: &Stored, entry: &Entry) {
    let Stored { version, record, owner, expires_at: _ } = stored;
    assert_eq!(*version, entry.version, "the version that was written");
    assert_eq!(record.len(), entry.record.len(), "the size of the record that was written");
    assert!(record == &entry.record, "the bytes that were written");
    assert_eq!(*owner, entry.owner, "the owner that was written");
}

/// Checks that nothing lives under an id.
pub(crate) async fn assert_absent(store: &impl SessionStore, id: &SessionId) {
    assert_eq!(store.load(id).await.answer(), None, "the session is absent");
}

impl Profile {
    /// Checks that a session expires `ttl` after a write that happened between two points in time.
    #[track_caller]
    pub(crate) fn assert_expiry(&self, stored: &Stored, ttl: Duration, written: [Timestamp; 2]) {
        let ttl = Duration::from_millis(ttl_millis(ttl));
        let [from, to] = written.map(|point| point.after(ttl));
        let at = stored.expires_at;
        assert!(at.after(self.tolerance) >= from, "expires at {at:?}, too early: not before {from:?}");
        assert!(at <= to.after(self.tolerance), "expires at {at:?}, too late: not after {to:?}");
    }
}
