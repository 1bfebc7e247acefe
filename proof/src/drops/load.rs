//! Others at work on the same store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessions_core::SessionStore;
use tokio::task::JoinSet;

use super::whole::cycle;
use crate::behind::Problem;

/// Tasks that use the store without pause.
#[derive(Debug)]
pub(crate) struct Load {
    tasks: JoinSet<Result<(), Problem>>,
    enough: Arc<AtomicBool>,
}

impl Load {
    /// As many as keep every connection busy, or none.
    pub(crate) fn start(store: &Arc<dyn SessionStore>, busy: bool) -> Self {
        let (mut tasks, enough) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for _ in 0..if busy { 4 } else { 0 } {
            let (store, enough) = (Arc::clone(store), Arc::clone(&enough));
            tasks.spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    cycle(Arc::clone(&store)).await?;
                    // A store that never waits would keep this thread.
                    tokio::task::yield_now().await;
                }
                Ok(())
            });
        }
        Self { tasks, enough }
    }

    /// Lets them come to their end.
    pub(crate) async fn stop(mut self) -> Result<(), Problem> {
        self.enough.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}
