//! One test or more for each guarantee, on a clock that is moved by hand.

use std::task::{Context, Poll, Waker};

use sessions_core::store::MAX_TTL;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn g01_round_trip() {
    let desk = Desk::new();
    let written = owned(7, "hello", "alice");
    assert_eq!(desk.create(id(1), &written, MINUTE), CreateOutcome::Created);
    let expected = Stored {
        version: written.version,
        record: written.record,
        expires_at: desk_now(&desk).after(MINUTE),
        owner: written.owner,
    };
    assert_eq!(desk.load(id(1)), Some(expected));
    desk.audit();
}

#[test]
fn g01_an_update_replaces_all_but_the_expiry_it_keeps() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
    let expires_at = desk_now(&desk).after(MINUTE);
    desk.clock.advance(secs(10));
    assert_eq!(desk.update(id(1), 1, &entry(2, "bb"), Ttl::Keep), UpdateOutcome::Written);
    let stored = desk.load(id(1)).expect("live");
    assert_eq!((stored.version.as_u64(), &stored.record[..], stored.owner), (2, &b"bb"[..], None));
    assert_eq!(stored.expires_at, expires_at);

    assert_eq!(desk.update(id(1), 2, &entry(3, "c"), Ttl::After(MINUTE)), UpdateOutcome::Written);
    assert_eq!(desk.load(id(1)).expect("live").expires_at, desk_now(&desk).after(MINUTE));
    desk.audit();
}

#[test]
fn g02_absence_is_not_an_error() {
    let desk = Desk::new();
    assert_eq!(desk.load(id(1)), None);
    assert_eq!(desk.delete(&[id(1)]), 0);
    assert_eq!(desk.owned_by("nobody"), []);
    assert_eq!(desk.purge(10), 0);
}

#[test]
fn g03_expired_is_absent_for_every_operation() {
    let desk = Desk::new();
    for n in 1..=6 {
        desk.create(id(n), &owned(1, "a", "alice"), MINUTE);
    }
    desk.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(desk.owned_by("alice").len(), 6);
    desk.clock.advance(Duration::from_millis(1));
    assert_eq!(desk.load(id(1)), None);
    assert_eq!(desk.update(id(2), 1, &entry(2, "b"), Ttl::After(MINUTE)), UpdateOutcome::Absent);
    assert!(!desk.touch(id(3), 1, MINUTE));
    assert_eq!(desk.delete(&[id(4)]), 0);
    assert_eq!(desk.owned_by("alice"), []);
    assert_eq!(desk.create(id(5), &entry(9, "new"), MINUTE), CreateOutcome::Created);
    assert_eq!(desk.load(id(5)).expect("live").record, "new");
    assert_eq!(desk.store.usage().live, 1);
    desk.audit();
}

#[test]
fn g03_times_to_live_are_rounded_up_and_held_to_their_range() {
    let desk = Desk::new();
    for (n, ttl, millis) in [(1, Duration::ZERO, 1), (2, Duration::from_micros(1_500), 2)] {
        desk.create(id(n), &entry(1, "a"), ttl);
        let expected = desk_now(&desk).after(Duration::from_millis(millis));
        assert_eq!(desk.load(id(n)).expect("live").expires_at, expected);
    }
    desk.create(id(3), &entry(1, "a"), Duration::MAX);
    assert_eq!(desk.load(id(3)).expect("live").expires_at, desk_now(&desk).after(MAX_TTL));
}

#[test]
fn g03_what_was_seen_expired_stays_so_when_the_clock_jumps_back() {
    let desk = Desk::new();
    for n in 1..=3 {
        desk.create(id(n), &owned(1, "a", "alice"), MINUTE);
    }
    let began = desk_now(&desk);
    desk.clock.advance(MINUTE);
    assert_eq!(desk.load(id(1)), None);
    assert!(!desk.touch(id(2), 1, MINUTE));
    desk.clock.set(began);
    assert_eq!(desk.load(id(1)), None);
    assert_eq!(desk.update(id(1), 1, &entry(2, "b"), Ttl::After(MINUTE)), UpdateOutcome::Absent);
    assert!(!desk.touch(id(2), 1, MINUTE));
    assert_eq!(desk.owned_by("alice"), [id(3)]);
    assert_eq!(desk.purge(10), 2);
    desk.audit();
}

#[test]
fn g04_create_never_overwrites() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "first", "alice"), MINUTE);
    let there = desk.load(id(1)).expect("live");
    let answer = desk.create(id(1), &owned(2, "second", "bob"), 2 * MINUTE);
    assert_eq!(answer, CreateOutcome::Exists(there.clone()));
    assert_eq!(desk.load(id(1)), Some(there));
    assert_eq!(desk.owned_by("bob"), []);
    desk.audit();
}

