//! G10 `touch` moves time only, earlier or later, and only if the version is still the expected one.

use std::sync::Arc;

use sessions_core::{SessionStore, Stored, UpdateOutcome};

use crate::expect::{Expect, KEEP, after, assert_holds, load, write};
use crate::race::race;
use crate::trial::{HOUR, SHORT, Trial, WINDOWS};

pub(crate) async fn g10_touch_moves_time_only(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let entry = trial.entry_of(&owner);
    let id = trial.create(&store, &entry).await;
    let before = load(&store, &id).await;
    assert!(store.touch(&id, entry.version, 2 * HOUR).await.answer());
    let stored = load(&store, &id).await;
    assert_eq!(stored, Stored { expires_at: stored.expires_at, ..before });
    assert!(store.owned_by(&owner).await.answer().contains(&id), "a touch leaves the index alone");
    // The version is still the one to write on.
    write(&store, &id, entry.version, &trial.entry(), KEEP).await;
}

pub(crate) async fn g10_touch_moves_the_expiry_both_ways(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    for ttl in [2 * HOUR, HOUR / 2, 24 * HOUR, HOUR] {
        let before = trial.now();
        assert!(store.touch(&id, entry.version, ttl).await.answer());
        let written = [before, trial.now()];
        trial.profile.assert_expiry(&load(&store, &id).await, ttl, written);
    }
}

pub(crate) async fn g10_touch_lets_a_session_live_longer(trial: &Trial) {
    let store = trial.open().await;
    for window in WINDOWS {
        let entry = trial.entry();
        let id = trial.create_for(&store, &entry, window).await;
        if !store.touch(&id, entry.version, HOUR).await.answer() {
            continue;
        }
        trial.outlast(window).await;
        assert_holds(&load(&store, &id).await, &entry);
        return;
    }
    panic!("no session lived long enough to be touched");
}

pub(crate) async fn g10_touch_lets_a_session_end_earlier(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    assert!(store.touch(&id, entry.version, SHORT).await.answer());
    trial.outlast(SHORT).await;
    trial.assert_over(&store, &id).await;
}

pub(crate) async fn g10_touch_needs_the_expected_version(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let (first, second) = (trial.entry(), trial.entry());
    let id = trial.create(&store, &first).await;
    write(&other, &id, first.version, &second, KEEP).await;
    let before = load(&store, &id).await;
    for expected in [first.version, trial.version()] {
        for ttl in [2 * HOUR, SHORT] {
            assert!(!store.touch(&id, expected, ttl).await.answer());
        }
    }
    trial.outlast(SHORT).await;
    assert_eq!(load(&store, &id).await, before);
}

pub(crate) async fn g10_a_touch_that_races_an_update_never_moves_the_newer_write(trial: &Trial) {
    const ROUNDS: usize = 16;
    let stores = trial.open_twice().await;
    for round in 0..ROUNDS {
        let (first, second) = (trial.entry(), trial.entry());
        let id = trial.create(&stores[0], &first).await;
        let before = trial.now();
        race(3, |task| {
            let store = Arc::clone(&stores[(task + round) % 2]);
            let (expected, next) = (first.version, second.clone());
            async move {
                if task == 0 {
                    let outcome = store.update(&id, expected, &next, after(24 * HOUR)).await.answer();
                    assert_eq!(outcome, UpdateOutcome::Written, "a touch leaves the version alone");
                } else {
                    store.touch(&id, expected, HOUR / 2).await.answer();
                }
            }
        })
        .await;
        let stored = load(&stores[0], &id).await;
        assert_holds(&stored, &second);
        trial.profile.assert_expiry(&stored, 24 * HOUR, [before, trial.now()]);
    }
}
