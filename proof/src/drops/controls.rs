//! What a sloppy store or adapter does when a future is dropped, and that it is noticed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::reference::Reference;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::{Adapter, operations, requests, whole};
use crate::behind::{Bench, Kind, Problem};

/// A way to be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// A store that writes in two steps: first the bytes, then the version that names them.
    TwoSteps,
    /// A store whose pool never sees a connection again that was in use when an operation was dropped.
    LeakyPool,
    /// A store that enters the new owner in its list, and then may not come to strike out the old one.
    TwoLists,
    /// An adapter that commits in the request's own future.
    CommitInTheRequest,
}

impl Control {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TwoSteps, Self::LeakyPool, Self::TwoLists, Self::CommitInTheRequest];

    /// What the checks say of it; `None` if it goes unnoticed.
    ///
    /// # Errors
    ///
    /// When no store can be opened.
    pub async fn caught(self) -> Result<Option<String>, Problem> {
        let kind = if self == Self::CommitInTheRequest { Kind::Sqlite } else { Kind::Memory };
        let bench = Bench::open(kind).await?.ok_or("no store")?;
        let found = if self == Self::CommitInTheRequest {
            requests::drop_all(&bench, Adapter::Naive, false).await
        } else {
            let store = Sloppy {
                control: self,
                inner: Reference::new(bench.clock.clone()),
                connections: Arc::new(Semaphore::new(16)),
                doubles: Arc::default(),
            };
            operations::drop_all(&bench.with_store(Arc::new(store)), false).await
        };
        Ok(found.err().map(|problem| problem.to_string()))
    }
}

/// The reference store, made sloppy.
#[derive(Debug)]
struct Sloppy {
    control: Control,
    inner: Reference,
    connections: Arc<Semaphore>,
    /// Under which other id a session is held for the sake of the second list.
    doubles: Arc<Mutex<HashMap<SessionId, SessionId>>>,
}

impl Sloppy {
    /// Something that every operation waits for, with its connection in hand.
    async fn connected<T>(&self, answer: impl Future<Output = Result<T, StoreError>> + Send) -> Result<T, StoreError> {
        let Ok(connection) = self.connections.try_acquire() else {
            return Err(StoreError::unavailable("no connection is left"));
        };
        if self.control == Control::LeakyPool {
            connection.forget();
        }
        yield_now().await;
        let answer = answer.await;
        if self.control == Control::LeakyPool {
            self.connections.add_permits(1);
        }
        answer
    }

    fn doubles(&self) -> MutexGuard<'_, HashMap<SessionId, SessionId>> {
        self.doubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a session that is there, past every check.
    fn poke(&self, id: &SessionId, change: impl FnOnce(&mut Stored)) {
        if let Some(stored) = self.inner.held().get_mut(id) {
            change(stored);
        }
    }
}

#[async_trait]
impl SessionStore for Sloppy {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.connected(self.inner.load(id)).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.connected(self.inner.create(id, entry, ttl)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let before = self.inner.load(id).await?.filter(|stored| stored.version == expected);
        if before.is_some() && self.control == Control::TwoSteps {
            self.poke(id, |stored| stored.record = entry.record.clone());
            yield_now().await;
        }
        if before.is_some() && self.control == Control::TwoLists && change.reindex {
            let double = whole::id();
            self.doubles().insert(double, *id);
            self.inner.create(&double, entry, Duration::from_secs(60)).await?;
            yield_now().await;
            self.inner.delete(&[double]).await?;
        }
        self.connected(self.inner.update(id, expected, entry, change)).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.connected(self.inner.touch(id, expected, ttl)).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.connected(self.inner.delete(ids)).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let ids = self.connected(self.inner.owned_by(owner)).await?;
        let doubles = self.doubles();
        Ok(ids.into_iter().map(|id| doubles.get(&id).copied().unwrap_or(id)).collect())
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.connected(self.inner.purge_expired(limit)).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.inner.stop().await
    }
}
