//! G15 `owned_by` gives exactly the live sessions of that owner, each once, in any order, after any sequence of create,
//! update (also of the owner), delete and expiry.

use std::sync::Arc;

use sessions_core::{Change, Entry, Owner, SessionId, SessionStore, Timestamp, Ttl, UpdateOutcome};

use crate::expect::{Expect, KEEP, after, load, write};
use crate::race::race;
use crate::trial::{HOUR, SHORT, Trial, WINDOWS};

mod model;

pub(crate) use model::g15_any_sequence_of_operations;

pub(crate) async fn g15_the_live_sessions_of_an_owner(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let [alice, bob] = ["alice", "bob"].map(|name| trial.owner(name));
    let ids = trial.create_many(&store, 5, HOUR, || trial.entry_of(&alice)).await;
    let bobs = trial.create(&other, &trial.entry_of(&bob)).await;
    trial.create(&store, &trial.entry()).await;
    for store in [&store, &other] {
        assert_owns(store, &alice, &ids).await;
        assert_owns(store, &bob, &[bobs]).await;
        assert_owns(store, &trial.owner("carol"), &[]).await;
    }
}

pub(crate) async fn g15_update_sets_changes_and_clears_the_owner(trial: &Trial) {
    let store = trial.open().await;
    let [alice, bob] = ["alice", "bob"].map(|name| trial.owner(name));
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    let kept = trial.create(&store, &trial.entry_of(&alice)).await;
    for owner in [Some(&alice), Some(&bob), Some(&alice), None, None, Some(&alice), Some(&alice)] {
        let next = Entry { owner: owner.cloned(), ..trial.entry() };
        write(&store, &id, current.version, &next, KEEP).await;
        let alices = if owner == Some(&alice) { vec![kept, id] } else { vec![kept] };
        let bobs = if owner == Some(&bob) { vec![id] } else { vec![] };
        assert_owns(&store, &alice, &alices).await;
        assert_owns(&store, &bob, &bobs).await;
        current = next;
    }
}

pub(crate) async fn g15_without_reindex_the_index_still_holds(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    for change in [Change { reindex: false, ..KEEP }, Change { reindex: false, ..after(2 * HOUR) }] {
        let mut current = trial.entry_of(&owner);
        let id = trial.create(&store, &current).await;
        for _ in 0..3 {
            let next = trial.entry_of(&owner);
            write(&store, &id, current.version, &next, change).await;
            assert_owns(&store, &owner, &[id]).await;
            assert_eq!(load(&store, &id).await.owner.as_ref(), Some(&owner));
            current = next;
        }
        assert_eq!(store.delete(&[id]).await.answer(), 1);
        assert_owns(&store, &owner, &[]).await;
    }
}

pub(crate) async fn g15_delete_and_expiry_leave_the_index(trial: &Trial) {
    let store = trial.open().await;
    let [alice, bob] = ["alice", "bob"].map(|name| trial.owner(name));
    let [kept, deleted] =
        [trial.create(&store, &trial.entry_of(&alice)).await, trial.create(&store, &trial.entry_of(&alice)).await];
    let expired = trial.create_expired(&store, &trial.entry_of(&alice)).await;
    assert_eq!(store.delete(&[deleted]).await.answer(), 1);
    assert_owns(&store, &alice, &[kept]).await;
    // The ids come back, for another owner and for none.
    store.create(&deleted, &trial.entry_of(&bob), HOUR).await.answer();
    store.create(&expired, &trial.entry(), HOUR).await.answer();
    assert_owns(&store, &alice, &[kept]).await;
    assert_owns(&store, &bob, &[deleted]).await;
}

