//! A commit that is dropped at any point and taken up again: the same token, each change once.

use super::*;

/// What a commit is to do, and how the world is then to look.
struct Case {
    name: &'static str,
    fill: fn(&Session),
    script: fn(&Kit, &Token),
    outcome: Outcome,
    /// What it adds to the counter; `None` when the loaded session is over.
    adds: Option<u64>,
    tokens: usize,
}

fn cases() -> Vec<Case> {
    let plain = Case {
        name: "update",
        fill: increment,
        script: |_, _| {},
        outcome: Outcome::Written,
        adds: Some(1),
        tokens: 0,
    };
    vec![
        Case { name: "conflicts", script: |kit, token| conflicts(kit, token, 3), ..plain },
        Case {
            name: "login with conflicts",
            fill: |s| {
                increment(s);
                s.set_owner("alice").expect("open");
            },
            script: |kit, token| conflicts(kit, token, 2),
            tokens: 1,
            ..plain
        },
        Case { name: "renewal", fill: |s| s.renew().expect("open"), adds: Some(0), tokens: 1, ..plain },
        Case { name: "answer lost", script: |kit, _| kit.store.answer(Call::Update, Answer::Lost), ..plain },
        Case { name: "swallowed", script: |kit, _| kit.store.answer(Call::Update, Answer::Swallowed), ..plain },
        Case { name: "late", script: |kit, _| kit.store.answer(Call::Update, Answer::Late), ..plain },
        Case {
            name: "superseded while unanswered",
            script: |kit, token| {
                kit.store.answer(Call::Update, Answer::Late);
                kit.store.before(Call::Load, Answer::Given, kit.counts(token, 2));
            },
            ..plain
        },
        Case { name: "destroy", fill: |s| s.destroy().expect("open"), outcome: Outcome::Deleted, adds: None, ..plain },
        Case {
            name: "destroy, then write",
            fill: |s| {
                s.destroy().expect("open");
                increment(s);
            },
            script: |kit, _| kit.store.answer(Call::Create, Answer::Late),
            outcome: Outcome::Created,
            adds: None,
            tokens: 1,
        },
        plain,
    ]
}

fn conflicts(kit: &Kit, token: &Token, times: usize) {
    for _ in 0..times {
        kit.store.before(Call::Update, Answer::Given, kit.counts(token, 1));
    }
}

/// Drops the commit after so many polls, each in turn, and takes it up again. `None` when it was ready by then.
fn run(case: &Case, drops: &[usize]) -> Option<()> {
    let context = format!("{}, dropped after {drops:?} polls", case.name);
    let kit = Kit::new();
    let token = kit.stored(|session| session.insert("counter", &10u64).expect("fits"));
    let session = kit.open(&token);
    (case.fill)(&session);
    (case.script)(&kit, &token);
    kit.store.slow(true);
    for &polls in drops {
        if let Some(result) = poll_at_most(polls, kit.manager.commit(&session)) {
            result.expect("the commit has an outcome");
            return None;
        }
        let begun = polls > 0;
        assert!(!begun || session.insert("a", &1).is_err(), "{context}: a commit has begun");
    }
    let committed = kit.commit(&session);
    if case.outcome != Outcome::Created {
        kit.store.land();
        assert_eq!(kit.random.tokens(), case.tokens, "{context}");
    }
    assert_eq!(committed.outcome, case.outcome, "{context}");
    match case.adds {
        Some(adds) => assert_eq!(kit.counter(token.id()), Some(10 + kit.counted() + adds), "{context}"),
        None => assert!(!kit.opens(&token), "{context}"),
    }
    if case.tokens > 0 {
        assert!(kit.opens(&super::token(&committed)), "{context}");
        let new = super::token(&committed).id();
        assert_eq!(kit.store.ids(), [new], "{context}");
    }
    Some(())
}

#[test]
fn dropped_once_at_each_poll() {
    for case in cases() {
        let polls = (0..).take_while(|&polls| run(&case, &[polls]).is_some()).count();
        assert!(polls >= 3, "{}: a commit pends before and after each call, {polls}", case.name);
    }
}

#[test]
fn dropped_twice_and_three_times_at_each_poll() {
    for case in cases() {
        for first in (0..).take_while(|&polls| run(&case, &[polls]).is_some()) {
            for second in (0..).take_while(|&polls| run(&case, &[first, polls]).is_some()) {
                run(&case, &[first, second, 1]);
                run(&case, &[first, second, 2]);
            }
        }
    }
}

#[test]
fn a_create_that_is_dropped_at_each_poll_makes_one_session() {
    for polls in 0.. {
        let kit = Kit::new();
        let session = kit.manager.new_session();
        increment(&session);
        kit.store.slow(true);
        kit.store.answer(Call::Create, Answer::Lost);
        if poll_at_most(polls, kit.manager.commit(&session)).is_some() {
            assert!(polls >= 3);
            break;
        }
        let committed = kit.commit(&session);
        assert_eq!(committed.outcome, Outcome::Created);
        assert_eq!(kit.store.ids(), [token(&committed).id()], "after {polls} polls");
        assert_eq!(kit.counter(token(&committed).id()), Some(1));
    }
}

#[test]
fn a_commit_that_is_dropped_before_its_first_poll_has_not_begun() {
    let kit = Kit::new();
    let session = kit.manager.new_session();
    drop(kit.manager.commit(&session));
    session.insert("a", &1).expect("still open");
}
