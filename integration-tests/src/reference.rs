//! The smallest correct store: the contract in a page, to start from and to compare with.
//!
//! It is a map under one lock. It keeps nothing on a disk, finds an owner's sessions by looking at every session, and has
//! no other merit than being obviously right; for an application take one of the store crates.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, Timestamp, Ttl,
    UpdateOutcome, Version,
};

/// Sessions in a map. Clones are the same store (G14).
///
/// ```
/// use sessions_conformance::reference::Reference;
/// use sessions_core::{Entry, ManualClock, SessionId, SessionStore, Timestamp, Version};
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let clock = ManualClock::default();
/// let store = Reference::new(clock.clone());
/// let id = SessionId::from_bytes([1; 16]);
/// let version = Version::from_u64(1);
/// let entry = Entry { version, record: "hello".into(), owner: None, deadline: Timestamp::MAX };
///
/// store.create(&id, &entry, Duration::from_secs(60)).await?;
/// assert_eq!(store.load(&id).await?.expect("a live session").record, "hello");
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(store.load(&id).await?, None);
/// # Ok::<(), sessions_core::StoreError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Reference {
    sessions: Arc<Mutex<HashMap<SessionId, Stored>>>,
    stopped: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    bound: usize,
}

impl Reference {
    /// The longest record, in bytes (G12).
    pub const RECORD_LIMIT: usize = 256 * 1024;

    /// An empty store that tells the time by `clock`.
    pub fn new(clock: impl Clock) -> Self {
        Self { sessions: Arc::default(), stopped: Arc::default(), clock: Arc::new(clock), bound: usize::MAX }
    }

    /// The same store, refusing to hold more than this many live sessions (G17).
    #[must_use]
    pub fn bounded(self, sessions: usize) -> Self {
        Self { bound: sessions, ..self }
    }

    /// Another handle on the same sessions, as another process would open it: it is stopped on its own (G18).
    #[must_use]
    pub fn another_process(&self) -> Self {
        Self { stopped: Arc::default(), ..self.clone() }
    }

    /// Everything that is held, expired sessions too, behind the contract's back: for stores that break it on purpose.
    ///
    /// Other operations block while the guard lives: keep it for one expression, and never over an await.
    pub fn held(&self) -> MutexGuard<'_, HashMap<SessionId, Stored>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an operation works on: the sessions, locked, and the time. One lock makes each operation atomic (G5) and, with
    /// no await under it, whole (G11).
    fn enter(&self) -> Result<(MutexGuard<'_, HashMap<SessionId, Stored>>, Timestamp), StoreError> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("the store was stopped"));
        }
        let sessions = self.held();
        Ok((sessions, self.clock.now()))
    }
}

#[async_trait]
impl SessionStore for Reference {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        let (sessions, now) = self.enter()?;
        Ok(sessions.get(id).filter(|stored| is_live(stored, now)).cloned())
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let (mut sessions, now) = self.enter()?;
        check_size(entry)?;
        if let Some(current) = sessions.get(id).filter(|stored| is_live(stored, now)) {
            return Ok(CreateOutcome::Exists(current.clone()));
        }
        if sessions.len() >= self.bound && sessions.values().filter(|stored| is_live(stored, now)).count() >= self.bound
        {
            return Err(StoreError::full());
        }
        sessions.insert(*id, stored(entry, expiry(now, ttl)));
        Ok(CreateOutcome::Created)
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let (mut sessions, now) = self.enter()?;
        check_size(entry)?;
        let Some(current) = sessions.get_mut(id).filter(|stored| is_live(stored, now)) else {
            return Ok(UpdateOutcome::Absent);
        };
        if current.version != expected {
            return Ok(UpdateOutcome::Conflict(current.clone()));
        }
        let expires_at = match change.ttl {
            Ttl::Keep => current.expires_at,
            Ttl::After(ttl) => expiry(now, ttl),
        };
        *current = stored(entry, expires_at);
        Ok(UpdateOutcome::Written)
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let (mut sessions, now) = self.enter()?;
        let current = sessions.get_mut(id).filter(|stored| is_live(stored, now) && stored.version == expected);
        Ok(current.map(|stored| stored.expires_at = expiry(now, ttl)).is_some())
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        let (mut sessions, now) = self.enter()?;
        let removed = ids.iter().filter_map(|id| sessions.remove(id));
        Ok(count(removed.filter(|stored| is_live(stored, now))))
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let (sessions, now) = self.enter()?;
        let owned = sessions.iter().filter(|(_, stored)| is_live(stored, now) && stored.owner.as_ref() == Some(owner));
        Ok(owned.map(|(id, _)| *id).collect())
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        let (mut sessions, now) = self.enter()?;
        let expired = sessions.iter().filter(|(_, stored)| !is_live(stored, now)).map(|(id, _)| *id);
        let expired: Vec<_> = expired.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        Ok(count(expired.iter().filter_map(|id| sessions.remove(id))))
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.stopped.store(true, Ordering::SeqCst);
        Ok(())
    }
}

impl fmt::Debug for Reference {
    /// Counts, never contents (G19).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference").field("sessions", &self.held().len()).finish_non_exhaustive()
    }
}

/// A session is live before its expiry, and absent from then on (G3).
fn is_live(stored: &Stored, now: Timestamp) -> bool {
    now < stored.expires_at
}

fn expiry(now: Timestamp, ttl: Duration) -> Timestamp {
    now.after(Duration::from_millis(ttl_millis(ttl)))
}

fn stored(entry: &Entry, expires_at: Timestamp) -> Stored {
    // The deadline serves the housekeeping of an index; there is no index here.
    let Entry { version, record, owner, deadline: _ } = entry.clone();
    Stored { version, record, expires_at, owner }
}

fn check_size(entry: &Entry) -> Result<(), StoreError> {
    let size = entry.record.len();
    if size > Reference::RECORD_LIMIT {
        return Err(StoreError::too_large(size, Reference::RECORD_LIMIT));
    }
    Ok(())
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.map(|_| 1).sum()
}
