//! G12 Any bytes, none included, up to a documented limit of the store; over it an error, nothing truncated, the old
//! record intact.

use sessions_core::SessionStore;

use crate::expect::{Expect, KEEP, assert_absent, assert_holds, load, write};
use crate::trial::{HOUR, Trial};

pub(crate) async fn g12_an_empty_record(trial: &Trial) {
    assert_takes(trial, vec![vec![], b"not empty".to_vec(), vec![]]).await;
}

pub(crate) async fn g12_every_byte_value(trial: &Trial) {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let reversed: Vec<u8> = (0..=u8::MAX).rev().collect();
    let each = (0..=u8::MAX).map(|byte| vec![byte]);
    assert_takes(trial, [all, reversed, vec![0; 64], vec![0xff; 64]].into_iter().chain(each).collect()).await;
}

pub(crate) async fn g12_every_size_up_to_the_limit(trial: &Trial) {
    let limit = trial.profile.record_limit;
    // Around the sizes at which length prefixes, pages and column types end.
    let powers = [8, 12, 16, 20, 24].map(|bits| 1_usize << bits);
    let around = powers.into_iter().flat_map(|power| [power - 1, power, power + 1]);
    let sizes = around.filter(|size| *size < limit).chain([limit - 1, limit, 1]);
    assert_takes(trial, sizes.map(|size| some_bytes(trial, size)).collect()).await;
}

pub(crate) async fn g12_a_create_over_the_limit_writes_nothing(trial: &Trial) {
    let store = trial.open().await;
    let (id, owner) = (trial.id(), trial.owner("alice"));
    let mut entry = trial.entry_of(&owner);
    entry.record = vec![b'x'; trial.profile.record_limit + 1].into();
    let error = store.create(&id, &entry, HOUR).await.expect_err("the record is too large");
    assert!(error.is_too_large(), "{error:?}");
    assert_absent(&store, &id).await;
    assert_eq!(store.owned_by(&owner).await.answer(), []);
}

pub(crate) async fn g12_an_update_over_the_limit_leaves_the_old_record(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry();
    let id = trial.create(&store, &entry).await;
    let before = load(&store, &id).await;
    let large = trial.entry_with(vec![b'x'; trial.profile.record_limit + 1]);
    let error = store.update(&id, entry.version, &large, KEEP).await.expect_err("the record is too large");
    assert!(error.is_too_large(), "{error:?}");
    assert_eq!(load(&store, &id).await, before);
    write(&store, &id, entry.version, &trial.entry(), KEEP).await;
}

/// Checks that each record comes back, both from a create and, one after the other in one session, from updates.
async fn assert_takes(trial: &Trial, records: Vec<Vec<u8>>) {
    let store = trial.open().await;
    let mut current = trial.entry();
    let id = trial.create(&store, &current).await;
    for record in records {
        let created = trial.entry_with(record.clone());
        let other = trial.create(&store, &created).await;
        assert_holds(&load(&store, &other).await, &created);
        let next = trial.entry_with(record);
        write(&store, &id, current.version, &next, KEEP).await;
        assert_holds(&load(&store, &id).await, &next);
        current = next;
    }
}

fn some_bytes(trial: &Trial, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    trial.random(|random| random.fill(&mut bytes));
    bytes
}
