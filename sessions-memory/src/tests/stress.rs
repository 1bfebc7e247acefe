//! Threads that race on few sessions; afterwards the books must be exact.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;

use fastrand::Rng;

use super::*;

const THREADS: usize = 4;
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn g04_racing_creates_have_one_winner() {
    const IDS: u64 = 2_000;
    let desk = Desk::new();
    // The second time, each creation replaces a session that has expired.
    for _ in 0..2 {
        let winners = Mutex::new(HashMap::new());
        together(seed("g04_racing_creates_have_one_winner"), |thread, _| {
            for n in 0..IDS {
                let mine = owned(thread as u64, "a", "alice");
                match desk.create(id(n), &mine, MINUTE) {
                    CreateOutcome::Created => {
                        let before = winners.lock().expect("no panic").insert(n, mine.version);
                        assert_eq!(before, None, "a second winner of session {n}");
                    }
                    CreateOutcome::Exists(there) => assert_eq!(Some(there), desk.load(id(n))),
                }
            }
        });
        let winners = winners.into_inner().expect("no panic");
        assert_eq!(winners.len(), 2_000);
        assert!(winners.iter().all(|(n, version)| desk.load(id(*n)).expect("live").version == *version));
        assert_eq!(desk.owned_by("alice").len(), 2_000);
        desk.audit();
        desk.clock.advance(MINUTE);
    }
}

#[test]
fn g05_racing_updates_lose_nothing() {
    const ROUNDS: u64 = 2_000;
    const SESSIONS: u64 = 3;
    let desk = Desk::new();
    for n in 0..SESSIONS {
        desk.create(id(n), &entry(0, "0"), MINUTE);
    }
    together(seed("g05_racing_updates_lose_nothing"), |_, mut rng| {
        for round in 0..ROUNDS {
            let id = id(round % SESSIONS);
            loop {
                let there = desk.load(id).expect("nobody deletes it");
                let count: u64 = std::str::from_utf8(&there.record).expect("a number").parse().expect("a number");
                let next = entry(rng.u64(1..), (count + 1).to_string());
                let ttl = if rng.bool() { Ttl::Keep } else { Ttl::After(MINUTE) };
                match desk.update(id, there.version.as_u64(), &next, ttl) {
                    UpdateOutcome::Written => break,
                    UpdateOutcome::Conflict(now) => assert_ne!(now.version, there.version),
                    UpdateOutcome::Absent => panic!("nobody deletes it"),
                }
            }
        }
    });
    let counts = (0..SESSIONS).map(|n| desk.load(id(n)).expect("live").record);
    let sum: u64 = counts.map(|count| String::from_utf8_lossy(&count).parse::<u64>().expect("a number")).sum();
    assert_eq!(sum, THREADS as u64 * ROUNDS);
    desk.audit();
}

/// As many ids as there are places: nobody may be refused, whatever is in the middle of being created or deleted.
#[test]
fn g08_g09_g17_creates_and_deletes_balance() {
    const IDS: u64 = 5;
    let desk = Desk::with(MemoryStore::builder().max_sessions(5).max_bytes(5 * 10));
    let (created, deleted) = (AtomicU64::new(0), AtomicU64::new(0));
    together(seed("g08_g09_g17_creates_and_deletes_balance"), |_, mut rng| {
        for _ in 0..5_000 {
            let id = id(rng.u64(..IDS));
            let version = rng.u64(1..);
            if desk.create(id, &owned(version, vec![0; 10], "alice"), MINUTE) == CreateOutcome::Created {
                created.fetch_add(1, Ordering::Relaxed);
            }
            let shorter = entry(version, vec![1; rng.usize(..10)]);
            drop(desk.update(id, version, &shorter, Ttl::Keep));
            deleted.fetch_add(desk.delete(&[id]), Ordering::Relaxed);
        }
    });
    desk.audit();
    let live = desk.store.usage().live as u64;
    assert_eq!(created.into_inner(), deleted.into_inner() + live);
}

