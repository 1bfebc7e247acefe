//! The contract on the memory store.

use async_trait::async_trait;
use sessions_conformance::{Harness, Problem, Profile, conformance};
use sessions_core::{ManualClock, Timestamp};
use sessions_memory::{MemoryStore, MemoryStoreBuilder};

struct Memory {
    clock: ManualClock,
}

impl Memory {
    fn new() -> Self {
        Self { clock: ManualClock::at(Timestamp::from_millis(1_753_000_000_123)) }
    }

    fn builder(&self) -> MemoryStoreBuilder {
        MemoryStore::builder().clock(self.clock.clone())
    }
}

#[async_trait]
impl Harness for Memory {
    type Store = MemoryStore;

    fn profile(&self) -> Profile {
        Profile::new(MemoryStoreBuilder::DEFAULT_MAX_RECORD_BYTES).clock(self.clock.clone())
    }

    async fn open(&self, _: &str) -> Result<MemoryStore, Problem> {
        Ok(self.builder().build()?)
    }

    async fn open_bounded(&self, _: &str, sessions: usize) -> Option<MemoryStore> {
        Some(self.builder().max_sessions(sessions).build().expect("a good bound"))
    }
}

conformance!(Memory::new());
