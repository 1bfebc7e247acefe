//! The budgets of memory and of allocations, counted where they are asked for. One test, because the count is the process's.

use std::alloc::System;
use std::time::Duration;

use pollster::block_on;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, Timestamp, Ttl, UpdateOutcome, Version,
};
use sessions_memory::MemoryStore;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SESSIONS: u64 = 100_000;
/// Of a session with a user's id and a 32-character value.
const RECORD_BYTES: usize = 175;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_session_stays_within_its_budgets() {
    let plain = measure(false);
    let owned = measure(true);
    for (kind, measured) in [("without an owner", &plain), ("with an owner each", &owned)] {
        eprintln!("{SESSIONS} sessions {kind}, {RECORD_BYTES} bytes a record: {measured:.2?}");
    }
    assert!(plain.bytes_created <= 580.0 && plain.bytes_loaded <= 620.0);
    assert!(owned.bytes_created <= 700.0 && owned.bytes_loaded <= 820.0);
    for measured in [plain, owned] {
        // Seven of them are the map's.
        assert!(measured.allocations_create < 14.0);
        // The boxed future. The map's housekeeping adds a fraction.
        assert!(measured.allocations_load < 1.1);
        // The boxed future and the record.
        assert!(measured.allocations_update < 2.1);
        // The boxed future, and now and then a node of the index.
        assert!(measured.allocations_touch < 1.5);
        assert!(measured.bytes_deleted < 60.0, "deleted sessions leave their memory behind");
    }
}

/// Averages for one session or one operation.
#[derive(Debug)]
struct Measured {
    bytes_created: f64,
    /// After the first load of each record, which makes its bytes shareable.
    bytes_loaded: f64,
    /// What is still allocated after all were deleted: tables, for the sessions to come.
    bytes_deleted: f64,
    allocations_create: f64,
    allocations_load: f64,
    allocations_update: f64,
    allocations_touch: f64,
}

fn measure(owned: bool) -> Measured {
    let before = Region::new(&INSTRUMENTED_SYSTEM);
    let bytes = || {
        let change = before.change();
        each(change.bytes_allocated - change.bytes_deallocated)
    };
    let store = MemoryStore::new();
    let owner = |n| owned.then(|| Owner::new(format!("user-{n}")).expect("a valid owner"));

    let allocations_create = allocations(|n| {
        let created = block_on(store.create(&id(n), &entry(owner(n)), DAY));
        assert_eq!(created.expect("there is room"), CreateOutcome::Created);
    });
    let bytes_created = bytes();

    let load = |n| block_on(store.load(&id(n))).expect("it loads").expect("it is live");
    allocations(|n| drop(load(n)));
    let bytes_loaded = bytes();
    let allocations_load = allocations(|n| drop(load(n)));

    let next = entry(owner(0));
    let change = Change { ttl: Ttl::Keep, reindex: true };
    let allocations_update = allocations(|_| {
        let updated = block_on(store.update(&id(0), next.version, &next, change));
        assert_eq!(updated.expect("there is room"), UpdateOutcome::Written);
    });
    let allocations_touch =
        allocations(|n| assert!(block_on(store.touch(&id(n), next.version, 2 * DAY)).expect("it works")));

    let deleted = (0..SESSIONS).map(|n| block_on(store.delete(&[id(n)])).expect("it works")).sum::<u64>();
    assert_eq!(deleted, SESSIONS);
    let bytes_deleted = bytes();
    Measured {
        bytes_created,
        bytes_loaded,
        bytes_deleted,
        allocations_create,
        allocations_load,
        allocations_update,
        allocations_touch,
    }
}

/// How many allocations `work` makes for each session.
fn allocations(work: impl FnMut(u64)) -> f64 {
    let before = Region::new(&INSTRUMENTED_SYSTEM);
    (0..SESSIONS).for_each(work);
    each(before.change().allocations)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn each(sum: usize) -> f64 {
    sum as f64 / SESSIONS as f64
}

/// As random as ids are, and the same each time: the finalizer of `SplitMix64`, twice.
fn id(n: u64) -> SessionId {
    let mut bytes = [0; 16];
    let mut state = n;
    for half in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        half.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    SessionId::from_bytes(bytes)
}

fn entry(owner: Option<Owner>) -> Entry {
    let record = vec![7; RECORD_BYTES].into();
    Entry { version: Version::from_u64(1), record, owner, deadline: Timestamp::MAX }
}
