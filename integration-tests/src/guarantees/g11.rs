//! G11 All or nothing, also when the future is dropped at any await; the pool and the connection stay usable.
//!
//! What a dropped operation sent may still be applied a moment later. So each attempt has a session of its own, and all of
//! them are judged again at the end.

use std::sync::Arc;

use sessions_core::{CreateOutcome, Owner, SessionId, SessionStore, UpdateOutcome};

use crate::cut::Cuts;
use crate::expect::{Expect, KEEP, after, assert_holds, load, write};
use crate::opened::Store;
use crate::race::race;
use crate::trial::{HOUR, Trial, record_of};

pub(crate) async fn g11_a_dropped_create_is_all_or_nothing(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let mut attempts = Vec::new();
    let mut cuts = Cuts::new();
    while cuts.are_left() {
        let (id, entry, before) = (trial.id(), trial.entry_of(&owner), trial.now());
        let outcome = cuts.cut(store.create(&id, &entry, HOUR)).await;
        if let Some(outcome) = outcome {
            assert_eq!(outcome.answer(), CreateOutcome::Created);
            load(&store, &id).await;
        }
        attempts.push((id, entry, before));
        for (id, entry, before) in &attempts {
            if let Some(stored) = store.load(id).await.answer() {
                assert_holds(&stored, entry);
                trial.profile.assert_expiry(&stored, HOUR, [*before, trial.now()]);
            }
            assert_index_agrees(&store, id, &[&owner]).await;
        }
    }
    assert_usable(trial, &store).await;
}

pub(crate) async fn g11_a_dropped_update_is_all_or_nothing(trial: &Trial) {
    let store = trial.open().await;
    let [alice, bob] = ["alice", "bob"].map(|name| trial.owner(name));
    let mut attempts = Vec::new();
    let mut cuts = Cuts::new();
    while cuts.are_left() {
        let (first, second) = (trial.entry_of(&alice), trial.entry_of(&bob));
        let before = trial.now();
        let id = trial.create(&store, &first).await;
        let outcome = cuts.cut(store.update(&id, first.version, &second, after(24 * HOUR))).await;
        if let Some(outcome) = outcome {
            assert_eq!(outcome.answer(), UpdateOutcome::Written);
            assert_holds(&load(&store, &id).await, &second);
        }
        attempts.push((id, first, second, before));
        for (id, first, second, before) in &attempts {
            let stored = load(&store, id).await;
            let (entry, ttl) = if stored.version == first.version { (first, HOUR) } else { (second, 24 * HOUR) };
            assert_holds(&stored, entry);
            trial.profile.assert_expiry(&stored, ttl, [*before, trial.now()]);
            assert_index_agrees(&store, id, &[&alice, &bob]).await;
        }
    }
    assert_usable(trial, &store).await;
}

pub(crate) async fn g11_a_dropped_touch_is_all_or_nothing(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let mut attempts = Vec::new();
    let mut cuts = Cuts::new();
    while cuts.are_left() {
        let (entry, before) = (trial.entry_of(&owner), trial.now());
        let id = trial.create(&store, &entry).await;
        let old = load(&store, &id).await;
        let outcome = cuts.cut(store.touch(&id, entry.version, 24 * HOUR)).await;
        if let Some(outcome) = outcome {
            assert!(outcome.answer());
            assert_ne!(load(&store, &id).await.expires_at, old.expires_at);
        }
        attempts.push((id, entry, old, before));
        for (id, entry, old, before) in &attempts {
            let stored = load(&store, id).await;
            assert_holds(&stored, entry);
            if stored.expires_at != old.expires_at {
                trial.profile.assert_expiry(&stored, 24 * HOUR, [*before, trial.now()]);
            }
            assert_index_agrees(&store, id, &[&owner]).await;
        }
    }
    assert_usable(trial, &store).await;
}

pub(crate) async fn g11_a_dropped_delete_is_all_or_nothing(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let mut attempts = Vec::new();
    let mut cuts = Cuts::new();
    while cuts.are_left() {
        let entry = trial.entry_of(&owner);
        let [first, second] = [trial.create(&store, &entry).await, trial.create(&store, &entry).await];
        let outcome = cuts.cut(store.delete(&[first, second])).await;
        if let Some(outcome) = outcome {
            assert_eq!(outcome.answer(), 2);
        }
        attempts.extend([(first, entry.clone()), (second, entry)]);
        for (id, entry) in &attempts {
            if let Some(stored) = store.load(id).await.answer() {
                assert_holds(&stored, entry);
            }
            assert_index_agrees(&store, id, &[&owner]).await;
        }
    }
    assert_usable(trial, &store).await;
}

pub(crate) async fn g11_dropped_reads_leave_the_store_usable(trial: &Trial) {
    // More than any pool has connections.
    const PASSES: usize = 16;
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let id = trial.create(&store, &trial.entry_of(&owner)).await;
    for _ in 0..PASSES {
        let mut cuts = Cuts::new();
        while cuts.are_left() {
            cuts.cut(store.load(&id)).await.map(Expect::answer);
        }
        let mut cuts = Cuts::new();
        while cuts.are_left() {
            cuts.cut(store.owned_by(&owner)).await.map(Expect::answer);
        }
        let mut cuts = Cuts::new();
        while cuts.are_left() {
            cuts.cut(store.purge_expired(10)).await.map(Expect::answer);
        }
    }
    assert_usable(trial, &store).await;
}

pub(crate) async fn g11_readers_see_whole_writes(trial: &Trial) {
    const TASKS: usize = 6;
    const WRITES: usize = 20;
    let stores = trial.open_twice().await;
    let id = trial.create(&stores[0], &trial.entry()).await;
    race(TASKS, |task| {
        let (store, versions) = (Arc::clone(&stores[task % 2]), trial.versions());
        async move {
            for _ in 0..WRITES {
                let stored = load(&store, &id).await;
                assert_eq!(stored.record, record_of(stored.version), "record and version of one write");
                if task % 3 == 0 {
                    store.update(&id, stored.version, &versions.entry(), KEEP).await.answer();
                }
            }
        }
    })
    .await;
}

/// Checks that owners list a session if and only if it is live and theirs, also while a dropped write may still arrive.
async fn assert_index_agrees(store: &impl SessionStore, id: &SessionId, owners: &[&Owner]) {
    const MOST_ATTEMPTS: usize = 100;
    for _ in 0..MOST_ATTEMPTS {
        let before = store.load(id).await.answer();
        let mut listed = Vec::new();
        for owner in owners {
            listed.push(store.owned_by(owner).await.answer().contains(id));
        }
        if store.load(id).await.answer() != before {
            continue;
        }
        let owner = before.and_then(|stored| stored.owner);
        let expected: Vec<_> = owners.iter().map(|other| owner.as_ref() == Some(*other)).collect();
        assert_eq!(listed, expected, "whether each owner lists the session");
        return;
    }
    panic!("the session never comes to rest");
}

/// Checks that every operation still works, many at a time.
async fn assert_usable(trial: &Trial, store: &Store) {
    race(16, |_| {
        let store = Arc::clone(store);
        let (id, first, second) = (trial.id(), trial.entry(), trial.entry());
        async move {
            assert_eq!(store.create(&id, &first, HOUR).await.answer(), CreateOutcome::Created);
            write(&store, &id, first.version, &second, KEEP).await;
            assert!(store.touch(&id, second.version, HOUR).await.answer());
            assert_holds(&load(&store, &id).await, &second);
            assert_eq!(store.delete(&[id]).await.answer(), 1);
        }
    })
    .await;
}
