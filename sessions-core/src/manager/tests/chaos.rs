//! Everything at once, from a printed seed: overlapping requests that are interleaved call by call, answers that are lost,
//! late or refused, commits that are dropped and taken up again. What the commits said must be what is stored.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::store::Stored;

const ROUNDS: usize = 300;

type Commit = Pin<Box<dyn Future<Output = Result<Committed, Error>>>>;

/// One request, from when its handler has returned.
struct Request {
    name: u32,
    session: Session,
    commit: Option<Commit>,
    /// Whether it adds one to the value that it has read, guarded.
    guarded: bool,
    strict: bool,
}

/// What the commits have said.
#[derive(Default)]
struct Said {
    /// Whether a request's changes must be, must not be, or may be stored.
    stored: HashMap<u32, Option<bool>>,
    guarded: u64,
    guarded_unknown: u64,
    /// Tokens that a strict rotation has ended.
    over: Vec<Token>,
}

struct World {
    kit: Kit,
    rng: fastrand::Rng,
    /// What the browser holds.
    cookie: Token,
    requests: Vec<Request>,
    said: Said,
    names: u32,
}

impl World {
    fn new(mut rng: fastrand::Rng) -> Self {
        let kit = Kit::with(|builder| builder.idle_timeout(secs(1_000_000)).max_record_bytes(1 << 20));
        let cookie = kit.stored(|_| {});
        kit.store.slow(true);
        let mut dice = rng.fork();
        let trouble = dice.u8(0..40);
        kit.store.fate(move |_| match dice.u8(..100) {
            roll if roll >= trouble => Answer::Given,
            roll => [Answer::Lost, Answer::Swallowed, Answer::Late, Answer::Refused][usize::from(roll % 4)],
        });
        Self { kit, rng, cookie, requests: Vec::new(), said: Said::default(), names: 0 }
    }

    /// A request comes in, and its handler runs.
    fn arrive(&mut self) {
        let session = self.kit.others.begin(Some(self.cookie.clone()));
        block_on(self.kit.others.open(&session)).expect("the store answers");
        if session.is_new() {
            return self.sign_in_again();
        }
        self.names += 1;
        let (name, wish) = (self.names, self.rng.u8(..12));
        session
            .update("log", move |log: Option<Vec<u32>>| [log.unwrap_or_default(), vec![name]].concat())
            .expect("open");
        session.insert(format!("{name}"), &name).expect("open");
        let guarded = wish < 3;
        if guarded {
            let read = session.get::<u64>("guarded").expect("a number").unwrap_or(0);
            session.require_unchanged("guarded").expect("open");
            session.insert("guarded", &(read + 1)).expect("open");
        }
        match wish {
            4 => session.rotate().expect("open"),
            5 => session.set_owner("alice").expect("open"),
            6 | 7 => session.renew().expect("open"),
            8 => session.set_persistent(name % 2 == 0).expect("open"),
            _ => {}
        }
        self.requests.push(Request { name, session, commit: None, guarded, strict: wish == 4 || wish == 5 });
    }

    /// The cookie was ended by a rotation whose response never came. The user signs in again: the same session, for the
    /// test's sake.
    fn sign_in_again(&mut self) {
        let id = self.cookie.id();
        let session = self.kit.peek(id);
        session.rotate().expect("open");
        self.cookie = token(&block_on(self.kit.others.set_session(&session)).expect("the store answers"));
    }

