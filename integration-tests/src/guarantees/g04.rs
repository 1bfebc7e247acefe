//! G4 `create` never overwrites a live session; two racing creates have one winner. It does replace an expired one.

use std::sync::Arc;

use sessions_core::{CreateOutcome, Entry, SessionId, SessionStore};

use crate::expect::{Expect, assert_holds, load};
use crate::opened::Store;
use crate::race::race;
use crate::trial::{HOUR, SHORT, Trial};

const ROUNDS: usize = 16;
const TASKS: usize = 8;

pub(crate) async fn g04_create_never_overwrites(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let id = trial.create(&store, &trial.entry()).await;
    let before = load(&store, &id).await;
    for store in [&store, &other] {
        let outcome = store.create(&id, &trial.entry(), 2 * HOUR).await.answer();
        assert_eq!(outcome, CreateOutcome::Exists(before.clone()));
        assert_eq!(load(store, &id).await, before);
    }
}

pub(crate) async fn g04_racing_creates_have_one_winner(trial: &Trial) {
    let stores = trial.open_twice().await;
    for _ in 0..ROUNDS {
        assert_one_winner(trial, &stores, trial.id()).await;
    }
}

pub(crate) async fn g04_create_replaces_an_expired_session(trial: &Trial) {
    let store = trial.open().await;
    let old = Entry { record: "a longer record, of which nothing is to remain".into(), ..trial.entry() };
    let id = trial.create_expired(&store, &old).await;
    let (new, before) = (trial.entry(), trial.now());
    assert_eq!(store.create(&id, &new, HOUR).await.answer(), CreateOutcome::Created);
    let stored = load(&store, &id).await;
    assert_holds(&stored, &new);
    trial.profile.assert_expiry(&stored, HOUR, [before, trial.now()]);
}

pub(crate) async fn g04_racing_creates_over_an_expired_session_have_one_winner(trial: &Trial) {
    let stores = trial.open_twice().await;
    let expired = trial.create_many(&stores[0], ROUNDS, SHORT, || trial.entry()).await;
    trial.elapse(SHORT).await;
    for id in expired {
        assert_one_winner(trial, &stores, id).await;
    }
}

async fn assert_one_winner(trial: &Trial, stores: &[Store; 2], id: SessionId) {
    let entries: Vec<_> = (0..TASKS).map(|_| trial.entry()).collect();
    let outcomes = race(TASKS, |task| {
        let (store, entry) = (Arc::clone(&stores[task % 2]), entries[task].clone());
        async move { store.create(&id, &entry, HOUR).await.answer() }
    })
    .await;
    let stored = load(&stores[0], &id).await;
    let mut winners = 0;
    for (outcome, entry) in outcomes.into_iter().zip(&entries) {
        match outcome {
            CreateOutcome::Created => {
                assert_holds(&stored, entry);
                winners += 1;
            }
            CreateOutcome::Exists(current) => assert_eq!(current, stored, "what the winner wrote"),
        }
    }
    assert_eq!(winners, 1, "of {TASKS} racing creates one wins");
}
