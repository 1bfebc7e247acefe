//! Many tasks at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts the future of each task at the same moment and gives their outputs, in the order of the tasks.
///
/// A panic in a task is a panic here.
pub(crate) async fn race<T, F>(tasks: usize, future: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let ready = Arc::new(AtomicUsize::new(0));
    let start = |task| {
        let (ready, future) = (Arc::clone(&ready), future(task));
        tokio::spawn(async move {
            ready.fetch_add(1, Ordering::SeqCst);
            // Deliberately not a barrier that wakes its waiters: on a busy machine the first one that is woken would be through
            // before the last one is. Here all are running already when the last one comes.
            while ready.load(Ordering::SeqCst) < tasks {
                tokio::task::yield_now().await;
            }
            future.await
        })
    };
    let handles: Vec<_> = (0..tasks).map(start).collect();
    let mut outputs = Vec::with_capacity(tasks);
    for handle in handles {
        match handle.await {
            Ok(output) => outputs.push(output),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_tasks_are_there_before_one_goes_on() {
        let started = Arc::new(AtomicUsize::new(0));
        let seen = race(16, |task| {
            let started = Arc::clone(&started);
            started.fetch_add(1, Ordering::SeqCst);
            async move { (task, started.load(Ordering::SeqCst)) }
        })
        .await;
        assert_eq!(seen, (0..16).map(|task| (task, 16)).collect::<Vec<_>>());
    }
}
