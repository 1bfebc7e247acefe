//! A store that answers at once with the one session it has: what is left is ours.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, Timestamp, UpdateOutcome, Version,
};

/// Keeps the last session that was created, as it was then.
#[derive(Debug, Default)]
pub(crate) struct InstantStore(Mutex<Option<Stored>>);

impl InstantStore {
    pub(crate) fn stored(&self) -> Option<Stored> {
        self.0.lock().ok().and_then(|stored| stored.clone())
    }
}

#[async_trait]
impl SessionStore for InstantStore {
    async fn load(&self, _: &SessionId) -> Result<Option<Stored>, StoreError> {
        Ok(self.stored())
    }

    async fn create(&self, _: &SessionId, entry: &Entry, _: Duration) -> Result<CreateOutcome, StoreError> {
        let Entry { version, record, owner, deadline: _ } = entry.clone();
        if let Ok(mut stored) = self.0.lock() {
            *stored = Some(Stored { version, record, expires_at: Timestamp::MAX, owner });
        }
        Ok(CreateOutcome::Created)
    }

    async fn update(&self, _: &SessionId, _: Version, _: &Entry, _: Change) -> Result<UpdateOutcome, StoreError> {
        Ok(UpdateOutcome::Written)
    }

    async fn touch(&self, _: &SessionId, _: Version, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        Ok(ids.len() as u64)
    }

    async fn owned_by(&self, _: &Owner) -> Result<Vec<SessionId>, StoreError> {
        Ok(Vec::new())
    }

    async fn purge_expired(&self, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn stop(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_process_local(&self) -> bool {
        true
    }
}
