//! How a manager names the writes of a store in its own memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessions_core::{OsRandom, Random, RandomError, SessionManager, SessionManagerBuilder};

use super::*;

/// Counts what it is asked for.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<AtomicUsize>);

impl Random for Asked {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        OsRandom.fill(bytes)
    }
}

/// Nobody else can reach these sessions: their writes are told apart by counting. Secrets are drawn all the same.
#[test]
fn writes_cost_no_randomness_and_each_has_a_version_of_its_own() {
    let (desk, asked) = (Desk::new(), Asked::default());
    let built = |builder: SessionManagerBuilder| builder.random(asked.clone()).clock(desk.clock.clone()).build();
    let builders = [SessionManager::builder(desk.store.clone()), SessionManager::builder(Arc::new(desk.store.clone()))];
    let managers = builders.map(|builder| built(builder).expect("valid settings"));

    let session = managers[0].new_session();
    session.insert("n", &0).expect("it is open");
    pollster::block_on(managers[0].commit(&session)).expect("there is room");
    let id = session.id().expect("it is stored");
    let mut versions = vec![desk.load(id).expect("it is live").version];
    for n in 1..100 {
        let manager = &managers[n % 2];
        let session = pollster::block_on(manager.get_session(&id)).expect("it answers").expect("it is live");
        session.insert("n", &n).expect("it is open");
        pollster::block_on(manager.commit(&session)).expect("there is room");
        versions.push(desk.load(id).expect("it is live").version);
    }
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 100);
    assert_eq!(asked.0.load(Ordering::SeqCst), 1, "for the token");

    let session = pollster::block_on(managers[0].get_session(&id)).expect("it answers").expect("it is live");
    session.rotate().expect("it is open");
    pollster::block_on(managers[0].commit(&session)).expect("there is room");
    assert_eq!(asked.0.load(Ordering::SeqCst), 2, "for the new token");
}
