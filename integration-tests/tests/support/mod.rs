//! The reference store under the suite, and the place where its namespaces are kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sessions_conformance::Profile;
use sessions_conformance::reference::Reference;
use sessions_core::{ManualClock, Timestamp};

/// Namespaces of reference stores, by name: what a server would be to its clients.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) clock: ManualClock,
    namespaces: Mutex<HashMap<String, Reference>>,
}

impl Default for Server {
    /// A server that starts at no round moment, so that rounding shows.
    fn default() -> Self {
        let now = Timestamp::from_millis(1_753_000_000_123);
        Self { clock: ManualClock::at(now), namespaces: Mutex::default() }
    }
}

impl Server {
    /// Connects to a namespace as a process of its own.
    pub(crate) fn open(&self, namespace: &str) -> Reference {
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Reference::new(self.clock.clone());
        namespaces.entry(namespace.to_owned()).or_insert_with(fresh).another_process()
    }

    pub(crate) fn profile(&self) -> Profile {
        Profile::new(Reference::RECORD_LIMIT).clock(self.clock.clone()).shared()
    }
}