/// Every round finds the store full of expired sessions. One thread purges, the others take all the room there is: none may
/// be refused because what it needs is being given back just then.
#[test]
fn g17_room_that_another_thread_makes_is_room() {
    let desk = Desk::with(MemoryStore::builder().max_sessions(THREADS - 1));
    for round in 0..2_000 {
        together(round, |thread, _| {
            if thread == 0 {
                desk.purge(u32::MAX);
            } else {
                let id = id(round * THREADS as u64 + thread as u64);
                assert_eq!(desk.create(id, &entry(1, "a"), MINUTE), CreateOutcome::Created);
            }
        });
        assert_eq!(desk.store.usage().live, THREADS - 1);
        desk.clock.advance(MINUTE);
    }
    desk.audit();
}

/// Half of the threads create one session over and over, the others delete it: who deletes it in the moment in which it is
/// created finds it in all the books or nowhere, and never takes its successor with it.
#[test]
fn g08_g15_coming_and_going_are_whole() {
    let desk = Desk::new();
    let created = AtomicU64::new(0);
    let deleted = AtomicU64::new(0);
    together(seed("g08_g15_coming_and_going_are_whole"), |thread, _| {
        for _ in 0..20_000 {
            if thread % 2 == 0 {
                let answer = desk.create(id(1), &owned(1, "a", "alice"), MINUTE);
                created.fetch_add(u64::from(answer == CreateOutcome::Created), Ordering::Relaxed);
            } else {
                deleted.fetch_add(desk.delete(&[id(1)]), Ordering::Relaxed);
            }
        }
    });
    deleted.fetch_add(desk.delete(&[id(1)]), Ordering::Relaxed);
    assert_eq!(created.into_inner(), deleted.into_inner());
    desk.audit();
}

#[test]
fn everything_at_once_leaves_the_books_exact() {
    const OWNERS: [&str; 3] = ["alice", "bob", "carol"];
    let seed = seed("everything_at_once_leaves_the_books_exact");
    for round in 0..10 {
        let desk = Desk::with(MemoryStore::builder().max_sessions(12).max_bytes(200));
        together(seed.wrapping_add(round), |_, mut rng| {
            for _ in 0..3_000 {
                anything(&desk, &mut rng, &OWNERS);
                let usage = desk.store.usage();
                assert!(usage.held <= 12 && usage.bytes <= 200, "{usage:?} is over the bounds");
            }
        });
        desk.audit();

        let owners: Vec<_> = (0..24).filter_map(|n| Some((desk.load(id(n))?.owner?, id(n)))).collect();
        for owner in OWNERS {
            let expected: Vec<_> = owners.iter().filter(|(o, _)| o.as_str() == owner).map(|(_, id)| *id).collect();
            assert_eq!(desk.owned_by(owner), expected);
        }

        desk.clock.advance(MINUTE);
        let held = desk.store.usage().held as u64;
        assert_eq!(desk.purge(u32::MAX), held);
        let usage = desk.store.usage();
        assert_eq!((usage.live, usage.held, usage.bytes), (0, 0, 0));
        desk.audit();
    }
}

fn anything(desk: &Desk, rng: &mut Rng, owners: &[&str]) {
    let id = id(rng.u64(..24));
    let version = rng.u64(..3);
    let ttl = Duration::from_millis(rng.u64(1..50));
    let owner = rng.choice(owners).filter(|_| rng.bool());
    let record = vec![0; rng.usize(..40)];
    let entry = owner.map_or_else(|| entry(version, record.clone()), |owner| owned(version, record.clone(), owner));
    match rng.u8(..10) {
        0..3 => drop(desk.try_create(id, &entry, ttl)),
        3..5 => drop(desk.try_update(id, rng.u64(..3), &entry, if rng.bool() { Ttl::Keep } else { Ttl::After(ttl) })),
        5 => drop(desk.touch(id, version, ttl)),
        6 => drop(desk.delete(&[id])),
        7 => drop(desk.load(id)),
        8 => drop(desk.purge(rng.u32(..4))),
        _ => {
            drop(desk.owned_by(owners[0]));
            desk.clock.advance(Duration::from_millis(rng.u64(..8)));
        }
    }
}

/// Runs `work` on all threads, which begin at the same moment, each with its own sequence of random numbers.
fn together(seed: u64, work: impl Fn(usize, Rng) + Sync) {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (start, work) = (&start, &work);
            let rng = Rng::with_seed(seed ^ thread as u64);
            scope.spawn(move || {
                start.wait();
                work(thread, rng);
            });
        }
    });
}
