//! G8 No resurrection: `update` and `touch` of an absent id write nothing and say so.

use std::sync::Arc;

use sessions_core::{SessionId, SessionStore, UpdateOutcome, Version};

use crate::expect::{Expect, KEEP, after, assert_absent};
use crate::race::race;
use crate::trial::{HOUR, Trial};

const ROUNDS: usize = 16;

pub(crate) async fn g08_update_of_an_unknown_session_writes_nothing(trial: &Trial) {
    let store = trial.open().await;
    assert_update_is_absent(trial, &store, &trial.id(), trial.version()).await;
}

pub(crate) async fn g08_update_after_delete_writes_nothing(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    store.delete(&[id]).await.answer();
    assert_update_is_absent(trial, &store, &id, entry.version).await;
    assert_update_is_absent(trial, &other, &id, entry.version).await;
}

pub(crate) async fn g08_touch_of_an_unknown_session_writes_nothing(trial: &Trial) {
    let store = trial.open().await;
    assert_touch_is_absent(&store, &trial.id(), trial.version()).await;
}

pub(crate) async fn g08_touch_after_delete_writes_nothing(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    store.delete(&[id]).await.answer();
    assert_touch_is_absent(&store, &id, entry.version).await;
    assert_touch_is_absent(&other, &id, entry.version).await;
}

pub(crate) async fn g08_an_update_that_races_a_delete_does_not_resurrect(trial: &Trial) {
    let stores = trial.open_twice().await;
    for round in 0..ROUNDS {
        let entry = trial.entry();
        let id = trial.create(&stores[0], &entry).await;
        race(3, |task| {
            let store = Arc::clone(&stores[(task + round) % 2]);
            let (expected, next) = (entry.version, trial.entry());
            async move {
                match task {
                    0 => drop(store.delete(&[id]).await.answer()),
                    1 => drop(store.update(&id, expected, &next, KEEP).await.answer()),
                    _ => drop(store.update(&id, expected, &next, after(2 * HOUR)).await.answer()),
                }
            }
        })
        .await;
        assert_absent(&stores[0], &id).await;
    }
}

pub(crate) async fn g08_a_touch_that_races_a_delete_does_not_resurrect(trial: &Trial) {
    let stores = trial.open_twice().await;
    for round in 0..ROUNDS {
        let entry = trial.entry();
        let id = trial.create(&stores[0], &entry).await;
        race(3, |task| {
            let store = Arc::clone(&stores[(task + round) % 2]);
            let expected = entry.version;
            async move {
                match task {
                    0 => drop(store.delete(&[id]).await.answer()),
                    _ => drop(store.touch(&id, expected, 2 * HOUR).await.answer()),
                }
            }
        })
        .await;
        assert_absent(&stores[0], &id).await;
    }
}

async fn assert_update_is_absent(trial: &Trial, store: &impl SessionStore, id: &SessionId, expected: Version) {
    let owner = trial.owner("alice");
    for change in [KEEP, after(HOUR)] {
        let outcome = store.update(id, expected, &trial.entry_of(&owner), change).await.answer();
        assert_eq!(outcome, UpdateOutcome::Absent);
        assert_absent(store, id).await;
        assert_eq!(store.owned_by(&owner).await.answer(), []);
    }
}

async fn assert_touch_is_absent(store: &impl SessionStore, id: &SessionId, expected: Version) {
    assert!(!store.touch(id, expected, HOUR).await.answer());
    assert_absent(store, id).await;
}
