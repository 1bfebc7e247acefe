//! The invariants, checked from outside: what the tests call when nobody else uses the store.

use std::thread;

use super::*;

impl Sessions {
    /// Fails unless map, index and meter tell the same story, to the last session and byte.
    pub(crate) fn audit(&self) {
        let mut found = Amount::default();
        let mut owned = 0;
        for (id, slot) in &self.map {
            let held = slot.lock();
            let held = held.as_ref().expect("a dead slot is not in the map");
            assert!(self.index.contains(&id, held), "{id} is not in the index as its slot has it");
            found = Amount { sessions: found.sessions + 1, bytes: found.bytes + held.record.len() };
            owned += usize::from(held.owner.is_some());
        }
        assert_eq!(self.meter.used(), found, "the meter and the map differ");
        assert_eq!(self.index.sizes(), (found.sessions, owned), "the index holds what the map does not");
        assert!(
            found.sessions <= self.max().sessions && found.bytes <= self.max().bytes,
            "{found:?} is over the bounds"
        );
    }
}

/// Rules 2 and 3, watched by a second thread while a session comes and goes.
#[test]
fn g08_a_slot_is_alive_in_all_books_or_dead_in_none() {
    let sessions = Sessions::new(Amount { sessions: 1, bytes: 5 });
    thread::scope(|scope| {
        let busy = scope.spawn(|| {
            for _ in 0..20_000 {
                create(&sessions);
                assert!(sessions.delete(&ID, Timestamp::default()));
            }
        });
        while !busy.is_finished() {
            let Some(slot) = sessions.map.get(&ID) else { continue };
            match slot.lock().as_ref() {
                Some(held) => assert!(sessions.index.contains(&ID, held), "in the map and not in the index"),
                None => {
                    let there = sessions.map.get(&ID);
                    assert!(there.is_none_or(|there| !Arc::ptr_eq(&there, &slot)), "dead and still in the map");
                }
            }
        }
    });
    sessions.audit();
}

fn with_one_session() -> Sessions {
    let sessions = Sessions::new(Amount { sessions: 2, bytes: 10 });
    create(&sessions);
    sessions.audit();
    sessions
}

fn create(sessions: &Sessions) {
    let entry = Entry {
        version: Version::from_u64(1),
        record: "hello".into(),
        owner: Owner::new("alice").ok(),
        deadline: Timestamp::MAX,
    };
    let created = sessions.create(&ID, &entry, Duration::from_secs(1), Timestamp::default());
    assert_eq!(created.expect("there is room"), CreateOutcome::Created);
}

const ID: SessionId = SessionId::from_bytes([1; 16]);

/// The audit is itself tested: each of these breaks one rule.
mod controls {
    use super::*;

    #[test]
    #[should_panic(expected = "the meter and the map differ")]
    fn an_audit_sees_a_byte_that_is_not_counted() {
        let sessions = with_one_session();
        assert!(sessions.meter.resize(5, 4));
        sessions.audit();
    }

    #[test]
    #[should_panic(expected = "the index holds what the map does not")]
    fn an_audit_sees_an_owner_that_is_not_forgotten() {
        let sessions = with_one_session();
        sessions.index.set_owner(&ID, None, Owner::new("bob").ok().as_ref());
        sessions.audit();
    }

    #[test]
    #[should_panic(expected = "is not in the index as its slot has it")]
    fn an_audit_sees_an_expiry_that_moved_alone() {
        let sessions = with_one_session();
        sessions.index.set_expiry(&ID, Timestamp::from_millis(1_000), Timestamp::from_millis(2_000));
        sessions.audit();
    }

    #[test]
    #[should_panic(expected = "a dead slot is not in the map")]
    fn an_audit_sees_the_dead() {
        let sessions = with_one_session();
        sessions.map.get(&ID).expect("it is there").lock().take();
        sessions.audit();
    }
}
