//! The map of sessions and its races.
//!
//! The map is read without a lock; each session is decided under the lock of its [`Slot`]. These rules make every operation
//! atomic and the books exact; `audit.rs` checks them.
//!
//! 1. Invariant: a slot enters the map alive, in [`create`](Sessions::create), under the shard lock of its id and its own, when
//!    no other slot is there.
//! 2. Invariant: a slot leaves the map in [`bury`](Sessions::bury), under its own lock, which it does not leave alive. So an id
//!    that is removed is never that of a successor, and a dead slot in hand is in the map no more.
//! 3. Invariant: index and meter change with the slot, under its lock. The map is first in and last out: what the index
//!    proposes is in the map, or was buried a moment ago.
//! 4. Locks are taken in this order: shard of creates, one slot, then index or meter for a moment. Never two slots at once,
//!    but for the new one that nobody has found yet. So there is no deadlock.
//! 5. The clock is read once an operation, before the locks: no foreign code runs under them.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, StoreError, Stored, Timestamp, Ttl, UpdateOutcome, Version,
};

use crate::hasher::IdState;
use crate::index::Index;
use crate::meter::{Amount, Meter};
use crate::shards::Shards;
use crate::slot::{Held, Slot};

/// How many expired sessions are looked up at once: what is held in memory while they are removed.
const BATCH: usize = 256;

/// The sessions of one store. Every method is atomic by itself and takes the time at which it is judged (G3).
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Deliberately without a capacity, an expiry or a listener of its own: it is a map, and no policy of it ever removes a
    /// session (G17).
    map: Cache<SessionId, Arc<Slot>, IdState>,
    /// Who creates a session holds the shard of its id: two racing creates have one winner (G4).
    creating: Shards<()>,
    index: Index,
    meter: Meter,
}

impl Sessions {
    pub(crate) fn new(max: Amount) -> Self {
        Self {
            map: Cache::builder().build_with_hasher(IdState::default()),
            creating: Shards::default(),
            index: Index::default(),
            meter: Meter::new(max),
        }
    }

    pub(crate) fn load(&self, id: &SessionId, now: Timestamp) -> Option<Stored> {
        self.live(id, now, |held| held.stored())
    }

    pub(crate) fn create(
        &self,
        id: &SessionId,
        entry: &Entry,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<CreateOutcome, StoreError> {
        let creating = self.creating.lock(id);
        if let Some(slot) = self.map.get(id) {
            let mut held = slot.lock();
            if let Some(held) = held.as_ref().filter(|held| held.is_live(now)) {
                return Ok(CreateOutcome::Exists(held.stored()));
            }
            self.bury(id, &mut held);
        }
        self.with_room(now, || self.meter.enter(entry.record.len()).then_some(()))?;

        let slot = Arc::new(Slot::new(Held::new(entry, after(now, ttl))));
        let held = slot.lock();
        self.map.insert(*id, Arc::clone(&slot));
        if let Some(held) = held.as_ref() {
            self.index.insert(id, held);
        }
        drop(held);
        drop(creating);

        // What keeps a store small that nobody purges: who adds a session clears up beside it.
        for id in self.index.overdue(id, now) {
            self.bury_expired(&id, now);
        }
        Ok(CreateOutcome::Created)
    }

    pub(crate) fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
        now: Timestamp,
    ) -> Result<UpdateOutcome, StoreError> {
        self.with_room(now, || {
            let outcome = self.live(id, now, |held| {
                if held.version != expected {
                    return Some(UpdateOutcome::Conflict(held.stored()));
                }
                if !self.meter.resize(held.record.len(), entry.record.len()) {
                    return None;
                }
                // `change.reindex` goes unasked: comparing the owners is as cheap as trusting it.
                self.index.set_owner(id, held.owner.as_ref(), entry.owner.as_ref());
                held.write(entry);
                if let Ttl::After(ttl) = change.ttl {
                    self.set_expiry(id, held, after(now, ttl));
                }
                Some(UpdateOutcome::Written)
            });
            outcome.unwrap_or(Some(UpdateOutcome::Absent))
        })
    }

