//! Latencies, in microseconds.

use std::time::Duration;

use serde_json::{Value, json};

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Quantiles(Vec<u64>);

impl Quantiles {
    pub(crate) fn push(&mut self, latency: Duration) {
        self.0.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The quantiles, and how many a second.
    pub(crate) fn over(mut self, time: Duration) -> Value {
        self.0.sort_unstable();
        let quantile = |thousandths: usize| {
            let at = (self.0.len() * thousandths / 1_000).min(self.0.len().saturating_sub(1));
            self.0.get(at).map(|nanos| micros(*nanos))
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = (self.0.len() as f64 / time.as_secs_f64()).round();
        json!({
            "per_second": per_second,
            "p50_us": quantile(500),
            "p99_us": quantile(990),
            "p99_9_us": quantile(999),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn micros(nanos: u64) -> f64 {
    (nanos / 10) as f64 / 100.0
}
