//! Stores that must be caught: each wraps one that works, and breaks one thing.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// An update overwrites whatever is there: no compare-and-swap.
    Upserts,
    /// Reads are served from a cache of the process, which learns of its own writes only.
    Caches,
    /// An update of an absent session creates it.
    Resurrects,
    /// A session that is absent is looked for and then created, in two steps.
    ChecksThenActs,
    /// A write that may have been applied is said to be surely not.
    Overconfident,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Upserts, Self::Caches, Self::Resurrects, Self::ChecksThenActs, Self::Overconfident];

    /// This store, broken.
    #[must_use]
    pub fn of(self, store: Arc<dyn SessionStore>) -> Arc<dyn SessionStore> {
        Arc::new(Broken { store, flaw: self, cache: Mutex::default() })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Upserts => "upserts",
            Self::Caches => "caches",
            Self::Resurrects => "resurrects",
            Self::ChecksThenActs => "checks-then-acts",
            Self::Overconfident => "is-overconfident",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Flaw {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|flaw| flaw.name() == name).ok_or_else(|| format!("no such flaw: {name}"))
    }
}

#[derive(Debug)]
struct Broken {
    store: Arc<dyn SessionStore>,
    flaw: Flaw,
    cache: Mutex<HashMap<SessionId, Stored>>,
}

impl Broken {
    fn cache(&self) -> MutexGuard<'_, HashMap<SessionId, Stored>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, id: &SessionId) {
        self.cache().remove(id);
    }

    fn told<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match answer {
            Err(error) if self.flaw == Flaw::Overconfident && error.is_indeterminate() => {
                Err(StoreError::unavailable(error))
            }
            answer => answer,
        }
    }
}

#[async_trait]
impl SessionStore for Broken {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        if self.flaw != Flaw::Caches {
            return self.store.load(id).await;
        }
        if let Some(stored) = self.cache().get(id) {
            return Ok(Some(stored.clone()));
        }
        let found = self.store.load(id).await?;
        if let Some(stored) = &found {
            self.cache().insert(*id, stored.clone());
        }
        Ok(found)
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.forget(id);
        if self.flaw == Flaw::ChecksThenActs {
            if let Some(there) = self.store.load(id).await? {
                return Ok(CreateOutcome::Exists(there));
            }
            // What another one has created since is overwritten.
            tokio::task::yield_now().await;
            self.store.delete(&[*id]).await?;
        }
        self.told(self.store.create(id, entry, ttl).await)
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.forget(id);
        let mut outcome = self.told(self.store.update(id, expected, entry, change).await)?;
        while let (Flaw::Upserts, UpdateOutcome::Conflict(current)) = (self.flaw, &outcome) {
            // The owner may be another one than that of the version that is overwritten.
            let change = Change { reindex: true, ..change };
            outcome = self.store.update(id, current.version, entry, change).await?;
        }
        if (self.flaw, &outcome) == (Flaw::Resurrects, &UpdateOutcome::Absent) {
            self.store.create(id, entry, Duration::from_secs(60 * 60)).await?;
            outcome = UpdateOutcome::Written;
        }
        Ok(outcome)
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.forget(id);
        self.told(self.store.touch(id, expected, ttl).await)
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        ids.iter().for_each(|id| self.forget(id));
        self.told(self.store.delete(ids).await)
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.store.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.store.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.store.is_process_local()
    }
}
