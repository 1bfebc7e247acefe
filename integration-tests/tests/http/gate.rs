//! Where something waits until the test lets it go on: no test sleeps.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A gate that is closed. Clones are the same gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    arrived: Semaphore,
    admitted: Semaphore,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Inner { arrived: Semaphore::new(0), admitted: Semaphore::new(0) }))
    }

    /// Waits here until the test admits it: for what is under test.
    pub(crate) async fn pass(&self) {
        self.arrive();
        self.0.admitted.acquire().await.expect("a gate stays").forget();
    }

    /// Says that something has come here, and goes on.
    pub(crate) fn arrive(&self) {
        self.0.arrived.add_permits(1);
    }

    /// Waits until `many` have come here since the last time: for the test.
    pub(crate) async fn reached_by(&self, many: u32) {
        self.0.arrived.acquire_many(many).await.expect("a gate stays").forget();
    }

    /// Lets `many` go on, also such as have not come yet.
    pub(crate) fn admit(&self, many: usize) {
        self.0.admitted.add_permits(many);
    }
}

/// Arrives at a gate when it is dropped: how a test learns that a request is gone.
#[derive(Debug)]
pub(crate) struct Gone(pub(crate) Gate);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.arrive();
    }
}
