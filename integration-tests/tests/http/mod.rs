//! The rules of the layer over HTTP: real sockets on the loopback interface, a store that is watched, a clock that is
//! moved by hand.
//!
//! Nothing sleeps: where a test needs one thing to happen before another, the thing that must wait does so at a
//! [`gate`], and the test hears of its arrival.

pub(crate) mod app;
pub(crate) mod backend;
pub(crate) mod bench;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod gate;
#[macro_use]
pub(crate) mod rules;
pub(crate) mod watched;

use std::time::Duration;

use backend::Open;
use bench::Bench;
use events::Events;
use sessions_core::SessionStore;

/// Runs one rule on a fresh store, in a runtime of its own.
pub(crate) fn run<F: Future<Output = ()>>(open: Open, rule: impl FnOnce(Bench) -> F) {
    let events = Events::default();
    let ears = events.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || ears.listen())
        .build()
        .expect("a runtime");
    events.listen();
    runtime.block_on(async {
        let bench = Bench::new(open, events.clone()).await;
        let ended = tokio::time::timeout(PATIENCE, rule(bench.clone())).await;
        bench.store.unwatched().stop().await.expect("the store stops");
        ended.expect("the rule hangs");
    });
    events.assert_no_token();
}

/// When a test that waits for something is taken to wait forever.
const PATIENCE: Duration = Duration::from_secs(60);
