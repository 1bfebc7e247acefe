//! G7 Versions are opaque, set by the caller, returned as given.

use sessions_core::{CreateOutcome, Entry, SessionStore, UpdateOutcome, Version};

use crate::expect::{Expect, KEEP, load, write};
use crate::trial::{HOUR, Trial};

/// Numbers at the edges of what backends count with: signed integers, floats, text.
const NUMBERS: [u64; 11] = [
    0,
    1,
    u32::MAX as u64,
    (1 << 53) + 1,
    i64::MAX as u64,
    i64::MAX as u64 + 1,
    u64::MAX - 1,
    u64::MAX,
    0x0102_0304_0506_0708,
    0x00ff_0000_0a0d_0000,
    0xfedc_ba98_7654_3210,
];

pub(crate) async fn g07_every_version_is_returned_as_given(trial: &Trial) {
    let store = trial.open().await;
    for version in NUMBERS.map(Version::from_u64) {
        let entry = Entry { version, ..trial.entry() };
        let created = trial.create(&store, &entry).await;
        assert_eq!(load(&store, &created).await.version, version);
        if let CreateOutcome::Exists(current) = store.create(&created, &trial.entry(), HOUR).await.answer() {
            assert_eq!(current.version, version);
        }
        let first = trial.entry();
        let updated = trial.create(&store, &first).await;
        write(&store, &updated, first.version, &entry, KEEP).await;
        if let UpdateOutcome::Conflict(current) =
            store.update(&updated, first.version, &trial.entry(), KEEP).await.answer()
        {
            assert_eq!(current.version, version);
        }
    }
}

pub(crate) async fn g07_every_version_is_compared_as_given(trial: &Trial) {
    let store = trial.open().await;
    for number in NUMBERS {
        let version = Version::from_u64(number);
        let entry = Entry { version, ..trial.entry() };
        let [touched, updated] = [trial.create(&store, &entry).await, trial.create(&store, &entry).await];
        let untouched = trial.create(&store, &entry).await;
        // Whether versions are compared at all is for G5 and G10 to test; here, that each counts to its last bit.
        let other = trial.version();
        let touch_compares = !store.touch(&touched, other, HOUR).await.answer();
        let update_compares = is_refused(&store.update(&updated, other, &trial.entry(), KEEP).await.answer());
        for bit in [0, 1, 31, 32, 52, 53, 63] {
            let almost = Version::from_u64(number ^ (1 << bit));
            let touched = store.touch(&touched, almost, HOUR).await.answer();
            assert!(!(touch_compares && touched), "touch: {almost:?} passes for {version:?}");
            if update_compares {
                let outcome = store.update(&updated, almost, &trial.entry(), KEEP).await.answer();
                assert!(is_refused(&outcome), "update: {almost:?} passes for {version:?}");
            }
        }
        assert!(store.touch(&untouched, version, HOUR).await.answer(), "touch: {version:?} does not pass for itself");
        write(&store, &untouched, version, &trial.entry(), KEEP).await;
    }
}

pub(crate) async fn g07_versions_have_no_order(trial: &Trial) {
    let store = trial.open().await;
    let mut current = Entry { version: Version::from_u64(9), ..trial.entry() };
    let id = trial.create(&store, &current).await;
    for number in [5, u64::MAX, 0, 9, 8] {
        let next = Entry { version: Version::from_u64(number), ..trial.entry() };
        write(&store, &id, current.version, &next, KEEP).await;
        current = next;
    }
}

fn is_refused(outcome: &UpdateOutcome) -> bool {
    *outcome != UpdateOutcome::Written
}