    /// One of the commits goes on to its next call, or is dropped.
    fn step(&mut self) {
        let at = self.rng.usize(..self.requests.len());
        let request = &mut self.requests[at];
        let commit = request.commit.get_or_insert_with(|| {
            let (manager, session) = (self.kit.manager.clone(), request.session.clone());
            Box::pin(async move { manager.commit(&session).await })
        });
        match commit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending if self.rng.u8(..20) == 0 => request.commit = None,
            Poll::Pending => {}
            // An error may be the end of it, or it is taken up again.
            Poll::Ready(Err(_)) if self.rng.bool() => request.commit = None,
            Poll::Ready(result) => {
                let request = self.requests.swap_remove(at);
                self.heard(&request, result);
            }
        }
    }

    fn heard(&mut self, request: &Request, result: Result<Committed, Error>) {
        let opened_by = request.session.state().presented.clone();
        let stored = match result {
            Ok(Committed { outcome: Outcome::Written, cookie }) => {
                self.said.over.extend(opened_by.filter(|_| request.strict));
                if let CookieChange::Set { token, .. } = cookie {
                    self.cookie = token;
                }
                Some(true)
            }
            Ok(Committed { outcome: Outcome::Lost, cookie }) => {
                assert_eq!(cookie, CookieChange::Keep);
                Some(false)
            }
            Ok(other) => panic!("{other:?} for a request that writes"),
            Err(error) if error.is_indeterminate() => None,
            Err(error) => {
                assert!(error.is_unavailable() || error.is_contended(), "{error}");
                Some(false)
            }
        };
        self.said.guarded += u64::from(request.guarded && stored == Some(true));
        self.said.guarded_unknown += u64::from(request.guarded && stored.is_none());
        self.said.stored.insert(request.name, stored);
    }

    fn run(&mut self) {
        for _ in 0..self.rng.usize(50..300) {
            match self.rng.u8(..10) {
                0..3 if self.requests.len() < 8 => self.arrive(),
                3 => self.kit.clock.advance(Duration::from_millis(self.rng.u64(..400))),
                4 if self.rng.u8(..4) == 0 => self.kit.store.land(),
                _ if self.requests.is_empty() => self.arrive(),
                _ => self.step(),
            }
        }
        // The trouble is over: every commit comes to its end.
        self.kit.store.recover();
        while !self.requests.is_empty() {
            self.step();
        }
        self.kit.store.land();
    }

    fn assert_as_said(&self, round: usize) {
        let session = self.kit.peek(self.cookie.id());
        let log: Vec<u32> = session.get("log").expect("a list").unwrap_or_default();
        for (name, said) in &self.said.stored {
            let times = log.iter().filter(|logged| *logged == name).count();
            let found = session.contains(name.to_string());
            assert_eq!(found, times == 1, "round {round}: request {name} is there in part");
            match said {
                Some(true) => assert_eq!(times, 1, "round {round}: request {name} was acknowledged"),
                Some(false) => assert_eq!(times, 0, "round {round}: request {name} was said not to be written"),
                None => assert!(times <= 1, "round {round}: request {name} was applied twice"),
            }
        }
        let guarded = session.get::<u64>("guarded").expect("a number").unwrap_or(0);
        let least = self.said.guarded;
        assert!((least..=least + self.said.guarded_unknown).contains(&guarded), "round {round}: {guarded} of {least}");
        for token in self.said.over.iter().filter(|token| **token != self.cookie) {
            assert!(!self.kit.opens(token), "round {round}: a token from before a rotation");
        }
    }
}

#[test]
fn what_the_commits_said_is_what_is_stored() {
    let mut rng = seeded("what_the_commits_said_is_what_is_stored");
    let mut unknown = 0;
    for round in 0..ROUNDS {
        let mut world = World::new(rng.fork());
        world.run();
        world.assert_as_said(round);
        unknown += world.said.stored.values().filter(|said| said.is_none()).count();
    }
    assert!(unknown > 0, "there was no trouble");
}

/// Once a destroy was acknowledged, nothing that was under way brings the session back.
#[test]
fn what_was_destroyed_under_way_stays_so() {
    let mut rng = seeded("what_was_destroyed_under_way_stays_so");
    for round in 0..ROUNDS {
        let mut world = World::new(rng.fork());
        let id = world.cookie.id();
        (0..6).for_each(|_| world.arrive());
        let destroyer = world.kit.others.begin(Some(world.cookie.clone()));
        block_on(world.kit.others.open(&destroyer)).expect("the store answers");
        destroyer.destroy().expect("open");
        for _ in 0..world.rng.usize(..40) {
            if !world.requests.is_empty() {
                world.step();
            }
        }
        let gone: Option<Stored> = match block_on(world.kit.manager.commit(&destroyer)) {
            Ok(committed) => {
                assert_eq!(committed.outcome, Outcome::Deleted);
                world.kit.store.stored(id)
            }
            Err(_) => continue,
        };
        assert!(gone.is_none(), "round {round}");
        while !world.requests.is_empty() {
            world.step();
            world.kit.store.land();
            assert!(world.kit.store.stored(id).is_none(), "round {round}: it is back");
        }
    }
}