pub(crate) async fn g15_any_deadline(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    let now = trial.now();
    let of = |deadline| Entry { deadline, ..trial.entry_of(&owner) };
    let far = [Timestamp::MAX, Timestamp::from_millis(i64::MAX.unsigned_abs() + 1), now.after(1_000_000 * HOUR)];
    let mut ids = Vec::new();
    for deadline in far.into_iter().chain([now.after(2 * HOUR)]) {
        ids.push(trial.create(&store, &of(deadline)).await);
        assert_owns(&store, &owner, &ids).await;
    }
    // A session that is soon over does not take the others with it.
    trial.create_expired(&store, &of(trial.now().after(SHORT))).await;
    assert_owns(&store, &owner, &ids).await;
    // A deadline that moves out keeps its session listed.
    for window in WINDOWS {
        let first = of(trial.now().after(window));
        let id = trial.create_for(&store, &first, window).await;
        let outcome = store.update(&id, first.version, &of(Timestamp::MAX), after(HOUR)).await.answer();
        trial.outlast(window).await;
        if outcome == UpdateOutcome::Written {
            ids.push(id);
            assert_owns(&store, &owner, &ids).await;
            return;
        }
    }
    panic!("no session lived long enough to be updated");
}

pub(crate) async fn g15_owners_that_look_alike(trial: &Trial) {
    let store = trial.open().await;
    let longest = "x".repeat(Owner::MAX_BYTES);
    let almost = format!("{}y", &longest[1..]);
    let names = [
        "alice",
        "Alice",
        "ALICE",
        "alice ",
        " alice",
        "alice\n",
        "alice\0",
        "\0",
        "alic",
        "ali\u{e7}e",
        "alic\u{327}e",
        "alice:1",
        "alice/1",
        "al_ce",
        "alic%",
        "alice*",
        "al?ce",
        "{alice}",
        "'alice'",
        "\"alice\"",
        "\\alice",
        "0",
        "00",
        "-0",
        "1e0",
        "null",
        "NULL",
        "\u{1f980}",
        "\u{1f981}",
        "ss",
        "\u{df}",
        &longest,
        &almost,
        &longest[1..],
    ];
    let owners = names.map(|name| Owner::new(name).expect("a good owner"));
    let mut ids = Vec::new();
    for owner in &owners {
        ids.push(trial.create(&store, &trial.entry_of(owner)).await);
    }
    for (owner, id) in owners.iter().zip(ids) {
        let listed = store.owned_by(owner).await.answer();
        assert_eq!(listed, [id], "the sessions of {:?}", owner.as_str());
    }
}

pub(crate) async fn g15_a_thousand_sessions_of_one_owner(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let owner = trial.owner("alice");
    let mut ids = trial.create_many(&store, 1_000, HOUR, || trial.entry_of(&owner)).await;
    assert_owns(&other, &owner, &ids).await;
    let gone = ids.split_off(600);
    assert_eq!(store.delete(&gone).await.answer(), 400);
    assert_owns(&other, &owner, &ids).await;
}

pub(crate) async fn g15_racing_owners(trial: &Trial) {
    const ROUNDS: usize = 16;
    const TASKS: usize = 4;
    let stores = trial.open_twice().await;
    let owners: Vec<_> = (0..TASKS).map(|task| trial.owner(&format!("owner {task}"))).collect();
    let mut sessions = Vec::new();
    for round in 0..ROUNDS {
        let first = trial.entry_of(&owners[round % TASKS]);
        let id = trial.create(&stores[0], &first).await;
        race(TASKS, |task| {
            let store = Arc::clone(&stores[task % 2]);
            let (expected, next) = (first.version, trial.entry_of(&owners[task]));
            async move {
                // In every other round one of them deletes.
                if task == 0 && round % 2 == 0 {
                    store.delete(&[id]).await.answer();
                } else {
                    store.update(&id, expected, &next, Change { ttl: Ttl::Keep, reindex: true }).await.answer();
                }
            }
        })
        .await;
        let stored = stores[0].load(&id).await.answer();
        sessions.extend(stored.and_then(|stored| stored.owner).map(|owner| (id, owner)));
    }
    for owner in &owners {
        let theirs: Vec<_> = sessions.iter().filter(|(_, other)| other == owner).map(|(id, _)| *id).collect();
        assert_owns(&stores[1], owner, &theirs).await;
    }
}

/// Checks that an owner's live sessions are these, in any order, each once.
async fn assert_owns(store: &impl SessionStore, owner: &Owner, ids: &[SessionId]) {
    let mut listed = store.owned_by(owner).await.answer();
    let mut expected = ids.to_vec();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected, "the sessions of {:?}", owner.as_str());
}