#[test]
fn g05_g06_update_is_compare_and_swap() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
    assert_eq!(desk.update(id(1), 1, &owned(2, "b", "alice"), Ttl::Keep), UpdateOutcome::Written);
    let there = desk.load(id(1)).expect("live");
    let late = desk.update(id(1), 1, &owned(3, "longer", "bob"), Ttl::After(2 * MINUTE));
    assert_eq!(late, UpdateOutcome::Conflict(there.clone()));
    assert_eq!(desk.load(id(1)), Some(there));
    assert_eq!(desk.owned_by("bob"), []);
    desk.audit();
}

#[test]
fn g07_versions_are_opaque() {
    let desk = Desk::new();
    desk.create(id(1), &entry(u64::MAX, "a"), MINUTE);
    assert_eq!(desk.update(id(1), u64::MAX, &entry(0, "b"), Ttl::Keep), UpdateOutcome::Written);
    assert_eq!(desk.update(id(1), 0, &entry(0, "c"), Ttl::Keep), UpdateOutcome::Written);
    assert_eq!(desk.load(id(1)).expect("live").version.as_u64(), 0);
}

#[test]
fn g08_no_resurrection() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
    assert_eq!(desk.delete(&[id(1)]), 1);
    assert_eq!(desk.update(id(1), 1, &owned(2, "b", "alice"), Ttl::After(MINUTE)), UpdateOutcome::Absent);
    assert!(!desk.touch(id(1), 1, MINUTE));
    assert_eq!(desk.load(id(1)), None);
    assert_eq!(desk.owned_by("alice"), []);
    assert_eq!(desk.store.usage().held, 0);
    desk.audit();
}

#[test]
fn g09_delete_takes_none_many_and_repeated_ids() {
    let desk = Desk::new();
    let ids: Vec<_> = (0..10_000).map(id).collect();
    for id in &ids {
        desk.create(*id, &entry(1, "a"), MINUTE);
    }
    assert_eq!(desk.delete(&[]), 0);
    assert_eq!(desk.delete(&[id(1), id(1), id(2)]), 2);
    assert_eq!(desk.delete(&ids), 9_998);
    assert_eq!(desk.delete(&ids), 0);
    assert!(ids.iter().all(|id| desk.load(*id).is_none()));
    desk.audit();
}

#[test]
fn g10_touch_moves_time_only_and_only_of_the_expected_version() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
    let before = desk.load(id(1)).expect("live");
    assert!(!desk.touch(id(1), 2, 2 * MINUTE));
    assert_eq!(desk.load(id(1)), Some(before.clone()));
    for ttl in [2 * MINUTE, MINUTE / 2] {
        assert!(desk.touch(id(1), 1, ttl));
        assert_eq!(desk.load(id(1)), Some(Stored { expires_at: desk_now(&desk).after(ttl), ..before.clone() }));
    }
    desk.clock.advance(MINUTE / 2);
    assert_eq!(desk.load(id(1)), None);
    desk.audit();
}

#[test]
fn g11_an_operation_has_run_at_its_first_poll_or_not_at_all() {
    let desk = Desk::new();
    let (id, entry) = (id(1), entry(1, "a"));
    drop(desk.store.create(&id, &entry, MINUTE));
    assert_eq!(desk.load(id), None);

    let mut creation = desk.store.create(&id, &entry, MINUTE);
    let polled = creation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(CreateOutcome::Created))), "{polled:?}");
}

#[test]
fn g12_any_bytes_up_to_the_limit() {
    let desk = Desk::with(MemoryStore::builder().max_record_bytes(300));
    let every_byte: Vec<u8> = (0..=255).collect();
    for (n, record) in [vec![], vec![0], every_byte, vec![0xff; 300]].into_iter().enumerate() {
        let id = id(n as u64);
        desk.create(id, &entry(1, record.clone()), MINUTE);
        assert_eq!(desk.load(id).expect("live").record, record);
    }
    let too_large = entry(2, vec![0; 301]);
    assert!(desk.try_create(id(9), &too_large, MINUTE).expect_err("over the limit").is_too_large());
    assert!(desk.try_update(id(3), 1, &too_large, Ttl::Keep).expect_err("over the limit").is_too_large());
    assert_eq!(desk.load(id(9)), None);
    assert_eq!(desk.load(id(3)).expect("intact").record, vec![0xff; 300]);
    desk.audit();
}

