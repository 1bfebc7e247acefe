//! Clones of one handle in several threads, and closures that misbehave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;

use super::*;

const THREADS: u64 = 8;
const ROUNDS: u64 = 200;

/// Runs `work` in several threads that start together.
fn at_once(work: impl Fn(u64) + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).expect("a few"));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(thread);
            });
        }
    });
}

#[test]
fn updates_of_clones_at_once_are_exact() {
    let kit = Kit::new();
    let token = kit.stored(increment);
    let session = kit.open(&token);
    at_once(|_| (0..ROUNDS).for_each(|_| increment(&session)));
    assert_eq!(session.get::<u64>("counter").expect("a number"), Some(1 + THREADS * ROUNDS));
    // A conflict runs every closure again, each once.
    kit.counts(&token, 1)();
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(2 + THREADS * ROUNDS));
}

#[test]
fn clones_at_once_keep_each_others_keys() {
    let session = Session::detached();
    at_once(|thread| {
        for round in 0..ROUNDS {
            session.insert(format!("{thread}-{round}"), &round).expect("open");
            if round % 2 == 0 {
                session.remove(format!("{thread}-{round}")).expect("open");
            }
        }
    });
    assert_eq!(session.keys().len() as u64, THREADS * ROUNDS / 2);
}

#[test]
fn a_closure_may_read_the_session() {
    let session = Session::detached();
    session.insert("price", &7u64).expect("open");
    let inner = session.clone();
    let total = session.update("total", move |total: Option<u64>| {
        total.unwrap_or(0) + inner.get::<u64>("price").expect("a number").expect("it is there")
    });
    assert_eq!(total.expect("a number"), 7);
}

#[test]
fn a_closure_that_panics_leaves_the_session_as_it_was() {
    let session = Session::detached();
    session.insert("a", &1).expect("open");
    let panics = || session.update("a", |_: Option<i32>| panic!("on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(session.get::<i32>("a").expect("a number"), Some(1));
    session.insert("a", &2).expect("still usable");
    assert_eq!(session.update("a", |a: Option<i32>| a.unwrap_or(0) + 1).expect("still usable"), 3);
}

/// Its argument is all that a closure is to depend on; one that writes to the session all the same must not hang.
#[test]
fn a_closure_that_writes_to_the_session_ends() {
    let session = Session::detached();
    let inner = session.clone();
    let counter = session.update("counter", move |counter: Option<u64>| {
        inner.insert("other", &1).expect("open");
        counter.unwrap_or(0) + 1
    });
    assert_eq!(counter.expect("another key is no conflict"), 1);
    assert_eq!(session.keys(), ["counter", "other"]);

    let inner = session.clone();
    let never = session.update("counter", move |counter: Option<u64>| {
        increment(&inner);
        counter.unwrap_or(0) + 1
    });
    assert!(never.expect_err("it always changes what it was given").is_contended());
    increment(&session);
}

#[test]
fn a_closure_runs_again_on_what_a_clone_has_set_meanwhile() {
    let session = Session::detached();
    let inner = session.clone();
    // Only the first run meets a counter that is absent.
    let counter = session.update("counter", move |counter: Option<u64>| {
        if counter.is_none() {
            inner.insert("counter", &10u64).expect("open");
        }
        counter.unwrap_or(0) + 1
    });
    assert_eq!(counter.expect("a number"), 11);
}

#[test]
fn of_clones_that_take_at_once_one_gets_the_value() {
    for round in 0..200u64 {
        let session = Session::detached();
        session.insert("ticket", &round).expect("open");
        let taken = std::sync::atomic::AtomicU64::new(0);
        at_once(|_| {
            if session.take::<u64>("ticket").expect("a number").is_some() {
                taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        });
        assert_eq!(taken.into_inner(), 1);
    }
}
