//! Random operations against a map that is too simple to be wrong.

use std::collections::HashMap;

use fastrand::Rng;
use sessions_core::Clock;

use super::*;

const OWNERS: [&str; 3] = ["alice", "bob", "carol"];
const MAX_SESSIONS: usize = 6;
const MAX_BYTES: usize = 40;

/// Live sessions only: what has expired is dropped before each operation.
#[derive(Default)]
struct Model(HashMap<SessionId, Stored>);

impl Model {
    fn create(&mut self, id: SessionId, entry: &Entry, expires_at: Timestamp) -> Option<CreateOutcome> {
        if let Some(there) = self.0.get(&id) {
            return Some(CreateOutcome::Exists(there.clone()));
        }
        if self.0.len() == MAX_SESSIONS || self.bytes() + entry.record.len() > MAX_BYTES {
            return None;
        }
        self.0.insert(id, stored(entry, expires_at));
        Some(CreateOutcome::Created)
    }

    fn update(
        &mut self,
        id: SessionId,
        expected: u64,
        entry: &Entry,
        expires_at: Option<Timestamp>,
    ) -> Option<UpdateOutcome> {
        let bytes = self.bytes();
        let Some(there) = self.0.get_mut(&id) else { return Some(UpdateOutcome::Absent) };
        if there.version.as_u64() != expected {
            return Some(UpdateOutcome::Conflict(there.clone()));
        }
        let grows = entry.record.len() > there.record.len();
        if grows && bytes - there.record.len() + entry.record.len() > MAX_BYTES {
            return None;
        }
        *there = stored(entry, expires_at.unwrap_or(there.expires_at));
        Some(UpdateOutcome::Written)
    }

    fn touch(&mut self, id: SessionId, expected: u64, expires_at: Timestamp) -> bool {
        let there = self.0.get_mut(&id).filter(|there| there.version.as_u64() == expected);
        there.map(|there| there.expires_at = expires_at).is_some()
    }

    fn delete(&mut self, ids: &[SessionId]) -> u64 {
        ids.iter().filter(|id| self.0.remove(*id).is_some()).count() as u64
    }

    fn owned_by(&self, owner: &str) -> Vec<SessionId> {
        let is_owner = |there: &Stored| there.owner.as_ref().is_some_and(|there| there.as_str() == owner);
        let mut ids: Vec<_> = self.0.iter().filter(|(_, there)| is_owner(there)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, there| now < there.expires_at);
    }

    fn bytes(&self) -> usize {
        self.0.values().map(|there| there.record.len()).sum()
    }
}

#[test]
fn every_answer_is_that_of_a_simple_map() {
    let mut rng = Rng::with_seed(seed("every_answer_is_that_of_a_simple_map"));
    for _ in 0..200 {
        let desk = Desk::with(MemoryStore::builder().max_sessions(MAX_SESSIONS).max_bytes(MAX_BYTES));
        let mut model = Model::default();
        for _ in 0..500 {
            step(&desk, &mut model, &mut rng);
        }
        desk.audit();
    }
}

fn step(desk: &Desk, model: &mut Model, rng: &mut Rng) {
    if rng.u8(..4) == 0 {
        desk.clock.advance(Duration::from_millis(rng.u64(..40)));
    }
    let now = desk.clock.now();
    model.expire(now);

    // Few ids, versions and sizes, so that they meet.
    let id = id(rng.u64(..9));
    let expected = rng.u64(..3);
    let ttl = Duration::from_millis(rng.u64(1..100));
    let owner = rng.choice(OWNERS).filter(|_| rng.bool());
    let entry = Entry {
        owner: owner.map(|owner| Owner::new(owner).expect("a valid owner")),
        ..entry(rng.u64(..3), vec![rng.u8(..); rng.usize(..12)])
    };

    match rng.u8(..7) {
        0 | 1 => {
            let answer = desk.try_create(id, &entry, ttl);
            assert!(answer.as_ref().err().is_none_or(StoreError::is_full), "{answer:?}");
            assert_eq!(answer.ok(), model.create(id, &entry, now.after(ttl)));
        }
        2 | 3 => {
            let ttl = if rng.bool() { Ttl::After(ttl) } else { Ttl::Keep };
            let expires_at = if let Ttl::After(ttl) = ttl { Some(now.after(ttl)) } else { None };
            let answer = desk.try_update(id, expected, &entry, ttl);
            assert!(answer.as_ref().err().is_none_or(StoreError::is_full), "{answer:?}");
            assert_eq!(answer.ok(), model.update(id, expected, &entry, expires_at));
        }
        4 => assert_eq!(desk.touch(id, expected, ttl), model.touch(id, expected, now.after(ttl))),
        5 => {
            let ids = [id, super::id(rng.u64(..9))];
            assert_eq!(desk.delete(&ids), model.delete(&ids));
        }
        _ => drop(desk.purge(rng.u32(..3))),
    }
    assert_eq!(desk.load(id), model.0.get(&id).cloned());
    let owner = rng.choice(OWNERS).unwrap_or("alice");
    assert_eq!(desk.owned_by(owner), model.owned_by(owner));
    assert_eq!(desk.store.usage().live, model.0.len());
}

fn stored(entry: &Entry, expires_at: Timestamp) -> Stored {
    let Entry { version, record, owner, deadline: _ } = entry.clone();
    Stored { version, record, expires_at, owner }
}
