//! G9 `delete` is idempotent and takes none to many thousand ids, repeated ones too; it counts the sessions that were
//! live; afterwards `load` is `None` everywhere.

use std::sync::Arc;

use sessions_core::SessionStore;

use crate::expect::{Expect, assert_absent, load};
use crate::race::race;
use crate::trial::{HOUR, Trial};

pub(crate) async fn g09_delete_counts_live_sessions_once(trial: &Trial) {
    let store = trial.open().await;
    let ids = trial.create_many(&store, 6, HOUR, || trial.entry()).await;
    let (kept, unknown) = (trial.create(&store, &trial.entry()).await, trial.id());
    assert_eq!(store.delete(&[]).await.answer(), 0);
    assert_eq!(store.delete(&ids[..1]).await.answer(), 1);
    assert_eq!(store.delete(&ids[1..3]).await.answer(), 2);
    let some = [ids[3], unknown, ids[4], ids[3], ids[0], ids[3], unknown];
    assert_eq!(store.delete(&some).await.answer(), 2, "two live sessions among repeated, deleted and unknown ids");
    for id in &ids[..5] {
        assert_absent(&store, id).await;
    }
    load(&store, &ids[5]).await;
    load(&store, &kept).await;
}

pub(crate) async fn g09_delete_is_idempotent(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let id = trial.create(&store, &trial.entry()).await;
    assert_eq!(store.delete(&[id]).await.answer(), 1);
    assert_eq!(store.delete(&[id]).await.answer(), 0);
    assert_eq!(other.delete(&[id, id]).await.answer(), 0);
    assert_absent(&store, &id).await;
}

pub(crate) async fn g09_delete_takes_ten_thousand_ids(trial: &Trial) {
    const LIVE: usize = 400;
    let store = trial.open().await;
    let kept = trial.create(&store, &trial.entry()).await;
    let live = trial.create_many(&store, LIVE, HOUR, || trial.entry()).await;
    let mut ids: Vec<_> = (LIVE..10_000).map(|_| trial.id()).chain(live.iter().copied()).collect();
    trial.random(|random| random.shuffle(&mut ids));
    assert_eq!(store.delete(&ids).await.answer(), 400);
    for id in &live {
        assert_absent(&store, id).await;
    }
    load(&store, &kept).await;
}

pub(crate) async fn g09_deleted_is_none_in_every_process(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let id = trial.create(&store, &trial.entry()).await;
    load(&store, &id).await;
    load(&other, &id).await;
    assert_eq!(store.delete(&[id]).await.answer(), 1);
    assert_absent(&store, &id).await;
    assert_absent(&other, &id).await;
}

pub(crate) async fn g09_racing_deletes_count_a_session_once(trial: &Trial) {
    const SESSIONS: usize = 64;
    let stores = trial.open_twice().await;
    let ids: Arc<[_]> = trial.create_many(&stores[0], SESSIONS, HOUR, || trial.entry()).await.into();
    let counts = race(4, |task| {
        let (store, ids) = (Arc::clone(&stores[task % 2]), Arc::clone(&ids));
        async move {
            let mut count = 0;
            for ids in ids.chunks(16) {
                // In opposite orders, in which locks of rows would deadlock.
                let ids: Vec<_> = if task < 2 { ids.to_vec() } else { ids.iter().rev().copied().collect() };
                count += store.delete(&ids).await.answer();
            }
            count
        }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 64, "what the tasks count together: {counts:?}");
}
