//! Two processes on one store: what the test that starts them does first, and what they do.

use std::sync::Arc;

use sessions_core::{Clock, SessionStore, SystemClock, Timestamp};

use super::backend::Place;
use super::process::{Home, Worker};
use super::record::Recorder;

/// Starts both, each with its own way to the store, and returns when it is open.
///
/// # Panics
///
/// When one of them cannot be started, or cannot open the store.
pub async fn start(places: [&Place; 2]) -> [Worker; 2] {
    let (mut a, mut b) = tokio::join!(Worker::start(ENTRY, 0), Worker::start(ENTRY, 1));
    let origin = SystemClock.now().as_millis();
    for (worker, place) in [&mut a, &mut b].into_iter().zip(places) {
        worker.tell(format_args!("{origin} {place}")).await;
    }
    for worker in [&mut a, &mut b] {
        assert_eq!(worker.hear().await, OPEN);
    }
    [a, b]
}

/// What a process has when it is at work.
#[derive(Debug)]
pub struct Process {
    /// Who tells it what to do.
    pub home: Home,
    /// The store that was opened.
    pub store: Arc<dyn SessionStore>,
    /// The same, with every call told to home.
    pub recorder: Recorder,
}

/// The whole of a process: opens what it is told, obeys until home is gone, and stops the store. Returns at once where this
/// process is none of a test's.
///
/// # Panics
///
/// When the store cannot be opened or stopped.
pub fn work(obey: impl AsyncFnOnce(&mut Process)) {
    let Some(home) = Home::find() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut process = Process::open(home).await;
        obey(&mut process).await;
        process.store.stop().await.expect("the store stops");
    });
}

impl Process {
    async fn open(mut home: Home) -> Self {
        let voice = home.voice();
        let first = home.hear().await.expect("where the store is");
        let (origin, place) = first.split_once(' ').expect("an origin and a place");
        let origin = Timestamp::from_millis(origin.parse().expect("a time"));
        let store = place.parse::<Place>().expect("a place").open().await.expect("the store opens");
        let teller = voice.clone();
        let recorder = Recorder::new(Arc::clone(&store), origin, move |line| teller.say(line));
        voice.say(OPEN);
        Self { home, store, recorder }
    }
}

/// The test in which the processes of a test program begin.
const ENTRY: &str = "process";
const OPEN: &str = "open";
