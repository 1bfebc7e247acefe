//! A store that fails when it is told to.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

/// How the next calls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// They are refused.
    Unavailable,
    /// Writes are not answered.
    Silent,
    /// There is no room.
    Full,
}

/// A store with moods. It shows all that it is given, as a careless one might.
#[derive(Debug, Clone)]
pub(crate) struct Moody {
    inner: Arc<dyn SessionStore>,
    mood: Arc<AtomicU8>,
    /// What it was last given, for its `Debug`.
    last: Arc<RwLock<Option<Entry>>>,
}

impl Moody {
    pub(crate) fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner, mood: Arc::default(), last: Arc::default() }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn check(&self, what: impl std::fmt::Debug, writes: bool) -> Result<(), StoreError> {
        let mood = self.mood.load(Ordering::SeqCst);
        tracing::trace!(?what, "asked");
        if mood == Mood::Unavailable as u8 {
            Err(StoreError::unavailable(format!("{what:?}")))
        } else if mood == Mood::Silent as u8 && writes {
            Err(StoreError::indeterminate(format!("{what:?}")))
        } else if mood == Mood::Full as u8 && writes {
            Err(StoreError::full())
        } else {
            Ok(())
        }
    }

    fn given(&self, entry: &Entry) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(entry.clone());
    }
}

#[async_trait]
impl SessionStore for Moody {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.check(id, false)?;
        let stored = self.inner.load(id).await?;
        tracing::trace!(?stored, "loaded");
        Ok(stored)
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.given(entry);
        self.check((id, entry, ttl), true)?;
        self.inner.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.given(entry);
        self.check((id, expected, entry, change), true)?;
        let outcome = self.inner.update(id, expected, entry, change).await?;
        tracing::trace!(?outcome, "updated");
        Ok(outcome)
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.check((id, expected, ttl), true)?;
        self.inner.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.check(ids, true)?;
        self.inner.delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.check(owner, false)?;
        self.inner.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.check(limit, true)?;
        self.inner.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.inner.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.inner.is_process_local()
    }
}
