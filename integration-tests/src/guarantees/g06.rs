//! G6 A conflict writes nothing and returns what is there now.

use sessions_core::{SessionStore, UpdateOutcome};

use crate::expect::{Expect, KEEP, after, load, write};
use crate::trial::{HOUR, SHORT, Trial};

pub(crate) async fn g06_a_conflict_writes_nothing(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let first = trial.entry_of(&trial.owner("alice"));
    let id = trial.create(&store, &first).await;
    let second = trial.entry_of(&trial.owner("bob"));
    write(&store, &id, first.version, &second, KEEP).await;
    let before = load(&store, &id).await;
    for expected in [first.version, trial.version()] {
        for change in [KEEP, after(2 * HOUR), after(HOUR / 2)] {
            let losing = trial.entry_of(&trial.owner("mallory"));
            store.update(&id, expected, &losing, change).await.answer();
            assert_eq!(load(&store, &id).await, before);
            assert_eq!(load(&other, &id).await, before);
        }
    }
}

pub(crate) async fn g06_a_conflict_moves_no_expiry(trial: &Trial) {
    let store = trial.open().await;
    let id = trial.create(&store, &trial.entry()).await;
    store.update(&id, trial.version(), &trial.entry(), after(SHORT)).await.answer();
    trial.outlast(SHORT).await;
    load(&store, &id).await;
}

pub(crate) async fn g06_a_conflict_returns_what_is_there(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let mut current = trial.entry_of(&trial.owner("alice"));
    let id = trial.create(&store, &current).await;
    for _ in 0..3 {
        let next = trial.entry_of(&trial.owner("bob"));
        write(&other, &id, current.version, &next, after(2 * HOUR)).await;
        let outcome = store.update(&id, current.version, &trial.entry(), after(HOUR)).await.answer();
        assert_eq!(outcome, UpdateOutcome::Conflict(load(&store, &id).await));
        current = next;
    }
}
