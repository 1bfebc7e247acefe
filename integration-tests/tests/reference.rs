//! The suite on the reference store: the smallest correct store passes every test, by a clock that the suite holds and in
//! real time.

mod support;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::reference::Reference;
use sessions_conformance::{Erased, Harness, Problem, Profile, conformance};
use sessions_core::{Entry, SessionId, SessionStore, SystemClock, Timestamp, Version};
use support::Server;

#[async_trait]
impl Harness for Server {
    type Store = Reference;

    fn profile(&self) -> Profile {
        Self::profile(self)
    }

    async fn open(&self, namespace: &str) -> Result<Reference, Problem> {
        Ok(Self::open(self, namespace))
    }

    async fn open_bounded(&self, namespace: &str, sessions: usize) -> Option<Reference> {
        Some(Self::open(self, namespace).bounded(sessions))
    }
}

/// The same by the clock on the wall, as a database would be: the suite waits, and nothing depends on how long that takes.
#[derive(Default)]
struct Waiting {
    namespaces: Mutex<HashMap<String, Reference>>,
}

#[async_trait]
impl Harness for Waiting {
    type Store = Reference;

    fn profile(&self) -> Profile {
        Profile::new(Reference::RECORD_LIMIT).shared()
    }

    async fn open(&self, namespace: &str) -> Result<Reference, Problem> {
        let mut namespaces = self.namespaces.lock().expect("no panic");
        let fresh = || Reference::new(SystemClock);
        Ok(namespaces.entry(namespace.to_owned()).or_insert_with(fresh).another_process())
    }
}

conformance!(Server::default());

#[tokio::test]
async fn an_erased_harness_forwards_what_has_a_default() {
    let erased = Erased(Server::default());
    let store = erased.open_bounded("bounded", 0).await.expect("a bounded store");
    let entry = Entry { version: Version::from_u64(1), record: "".into(), owner: None, deadline: Timestamp::MAX };
    let outcome = store.create(&SessionId::from_bytes([1; 16]), &entry, Duration::from_secs(1)).await;
    assert!(outcome.expect_err("no room").is_full());
}

mod in_real_time {
    use super::*;

    conformance!(Waiting::default());
}
