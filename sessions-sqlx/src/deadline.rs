//! The deadline of an operation, and what its passing means.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessions_core::StoreError;

use crate::error::Failure;

/// One operation on its way. Knows whether a write is under way that was not answered yet.
#[derive(Debug)]
pub(crate) struct Attempt {
    limit: Duration,
    writing: AtomicBool,
    in_doubt: AtomicBool,
}

impl Attempt {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, writing: AtomicBool::new(false), in_doubt: AtomicBool::new(false) }
    }

    /// From here on, silence means that the write may have been applied.
    pub(crate) fn write_sent(&self) {
        self.writing.store(true, Ordering::Relaxed);
    }

    /// The database said what became of the write.
    pub(crate) fn write_answered(&self) {
        self.writing.store(false, Ordering::Relaxed);
    }

    /// A part of what was to be written has been applied, or may have been: whatever fails from here on, it is no longer sure that
    /// nothing was.
    pub(crate) fn doubt(&self) {
        self.in_doubt.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::Relaxed)
    }

    /// Runs the operation; when the deadline passes first, it is dropped.
    pub(crate) async fn run<T>(&self, operation: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
        // On its own line: the operation is dropped here, and with it a job that still waits in a queue is taken back.
        let outcome = tokio::time::timeout(self.limit, operation).await;
        let failure = match outcome {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::Deadline(self.limit),
        };
        if self.is_in_doubt() {
            return Err(StoreError::indeterminate(failure));
        }
        Err(failure.into_store_error(self.writing.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_before_the_write_was_sent_is_unavailable() {
        let attempt = Attempt::new(Duration::from_secs(2));
        let error = attempt.run(std::future::pending::<Result<(), Failure>>()).await.expect_err("must time out");
        assert!(error.is_unavailable(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_after_the_write_was_sent_is_indeterminate() {
        let attempt = Attempt::new(Duration::from_secs(2));
        let operation = async {
            attempt.write_sent();
            std::future::pending::<Result<(), Failure>>().await
        };
        let error = attempt.run(operation).await.expect_err("must time out");
        assert!(error.is_indeterminate(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_after_the_answer_is_unavailable() {
        let attempt = Attempt::new(Duration::from_secs(2));
        let operation = async {
            attempt.write_sent();
            attempt.write_answered();
            std::future::pending::<Result<(), Failure>>().await
        };
        let error = attempt.run(operation).await.expect_err("must time out");
        assert!(error.is_unavailable(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_fails_after_a_part_was_applied_is_indeterminate() {
        let attempt = Attempt::new(Duration::from_secs(2));
        let operation = async {
            attempt.write_sent();
            attempt.doubt();
            attempt.write_answered();
            Err::<(), _>(Failure::connection(sqlx::Error::PoolTimedOut))
        };
        let error = attempt.run(operation).await.expect_err("no connection");
        assert!(error.is_indeterminate(), "{error:?}");
    }
}
