//! The suite on the reference store: the smallest correct store passes every test.

mod support;

use async_trait::async_trait;
use sessions_conformance::reference::Reference;
use sessions_conformance::{Harness, Problem, Profile, conformance};
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

conformance!(Server::default());
