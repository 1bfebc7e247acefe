//! G1 Round trip: `load` after a write gives those bytes, that version, that owner, that expiry.

use std::time::Duration;

use sessions_core::{Entry, Owner, SessionStore, UpdateOutcome};

use crate::expect::{Expect, KEEP, after, assert_holds, load, write};
use crate::trial::{HOUR, SHORT, Trial, WINDOWS};

pub(crate) async fn g01_create_then_load(trial: &Trial) {
    let store = trial.open().await;
    for minutes in [10, 60, 24 * 60, 30 * 24 * 60] {
        let ttl = Duration::from_secs(minutes * 60);
        let entry = trial.entry_with(some_bytes(trial));
        let before = trial.now();
        let id = trial.create_for(&store, &entry, ttl).await;
        let written = [before, trial.now()];
        let stored = load(&store, &id).await;
        assert_holds(&stored, &entry);
        trial.profile.assert_expiry(&stored, ttl, written);
    }
}

pub(crate) async fn g01_update_then_load(trial: &Trial) {
    let store = trial.open().await;
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    for _ in 0..20 {
        let next = trial.entry_with(some_bytes(trial));
        write(&store, &id, current.version, &next, KEEP).await;
        assert_holds(&load(&store, &id).await, &next);
        current = next;
    }
}

pub(crate) async fn g01_any_owner(trial: &Trial) {
    let store = trial.open().await;
    let longest = "\u{1f980}".repeat(63) + "abc";
    assert_eq!(longest.len(), Owner::MAX_BYTES);
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    for name in [Some("alice"), Some("Ärger / 1"), None, Some(&longest), Some("0")] {
        let owner = name.map(|name| Owner::new(name).expect("a good owner"));
        let created = Entry { owner: owner.clone(), ..trial.entry() };
        let other = trial.create(&store, &created).await;
        assert_holds(&load(&store, &other).await, &created);
        let next = Entry { owner, ..trial.entry() };
        write(&store, &id, current.version, &next, KEEP).await;
        assert_holds(&load(&store, &id).await, &next);
        current = next;
    }
}

pub(crate) async fn g01_keep_leaves_the_expiry_alone(trial: &Trial) {
    let store = trial.open().await;
    let (first, second) = (trial.entry(), trial.entry());
    let id = trial.create(&store, &first).await;
    let before = load(&store, &id).await.expires_at;
    trial.elapse(SHORT).await;
    write(&store, &id, first.version, &second, KEEP).await;
    assert_eq!(load(&store, &id).await.expires_at, before);
}

pub(crate) async fn g01_keep_does_not_start_the_time_anew(trial: &Trial) {
    let store = trial.open().await;
    for window in WINDOWS {
        let (first, second) = (trial.entry(), trial.entry());
        let id = trial.create_for(&store, &first, window).await;
        trial.elapse(window / 2).await;
        if store.update(&id, first.version, &second, KEEP).await.answer() != UpdateOutcome::Written {
            continue;
        }
        trial.outlast(window / 2).await;
        trial.assert_over(&store, &id).await;
        return;
    }
    panic!("no session lived long enough to be updated");
}

pub(crate) async fn g01_after_moves_the_expiry_both_ways(trial: &Trial) {
    let store = trial.open().await;
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    for ttl in [2 * HOUR, HOUR / 2, 24 * HOUR, HOUR] {
        let next = trial.entry();
        let before = trial.now();
        write(&store, &id, current.version, &next, after(ttl)).await;
        let written = [before, trial.now()];
        trial.profile.assert_expiry(&load(&store, &id).await, ttl, written);
        current = next;
    }
}

pub(crate) async fn g01_after_lets_a_session_live_longer(trial: &Trial) {
    let store = trial.open().await;
    for window in WINDOWS {
        let (first, second) = (trial.entry(), trial.entry());
        let id = trial.create_for(&store, &first, window).await;
        if store.update(&id, first.version, &second, after(HOUR)).await.answer() != UpdateOutcome::Written {
            continue;
        }
        trial.outlast(window).await;
        assert_holds(&load(&store, &id).await, &second);
        return;
    }
    panic!("no session lived long enough to be updated");
}

pub(crate) async fn g01_every_process_reads_the_last_write(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    for _ in 0..3 {
        for (writer, reader) in [(&store, &other), (&other, &store)] {
            assert_holds(&load(reader, &id).await, &current);
            let next = trial.entry();
            write(writer, &id, current.version, &next, KEEP).await;
            assert_holds(&load(reader, &id).await, &next);
            current = next;
        }
    }
}

/// A record of up to 300 random bytes.
fn some_bytes(trial: &Trial) -> Vec<u8> {
    trial.random(|random| (0..random.usize(1..300)).map(|_| random.u8(..)).collect())
}