#[test]
fn g13_g14_a_clone_is_the_same_store_and_another_store_is_not() {
    let (desk, other) = (Desk::new(), Desk::new());
    let clone = desk.clone();
    desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
    assert_eq!(clone.owned_by("alice"), [id(1)]);
    assert_eq!(other.load(id(1)), None);
    assert_eq!(other.delete(&[id(1)]), 0);
    assert_eq!(clone.delete(&[id(1)]), 1);
    assert_eq!(desk.load(id(1)), None);
}

#[test]
fn g15_owned_by_follows_create_update_delete_and_expiry() {
    let desk = Desk::new();
    for n in 1..=5 {
        desk.create(id(n), &owned(1, "a", "alice"), secs(60 * n));
    }
    desk.create(id(6), &entry(1, "a"), MINUTE);
    assert_eq!(desk.owned_by("alice"), [id(1), id(2), id(3), id(4), id(5)]);
    desk.update(id(2), 1, &owned(2, "a", "bob"), Ttl::Keep);
    desk.update(id(3), 1, &entry(2, "a"), Ttl::Keep);
    desk.update(id(6), 1, &owned(2, "a", "bob"), Ttl::Keep);
    desk.delete(&[id(4)]);
    assert_eq!(desk.owned_by("alice"), [id(1), id(5)]);
    assert_eq!(desk.owned_by("bob"), [id(2), id(6)]);
    desk.clock.advance(MINUTE);
    assert_eq!(desk.owned_by("alice"), [id(5)]);
    assert_eq!(desk.owned_by("bob"), [id(2)]);
    assert_eq!(desk.owned_by("alice "), []);
    desk.audit();
}

#[test]
fn g16_purge_deletes_only_the_expired_and_at_most_the_limit() {
    let desk = Desk::new();
    for n in 0..2_000 {
        desk.create(id(n), &entry(1, "a"), if n < 1_500 { MINUTE } else { 2 * MINUTE });
    }
    assert_eq!(desk.purge(u32::MAX), 0);
    desk.clock.advance(MINUTE);
    assert_eq!(desk.load(id(1)), None);
    assert_eq!(desk.purge(0), 0);
    assert_eq!(desk.purge(1), 1);
    assert_eq!(desk.purge(999), 999);
    assert_eq!(desk.store.usage().held, 1_000);
    assert_eq!(desk.purge(u32::MAX), 500);
    assert_eq!(desk.purge(u32::MAX), 0);
    assert!((1_500..2_000).all(|n| desk.load(id(n)).is_some()));
    desk.audit();
}

#[test]
fn g16_purge_follows_an_expiry_that_moved() {
    let desk = Desk::new();
    for n in 1..=3 {
        desk.create(id(n), &entry(1, "a"), 2 * MINUTE);
    }
    assert!(desk.touch(id(1), 1, MINUTE));
    assert!(desk.touch(id(2), 1, 3 * MINUTE));
    desk.clock.advance(MINUTE);
    assert_eq!(desk.purge(10), 1);
    desk.clock.advance(MINUTE);
    assert_eq!(desk.purge(10), 1);
    assert!(desk.load(id(2)).is_some());
    desk.audit();
}

#[test]
fn g18_stop_is_idempotent_and_final() {
    let desk = Desk::new();
    let clone = desk.store.clone();
    desk.create(id(1), &entry(1, "a"), MINUTE);
    pollster::block_on(async {
        desk.store.stop().await.expect("stops");
        clone.stop().await.expect("stops again");
        let owner = Owner::new("alice").expect("a valid owner");
        let change = Change { ttl: Ttl::Keep, reindex: false };
        let (id, entry, version) = (id(1), entry(2, "b"), Version::from_u64(1));
        assert!(clone.load(&id).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.create(&id, &entry, MINUTE).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.update(&id, version, &entry, change).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.touch(&id, version, MINUTE).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.delete(&[id]).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.owned_by(&owner).await.is_err_and(|e| e.is_unavailable()));
        assert!(clone.purge_expired(1).await.is_err_and(|e| e.is_unavailable()));
    });
}

#[test]
fn g19_no_record_bytes_and_no_ids_in_debug() {
    let desk = Desk::new();
    desk.create(id(1), &owned(1, "hush", "alice"), MINUTE);
    let debug = format!("{:?} {:#?}", desk.store, desk.store);
    for secret in ["hush", "alice", "104, 117", &id(1).to_string()] {
        assert!(!debug.contains(secret), "{secret} in {debug}");
    }
    assert!(debug.contains("sessions: 1"), "{debug}");
}

fn desk_now(desk: &Desk) -> Timestamp {
    sessions_core::Clock::now(&desk.clock)
}
