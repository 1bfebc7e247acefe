//! Two processes on one store.

use std::time::Duration;

use sessions_proof::history::backend::{Backend, Place};
use sessions_proof::history::broken::Flaw;
use sessions_proof::history::pair;
use sessions_proof::history::process::Worker;

/// Two processes that have opened the same store, and where it is.
pub(crate) struct Pair {
    pub(crate) place: Place,
    pub(crate) a: Worker,
    pub(crate) b: Worker,
}

/// Runs a test with two processes on a store that nobody else uses.
pub(crate) fn run<F: Future<Output = ()>>(backend: Backend, test: impl FnOnce(Pair) -> F) {
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    if let Some(place) = Place::given(backend, folder.path()) {
        run_on(place, test);
    }
}

/// The same on a store that is broken.
pub(crate) fn run_on_broken<F: Future<Output = ()>>(flaw: Flaw, test: impl FnOnce(Pair) -> F) {
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    let place = Place::given(Backend::Sqlite, folder.path()).expect("a file is always there");
    run_on(Place { flaw: Some(flaw), ..place }, test);
}

fn run_on<F: Future<Output = ()>>(place: Place, test: impl FnOnce(Pair) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let pair = Pair::start(place).await;
        tokio::time::timeout(PATIENCE, test(pair)).await.expect("the test hangs");
    });
}

/// How many times as many rounds as in the quick form.
pub(crate) fn times() -> usize {
    if std::env::var("SESSIONS_PROOF_LONG").is_ok_and(|long| long == "1") { 20 } else { 1 }
}

impl Pair {
    async fn start(place: Place) -> Self {
        let [a, b] = pair::start([&place; 2]).await;
        Self { place, a, b }
    }

    /// Has both end by themselves.
    pub(crate) async fn stop(self) {
        tokio::join!(self.a.stop(), self.b.stop());
    }
}

/// When a test is taken to wait for ever.
const PATIENCE: Duration = Duration::from_secs(500);
