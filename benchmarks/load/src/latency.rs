//! What was measured.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The window in which answers count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    /// A third of the time goes to warming up, half a second at most.
    pub(crate) fn of(time: Duration) -> Self {
        let begin = Instant::now() + (time / 3).min(Duration::from_millis(500));
        Self { begin, end: begin + time }
    }

    pub(crate) fn begin(&self) -> Instant {
        self.begin
    }

    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }
}

/// The latencies of one connection, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    nanos: Vec<u32>,
    pub(crate) wrong: u64,
}

impl Latencies {
    /// Counts an answer that came now, if it came within the window.
    pub(crate) fn answered(&mut self, window: &Window, sent: Instant, now: Instant) {
        if now >= window.begin && now < window.end {
            self.nanos.push(u32::try_from((now - sent).as_nanos()).unwrap_or(u32::MAX));
        }
    }

    /// How many came within the window.
    pub(crate) fn answers(&self) -> u64 {
        self.nanos.len() as u64
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.nanos.extend(other.nanos);
        self.wrong += other.wrong;
    }

    /// Per second, and quantiles in microseconds.
    pub(crate) fn result(mut self, window: &Window) -> Value {
        self.nanos.sort_unstable();
        let quantile = |thousandths: usize| {
            let at = (self.nanos.len() * thousandths / 1_000).min(self.nanos.len().saturating_sub(1));
            self.nanos.get(at).map(|nanos| f64::from(*nanos / 100) / 10.0)
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = self.nanos.len() as f64 / (window.end - window.begin).as_secs_f64();
        json!({
            "per_second": per_second.round(),
            "p50_us": quantile(500),
            "p99_us": quantile(990),
            "p99_9_us": quantile(999),
            "wrong": self.wrong,
        })
    }
}
