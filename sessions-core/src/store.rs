//! The store contract: what a backend owes, and nothing else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::clock::Timestamp;
use crate::error::StoreError;
use crate::owner::Owner;
use crate::token::SessionId;

/// Holds session records, and decides races between the processes that share it.
///
/// A store knows nothing of tokens, secrets, values or HTTP: it keeps opaque bytes under a [`SessionId`], with a
/// [`Version`], a time to live and perhaps an [`Owner`]. Losing a race is a value, not an error.
///
/// A session is **live** when it is stored and not expired. Everything else is **absent**: never there, deleted and
/// expired look the same.
///
/// # The contract
///
/// The conformance suite (`sessions-conformance`) has one test or more for each number, with the number in its name.
///
/// - **G1** Round trip: `load` after a write gives those bytes, that version, that owner, that expiry.
/// - **G2** Absence is not an error.
/// - **G3** Expired is absent, for every operation, judged by the store's own clock. Times to live are relative, in
///   milliseconds, rounded up, and held to 1 ms ..= [`MAX_TTL`] (see [`ttl_millis`]).
/// - **G4** `create` never overwrites a live session; two racing creates have one winner. It does replace an expired one.
/// - **G5** `update` is a compare-and-swap, atomic against every process.
/// - **G6** A conflict writes nothing and returns what is there now.
/// - **G7** Versions are opaque, set by the caller, returned as given.
/// - **G8** No resurrection: `update` and `touch` of an absent id write nothing and say so.
/// - **G9** `delete` is idempotent and takes none to many thousand ids, repeated ones too, on a cluster too; it counts the
///   sessions that were live; afterwards `load` is `None` everywhere.
/// - **G10** `touch` moves time only, earlier or later, and only if the version is still the expected one.
/// - **G11** All or nothing, also when the future is dropped at any await; the pool and the connection stay usable.
/// - **G12** Any bytes, none included, up to a documented limit of the store; over it [`StoreError::too_large`], nothing
///   truncated, the old record intact.
/// - **G13** Namespaces (prefix, table) do not see each other; their names are validated, never spliced.
/// - **G14** A clone is the same store.
/// - **G15** `owned_by` gives exactly the live sessions of that owner, each once, in any order, after any sequence of create,
///   update (also of the owner), delete and expiry.
/// - **G16** `purge_expired` deletes only expired entries, at most `limit`, and says how many. A backend that expires by
///   itself answers 0.
/// - **G17** A store never drops a live session by itself. A bounded store refuses to create, or to make a record longer
///   ([`StoreError::full`]), instead of evicting.
/// - **G18** `stop` is idempotent and ends background work; later calls are [`StoreError::unavailable`].
/// - **G19** No record bytes and no connection secrets in `Debug`, `Display`, errors or logs.
///
/// # Errors
///
/// Every method says what may have happened: [`is_unavailable`](StoreError::is_unavailable) means surely not applied,
/// [`is_indeterminate`](StoreError::is_indeterminate) means that it may have been applied, or may yet be. A store enforces
/// a deadline on each operation (default [`DEFAULT_DEADLINE`]); this crate has no timer.
///
/// # Implementing
///
/// The operations have no default bodies, so that a wrapper cannot forget to forward one; `is_process_local` has one that is safe
/// to forget. `Arc<S>` of a store is a store. Implement it with `#[async_trait]`, then run the suite: one macro line.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// What is live under `id` now (G1, G2, G3).
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError>;

    /// Stores a session under an id that is absent (G3, G4, G12, G17).
    ///
    /// A store does not send it again while it may be on its way: the first copy could arrive when the session that the second one
    /// has created is over (G8). A session manager takes another id.
    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError>;

    /// Replaces what is live under `id` if its version is `expected` (G5, G6, G7, G8, G12, G17).
    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError>;

    /// Lets what is live under `id` expire `ttl` from now, if its version is `expected` (G8, G10). `false` when it is
    /// absent or has another version.
    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError>;

    /// Deletes sessions, whatever their version, and counts those that were live (G9).
    ///
    /// On an error some of them may be deleted; calling again is safe.
    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError>;

    /// The live sessions of an owner (G15).
    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError>;

    /// Deletes at most `limit` expired entries and counts them (G16). Safe to run in several processes at once.
    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError>;

    /// Ends background work and refuses what comes later (G18).
    async fn stop(&self) -> Result<(), StoreError>;

    /// Whether the sessions are in the memory of this process, where no other can reach them, and end with it.
    ///
    /// A session manager then names the writes of such a store by counting. Where processes share a store it draws each
    /// [`Version`] from its source of randomness: a process that is forked, or restored from a snapshot of its memory, would
    /// go on with the numbers of another. `false`, the default, is always right; `true` saves a call of the system a write. A
    /// wrapper says what the store inside says. Asked once, when a manager is built.
    fn is_process_local(&self) -> bool {
        false
    }
}

/// The deadline that stores put on one operation unless told otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

