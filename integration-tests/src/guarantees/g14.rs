//! G14 A clone is the same store.

use sessions_core::SessionStore;

use crate::expect::{Expect, KEEP, assert_absent, assert_holds, load, write};
use crate::opened::clone_of;
use crate::trial::Trial;

pub(crate) async fn g14_a_clone_reads_and_writes_the_same_sessions(trial: &Trial) {
    let store = trial.open().await;
    let (first, second) = (trial.entry(), trial.entry());
    let before = trial.create(&store, &first).await;
    let clone = clone_of(&store);
    assert_holds(&load(&clone, &before).await, &first);
    write(&clone, &before, first.version, &second, KEEP).await;
    assert_holds(&load(&store, &before).await, &second);
    let after = trial.create(&clone, &first).await;
    assert_holds(&load(&store, &after).await, &first);
    assert_eq!(store.delete(&[before, after]).await.answer(), 2);
    assert_absent(&clone, &before).await;
}

pub(crate) async fn g14_a_clone_outlives_the_store_it_was_made_of(trial: &Trial) {
    let store = trial.open().await;
    let first = trial.entry();
    let id = trial.create(&store, &first).await;
    let clone = clone_of(&store);
    drop(store);
    assert_holds(&load(&clone, &id).await, &first);
    write(&clone, &id, first.version, &trial.entry(), KEEP).await;
    assert_eq!(clone.delete(&[id]).await.answer(), 1);
}
