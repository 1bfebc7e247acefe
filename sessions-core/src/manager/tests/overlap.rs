//! Nothing a handler committed is lost: overlapping requests of one session.

use super::*;

fn kit() -> (Kit, Token) {
    let kit = Kit::new();
    let token = kit.stored(|_| {});
    (kit, token)
}

#[test]
fn however_many_writers_come_between_each_costs_one_more_update_and_none_is_lost() {
    for writers in 0..10 {
        let (kit, token) = kit();
        let session = kit.counting(&token);
        session.insert("mine", &1).expect("open");
        for _ in 0..writers {
            // Two a time: a writer may also meet several at once.
            kit.store.before(Call::Update, Answer::Given, kit.counts(&token, 2));
        }
        assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Written));
        let mut calls = vec![Call::Load];
        calls.extend(vec![Call::Update; writers + 1]);
        assert_eq!(kit.store.calls(), calls);
        assert_eq!(kit.counter(token.id()), Some(2 * writers as u64 + 1));
        assert_eq!(kit.peek(token.id()).get::<i32>("mine").expect("a number"), Some(1));
    }
}

#[test]
fn every_kind_of_change_is_applied_to_what_is_stored_now() {
    let (kit, token) = kit();
    kit.request(&token, |session| {
        for key in ["set", "removed", "counter", "left"] {
            session.insert(key, &1u64).expect("open");
        }
    });
    let session = kit.counting(&token);
    session.insert("set", &2u64).expect("open");
    session.remove("removed").expect("open");
    session.set_persistent(true).expect("open");
    kit.request(&token, |other| {
        for key in ["set", "removed", "counter", "left", "new"] {
            other.insert(key, &10u64).expect("open");
        }
        other.set_idle_timeout(Some(secs(500))).expect("open");
    });
    kit.commit(&session);
    let stored = kit.peek(token.id());
    let read = |key: &'static str| stored.get::<u64>(key).expect("a number");
    assert_eq!((read("set"), read("removed"), read("counter")), (Some(2), None, Some(11)));
    assert_eq!((read("left"), read("new")), (Some(10), Some(10)));
    assert_eq!(stored.expires_at(), Some(kit.now().after(secs(500))), "overrides of both");
    assert_eq!(stored.state().overrides().persistent, Some(true));
}

#[test]
fn clearing_clears_what_others_wrote_meanwhile() {
    let (kit, token) = kit();
    let session = kit.open(&token);
    session.clear().expect("open");
    session.insert("mine", &1).expect("open");
    kit.counts(&token, 1)();
    kit.commit(&session);
    assert_eq!(kit.peek(token.id()).keys(), ["mine"]);
}

#[test]
fn an_update_whose_closure_fails_on_what_is_stored_now_fails_the_commit() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    session.insert("mine", &1).expect("open");
    kit.request(&token, |other| other.insert("counter", &"a text").expect("open"));
    let before = kit.store.stored(token.id());
    assert!(kit.try_commit(&session).expect_err("not a number").is_decode());
    assert_eq!(kit.store.stored(token.id()), before, "nothing was written");
    // Taken up again when that has been mended.
    kit.request(&token, |other| other.insert("counter", &5u64).expect("open"));
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(6));
}

#[test]
fn an_update_that_grows_too_large_on_what_is_stored_now_fails_the_commit() {
    let kit = Kit::with(|builder| builder.max_record_bytes(1024));
    let token = kit.stored(|_| {});
    let session = kit.open(&token);
    session.update("list", |list: Option<String>| list.unwrap_or_default() + &"x".repeat(600)).expect("fits");
    kit.request(&token, |other| other.insert("list", &"y".repeat(600)).expect("open"));
    let before = kit.store.stored(token.id());
    assert!(kit.try_commit(&session).expect_err("too large").is_too_large());
    assert_eq!(kit.store.stored(token.id()), before);
}

#[test]
fn a_commit_that_others_outrun_until_its_deadline_is_contended_and_nothing_of_it_is_applied() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    for _ in 0..10 {
        let (clock, others) = (kit.clock.clone(), kit.counts(&token, 1));
        kit.store.before(Call::Update, Answer::Given, move || {
            clock.advance(secs(1));
            others();
        });
    }
    assert!(kit.try_commit(&session).expect_err("outrun").is_contended());
    assert_eq!(kit.store.calls().len(), 1 + 5);
    assert_eq!(kit.counter(token.id()), Some(5));
    kit.store.recover();
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(6), "taken up again, it is applied once");
}

