//! Allocations and their bytes.

use stats_alloc::INSTRUMENTED_SYSTEM;

use crate::case::Case;
use crate::command::Contender;
use crate::time::{prepare, run};

/// What an allocator has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Allocations and reallocations; for a result, per request.
    pub allocations: f64,
    /// Bytes asked for.
    pub bytes: f64,
    /// Bytes that are allocated now.
    pub held: f64,
}

/// Reads the counts of the allocator.
pub type Counter = fn() -> Counts;

/// The counter of the binaries whose global allocator is [`INSTRUMENTED_SYSTEM`].
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn counts() -> Counts {
    let stats = INSTRUMENTED_SYSTEM.stats();
    let allocations = (stats.allocations + stats.reallocations) as f64;
    let bytes = stats.bytes_allocated as f64;
    Counts { allocations, bytes, held: bytes - stats.bytes_deallocated as f64 }
}

/// Per request: with sessions and without.
pub(crate) async fn count<C: Contender>(make: &impl Fn() -> C, case: Case, counter: Counter) -> (Counts, Counts) {
    let contender = make();
    let cookies = prepare(&contender, case, 2 * REQUESTS).await;
    let (first, second) = if cookies.len() > 1 { cookies.split_at(REQUESTS) } else { (&cookies[..], &cookies[..]) };
    let mut runner = contender.with(case.job).await;
    run(&mut runner, first, REQUESTS).await;
    let start = counter();
    run(&mut runner, second, REQUESTS).await;
    let with = difference(counter(), start);
    let mut runner = contender.without().await;
    run(&mut runner, first, REQUESTS).await;
    let start = counter();
    run(&mut runner, second, REQUESTS).await;
    (with, difference(counter(), start))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn difference(end: Counts, start: Counts) -> Counts {
    let each = |difference: f64| (difference * 100.0 / REQUESTS as f64).round() / 100.0;
    Counts {
        allocations: each(end.allocations - start.allocations),
        bytes: each(end.bytes - start.bytes),
        held: each(end.held - start.held),
    }
}

const REQUESTS: usize = 1_000;
