//! The store: what is asked of it, and where each answer is made.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, Timestamp, UpdateOutcome,
    Version,
};

use crate::config::MemoryStoreBuilder;
use crate::meter::Amount;
use crate::sessions::Sessions;

/// Sessions in the memory of this process. A clone is the same store (G14).
///
/// It keeps the whole contract of [`SessionStore`] and never waits: no operation suspends or has a deadline to miss, none is
/// indeterminate, and a future that is dropped has either run or not (G11). Its errors are
/// [`full`](StoreError::full), [`too_large`](StoreError::too_large) and, once stopped,
/// [`unavailable`](StoreError::unavailable).
///
/// ```
/// use sessions_core::{Entry, ManualClock, SessionId, SessionStore, Timestamp, Version};
/// use sessions_memory::MemoryStore;
/// use std::time::Duration;
///
/// # pollster::block_on(async {
/// let clock = ManualClock::default();
/// let store = MemoryStore::builder().clock(clock.clone()).build()?;
/// let id = SessionId::from_bytes([1; 16]);
/// let version = Version::from_u64(1);
/// let entry = Entry { version, record: "hello".into(), owner: None, deadline: Timestamp::MAX };
///
/// store.create(&id, &entry, Duration::from_secs(60)).await?;
/// assert_eq!(store.load(&id).await?.expect("it is live").record, "hello");
///
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(store.load(&id).await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    sessions: Sessions,
    max_record_bytes: usize,
    clock: Arc<dyn Clock>,
    stopped: AtomicBool,
}

/// What a store holds at one moment, for gauges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Sessions that are live.
    pub live: usize,
    /// Sessions that take up room: the live ones and the expired ones that are not reclaimed yet.
    pub held: usize,
    /// Record bytes of all that are held.
    pub bytes: usize,
}

impl MemoryStore {
    /// An empty store with the default bounds, told the time by the system.
    #[must_use]
    pub fn new() -> Self {
        let defaults =
            Amount { sessions: MemoryStoreBuilder::DEFAULT_MAX_SESSIONS, bytes: MemoryStoreBuilder::DEFAULT_MAX_BYTES };
        Self::with(defaults, MemoryStoreBuilder::DEFAULT_MAX_RECORD_BYTES, Arc::new(sessions_core::SystemClock))
    }

    /// Begins a store with other bounds or another clock.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::default()
    }

    /// What the store holds now. While others write, the three numbers may be of slightly different moments.
    ///
    /// `held` and `bytes` are at hand; for `live` each expired session that is still held is counted.
    ///
    /// ```
    /// use sessions_core::{Entry, SessionId, SessionStore, Timestamp, Version};
    /// use sessions_memory::MemoryStore;
    /// use std::time::Duration;
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::new();
    /// let version = Version::from_u64(1);
    /// let entry = Entry { version, record: "hello".into(), owner: None, deadline: Timestamp::MAX };
    /// store.create(&SessionId::from_bytes([1; 16]), &entry, Duration::from_secs(60)).await?;
    ///
    /// let usage = store.usage();
    /// assert_eq!((usage.live, usage.held, usage.bytes), (1, 1, 5));
    /// # Ok::<(), sessions_core::StoreError>(())
    /// # })?;
    /// # Ok::<(), sessions_core::StoreError>(())
    /// ```
    #[must_use]
    pub fn usage(&self) -> Usage {
        let expired = self.0.sessions.count_expired(self.0.clock.now());
        let Amount { sessions: held, bytes } = self.0.sessions.held();
        Usage { live: held.saturating_sub(expired), held, bytes }
    }

    #[cfg(test)]
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    pub(crate) fn with(max: Amount, max_record_bytes: usize, clock: Arc<dyn Clock>) -> Self {
        let sessions = Sessions::new(max);
        Self(Arc::new(Inner { sessions, max_record_bytes, clock, stopped: AtomicBool::new(false) }))
    }

    /// What an operation needs: the sessions, and the time at which it is judged; or nothing once stopped (G18).
    fn enter(&self) -> Result<(&Sessions, Timestamp), StoreError> {
        if self.0.stopped.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("the store was stopped"));
        }
        Ok((&self.0.sessions, self.0.clock.now()))
    }

    /// Refuses a record over the limit before anything is touched (G12).
    fn check_size(&self, entry: &Entry) -> Result<(), StoreError> {
        match entry.record.len() {
            size if size > self.0.max_record_bytes => Err(StoreError::too_large(size, self.0.max_record_bytes)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(sessions.load(id, now))
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let (sessions, now) = self.enter()?;
        self.check_size(entry)?;
        sessions.create(id, entry, ttl, now)
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let (sessions, now) = self.enter()?;
        self.check_size(entry)?;
        sessions.update(id, expected, entry, change, now)
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(sessions.touch(id, expected, ttl, now))
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(count(ids.iter().filter(|id| sessions.delete(id, now)).count()))
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(sessions.owned_by(owner, now))
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(count(sessions.purge(usize::try_from(limit).unwrap_or(usize::MAX), now)))
    }

    /// There is no background work to end. The sessions are freed with the last clone.
    async fn stop(&self) -> Result<(), StoreError> {
        self.0.stopped.store(true, Ordering::Release);
        Ok(())
    }

    fn is_process_local(&self) -> bool {
        true
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    /// Numbers, never contents (G19).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { sessions, max_record_bytes, clock: _, stopped } = &*self.0;
        f.debug_struct("MemoryStore")
            .field("held", &sessions.held())
            .field("max", &sessions.max())
            .field("max_record_bytes", max_record_bytes)
            .field("stopped", stopped)
            .finish_non_exhaustive()
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
