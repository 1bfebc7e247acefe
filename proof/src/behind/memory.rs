//! Behind the memory store there is no door: its own operations have to do.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use sessions_core::{Change, Entry, ManualClock, SessionId, SessionStore, Timestamp, Ttl, UpdateOutcome};
use sessions_memory::MemoryStore;

use super::{Behind, Opened, Problem};

struct Memory(MemoryStore);

pub(super) fn open(clock: &ManualClock) -> Result<Opened, Problem> {
    let store = MemoryStore::builder().clock(clock.clone()).build()?;
    Ok((Arc::new(store.clone()), Arc::new(Memory(store))))
}

#[async_trait]
impl Behind for Memory {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.load(id).await?.map(|stored| stored.record.to_vec()))
    }

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        let stored = self.0.load(id).await?.ok_or("nothing is there to be replaced")?;
        let (version, owner) = (stored.version, stored.owner);
        let entry = Entry { version, record: Bytes::copy_from_slice(bytes), owner, deadline: Timestamp::MAX };
        match self.0.update(id, version, &entry, Change { ttl: Ttl::Keep, reindex: false }).await? {
            UpdateOutcome::Written => Ok(()),
            outcome => Err(format!("not replaced: {outcome:?}").into()),
        }
    }

    async fn dump(&self, ids: &[SessionId]) -> Result<Vec<u8>, Problem> {
        let mut dump = format!("{:?}", self.0).into_bytes();
        for id in ids {
            if let Some(stored) = self.0.load(id).await? {
                dump.extend_from_slice(format!("{id} {stored:?}").as_bytes());
                dump.extend_from_slice(&stored.record);
            }
        }
        Ok(dump)
    }

    async fn count(&self) -> Result<u64, Problem> {
        Ok(u64::try_from(self.0.usage().held)?)
    }

    async fn under_way(&self) -> Result<u64, Problem> {
        Ok(0)
    }

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        Ok(None)
    }
}
