// What the examples in this crate's documentation run on: a map behind the store contract, and an executor.
// An application takes a store from one of the store crates.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Error, Owner, SessionId, SessionStore, StoreError, Stored, SystemClock, Ttl,
    UpdateOutcome, Version,
};

#[derive(Debug, Clone)]
pub struct Store {
    rows: Arc<Mutex<HashMap<SessionId, Stored>>>,
    clock: Arc<dyn Clock>,
}

/// A store for one example.
pub fn store() -> Store {
    store_at(SystemClock)
}

/// A store that tells the time by a clock.
pub fn store_at(clock: impl Clock) -> Store {
    Store { rows: Arc::default(), clock: Arc::new(clock) }
}

/// Runs an example to its end.
pub fn run(example: impl Future<Output = Result<(), Error>>) {
    pollster::block_on(example).expect("the example works");
}

impl Store {
    /// Works on what is live.
    fn live<T>(&self, work: impl FnOnce(&mut HashMap<SessionId, Stored>) -> T) -> Result<T, StoreError> {
        let now = self.clock.now();
        let mut rows = self.rows.lock().expect("no operation panics");
        rows.retain(|_, row| row.expires_at > now);
        Ok(work(&mut rows))
    }

    fn row(&self, entry: &Entry, ttl: Duration) -> Stored {
        let Entry { version, record, owner, .. } = entry.clone();
        let expires_at = self.clock.now().after(Duration::from_millis(ttl_millis(ttl)));
        Stored { version, record, owner, expires_at }
    }
}

#[async_trait::async_trait]
impl SessionStore for Store {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.live(|rows| rows.get(id).cloned())
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let row = self.row(entry, ttl);
        self.live(|rows| match rows.get(id) {
            Some(there) => CreateOutcome::Exists(there.clone()),
            None => {
                rows.insert(*id, row);
                CreateOutcome::Created
            }
        })
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let mut row = self.row(entry, if let Ttl::After(ttl) = change.ttl { ttl } else { Duration::ZERO });
        self.live(|rows| match rows.get_mut(id) {
            None => UpdateOutcome::Absent,
            Some(there) if there.version != expected => UpdateOutcome::Conflict(there.clone()),
            Some(there) => {
                if change.ttl == Ttl::Keep {
                    row.expires_at = there.expires_at;
                }
                *there = row;
                UpdateOutcome::Written
            }
        })
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let expires_at = self.clock.now().after(Duration::from_millis(ttl_millis(ttl)));
        self.live(|rows| match rows.get_mut(id).filter(|row| row.version == expected) {
            Some(row) => {
                row.expires_at = expires_at;
                true
            }
            None => false,
        })
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.live(|rows| ids.iter().filter(|id| rows.remove(id).is_some()).count() as u64)
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let owned = |row: &Stored| row.owner.as_ref() == Some(owner);
        self.live(|rows| rows.iter().filter(|(_, row)| owned(row)).map(|(id, _)| *id).collect())
    }

    async fn purge_expired(&self, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn stop(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
