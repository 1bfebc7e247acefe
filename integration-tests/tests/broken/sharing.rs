//! Faults between handles, processes and namespaces: G2, G9, G13, G14.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use sessions_core::SystemClock;

use super::*;

/// `load` answers from a cache of this process.
#[derive(Default)]
pub(crate) struct CachedLoads(Mutex<HashMap<SessionId, Stored>>);

#[async_trait]
impl Fault for CachedLoads {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let loaded = store.load(id).await?;
        let mut cache = self.0.lock().expect("no panic");
        if let Some(stored) = loaded {
            cache.entry(*id).or_insert(stored);
        }
        Ok(cache.get(id).cloned())
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        self.0.lock().expect("no panic").remove(id);
        store.update(id, expected, entry, change).await
    }

    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        self.0.lock().expect("no panic").remove(id);
        store.touch(id, expected, ttl).await
    }

    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        self.0.lock().expect("no panic").retain(|id, _| !ids.contains(id));
        store.delete(ids).await
    }
}

/// The namespace does not count.
pub(crate) struct OneNamespace;

impl Fault for OneNamespace {
    fn namespace(&self, _: &str) -> String {
        String::new()
    }
}

/// What is not good in a name is left out.
pub(crate) struct CleanedNames;

impl Fault for CleanedNames {
    fn namespace(&self, name: &str) -> String {
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
    }
}

/// Long names are cut.
pub(crate) struct ShortNames;

impl Fault for ShortNames {
    fn namespace(&self, name: &str) -> String {
        name.chars().take(63).collect()
    }
}

/// A clone is an empty store.
pub(crate) struct CloneForgets;

impl Fault for CloneForgets {
    fn clone_of(&self, _: &Reference) -> Reference {
        Reference::new(SystemClock)
    }
}

/// A clone is stopped on its own.
pub(crate) struct CloneGoesOn;

impl Fault for CloneGoesOn {
    fn clone_of(&self, store: &Reference) -> Reference {
        store.another_process()
    }
}

/// Until the first session there is no table.
pub(crate) struct NoTable;

#[async_trait]
impl Fault for NoTable {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        table(store)?;
        store.load(id).await
    }

    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        table(store)?;
        store.delete(ids).await
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        table(store)?;
        store.owned_by(owner).await
    }
}

/// A deleted session is an error.
#[derive(Default)]
pub(crate) struct Tombstones(Mutex<HashSet<SessionId>>);

#[async_trait]
impl Fault for Tombstones {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let loaded = store.load(id).await?;
        if loaded.is_none() && self.0.lock().expect("no panic").contains(id) {
            return Err(StoreError::unavailable("the session was deleted"));
        }
        Ok(loaded)
    }

    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        self.0.lock().expect("no panic").extend(ids);
        store.delete(ids).await
    }
}

fn table(store: &Reference) -> Answer<()> {
    if store.held().is_empty() {
        return Err(StoreError::unavailable("there is no table"));
    }
    Ok(())
}
