//! Many tasks at once.

use std::sync::Arc;

use tokio::sync::Barrier;

/// Starts the future of each task at the same moment and gives their outputs, in the order of the tasks.
///
/// A panic in a task is a panic here.
pub(crate) async fn race<T, F>(tasks: usize, future: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks));
    let start = |task| {
        let (barrier, future) = (Arc::clone(&barrier), future(task));
        tokio::spawn(async move {
            barrier.wait().await;
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
