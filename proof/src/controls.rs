//! Stores that break one thing each: a harness that does not catch them proves nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::reference::Reference;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

/// How a store is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// `update` overwrites whatever version it finds.
    Upsert,
    /// `update` of an absent session creates it.
    Resurrects,
    /// `delete` says that it did and does not.
    ForgetsDeletes,
    /// `update` says that it has written when it met a conflict.
    HidesConflicts,
}

impl Breakage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Upsert, Self::Resurrects, Self::ForgetsDeletes, Self::HidesConflicts];

    /// The reference store, broken in this way.
    #[must_use]
    pub fn wrap(self, store: Reference) -> Arc<dyn SessionStore> {
        Arc::new(Broken { store, breakage: self })
    }
}

#[derive(Debug)]
struct Broken {
    store: Reference,
    breakage: Breakage,
}

#[async_trait]
impl SessionStore for Broken {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.store.load(id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.store.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let answer = self.store.update(id, expected, entry, change).await?;
        match (self.breakage, answer) {
            (Breakage::Upsert, UpdateOutcome::Conflict(current)) => {
                self.store.update(id, current.version, entry, change).await
            }
            (Breakage::Resurrects, UpdateOutcome::Absent) => {
                self.store.create(id, entry, Duration::from_secs(60)).await?;
                Ok(UpdateOutcome::Written)
            }
            (Breakage::HidesConflicts, UpdateOutcome::Conflict(_)) => Ok(UpdateOutcome::Written),
            (_, answer) => Ok(answer),
        }
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.store.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        match self.breakage {
            Breakage::ForgetsDeletes => Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX)),
            _ => self.store.delete(ids).await,
        }
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
}
