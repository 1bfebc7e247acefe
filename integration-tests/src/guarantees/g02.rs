//! G2 Absence is not an error.

use sessions_core::SessionStore;

use crate::expect::{Expect, assert_absent};
use crate::trial::Trial;

pub(crate) async fn g02_unknown_is_none(trial: &Trial) {
    let store = trial.open().await;
    assert_absent(&store, &trial.id()).await;
    trial.create(&store, &trial.entry()).await;
    assert_absent(&store, &trial.id()).await;
}

pub(crate) async fn g02_deleted_is_none(trial: &Trial) {
    let store = trial.open().await;
    let id = trial.create(&store, &trial.entry()).await;
    store.delete(&[id]).await.answer();
    assert_absent(&store, &id).await;
}

pub(crate) async fn g02_nothing_to_delete_list_or_purge(trial: &Trial) {
    let store = trial.open().await;
    store.delete(&[trial.id()]).await.answer();
    store.delete(&[]).await.answer();
    store.owned_by(&trial.owner("nobody")).await.answer();
    store.purge_expired(10).await.answer();
}
