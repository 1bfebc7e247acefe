//! G18 `stop` is idempotent and ends background work; later calls are unavailable.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Entry, Owner, SessionId, SessionStore, StoreError};

use tokio::runtime::Handle;

use crate::expect::{Expect, KEEP, assert_absent, assert_holds, load};
use crate::opened::clone_of;
use crate::race::race;
use crate::trial::{HOUR, Trial};

pub(crate) async fn g18_stop_is_idempotent(trial: &Trial) {
    let store = trial.open().await;
    for _ in 0..3 {
        store.stop().await.answer();
    }
    let unused = trial.open().await;
    race(4, |_| {
        let store = Arc::clone(&unused);
        async move { store.stop().await.answer() }
    })
    .await;
}

pub(crate) async fn g18_stop_ends_background_work(trial: &Trial) {
    // Far longer than tasks need that were told to end.
    const PATIENCE: Duration = Duration::from_secs(30);
    let tasks = || Handle::current().metrics().num_alive_tasks();
    // Tasks of others may still be ending.
    let mut before = tasks();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        before = before.min(tasks());
    }
    let store = trial.open().await;
    let (id, entry, owner) = (trial.id(), trial.entry(), trial.owner("alice"));
    for (operation, error) in every_operation(&store, &id, &entry, &owner).await {
        assert!(error.is_none(), "{operation}: {error:?}");
    }
    store.stop().await.answer();
    let ended = async {
        while tasks() > before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    assert!(ended.is_ok(), "{} tasks of the store still run after stop", tasks() - before);
}

pub(crate) async fn g18_a_stopped_store_is_unavailable(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    store.stop().await.answer();
    for _ in 0..2 {
        for (operation, error) in every_operation(&store, &id, &entry, &trial.owner("alice")).await {
            let error = error.unwrap_or_else(|| panic!("{operation} works after stop"));
            assert!(error.is_unavailable(), "{operation} after stop: {error:?}");
        }
        store.stop().await.answer();
    }
}

pub(crate) async fn g18_calls_that_race_stop_end(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    race(6, |task| {
        let (store, owner) = (Arc::clone(&store), owner.clone());
        let (id, entry) = (trial.id(), trial.entry());
        async move {
            if task == 0 {
                store.stop().await.answer();
            }
            for (operation, error) in every_operation(&store, &id, &entry, &owner).await {
                // What was on its way when the store stopped may have been applied.
                let expected = error.as_ref().is_none_or(|error| error.is_unavailable() || error.is_indeterminate());
                assert!(expected, "{operation} while the store stops: {error:?}");
            }
        }
    })
    .await;
}

pub(crate) async fn g18_clones_stop_and_other_processes_do_not(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let id = trial.create(&store, &trial.entry()).await;
    let clone = clone_of(&store);
    clone.stop().await.answer();
    assert!(store.load(&id).await.expect_err("a clone was stopped").is_unavailable());
    assert!(clone.load(&id).await.expect_err("it was stopped").is_unavailable());
    if trial.profile.shared {
        load(&other, &id).await;
        trial.create(&other, &trial.entry()).await;
    }
}

pub(crate) async fn g18_stop_keeps_the_sessions(trial: &Trial) {
    // What lives in one process ends with it.
    if !trial.profile.shared {
        return;
    }
    let store = trial.open().await;
    let (entry, refused) = (trial.entry(), trial.id());
    let id = trial.create(&store, &entry).await;
    store.stop().await.answer();
    store.create(&refused, &trial.entry(), HOUR).await.expect_err("it was stopped");
    store.update(&id, entry.version, &trial.entry(), KEEP).await.expect_err("it was stopped");
    store.delete(&[id]).await.expect_err("it was stopped");
    let again = trial.open().await;
    assert_holds(&load(&again, &id).await, &entry);
    assert_absent(&again, &refused).await;
}

/// Calls every operation but `stop`; the errors, by name.
async fn every_operation(
    store: &impl SessionStore,
    id: &SessionId,
    entry: &Entry,
    owner: &Owner,
) -> [(&'static str, Option<StoreError>); 7] {
    [
        ("load", store.load(id).await.err()),
        ("create", store.create(id, entry, HOUR).await.err()),
        ("update", store.update(id, entry.version, entry, KEEP).await.err()),
        ("touch", store.touch(id, entry.version, HOUR).await.err()),
        ("delete", store.delete(&[*id]).await.err()),
        ("owned_by", store.owned_by(owner).await.err()),
        ("purge_expired", store.purge_expired(10).await.err()),
    ]
}
