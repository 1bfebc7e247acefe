//! What is going on, and for how long.

use std::time::Instant;

/// Tells each step with the time since the start.
#[derive(Debug)]
pub(crate) struct Progress(Instant);

impl Progress {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn say(&mut self, step: &str) {
        let seconds = self.0.elapsed().as_secs();
        eprintln!("[{:2}:{:02}] {step}", seconds / 60, seconds % 60);
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.0.elapsed().as_secs()
    }
}
