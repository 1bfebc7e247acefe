//! A store without waiting, for tests: synchronous calls, a clock that is moved by hand.

mod bounds;
mod contract;
mod model;
mod stress;
mod versions;

use std::time::Duration;

use bytes::Bytes;
use sessions_core::{
    Change, CreateOutcome, Entry, ManualClock, Owner, SessionId, SessionStore, StoreError, Stored, Timestamp, Ttl,
    UpdateOutcome, Version,
};

use crate::{MemoryStore, MemoryStoreBuilder};

/// A store and its clock; clones are the same.
#[derive(Debug, Clone)]
struct Desk {
    store: MemoryStore,
    clock: ManualClock,
}

impl Desk {
    fn new() -> Self {
        Self::with(MemoryStore::builder())
    }

    /// At a time that is neither the epoch nor round.
    fn with(builder: MemoryStoreBuilder) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_123));
        let store = builder.clock(clock.clone()).build().expect("the test's bounds are valid");
        Self { store, clock }
    }

    fn load(&self, id: SessionId) -> Option<Stored> {
        pollster::block_on(self.store.load(&id)).expect("load does not fail")
    }

    fn try_create(&self, id: SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        pollster::block_on(self.store.create(&id, entry, ttl))
    }

    fn create(&self, id: SessionId, entry: &Entry, ttl: Duration) -> CreateOutcome {
        self.try_create(id, entry, ttl).expect("there is room")
    }

    fn try_update(&self, id: SessionId, expected: u64, entry: &Entry, ttl: Ttl) -> Result<UpdateOutcome, StoreError> {
        let change = Change { ttl, reindex: true };
        pollster::block_on(self.store.update(&id, Version::from_u64(expected), entry, change))
    }

    fn update(&self, id: SessionId, expected: u64, entry: &Entry, ttl: Ttl) -> UpdateOutcome {
        self.try_update(id, expected, entry, ttl).expect("there is room")
    }

    fn touch(&self, id: SessionId, expected: u64, ttl: Duration) -> bool {
        pollster::block_on(self.store.touch(&id, Version::from_u64(expected), ttl)).expect("touch does not fail")
    }

    fn delete(&self, ids: &[SessionId]) -> u64 {
        pollster::block_on(self.store.delete(ids)).expect("delete does not fail")
    }

    /// In the order of the ids.
    fn owned_by(&self, owner: &str) -> Vec<SessionId> {
        let owner = Owner::new(owner).expect("a valid owner");
        let mut ids = pollster::block_on(self.store.owned_by(&owner)).expect("owned_by does not fail");
        ids.sort_unstable();
        ids
    }

    fn purge(&self, limit: u32) -> u64 {
        pollster::block_on(self.store.purge_expired(limit)).expect("purge_expired does not fail")
    }

    fn audit(&self) {
        self.store.sessions().audit();
    }
}

fn id(n: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    SessionId::from_bytes(bytes)
}

fn entry(version: u64, record: impl Into<Bytes>) -> Entry {
    Entry { version: Version::from_u64(version), record: record.into(), owner: None, deadline: Timestamp::MAX }
}

fn owned(version: u64, record: impl Into<Bytes>, owner: &str) -> Entry {
    Entry { owner: Some(Owner::new(owner).expect("a valid owner")), ..entry(version, record) }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The seed of a randomized test, printed so that a failure can be run again: `SESSIONS_SEED=… cargo test`.
fn seed(test: &str) -> u64 {
    let given = std::env::var("SESSIONS_SEED").ok().map(|seed| seed.parse().expect("SESSIONS_SEED is a number"));
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{test}: SESSIONS_SEED={seed}");
    seed
}