/// The longest time to live: 100 years of 365 days. Longer ones are held to it, so that no backend's arithmetic overflows.
pub const MAX_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A time to live in whole milliseconds, as every store uses it: rounded up, at least 1, at most [`MAX_TTL`] (G3).
///
/// ```
/// use sessions_core::store::{MAX_TTL, ttl_millis};
/// use std::time::Duration;
///
/// assert_eq!(ttl_millis(Duration::from_micros(1_500)), 2);
/// assert_eq!(ttl_millis(Duration::ZERO), 1);
/// assert_eq!(ttl_millis(Duration::MAX), u64::try_from(MAX_TTL.as_millis())?);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[must_use]
pub fn ttl_millis(ttl: Duration) -> u64 {
    let micros = ttl.min(MAX_TTL).as_nanos();
    u64::try_from(micros.div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

/// What a writer hands to a store.
///
/// `Debug` shows the size of the record, never its bytes (G19).
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name of this write. Equal versions mean the same write.
    pub version: Version,
    /// Opaque bytes (G12).
    pub record: Bytes,
    /// Whose session it is, for [`SessionStore::owned_by`].
    pub owner: Option<Owner>,
    /// No time to live that follows will reach beyond this point: an upper bound for the housekeeping of an owner index.
    /// The store does not enforce it.
    pub deadline: Timestamp,
}

/// What an update moves besides the record and the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Whether the expiry moves. A write that need not move it does not: on some backends that keeps it cheap.
    pub ttl: Ttl,
    /// Whether the owner or the deadline may differ from those of the expected version. `false` promises that neither does, so
    /// that a store may leave its owner index alone.
    pub reindex: bool,
}

/// The expiry that an update asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// The expiry stays what it is.
    Keep,
    /// It expires this long from now, by the store's clock.
    After(Duration),
}

/// What a store holds under an id.
///
/// `Debug` shows the size of the record, never its bytes (G19).
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// The version that was written (G7).
    pub version: Version,
    /// The bytes that were written (G1).
    pub record: Bytes,
    /// When it expires, by the store's clock or, on a backend that does not tell, by the estimate of the last writer.
    pub expires_at: Timestamp,
    /// The owner that was written.
    pub owner: Option<Owner>,
}

/// Names one write: a number that the writer picks, as no other of the store's writers does. Equal versions mean the same write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version with this number; every number is valid.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({:016x})", self.0)
    }
}

/// The answer to a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateOutcome {
    /// The entry is stored.
    Created,
    /// A live session has this id; nothing was written (G4).
    Exists(Stored),
}

/// The answer to an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The entry is stored.
    Written,
    /// Another version is there; nothing was written (G6).
    Conflict(Stored),
    /// Nothing live is there; nothing was written (G8).
    Absent,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, record, owner, deadline } = self;
        f.debug_struct("Entry")
            .field("version", version)
            .field("record_bytes", &record.len())
            .field("owner", owner)
            .field("deadline", deadline)
            .finish()
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, record, expires_at, owner } = self;
        f.debug_struct("Stored")
            .field("version", version)
            .field("record_bytes", &record.len())
            .field("expires_at", expires_at)
            .field("owner", owner)
            .finish()
    }
}

/// Forwards to the store inside; the future is passed through as it is, not boxed again.
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn load<'a, 'b, 'c>(&'a self, id: &'b SessionId) -> Answer<'c, Option<Stored>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        (**self).load(id)
    }

    fn create<'a, 'b, 'c, 'd>(&'a self, id: &'b SessionId, entry: &'c Entry, ttl: Duration) -> Answer<'d, CreateOutcome>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        (**self).create(id, entry, ttl)
    }

    fn update<'a, 'b, 'c, 'd>(
        &'a self,
        id: &'b SessionId,
        expected: Version,
        entry: &'c Entry,
        change: Change,
    ) -> Answer<'d, UpdateOutcome>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        (**self).update(id, expected, entry, change)
    }

    fn touch<'a, 'b, 'c>(&'a self, id: &'b SessionId, expected: Version, ttl: Duration) -> Answer<'c, bool>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        (**self).touch(id, expected, ttl)
    }

    fn delete<'a, 'b, 'c>(&'a self, ids: &'b [SessionId]) -> Answer<'c, u64>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        (**self).delete(ids)
    }

    fn owned_by<'a, 'b, 'c>(&'a self, owner: &'b Owner) -> Answer<'c, Vec<SessionId>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        (**self).owned_by(owner)
    }

    fn purge_expired<'a, 'b>(&'a self, limit: u32) -> Answer<'b, u64>
    where
        'a: 'b,
        Self: 'b,
    {
        (**self).purge_expired(limit)
    }

    fn stop<'a, 'b>(&'a self) -> Answer<'b, ()>
    where
        'a: 'b,
        Self: 'b,
    {
        (**self).stop()
    }

    fn is_process_local(&self) -> bool {
        (**self).is_process_local()
    }
}

type Answer<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_years_are_the_longest_time_to_live() {
        assert_eq!(MAX_TTL.as_secs(), 3_153_600_000);
        assert_eq!(ttl_millis(MAX_TTL + Duration::from_millis(1)), 3_153_600_000_000);
    }

    /// Neither records nor owners: what a store holds has no place in a log.
    #[test]
    fn asvs_16_2_5_debug_shows_no_contents() {
        let version = Version::from_u64(0xa1);
        assert_eq!(format!("{version:?}"), "Version(00000000000000a1)");
        let (record, owner) = (Bytes::from_static(b"hunter2"), Owner::new("alice").ok());
        let stored = Stored { version, record: record.clone(), expires_at: Timestamp::MAX, owner: owner.clone() };
        let entry = Entry { version, record, owner, deadline: Timestamp::MAX };
        for (shown, name) in [(format!("{stored:?}"), "Stored {"), (format!("{entry:?}"), "Entry {")] {
            assert!(shown.starts_with(name) && shown.contains("record_bytes: 7"), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("alice"), "{shown}");
        }
    }
}
