//! G5 `update` is a compare-and-swap, atomic against every process.

use std::sync::Arc;

use sessions_core::{Entry, SessionId, SessionStore, UpdateOutcome};

use crate::expect::{Expect, KEEP, assert_holds, load, write};
use crate::race::race;
use crate::trial::{Trial, Versions};

const TASKS: usize = 8;

pub(crate) async fn g05_update_is_compare_and_swap(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let first = trial.entry();
    let id = trial.create(&store, &first).await;
    let outcome = store.update(&id, trial.version(), &trial.entry(), KEEP).await.answer();
    assert_ne!(outcome, UpdateOutcome::Written, "the version is not the expected one");
    let second = trial.entry();
    write(&other, &id, first.version, &second, KEEP).await;
    let outcome = store.update(&id, first.version, &trial.entry(), KEEP).await.answer();
    assert_ne!(outcome, UpdateOutcome::Written, "the version is no longer the expected one");
    write(&store, &id, second.version, &trial.entry(), KEEP).await;
}

pub(crate) async fn g05_racing_updates_have_one_winner(trial: &Trial) {
    const ROUNDS: usize = 16;
    let stores = trial.open_twice().await;
    let mut current = trial.entry();
    let id = trial.create(&stores[0], &current).await;
    for _ in 0..ROUNDS {
        let entries: Vec<_> = (0..TASKS).map(|_| trial.entry()).collect();
        let outcomes = race(TASKS, |task| {
            let (store, entry) = (Arc::clone(&stores[task % 2]), entries[task].clone());
            let expected = current.version;
            async move { store.update(&id, expected, &entry, KEEP).await.answer() }
        })
        .await;
        let written = outcomes.iter().zip(&entries).filter(|(outcome, _)| **outcome == UpdateOutcome::Written);
        let winners: Vec<_> = written.map(|(_, entry)| entry).collect();
        assert_eq!(winners.len(), 1, "of {TASKS} racing updates one wins");
        current = winners[0].clone();
        assert_holds(&load(&stores[0], &id).await, &current);
    }
}

pub(crate) async fn g05_no_increment_is_lost(trial: &Trial) {
    const INCREMENTS: usize = 10;
    let stores = trial.open_twice().await;
    let id = trial.create(&stores[0], &trial.entry_with("0")).await;
    race(TASKS, |task| {
        let (store, versions) = (Arc::clone(&stores[task % 2]), trial.versions());
        async move {
            for _ in 0..INCREMENTS {
                increment(&store, &id, &versions).await;
            }
        }
    })
    .await;
    assert_eq!(load(&stores[0], &id).await.record, (TASKS * INCREMENTS).to_string());
}

/// Adds one to the number in a record, against others who do the same.
async fn increment(store: &impl SessionStore, id: &SessionId, versions: &Versions) {
    // Someone else succeeds whenever this one does not, so that this is more than enough.
    const MOST_ATTEMPTS: usize = 10_000;
    for _ in 0..MOST_ATTEMPTS {
        let current = load(store, id).await;
        let text = std::str::from_utf8(&current.record).expect("the number as text");
        let number: usize = text.parse().expect("the number as text");
        let next = Entry { record: (number + 1).to_string().into(), ..versions.entry() };
        if store.update(id, current.version, &next, KEEP).await.answer() == UpdateOutcome::Written {
            return;
        }
    }
    panic!("no update succeeds");
}
