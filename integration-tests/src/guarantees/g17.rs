//! G17 A store never drops a live session by itself. A bounded store refuses to create instead of evicting.

use std::sync::Arc;

use sessions_core::{CreateOutcome, SessionStore};

use crate::expect::{Expect, KEEP, assert_absent, load, write};
use crate::opened::Store;
use crate::race::race;
use crate::trial::{HOUR, SHORT, Trial};

/// The bound of a bounded store.
const BOUND: usize = 8;

pub(crate) async fn g17_no_live_session_is_evicted(trial: &Trial) {
    const SESSIONS: usize = 2_000;
    let store = trial.open().await;
    let ids = trial.create_many(&store, SESSIONS, HOUR, || trial.entry()).await;
    // A few that are used often, which a cache would take for a reason to drop others.
    for id in ids.iter().take(10).cycle().take(100) {
        store.load(id).await.answer();
    }
    for id in &ids {
        load(&store, id).await;
    }
}

pub(crate) async fn g17_a_full_store_refuses_and_keeps_what_it_has(trial: &Trial) {
    let Some(store) = trial.open_bounded(BOUND).await else { return };
    let ids = trial.create_many(&store, BOUND, HOUR, || trial.entry()).await;
    for _ in 0..3 {
        assert_full(trial, &store).await;
    }
    for id in &ids {
        load(&store, id).await;
    }
}

pub(crate) async fn g17_a_full_store_still_writes_and_deletes(trial: &Trial) {
    let Some(store) = trial.open_bounded(BOUND).await else { return };
    let (first, second) = (trial.entry(), trial.entry());
    let id = trial.create(&store, &first).await;
    trial.create_many(&store, BOUND - 1, HOUR, || trial.entry()).await;
    assert_full(trial, &store).await;
    write(&store, &id, first.version, &second, KEEP).await;
    assert!(store.touch(&id, second.version, 2 * HOUR).await.answer());
    // An id that is taken needs no room.
    store.create(&id, &trial.entry(), HOUR).await.answer();
    for _ in 0..2 * BOUND {
        let other = trial.id();
        assert_full(trial, &store).await;
        store.delete(&[id, other]).await.answer();
        assert_eq!(store.create(&id, &trial.entry(), HOUR).await.answer(), CreateOutcome::Created);
    }
}

pub(crate) async fn g17_expired_sessions_take_no_room(trial: &Trial) {
    let Some(store) = trial.open_bounded(BOUND).await else { return };
    for ttl in [SHORT, SHORT, HOUR] {
        trial.create_many(&store, BOUND, ttl, || trial.entry()).await;
        trial.outlast(SHORT).await;
    }
    assert_full(trial, &store).await;
}

pub(crate) async fn g17_racing_creates_stay_within_the_bound(trial: &Trial) {
    const ROUNDS: usize = 8;
    let Some(store) = trial.open_bounded(BOUND).await else { return };
    for _ in 0..ROUNDS {
        let created = race(4 * BOUND, |_| {
            let (store, id, entry) = (Arc::clone(&store), trial.id(), trial.entry());
            async move {
                match store.create(&id, &entry, HOUR).await {
                    Ok(_) => Some(id),
                    Err(error) => {
                        assert!(error.is_full(), "{error:?}");
                        None
                    }
                }
            }
        })
        .await;
        let mut created: Vec<_> = created.into_iter().flatten().collect();
        assert!(created.len() <= BOUND, "{} sessions where {BOUND} have room", created.len());
        for id in &created {
            load(&store, id).await;
        }
        // The room of those that were refused is free again.
        created.extend(trial.create_many(&store, BOUND - created.len(), HOUR, || trial.entry()).await);
        assert_full(trial, &store).await;
        store.delete(&created).await.answer();
    }
}

async fn assert_full(trial: &Trial, store: &Store) {
    let id = trial.id();
    let error = store.create(&id, &trial.entry(), HOUR).await.expect_err("the store is full");
    assert!(error.is_full(), "{error:?}");
    assert_absent(store, &id).await;
}
