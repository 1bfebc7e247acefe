//! The background purge: bounded batches, jitter, survives errors, ends on `stop`.

use std::sync::Mutex;
use std::time::Duration;

use sessions_core::{OsRandom, Random, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How many rows one statement deletes: few enough that no lock is held for long.
pub(crate) const BATCH: u32 = 500;

/// Something that has expired entries: a weak handle on a store.
pub(crate) trait Purge: Send + Sync + 'static {
    /// Deletes at most `limit` of them. `None` when the store is gone.
    fn purge(&self, limit: u32) -> impl Future<Output = Option<Result<u64, StoreError>>> + Send;
}

/// The switch of a store and of its purge task (G18).
#[derive(Debug)]
pub(crate) struct Stop {
    stopped: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self { stopped: watch::Sender::new(false), task: Mutex::new(None) }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Starts purging in the background of the current runtime.
    pub(crate) fn start(&self, store: impl Purge, interval: Duration) {
        let task = tokio::spawn(run(store, interval, self.stopped.subscribe()));
        *self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(task);
    }

    /// Stops, and waits until the task has ended: at most for the batch that it is deleting.
    pub(crate) async fn stop(&self) {
        self.stopped.send_replace(true);
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = task {
            // The task does not panic; if it did, it has ended all the same.
            let _ended = task.await;
        }
    }
}

async fn run(store: impl Purge, interval: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        let pause = tokio::time::sleep(with_jitter(interval));
        tokio::select! {
            biased;
            // An error means that the store was dropped.
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = pause => {}
        }
        // As long as batches come back full there is more; between two of them, others get their turn.
        loop {
            if *stopped.borrow() {
                return;
            }
            match store.purge(BATCH).await {
                None => return,
                Some(Ok(count)) if count >= u64::from(BATCH) => tokio::task::yield_now().await,
                Some(Ok(_)) => break,
                Some(Err(error)) => {
                    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    tracing::warn!(%error, source, "expired sessions could not be purged; the next try is in {interval:?}");
                    break;
                }
            }
        }
    }
}

/// Between three quarters and five quarters of `interval`. Without randomness, the interval itself: it is only jitter.
fn with_jitter(interval: Duration) -> Duration {
    let mut byte = [128];
    if OsRandom.fill(&mut byte).is_err() {
        return interval;
    }
    interval.mul_f64(0.75 + f64::from(byte[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    type Answer = Option<Result<u64, StoreError>>;

    /// Answers from a script, then 0 for ever; counts the calls.
    #[derive(Clone, Default)]
    struct Scripted {
        calls: Arc<AtomicU64>,
        answers: Arc<Mutex<Vec<Answer>>>,
    }

    impl Purge for Scripted {
        async fn purge(&self, limit: u32) -> Answer {
            assert_eq!(limit, BATCH, "G16: batches are bounded");
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.answers.lock().expect("not poisoned").pop().unwrap_or(Some(Ok(0)))
        }
    }

    impl Scripted {
        fn answering(mut answers: Vec<Answer>) -> Self {
            answers.reverse();
            Self { calls: Arc::default(), answers: Arc::new(Mutex::new(answers)) }
        }
        fn calls(&self) -> u64 {
            self.calls.load(Ordering::SeqCst)
        }
    }

    const INTERVAL: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn survives_errors_and_works_off_a_backlog() {
        let full = u64::from(BATCH);
        let store = Scripted::answering(vec![
            Some(Err(StoreError::unavailable("down"))),
            Some(Ok(full)),
            Some(Ok(full)),
            Some(Ok(3)),
        ]);
        let stop = Stop::new();
        stop.start(store.clone(), INTERVAL);
        assert_eq!(store.calls(), 0, "not at once");
        tokio::time::sleep(INTERVAL * 5 / 4).await;
        assert_eq!(store.calls(), 1, "an error ends the round, not the task");
        tokio::time::sleep(INTERVAL * 5 / 4).await;
        assert!(store.calls() >= 4, "full batches are followed at once: {}", store.calls());
        stop.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn g18_ends_on_stop() {
        let store = Scripted::default();
        let stop = Stop::new();
        stop.start(store.clone(), INTERVAL);
        stop.stop().await;
        stop.stop().await;
        tokio::time::sleep(INTERVAL * 10).await;
        assert_eq!(store.calls(), 0);
        assert_eq!(Arc::strong_count(&store.calls), 1, "the task has let go of the store");
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_the_store() {
        let store = Scripted::answering(vec![None]);
        let stop = Stop::new();
        stop.start(store.clone(), INTERVAL);
        tokio::time::sleep(INTERVAL * 10).await;
        assert_eq!(store.calls(), 1);
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        for _ in 0..1_000 {
            let pause = with_jitter(INTERVAL);
            assert!((INTERVAL * 3 / 4..=INTERVAL * 5 / 4).contains(&pause), "{pause:?}");
        }
    }
}