    pub(crate) fn touch(&self, id: &SessionId, expected: Version, ttl: Duration, now: Timestamp) -> bool {
        let touched = self.live(id, now, |held| {
            let expected = held.version == expected;
            if expected {
                self.set_expiry(id, held, after(now, ttl));
            }
            expected
        });
        touched.unwrap_or(false)
    }

    /// Whether it was live.
    pub(crate) fn delete(&self, id: &SessionId, now: Timestamp) -> bool {
        let Some(slot) = self.map.get(id) else { return false };
        let mut held = slot.lock();
        let was_live = held.as_ref().is_some_and(|held| held.is_live(now));
        self.bury(id, &mut held);
        was_live
    }

    pub(crate) fn owned_by(&self, owner: &Owner, now: Timestamp) -> Vec<SessionId> {
        let mut ids = self.index.owned_by(owner);
        ids.retain(|id| self.live(id, now, |held| held.owner.as_ref() == Some(owner)).unwrap_or(false));
        ids
    }

    /// Removes at most `limit` expired sessions and counts them (G16).
    pub(crate) fn purge(&self, limit: usize, now: Timestamp) -> usize {
        let mut purged = 0;
        while purged < limit {
            let expired = self.index.expired(now, BATCH.min(limit - purged));
            // One that is not buried here was buried, replaced or prolonged by another thread meanwhile.
            match expired.iter().filter(|id| self.bury_expired(id, now)).count() {
                0 => break,
                buried => purged += buried,
            }
        }
        purged
    }

    /// What is held, expired or not.
    pub(crate) fn held(&self) -> Amount {
        self.meter.used()
    }

    pub(crate) fn max(&self) -> Amount {
        self.meter.max()
    }

    pub(crate) fn count_expired(&self, now: Timestamp) -> usize {
        self.index.count_expired(now)
    }

    /// Runs `f` alone with the live session under `id`.
    fn live<T>(&self, id: &SessionId, now: Timestamp, f: impl FnOnce(&mut Held) -> T) -> Option<T> {
        let slot = self.map.get(id)?;
        let mut held = slot.lock();
        let held = held.as_mut()?;
        if held.is_live(now) {
            return Some(f(held));
        }
        // What was once seen expired stays so, even if the clock jumps back.
        self.set_expiry(id, held, Timestamp::default());
        None
    }

    /// Moves the expiry, on the held session's slot and in the index together.
    fn set_expiry(&self, id: &SessionId, held: &mut Held, to: Timestamp) {
        self.index.set_expiry(id, held.expires_at, to);
        held.expires_at = to;
    }

    fn bury_expired(&self, id: &SessionId, now: Timestamp) -> bool {
        let Some(slot) = self.map.get(id) else { return false };
        let mut held = slot.lock();
        held.as_ref().is_some_and(|held| !held.is_live(now)) && self.bury(id, &mut held)
    }

    /// The end of a session, the only one there is. `held` is what the lock of the slot under `id` guards.
    fn bury(&self, id: &SessionId, held: &mut Option<Held>) -> bool {
        let Some(held) = held.take() else { return false };
        // In this order: who no longer finds an expired session to purge finds the room that it left.
        self.meter.leave(held.record.len());
        self.index.remove(id, &held);
        self.map.invalidate(id);
        true
    }

    /// Repeats `attempt`, which is `None` for want of room, while there are expired sessions to purge; then it is full (G17).
    ///
    /// `attempt` leaves no slot locked. It has the last word: what another thread purges meanwhile is room as well.
    fn with_room<T>(&self, now: Timestamp, attempt: impl Fn() -> Option<T>) -> Result<T, StoreError> {
        loop {
            if let Some(done) = attempt() {
                return Ok(done);
            }
            if self.purge(BATCH, now) == 0 {
                return attempt().ok_or_else(StoreError::full);
            }
        }
    }
}

fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    now.after(Duration::from_millis(ttl_millis(ttl)))
}

#[cfg(test)]
mod audit;
