//! G16 `purge_expired` deletes only expired entries, at most `limit`, and says how many. A backend that expires by itself
//! answers 0.

use std::sync::Arc;

use sessions_core::{CreateOutcome, SessionStore};

use crate::expect::Expect;
use crate::opened::Store;
use crate::race::race;
use crate::trial::{HOUR, SHORT, Trial, WINDOWS};

pub(crate) async fn g16_purge_deletes_expired_entries_and_counts_them(trial: &Trial) {
    let store = trial.open().await;
    trial.create(&store, &trial.entry()).await;
    assert_eq!(store.purge_expired(1_000).await.answer(), 0, "nothing has expired");
    expire(trial, &store, 5).await;
    assert_eq!(store.purge_expired(1_000).await.answer(), counted(trial, 5));
    assert_eq!(store.purge_expired(1_000).await.answer(), 0, "what was purged is gone");
}

pub(crate) async fn g16_purge_keeps_to_its_limit(trial: &Trial) {
    let store = trial.open().await;
    expire(trial, &store, 7).await;
    for (limit, purged) in [(0, 0), (3, 3), (1, 1), (2, 2), (2, 1), (u32::MAX, 0)] {
        assert_eq!(store.purge_expired(limit).await.answer(), counted(trial, purged), "with a limit of {limit}");
    }
}

pub(crate) async fn g16_purge_spares_the_live(trial: &Trial) {
    let store = trial.open().await;
    let mut kept = trial.create_many(&store, 5, HOUR, || trial.entry()).await;
    // One that expired and was created again, and one that was about to expire and was touched.
    let again = trial.create_expired(&store, &trial.entry()).await;
    if store.create(&again, &trial.entry(), HOUR).await.answer() == CreateOutcome::Created {
        kept.push(again);
    }
    for window in WINDOWS {
        let entry = trial.entry();
        let id = trial.create_for(&store, &entry, window).await;
        if store.touch(&id, entry.version, HOUR).await.answer() {
            trial.outlast(window).await;
            kept.push(id);
            break;
        }
    }
    expire(trial, &store, 5).await;
    let mut before = Vec::new();
    for id in &kept {
        before.push(store.load(id).await.answer());
    }
    store.purge_expired(1_000).await.answer();
    store.purge_expired(1_000).await.answer();
    for (id, before) in kept.iter().zip(before) {
        assert_eq!(store.load(id).await.answer(), before);
    }
}

pub(crate) async fn g16_racing_purges_count_an_entry_once(trial: &Trial) {
    let stores = trial.open_twice().await;
    expire(trial, &stores[0], 40).await;
    let counts = race(4, |task| {
        let store = Arc::clone(&stores[task % 2]);
        async move {
            let mut count = 0;
            for _ in 0..3 {
                let purged = store.purge_expired(5).await.answer();
                assert!(purged <= 5, "{purged} purged with a limit of 5");
                count += purged;
            }
            count
        }
    })
    .await;
    // A purge may leave out what another one is at; nobody is at it now.
    let rest = stores[1].purge_expired(1_000).await.answer();
    assert_eq!(counts.iter().sum::<u64>() + rest, counted(trial, 40), "what they count together: {counts:?}, {rest}");
}

/// Leaves expired entries for a purge.
async fn expire(trial: &Trial, store: &Store, count: usize) {
    trial.create_many(store, count, SHORT, || trial.entry()).await;
    trial.outlast(SHORT).await;
}

/// What a purge is to answer when it deletes this many.
fn counted(trial: &Trial, purged: u64) -> u64 {
    if trial.profile.native_expiry { 0 } else { purged }
}
