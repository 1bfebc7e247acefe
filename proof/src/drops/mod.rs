//! Every cancellation point: each operation and each whole request is polled n times and dropped, for n = 0 until it completes.
//!
//! A future is dropped in two ways: as soon as it waits, when what it asked for is on its way; and when it is woken, when the
//! answer has come and is never heard. After each drop
//!
//! - the record, the expiry and the owner's list are as before or as after, never else, also when they are looked at again later;
//! - the pool is whole: more operations at once than there are connections all work;
//! - nothing stays open on the server, and another connection may write;
//! - a request whose handler had not answered has changed nothing, and one whose handler had has changed everything (H9);
//! - a commit that is called again after it was dropped has one effect. Of a new session that is the one whose token it gives out:
//!   a create that was dropped can arrive when it has been cleared up after, and leaves one that nobody can open.
//!
//! What runs is quick on every store. [`controls`] are stores and adapters that are broken in one way each, and are caught.

pub mod controls;
mod cut;
mod load;
mod operations;
mod requests;
mod resumed;
mod visit;
mod watched;
mod whole;

use std::fmt;

use crate::behind::{Bench, Problem};

pub use requests::Adapter;

/// How many places there were at which something was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// In operations of the store.
    pub operations: u64,
    /// In whole requests through the layer.
    pub requests: u64,
    /// In commits that were then called again.
    pub resumed: u64,
}

/// Drops everything everywhere on one store, `rounds` times alone and as often with others at work.
///
/// # Errors
///
/// What was found to be neither as before nor as after, what stayed open, and when the store fails.
pub async fn everywhere(bench: &Bench, rounds: u32) -> Result<Report, Problem> {
    let mut report = Report::default();
    for busy in (0..rounds).flat_map(|_| [false, true]) {
        report.operations += operations::drop_all(bench, busy).await?;
        report.requests += requests::drop_all(bench, Adapter::Layer, busy).await?;
        report.resumed += resumed::drop_all(bench, busy).await?;
    }
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, requests, resumed } = self;
        let points = operations + requests + resumed;
        write!(
            f,
            "cancellation points={points}; in operations={operations}; in whole requests={requests}; in commits called \
             again={resumed}; lost or half done=0"
        )
    }
}
