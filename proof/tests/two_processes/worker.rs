//! What a process of these tests does: what it is told.

use std::sync::Arc;

use sessions_proof::history::pair::{self, Process};

use crate::app::{self, Gate};
use crate::desk::Desk;
use crate::races;

/// Works until home is gone; returns at once where this process has none.
pub(crate) fn work() {
    pair::work(obey);
}

async fn obey(Process { home, store, recorder }: &mut Process) {
    let voice = home.voice();
    let mut desk = Desk::new(Arc::clone(store), voice.clone());
    let gate = Gate::closed(voice.clone());
    while let Some(line) = home.hear().await {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "race" => races::perform(recorder, home.number, rest).await,
            "serve" => voice.say(app::serve(Arc::clone(store), gate.clone()).await),
            "admit" => gate.admit(rest.parse().expect("how many")),
            _ => desk.obey(verb, rest).await,
        }
        if matches!(verb, "race" | "commit" | "count") {
            voice.say("done");
        }
    }
}
