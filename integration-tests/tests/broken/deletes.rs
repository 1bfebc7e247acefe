//! Faults of `delete` and `purge_expired`: G3, G9, G16.

use std::collections::HashSet;
use std::sync::Mutex;

use super::*;

/// `delete` forgets what is beyond the first thousand.
pub(crate) struct FirstThousand;

#[async_trait]
impl Fault for FirstThousand {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        store.delete(&ids[..ids.len().min(1_000)]).await
    }
}

/// `delete` counts what it is given.
pub(crate) struct CountsIds;

#[async_trait]
impl Fault for CountsIds {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        store.delete(ids).await?;
        Ok(ids.iter().map(|_| 1).sum())
    }
}

/// `delete` counts expired sessions too.
pub(crate) struct CountsTheDead;

#[async_trait]
impl Fault for CountsTheDead {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        store.delete(&[]).await?;
        let mut held = store.held();
        Ok(ids.iter().filter_map(|id| held.remove(id)).map(|_| 1).sum())
    }
}

/// `delete` counts, and then deletes.
pub(crate) struct CountThenDelete;

#[async_trait]
impl Fault for CountThenDelete {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        let mut count = 0;
        for id in ids.iter().collect::<HashSet<_>>() {
            count += u64::from(store.load(id).await?.is_some());
        }
        pause().await;
        store.delete(ids).await?;
        Ok(count)
    }
}

/// `delete` of nothing is an error.
pub(crate) struct NothingToDelete;

#[async_trait]
impl Fault for NothingToDelete {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        if ids.is_empty() {
            return Err(StoreError::unavailable("IN () is not SQL"));
        }
        store.delete(ids).await
    }
}

/// A purge takes a live session along.
pub(crate) struct PurgesTheLive;

#[async_trait]
impl Fault for PurgesTheLive {
    async fn purge_expired(&self, store: &Reference, limit: u32) -> Answer<u64> {
        let purged = store.purge_expired(limit).await?;
        let mut held = store.held();
        if let Some(id) = held.keys().next().copied() {
            held.remove(&id);
        }
        Ok(purged)
    }
}

/// A purge goes by the first expiry that a session had.
#[derive(Default)]
pub(crate) struct PurgesByTheFirstExpiry(Mutex<Vec<SessionId>>);

#[async_trait]
impl Fault for PurgesByTheFirstExpiry {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        if ttl < Duration::from_secs(60) {
            self.0.lock().expect("no panic").push(*id);
        }
        store.create(id, entry, ttl).await
    }

    async fn purge_expired(&self, store: &Reference, limit: u32) -> Answer<u64> {
        if limit >= 1_000 {
            let ids = std::mem::take(&mut *self.0.lock().expect("no panic"));
            let removed: u64 = ids.iter().filter_map(|id| store.held().remove(id)).map(|_| 1).sum();
            return Ok(removed + store.purge_expired(limit).await?);
        }
        store.purge_expired(limit).await
    }
}

/// A purge with another limit, or another count.
pub(crate) struct Purge {
    pub(crate) limit: fn(u32) -> u32,
    pub(crate) count: fn(u64) -> u64,
}

#[async_trait]
impl Fault for Purge {
    async fn purge_expired(&self, store: &Reference, limit: u32) -> Answer<u64> {
        Ok((self.count)(store.purge_expired((self.limit)(limit)).await?))
    }
}

/// A purge counts what has expired, and then deletes it.
pub(crate) struct CountThenPurge;

#[async_trait]
impl Fault for CountThenPurge {
    async fn purge_expired(&self, store: &Reference, limit: u32) -> Answer<u64> {
        let mut expired = Vec::new();
        let held: Vec<_> = store.held().keys().copied().collect();
        for id in held {
            if store.load(&id).await?.is_none() {
                expired.push(id);
            }
        }
        expired.sort_unstable();
        expired.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        pause().await;
        store.delete(&expired).await?;
        Ok(expired.iter().map(|_| 1).sum())
    }
}
