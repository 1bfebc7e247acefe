//! Stores that are broken in one way each: the reference store with one fault in between.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::reference::Reference;
use sessions_conformance::{Harness, Problem, Profile};
use sessions_core::{
    Change, CreateOutcome, Entry, ManualClock, Owner, SessionId, SessionStore, StoreError, Stored, Ttl, UpdateOutcome,
    Version,
};

use crate::support::Server;

pub(crate) mod deletes;
pub(crate) mod dropped;
pub(crate) mod index;
pub(crate) mod leaks;
pub(crate) mod records;
pub(crate) mod room;
pub(crate) mod sharing;
pub(crate) mod time;
pub(crate) mod writes;

pub(crate) type Answer<T> = Result<T, StoreError>;

/// One way to break the contract: what is not overridden is right.
#[async_trait]
pub(crate) trait Fault: Send + Sync {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        store.load(id).await
    }

    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        store.update(id, expected, entry, change).await
    }

    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        store.touch(id, expected, ttl).await
    }

    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        store.delete(ids).await
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        store.owned_by(owner).await
    }

    async fn purge_expired(&self, store: &Reference, limit: u32) -> Answer<u64> {
        store.purge_expired(limit).await
    }

    async fn stop(&self, store: &Reference) -> Answer<()> {
        store.stop().await
    }

    fn debug(&self, store: &Reference, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(store, f)
    }

    /// What a clone of the store works on.
    fn clone_of(&self, store: &Reference) -> Reference {
        store.clone()
    }

    /// What a name of a namespace becomes.
    fn namespace(&self, name: &str) -> String {
        name.to_owned()
    }

    /// The store with a bound.
    fn bounded(&self, store: Reference, sessions: usize) -> Reference {
        store.bounded(sessions)
    }
}

/// Makes a fault for a handle; some need the time.
pub(crate) type MakeFault = fn(&ManualClock) -> Arc<dyn Fault>;

/// A server whose clients have a fault. Each handle that is opened has its own; clones of a handle share theirs.
pub(crate) struct Faulty {
    server: Server,
    fault: MakeFault,
}

impl Faulty {
    pub(crate) fn new(fault: MakeFault) -> Self {
        Self { server: Server::default(), fault }
    }

    fn connect(&self, namespace: &str) -> Broken {
        let fault = (self.fault)(&self.server.clock);
        Broken { store: self.server.open(&fault.namespace(namespace)), fault }
    }
}

#[async_trait]
impl Harness for Faulty {
    type Store = Broken;

    fn profile(&self) -> Profile {
        self.server.profile().secret(leaks::PASSWORD)
    }

    async fn open(&self, namespace: &str) -> Result<Broken, Problem> {
        Ok(self.connect(namespace))
    }

    async fn open_bounded(&self, namespace: &str, sessions: usize) -> Option<Broken> {
        let Broken { store, fault } = self.connect(namespace);
        Some(Broken { store: fault.bounded(store, sessions), fault })
    }
}

/// The reference store behind a fault.
pub(crate) struct Broken {
    store: Reference,
    fault: Arc<dyn Fault>,
}

#[async_trait]
impl SessionStore for Broken {
    async fn load(&self, id: &SessionId) -> Answer<Option<Stored>> {
        self.fault.load(&self.store, id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        self.fault.create(&self.store, id, entry, ttl).await
    }

    async fn update(&self, id: &SessionId, expected: Version, entry: &Entry, change: Change) -> Answer<UpdateOutcome> {
        self.fault.update(&self.store, id, expected, entry, change).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        self.fault.touch(&self.store, id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Answer<u64> {
        self.fault.delete(&self.store, ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Answer<Vec<SessionId>> {
        self.fault.owned_by(&self.store, owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Answer<u64> {
        self.fault.purge_expired(&self.store, limit).await
    }

    async fn stop(&self) -> Answer<()> {
        self.fault.stop(&self.store).await
    }
}

impl Clone for Broken {
    fn clone(&self) -> Self {
        Self { store: self.fault.clone_of(&self.store), fault: Arc::clone(&self.fault) }
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.debug(&self.store, f)
    }
}

/// No fault: the control of the controls.
pub(crate) struct Nothing;

impl Fault for Nothing {}

/// Lets other tasks in between a check and an act.
pub(crate) async fn pause() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

/// Writes an entry over whatever is there, or only over something that is.
pub(crate) async fn overwrite(
    store: &Reference,
    id: &SessionId,
    entry: &Entry,
    change: Change,
    absent_too: bool,
) -> Answer<UpdateOutcome> {
    loop {
        let outcome = match store.load(id).await? {
            Some(current) => store.update(id, current.version, entry, change).await?,
            None if absent_too => match store.create(id, entry, ttl_of(change)).await? {
                CreateOutcome::Created => UpdateOutcome::Written,
                CreateOutcome::Exists(current) => UpdateOutcome::Conflict(current),
            },
            None => UpdateOutcome::Absent,
        };
        if !matches!(outcome, UpdateOutcome::Conflict(_)) {
            return Ok(outcome);
        }
    }
}

/// A change as a time to live, for what is there no more.
fn ttl_of(change: Change) -> Duration {
    match change.ttl {
        Ttl::Keep => Duration::from_secs(3600),
        Ttl::After(ttl) => ttl,
    }
}
