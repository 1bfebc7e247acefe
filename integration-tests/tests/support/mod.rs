//! The reference store under the suite, and the place where its namespaces are kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sessions_conformance::Profile;
use sessions_conformance::reference::Reference;
use sessions_core::ManualClock;

/// Namespaces of reference stores, by name: what a server would be to its clients.
#[derive(Debug, Default)]
pub struct Server {
    pub clock: ManualClock,
    namespaces: Mutex<HashMap<String, Reference>>,
}

impl Server {
    /// Connects to a namespace as a process of its own.
    pub fn open(&self, namespace: &str) -> Reference {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Reference::new(self.clock.clone());
        namespaces.entry(namespace.to_owned()).or_insert_with(fresh).another_process()
    }

    pub fn profile(&self) -> Profile {
        Profile::new(Reference::RECORD_LIMIT).clock(self.clock.clone()).shared()
    }
}
