//! What a process of these tests does: what it is told.

use std::sync::Arc;

use sessions_core::{SessionStore, Timestamp};
use sessions_proof::history::backend::Place;
use sessions_proof::history::process::{Home, Voice};
use sessions_proof::history::record::Recorder;

use crate::app::{self, Gate};
use crate::desk::Desk;
use crate::races;

/// Works until home is gone; returns at once where this process has none.
pub(crate) fn work() {
    let Some(home) = Home::find() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(obey(home));
}

async fn obey(mut home: Home) {
    let voice = home.voice();
    let first = home.hear().await.expect("where the store is");
    let (origin, place) = first.split_once(' ').expect("an origin and a place");
    let origin = Timestamp::from_millis(origin.parse().expect("a time"));
    let store = place.parse::<Place>().expect("a place").open().await.expect("the store opens");
    let recorder = recorder(Arc::clone(&store), origin, voice.clone());
    let mut desk = Desk::new(Arc::clone(&store), voice.clone());
    let gate = Gate::closed(voice.clone());
    voice.say("open");
    while let Some(line) = home.hear().await {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "race" => races::perform(&recorder, home.number, rest).await,
            "serve" => voice.say(app::serve(Arc::clone(&store), gate.clone()).await),
            "admit" => gate.admit(rest.parse().expect("how many")),
            _ => desk.obey(verb, rest).await,
        }
        if matches!(verb, "race" | "commit" | "count") {
            voice.say("done");
        }
    }
    store.stop().await.expect("the store stops");
}

fn recorder(store: Arc<dyn SessionStore>, origin: Timestamp, voice: Voice) -> Recorder {
    Recorder::new(store, origin, move |line| voice.say(line))
}
