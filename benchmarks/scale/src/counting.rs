//! Counts the calls of a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

use crate::stores::Store;

/// A store, with its calls counted.
#[derive(Debug)]
pub(crate) struct Counting {
    inner: Store,
    calls: Arc<AtomicU64>,
}

impl Counting {
    pub(crate) fn new(inner: Store, calls: Arc<AtomicU64>) -> Self {
        Self { inner, calls }
    }

    fn counted(&self) -> &Store {
        self.calls.fetch_add(1, Relaxed);
        &self.inner
    }
}

#[async_trait]
impl SessionStore for Counting {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.counted().load(id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.counted().create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.counted().update(id, expected, entry, change).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.counted().touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.counted().delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.counted().owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.counted().purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.counted().stop().await
    }

    fn is_process_local(&self) -> bool {
        self.inner.is_process_local()
    }
}
