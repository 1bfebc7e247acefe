//! G3 Expired is absent, for every operation, judged by the store's own clock. Times to live are relative, in
//! milliseconds, rounded up, and held to 1 ms ..= a century.

use std::time::Duration;

use sessions_core::store::MAX_TTL;
use sessions_core::{CreateOutcome, SessionStore, UpdateOutcome};

use crate::expect::{Expect, KEEP, after, assert_absent, load, write};
use crate::trial::{HOUR, SHORT, Trial};

const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) async fn g03_expired_is_absent_to_load(trial: &Trial) {
    let [store, other] = trial.open_twice().await;
    let id = trial.create_expired(&store, &trial.entry()).await;
    assert_absent(&store, &id).await;
    assert_absent(&other, &id).await;
}

pub(crate) async fn g03_expired_is_absent_to_create(trial: &Trial) {
    let store = trial.open().await;
    let id = trial.create_expired(&store, &trial.entry()).await;
    let outcome = store.create(&id, &trial.entry(), HOUR).await.answer();
    assert_eq!(outcome, CreateOutcome::Created);
}

pub(crate) async fn g03_expired_is_absent_to_update(trial: &Trial) {
    let store = trial.open().await;
    for change in [KEEP, after(HOUR)] {
        let entry = trial.entry();
        let id = trial.create_expired(&store, &entry).await;
        for expected in [entry.version, trial.version()] {
            let outcome = store.update(&id, expected, &trial.entry(), change).await.answer();
            assert_eq!(outcome, UpdateOutcome::Absent);
        }
        assert_absent(&store, &id).await;
    }
}

pub(crate) async fn g03_expired_is_absent_to_touch(trial: &Trial) {
    let store = trial.open().await;
    let entry = trial.entry();
    let id = trial.create_expired(&store, &entry).await;
    assert!(!store.touch(&id, entry.version, HOUR).await.answer());
    assert_absent(&store, &id).await;
}

pub(crate) async fn g03_expired_is_absent_to_delete(trial: &Trial) {
    let store = trial.open().await;
    let expired = trial.create_expired(&store, &trial.entry()).await;
    let live = trial.create(&store, &trial.entry()).await;
    assert_eq!(store.delete(&[expired, live]).await.answer(), 1, "only one of the two was live");
}

pub(crate) async fn g03_expired_is_absent_to_owned_by(trial: &Trial) {
    let store = trial.open().await;
    let owner = trial.owner("alice");
    trial.create_expired(&store, &trial.entry_of(&owner)).await;
    assert_eq!(store.owned_by(&owner).await.answer(), []);
}

pub(crate) async fn g03_a_ttl_is_rounded_up_to_milliseconds(trial: &Trial) {
    let store = trial.open().await;
    for nanoseconds in [1, 1_000, 500_000, 999_999, 1_000_000] {
        let ttl = HOUR + Duration::from_nanos(nanoseconds);
        let rounded = HOUR + MILLISECOND;
        let (first, second) = (trial.entry(), trial.entry());
        let before = trial.now();
        let id = trial.create_for(&store, &first, ttl).await;
        trial.profile.assert_expiry(&load(&store, &id).await, rounded, [before, trial.now()]);
        trial.elapse(MILLISECOND).await;
        let before = trial.now();
        write(&store, &id, first.version, &second, after(ttl)).await;
        trial.profile.assert_expiry(&load(&store, &id).await, rounded, [before, trial.now()]);
        trial.elapse(MILLISECOND).await;
        let before = trial.now();
        assert!(store.touch(&id, second.version, ttl).await.answer());
        trial.profile.assert_expiry(&load(&store, &id).await, rounded, [before, trial.now()]);
    }
}

pub(crate) async fn g03_a_zero_ttl_is_a_millisecond(trial: &Trial) {
    let store = trial.open().await;
    let (first, second) = (trial.entry(), trial.entry());
    let created = trial.create_for(&store, &first, Duration::ZERO).await;
    let updated = trial.create(&store, &first).await;
    write(&store, &updated, first.version, &second, after(Duration::ZERO)).await;
    let touched = trial.create(&store, &first).await;
    assert!(store.touch(&touched, first.version, Duration::ZERO).await.answer());
    // A millisecond passes only when a clock says so; without one it may have passed already.
    if trial.profile.clock.is_some() {
        for id in [created, updated, touched] {
            trial.profile.assert_expiry(&load(&store, &id).await, MILLISECOND, [trial.now(); 2]);
        }
    }
    trial.outlast(MILLISECOND).await;
    for id in [created, updated, touched] {
        assert_absent(&store, &id).await;
    }
}

pub(crate) async fn g03_the_longest_ttl_is_a_century(trial: &Trial) {
    let store = trial.open().await;
    for ttl in [Duration::MAX, MAX_TTL, MAX_TTL + MILLISECOND] {
        let (first, second) = (trial.entry(), trial.entry());
        let before = trial.now();
        let created = trial.create_for(&store, &first, ttl).await;
        let updated = trial.create(&store, &first).await;
        write(&store, &updated, first.version, &second, after(ttl)).await;
        let touched = trial.create(&store, &first).await;
        assert!(store.touch(&touched, first.version, ttl).await.answer());
        let written = [before, trial.now()];
        trial.outlast(SHORT).await;
        for id in [created, updated, touched] {
            trial.profile.assert_expiry(&load(&store, &id).await, MAX_TTL, written);
        }
    }
}

pub(crate) async fn g03_live_until_the_last_millisecond(trial: &Trial) {
    let store = trial.open().await;
    let id = trial.create_for(&store, &trial.entry(), SHORT).await;
    // Only where the suite holds the clock: elsewhere the test may be late.
    if trial.profile.clock.is_some() {
        trial.elapse(SHORT - MILLISECOND).await;
        load(&store, &id).await;
        trial.elapse(MILLISECOND).await;
    } else {
        trial.outlast(SHORT).await;
    }
    assert_absent(&store, &id).await;
}
