//! Calls a store and writes down what was asked and what was answered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionStore, StoreError, Stored, Timestamp, Ttl, UpdateOutcome, Version,
};

use super::{Answer, Call, Line, Number, Operation, Seen, id, now};

/// A store whose calls are told before they are made, and whose answers are told when they have come.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn SessionStore>,
    origin: Timestamp,
    tell: Arc<dyn Fn(Line) + Send + Sync>,
}

impl Recorder {
    /// Records the calls of a store. All processes of a history need the same `origin`, which is about now: expiries are told
    /// apart by how long after it they are.
    pub fn new(store: Arc<dyn SessionStore>, origin: Timestamp, tell: impl Fn(Line) + Send + Sync + 'static) -> Self {
        Self { store, origin, tell: Arc::new(tell) }
    }

    /// Makes one call; the answer, if it came.
    ///
    /// # Panics
    ///
    /// When the store returns what nobody can have written (G1), or an error that it has no reason for.
    pub async fn perform(&self, number: Number, session: u64, call: Call) -> Option<Answer> {
        let from = now();
        (self.tell)(Line::Began(Operation { number, session, call, from, end: None, repeat: false }));
        let outcome = self.call(session, call).await;
        let until = now();
        match outcome {
            Ok(answer) => {
                (self.tell)(Line::Ended { number, until, answer });
                return Some(answer);
            }
            // What only reads has no effect, whatever the error says.
            Err(error) if error.is_unavailable() || call == Call::Load => (self.tell)(Line::Void(number)),
            Err(error) if error.is_indeterminate() => {}
            Err(error) => panic!("{number} {call} on session {session}: {error}"),
        }
        None
    }

    async fn call(&self, session: u64, call: Call) -> Result<Answer, StoreError> {
        let (store, id) = (&self.store, id(session));
        let done = |done: bool, otherwise| if done { Answer::Done } else { otherwise };
        Ok(match call {
            Call::Load => self.found(store.load(&id).await?),
            Call::Create(Seen { version, mark }) => match store.create(&id, &entry(version), ttl(mark)).await? {
                CreateOutcome::Created => Answer::Done,
                CreateOutcome::Exists(there) => self.found(Some(there)),
            },
            Call::Update { expected, version, mark } => {
                let ttl = mark.map_or(Ttl::Keep, |mark| Ttl::After(ttl(mark)));
                let change = Change { ttl, reindex: owner(expected) != owner(version) };
                match store.update(&id, Version::from_u64(expected), &entry(version), change).await? {
                    UpdateOutcome::Written => Answer::Done,
                    UpdateOutcome::Absent => Answer::Absent,
                    UpdateOutcome::Conflict(there) => self.found(Some(there)),
                }
            }
            Call::Touch { expected, mark } => {
                done(store.touch(&id, Version::from_u64(expected), ttl(mark)).await?, Answer::Refused)
            }
            Call::Delete => done(store.delete(&[id]).await? > 0, Answer::Absent),
        })
    }

    fn found(&self, stored: Option<Stored>) -> Answer {
        let Some(Stored { version, record, expires_at, owner: owned }) = stored else { return Answer::Absent };
        let version = version.as_u64();
        assert_eq!(record, entry(version).record, "G1: the record of another write");
        assert_eq!(owned, owner(version), "G1: the owner of another write");
        Answer::There(Seen { version, mark: mark_of(expires_at.since(self.origin)) })
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A mark is a time to live of so many hours: whatever minutes a test takes, and however much the store's clock is off, it can
/// be read from the expiry.
fn ttl(mark: u64) -> Duration {
    Duration::from_secs(mark * MARK_SECONDS)
}

fn mark_of(from_origin: Duration) -> u64 {
    (from_origin.as_secs() + MARK_SECONDS / 2) / MARK_SECONDS
}

/// What is written under a version: every part of it follows from the version, so that a mixture of two is seen.
fn entry(version: u64) -> Entry {
    let bytes = version.to_be_bytes();
    let length = if version.is_multiple_of(16) { 8 * 1024 } else { usize::from(bytes[7]) };
    let record: Vec<u8> = bytes.into_iter().chain(std::iter::repeat_n(bytes[7], length)).collect();
    Entry {
        version: Version::from_u64(version),
        record: record.into(),
        owner: owner(version),
        deadline: Timestamp::MAX,
    }
}

fn owner(version: u64) -> Option<Owner> {
    match version % 3 {
        0 => None,
        rest => Owner::new(if rest == 1 { "alice" } else { "bob" }).ok(),
    }
}

const MARK_SECONDS: u64 = 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_from_the_expiry_also_after_minutes_and_on_a_clock_that_is_off() {
        for mark in [1, 2, 100, 50_000] {
            for off in [0, 60, 1_500] {
                assert_eq!(mark_of(ttl(mark) + Duration::from_secs(off)), mark);
                assert_eq!(mark_of(ttl(mark) - Duration::from_secs(off)), mark);
            }
        }
    }
}
