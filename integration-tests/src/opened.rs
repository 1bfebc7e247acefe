//! Harnesses and stores without their types, so that the tests are compiled once and not once for each store.

use std::sync::Arc;

use async_trait::async_trait;
use sessions_core::SessionStore;

use crate::harness::{Harness, Problem};

/// A store that a harness has opened. Tasks of a test share it through clones of the `Arc`; [`clone_of`] clones what is inside.
pub(crate) type Store = Arc<dyn Opened>;

/// A store that can be cloned (G14).
pub(crate) trait Opened: SessionStore {
    fn duplicate(&self) -> Store;
}

impl<S: SessionStore + Clone> Opened for S {
    fn duplicate(&self) -> Store {
        Arc::new(self.clone())
    }
}

/// A clone of the store itself. A method call would find that `Arc` can be cloned, too.
pub(crate) fn clone_of(store: &Store) -> Store {
    (**store).duplicate()
}

/// Opens the stores of a [`Harness`].
#[async_trait]
pub(crate) trait Opens: Send + Sync {
    async fn open(&self, namespace: &str) -> Result<Store, Problem>;
    async fn open_bounded(&self, namespace: &str, sessions: usize) -> Option<Store>;
}

#[async_trait]
impl<H: Harness> Opens for H {
    async fn open(&self, namespace: &str) -> Result<Store, Problem> {
        Ok(Arc::new(Harness::open(self, namespace).await?))
    }

    async fn open_bounded(&self, namespace: &str, sessions: usize) -> Option<Store> {
        Some(Arc::new(Harness::open_bounded(self, namespace, sessions).await?))
    }
}
