//! Faults of operations that are dropped in the middle: G11.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// `update` writes records of a certain size in two pieces, the version with the second.
pub(crate) struct HalfRecord;

#[async_trait]
impl Fault for HalfRecord {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        if (17..=64).contains(&entry.record.len()) {
            let half = Entry { version: expected, record: entry.record.slice(..16), ..entry.clone() };
            let outcome = store.update(id, expected, &half, change).await?;
            if outcome != UpdateOutcome::Written {
                return Ok(outcome);
            }
            pause().await;
        }
        store.update(id, expected, entry, change).await
    }
}

/// `update` moves the expiry, and then writes.
pub(crate) struct HalfExpiry;

#[async_trait]
impl Fault for HalfExpiry {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        if let Ttl::After(ttl) = change.ttl
            && store.touch(id, expected, ttl).await?
        {
            pause().await;
        }
        store.update(id, expected, entry, change).await
    }
}

/// `load` reads the version, and then the record.
pub(crate) struct HalfLoad;

#[async_trait]
impl Fault for HalfLoad {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let first = store.load(id).await?;
        pause().await;
        let second = store.load(id).await?;
        Ok(first.zip(second).map(|(first, second)| Stored { version: first.version, ..second }))
    }
}

/// `update` writes the session, and then lists it for its new owner.
pub(crate) struct HalfOwner;

#[async_trait]
impl Fault for HalfOwner {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let before = store.load(id).await?.and_then(|stored| stored.owner);
        let half = Entry { owner: before, ..entry.clone() };
        let outcome = store.update(id, expected, &half, change).await?;
        if outcome == UpdateOutcome::Written && half.owner != entry.owner {
            pause().await;
            store.update(id, entry.version, entry, Change { ttl: Ttl::Keep, reindex: true }).await?;
        }
        Ok(outcome)
    }
}

/// `create` stores the session, and then lists it.
pub(crate) struct HalfCreate;

#[async_trait]
impl Fault for HalfCreate {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let half = Entry { owner: None, ..entry.clone() };
        let outcome = store.create(id, &half, ttl).await?;
        if outcome == CreateOutcome::Created && entry.owner.is_some() {
            pause().await;
            let change = Change { ttl: Ttl::Keep, reindex: true };
            store.update(id, entry.version, entry, change).await?;
        }
        Ok(outcome)
    }
}

/// `touch` takes the expiry away, and then sets one.
pub(crate) struct HalfTouch;

#[async_trait]
impl Fault for HalfTouch {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let touched = store.touch(id, expected, Duration::MAX).await?;
        if touched {
            pause().await;
        }
        Ok(touched && store.touch(id, expected, ttl).await?)
    }
}

/// `delete` empties sessions, and then deletes them.
pub(crate) struct HalfDelete;

#[async_trait]
impl Fault for HalfDelete {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        store.delete(&[]).await?;
        for id in ids {
            if let Some(stored) = store.held().get_mut(id) {
                stored.record.clear();
            }
        }
        pause().await;
        store.delete(ids).await
    }
}

/// `load` takes a connection, and gives it back when it is done.
pub(crate) struct LeaksConnections(AtomicUsize);

impl Default for LeaksConnections {
    fn default() -> Self {
        Self(AtomicUsize::new(24))
    }
}

#[async_trait]
impl Fault for LeaksConnections {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let take = |left: usize| left.checked_sub(1);
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            return Err(StoreError::unavailable("no connection is free"));
        }
        tokio::task::yield_now().await;
        let loaded = store.load(id).await;
        self.0.fetch_add(1, Ordering::SeqCst);
        loaded
    }
}
