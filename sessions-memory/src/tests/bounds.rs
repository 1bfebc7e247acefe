//! G17: a bounded store refuses, and never evicts.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn g17_a_full_store_refuses_newcomers_and_keeps_the_rest() {
    let desk = Desk::with(MemoryStore::builder().max_sessions(3));
    for n in 1..=3 {
        desk.create(id(n), &entry(1, "a"), MINUTE);
    }
    for _ in 0..1_000 {
        assert!(desk.try_create(id(4), &entry(1, "a"), MINUTE).expect_err("it is full").is_full());
    }
    assert!((1..=3).all(|n| desk.load(id(n)).is_some()));
    assert!(matches!(desk.create(id(1), &entry(2, "b"), MINUTE), CreateOutcome::Exists(_)));
    assert_eq!(desk.update(id(1), 1, &entry(2, "grown"), Ttl::Keep), UpdateOutcome::Written);
    desk.delete(&[id(2)]);
    assert_eq!(desk.create(id(4), &entry(1, "a"), MINUTE), CreateOutcome::Created);
    desk.audit();
}

#[test]
fn g17_bytes_are_a_bound_for_newcomers_and_for_growth() {
    let desk = Desk::with(MemoryStore::builder().max_bytes(10));
    desk.create(id(1), &entry(1, "12345"), MINUTE);
    desk.create(id(2), &entry(1, "1234"), MINUTE);
    assert!(desk.try_create(id(3), &entry(1, "12"), MINUTE).expect_err("it is full").is_full());
    assert!(desk.try_update(id(1), 1, &entry(2, "1234567"), Ttl::Keep).expect_err("it is full").is_full());
    assert_eq!(desk.load(id(1)).expect("intact").record, "12345");
    assert_eq!(desk.update(id(1), 1, &entry(2, "54321"), Ttl::Keep), UpdateOutcome::Written);
    assert_eq!(desk.update(id(1), 2, &entry(3, "1"), Ttl::Keep), UpdateOutcome::Written);
    assert_eq!(desk.create(id(3), &entry(1, "12345"), MINUTE), CreateOutcome::Created);
    assert_eq!(desk.store.usage().bytes, 10);
    desk.audit();
}

#[test]
fn g06_a_conflict_or_absence_is_said_even_when_full() {
    let desk = Desk::with(MemoryStore::builder().max_bytes(5));
    desk.create(id(1), &entry(1, "12345"), MINUTE);
    assert!(matches!(desk.update(id(1), 9, &entry(2, "1234"), Ttl::Keep), UpdateOutcome::Conflict(_)));
    assert_eq!(desk.update(id(2), 1, &entry(2, "1234"), Ttl::Keep), UpdateOutcome::Absent);
    desk.audit();
}

#[test]
fn g17_a_full_store_purges_what_has_expired() {
    let desk = Desk::with(MemoryStore::builder().max_sessions(1_000).max_bytes(100_000));
    for n in 0..1_000 {
        desk.create(id(n), &entry(1, vec![0; 100]), if n < 990 { MINUTE } else { 2 * MINUTE });
    }
    assert!(desk.try_create(id(2_000), &entry(1, "a"), MINUTE).expect_err("all are live").is_full());
    desk.clock.advance(MINUTE);
    assert_eq!(desk.store.usage().live, 10);
    // It needs the room of 500 small ones, more than one batch of them.
    assert_eq!(desk.create(id(2_000), &entry(1, vec![0; 50_000]), MINUTE), CreateOutcome::Created);
    assert_eq!(desk.update(id(990), 1, &entry(2, vec![0; 49_000]), Ttl::Keep), UpdateOutcome::Written);
    assert!((990..1_000).all(|n| desk.load(id(n)).is_some()));
    desk.audit();
}

#[test]
fn g17_an_expired_session_gives_its_own_place_to_its_successor() {
    let desk = Desk::with(MemoryStore::builder().max_sessions(1));
    desk.create(id(1), &owned(1, "old", "alice"), MINUTE);
    desk.clock.advance(MINUTE);
    assert_eq!(desk.create(id(1), &owned(2, "new", "bob"), MINUTE), CreateOutcome::Created);
    assert_eq!((desk.owned_by("alice"), desk.owned_by("bob")), (vec![], vec![id(1)]));
    desk.audit();
}

/// Nobody calls `purge_expired` here, and the bound is far away: creating is what clears up.
#[test]
fn a_store_that_nobody_purges_stays_small() {
    let desk = Desk::new();
    let mut most = 0;
    for n in 0..20_000 {
        desk.create(id(n), &owned(1, "a", "alice"), secs(100));
        desk.clock.advance(Duration::from_millis(100));
        most = most.max(desk.store.sessions().held().sessions);
    }
    // 1 000 are live at a time; 64 shards keep fewer than 32 expired ones each.
    assert!((1_000..=1_000 + 64 * 32).contains(&most), "{most} sessions were held at once");
    desk.audit();
}

#[test]
fn settings_out_of_range_are_errors_that_say_what_to_do() {
    let refused = [
        (MemoryStore::builder().max_sessions(0), "max_sessions is at least 1"),
        (MemoryStore::builder().max_bytes(0), "max_bytes is at least 1"),
        (MemoryStore::builder().max_record_bytes(0), "max_record_bytes is at least 1"),
        (MemoryStore::builder().max_bytes(10).max_record_bytes(11), "max_record_bytes is at most max_bytes"),
    ];
    for (builder, text) in refused {
        let error = builder.build().expect_err(text);
        assert!(error.is_invalid_setting());
        assert!(error.to_string().starts_with(text), "{error}");
    }
    let huge = usize::MAX;
    let desk = Desk::with(MemoryStore::builder().max_sessions(huge).max_bytes(huge).max_record_bytes(huge));
    desk.create(id(1), &entry(1, "a"), MINUTE);
    desk.audit();
}

#[test]
fn the_default_limit_of_a_record_yields_to_max_bytes() {
    let desk = Desk::with(MemoryStore::builder().max_bytes(10));
    let error = desk.try_create(id(1), &entry(1, vec![0; 11]), MINUTE).expect_err("it can never fit");
    assert!(error.is_too_large());
}

#[test]
fn a_store_by_default_has_the_default_bounds() {
    let debug = format!("{:?}", MemoryStore::default());
    assert!(debug.contains("sessions: 250000, bytes: 268435456"), "{debug}");
    assert_eq!(debug, format!("{:?}", MemoryStore::builder().build().expect("the defaults are valid")));
}