/// A clock that stands still must not make a commit that never ends.
#[test]
fn a_commit_ends_although_the_clock_stands_still() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    for _ in 0..1_001 {
        kit.store.before(Call::Update, Answer::Given, kit.counts(&token, 1));
    }
    assert!(kit.try_commit(&session).expect_err("outrun").is_contended());
    assert_eq!(kit.counter(token.id()), Some(1_000));
}

#[test]
fn a_session_that_is_absent_at_the_commit_is_lost() {
    let (kit, token) = kit();
    let session = kit.counting(&token);
    block_on(kit.others.delete_session(&token.id())).expect("deleted");
    assert_eq!(kit.commit(&session), Committed::quiet(Outcome::Lost));
    assert!(kit.store.ids().is_empty());
}

/// 64 requests at once, in threads, each with its own key and one increment.
#[test]
fn sixty_four_overlapping_requests_lose_nothing() {
    let (kit, token) = kit();
    let start = std::sync::Barrier::new(64);
    std::thread::scope(|scope| {
        for n in 0..64 {
            let (kit, token, start) = (kit.clone(), token.clone(), &start);
            scope.spawn(move || {
                let session = kit.counting(&token);
                session.insert(format!("key-{n}"), &n).expect("open");
                start.wait();
                assert_eq!(kit.commit(&session).outcome, Outcome::Written);
            });
        }
    });
    assert_eq!(kit.counter(token.id()), Some(64));
    assert_eq!(kit.peek(token.id()).keys().len(), 64 + 2);
}

/// Negative control: without the conflict loop's re-running, this is what `insert` does to a counter.
#[test]
fn a_counter_by_insert_is_the_last_writers() {
    let (kit, token) = kit();
    let session = kit.open(&token);
    session.insert("counter", &1u64).expect("open");
    kit.counts(&token, 3)();
    kit.commit(&session);
    assert_eq!(kit.counter(token.id()), Some(1));
}

/// A login takes nothing along that it has cleared or removed, also when it was written between its load and its commit by who
/// has planted the token.
#[test]
fn what_a_login_clears_or_removes_is_gone_whoever_writes_it_meanwhile() {
    for removes in [|s: &Session| s.clear(), |s: &Session| s.remove("evil").map(drop)] {
        let kit = Kit::new();
        let token = kit.stored(|session| session.insert("x", &1).expect("fits"));
        kit.request(&token, |session| session.clear().expect("open"));
        let session = kit.open(&token);
        removes(&session).expect("open");
        session.set_owner("alice").expect("open");
        kit.request(&token, |session| session.insert("evil", &1).expect("fits"));
        assert_eq!(kit.commit(&session).outcome, Outcome::Written);
        assert!(kit.peek(token.id()).keys().is_empty());
    }
}

/// The application's closures run without the session's lock, here at the conflict as before.
#[test]
fn a_closure_that_uses_the_session_may_run_again() {
    let (kit, token) = kit();
    let session = kit.open(&token);
    session.insert("price", &7u64).expect("open");
    let inner = session.clone();
    let add = move |total: Option<u64>| {
        total.unwrap_or(0) + inner.get::<u64>("price").expect("a number").expect("it is there")
    };
    session.update("counter", add).expect("open");
    kit.store.before(Call::Update, Answer::Given, kit.counts(&token, 1));
    assert_eq!(kit.commit(&session).outcome, Outcome::Written);
    assert_eq!(kit.counter(token.id()), Some(8));
}

#[test]
fn a_closure_that_panics_at_the_conflict_writes_nothing_and_leaves_the_session_usable() {
    let (kit, token) = kit();
    let session = kit.open(&token);
    let odd = |counter: Option<u64>| {
        assert!(counter.is_none_or(|counter| counter % 2 == 0), "on purpose");
        1
    };
    session.update("counter", odd).expect("open");
    kit.counts(&token, 1)();
    let commit = std::panic::AssertUnwindSafe(|| kit.try_commit(&session));
    assert!(std::panic::catch_unwind(commit).is_err());
    assert_eq!(kit.counter(token.id()), Some(1));
    kit.counts(&token, 1)();
    assert_eq!(kit.commit(&session).outcome, Outcome::Written, "taken up again");
}
