//! A loop for callgrind. Instructions per request are the difference of two runs that differ in their count alone.

use crate::case::Case;
use crate::command::Contender;
use crate::time::{prepare, run};

/// Which application runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one with sessions.
    With,
    /// The one without.
    Without,
}

/// So many requests. What comes before them does not depend on the count.
pub(crate) async fn looped<C: Contender>(make: &impl Fn() -> C, case: Case, count: usize, side: Side) {
    assert!(count <= MOST, "at most {MOST} requests");
    let contender = make();
    let cookies = prepare(&contender, case, MOST).await;
    match side {
        Side::With => run(&mut contender.with(case.job).await, &cookies, count).await,
        Side::Without => run(&mut contender.without().await, &cookies, count).await,
    }
}

const MOST: usize = 1_200;
