//! Commits that outlive their client (H9).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessions_core::{Committed, Error};
use tokio::runtime::Handle;
use tokio::sync::Notify;

pub(crate) type Commit = Pin<Box<dyn Future<Output = Result<Committed, Error>> + Send>>;

/// Counts the commits that go on without their client, for whoever waits for them at shutdown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detached(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: AtomicUsize,
    ended: Notify,
}

impl Detached {
    /// Moves the rest of a commit to the runtime. It ends by itself: every store call in it has a deadline.
    pub(crate) fn finish(&self, commit: Commit, runtime: &Handle) {
        let running = Running::new(self);
        runtime.spawn(async move {
            let _running = running;
            if let Err(error) = commit.await {
                tracing::error!(target: "sessions", %error, "session.commit_failed_after_disconnect");
            }
        });
    }

    /// Waits until none is running.
    pub(crate) async fn drained(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// Counts one commit while it lives, also when the runtime drops it.
struct Running(Arc<Inner>);

impl Running {
    fn new(detached: &Detached) -> Self {
        detached.0.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&detached.0))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}
