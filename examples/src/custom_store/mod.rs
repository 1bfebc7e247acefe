//! A session store of one's own, on nothing but a file: what it takes to keep the contract, in two pages.
//!
//! Every change is appended to a journal; all sessions are in memory as well, where they are looked up. It is for one
//! process at a time. It passes the conformance suite: see `tests/custom_store.rs`, whose one macro line is all that a
//! store author writes for that.
//!
//! What makes it correct, and would make another one correct too:
//!
//! - One lock around looking and writing makes `create` and `update` atomic (G4, G5).
//! - Every operation runs to its end on a thread of its own, also when nobody waits for it any more (G11).
//! - Each answer is given after the journal has the change on the disk, and each error says whether it may have it.

mod journal;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::store::{DEFAULT_DEADLINE, ttl_millis};
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, SystemClock, Timestamp,
    Ttl, UpdateOutcome, Version,
};

use journal::Journal;

/// Sessions in a file. Clones are the same store (G14).
///
/// ```
/// use sessions_examples::custom_store::FileStore;
/// use sessions_tower::SessionManager;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("sessions.journal");
/// let manager = SessionManager::builder(FileStore::open(&path)?).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    deadline: Duration,
}

struct State {
    sessions: BTreeMap<SessionId, Stored>,
    /// `None` once stopped (G18): with it go the file and the lock on it.
    journal: Option<Journal>,
}

/// Whether an operation that did not answer may have changed something.
#[derive(Clone, Copy)]
enum Effect {
    Reads,
    Writes,
}

impl FileStore {
    /// The longest record, in bytes (G12).
    pub const RECORD_LIMIT: usize = 1024 * 1024;

    /// Opens the file, or creates it.
    ///
    /// # Errors
    ///
    /// When it cannot be read and written, is not a journal, or is open in another process.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open_with(path, SystemClock, DEFAULT_DEADLINE)
    }

    /// Opens the file with a clock that says what has expired, and a deadline for each operation.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: impl Clock, deadline: Duration) -> io::Result<Self> {
        let (journal, sessions) = Journal::open(path.as_ref(), clock.now())?;
        let state = Arc::new(Mutex::new(State { sessions, journal: Some(journal) }));
        Ok(Self { state, clock: Arc::new(clock), deadline })
    }

    /// Runs an operation on a thread that may block, under the lock, and under the deadline.
    async fn run<T: Send + 'static>(
        &self,
        effect: Effect,
        operation: impl FnOnce(&mut State, Timestamp) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (state, clock) = (Arc::clone(&self.state), Arc::clone(&self.clock));
        let running = tokio::task::spawn_blocking(move || {
            // A panic cannot leave a state that is half changed: the map is changed by single insertions and removals.
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.journal.is_none() {
                return Err(StoreError::unavailable("the store was stopped"));
            }
            operation(&mut state, clock.now())
        });
        let unanswered = |reason: &'static str| match effect {
            Effect::Reads => StoreError::unavailable(reason),
            Effect::Writes => StoreError::indeterminate(reason),
        };
        match tokio::time::timeout(self.deadline, running).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unanswered("the operation was cut short")),
            Err(_) => Err(unanswered("no answer within the deadline")),
        }
    }
}

#[async_trait]
impl SessionStore for FileStore {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        let id = *id;
        self.run(Effect::Reads, move |state, now| Ok(state.live(&id, now).cloned())).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let (id, entry) = (*id, checked(entry)?);
        self.run(Effect::Writes, move |state, now| {
            if let Some(there) = state.live(&id, now) {
                return Ok(CreateOutcome::Exists(there.clone()));
            }
            state.put(id, stored(entry, expiry(now, ttl)))?;
            Ok(CreateOutcome::Created)
        })
        .await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let (id, entry) = (*id, checked(entry)?);
        self.run(Effect::Writes, move |state, now| {
            let Some(there) = state.live(&id, now) else { return Ok(UpdateOutcome::Absent) };
            if there.version != expected {
                return Ok(UpdateOutcome::Conflict(there.clone()));
            }
            let expires_at = match change.ttl {
                Ttl::Keep => there.expires_at,
                Ttl::After(ttl) => expiry(now, ttl),
            };
            state.put(id, stored(entry, expires_at))?;
            Ok(UpdateOutcome::Written)
        })
        .await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let id = *id;
        self.run(Effect::Writes, move |state, now| {
            match state.live(&id, now).filter(|there| there.version == expected).cloned() {
                Some(there) => state.put(id, Stored { expires_at: expiry(now, ttl), ..there }).map(|()| true),
                None => Ok(false),
            }
        })
        .await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.run(Effect::Writes, move |state, now| {
            let live = ids.iter().filter(|id| state.live(id, now).is_some()).copied().collect();
            state.remove(&live)
        })
        .await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let owner = owner.clone();
        self.run(Effect::Reads, move |state, now| {
            let owned = |stored: &Stored| stored.expires_at > now && stored.owner.as_ref() == Some(&owner);
            Ok(state.sessions.iter().filter(|(_, stored)| owned(stored)).map(|(id, _)| *id).collect())
        })
        .await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.run(Effect::Writes, move |state, now| {
            let expired = state.sessions.iter().filter(|(_, stored)| stored.expires_at <= now).map(|(id, _)| *id);
            let expired = expired.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
            state.remove(&expired)
        })
        .await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).journal = None;
        Ok(())
    }
}

impl State {
    /// What is stored under an id and not expired (G3).
    fn live(&self, id: &SessionId, now: Timestamp) -> Option<&Stored> {
        self.sessions.get(id).filter(|stored| stored.expires_at > now)
    }

    fn put(&mut self, id: SessionId, stored: Stored) -> Result<(), StoreError> {
        self.journal()?.put(&id, &stored)?;
        self.sessions.insert(id, stored);
        self.tidy();
        Ok(())
    }

    /// Removes sessions, each counted once, however often its id is named (G9).
    fn remove(&mut self, ids: &BTreeSet<SessionId>) -> Result<u64, StoreError> {
        self.journal()?.remove(ids)?;
        self.sessions.retain(|id, _| !ids.contains(id));
        self.tidy();
        Ok(ids.iter().map(|_| 1).sum())
    }

    fn tidy(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.tidy(&self.sessions);
        }
    }

    fn journal(&mut self) -> Result<&mut Journal, StoreError> {
        self.journal.as_mut().ok_or_else(|| StoreError::unavailable("the store was stopped"))
    }
}

/// Counts, never contents (G19).
impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = self.state.lock().unwrap_or_else(PoisonError::into_inner).sessions.len();
        f.debug_struct("FileStore").field("sessions", &sessions).finish_non_exhaustive()
    }
}

/// Refuses a record over the limit before anything is touched (G12).
fn checked(entry: &Entry) -> Result<Entry, StoreError> {
    match entry.record.len() {
        size if size > FileStore::RECORD_LIMIT => Err(StoreError::too_large(size, FileStore::RECORD_LIMIT)),
        _ => Ok(entry.clone()),
    }
}

fn expiry(now: Timestamp, ttl: Duration) -> Timestamp {
    now.after(Duration::from_millis(ttl_millis(ttl)))
}

fn stored(entry: Entry, expires_at: Timestamp) -> Stored {
    // The deadline serves the housekeeping of an index; there is no index here.
    let Entry { version, record, owner, deadline: _ } = entry;
    Stored { version, record, expires_at, owner }
}
