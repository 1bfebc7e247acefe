//! Which sessions expire when, and whose they are.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use sessions_core::{Owner, SessionId, Timestamp};

use crate::shards::Shards;
use crate::slot::Held;

/// The sessions in two orders: by expiry, for purging (G16), and by owner (G15).
///
/// Invariant: a session is in it exactly while its slot is not dead, under the slot's expiry and owner. Every change is made
/// under the lock of that slot. The index proposes; whoever acts on an id asks its slot, which decides.
#[derive(Debug, Default)]
pub(crate) struct Index {
    shards: Shards<Orders>,
    hasher: RandomState,
}

/// Ordered sets, because they remove one entry in logarithmic time, whatever one owner or one instant has collected.
#[derive(Debug, Default)]
struct Orders {
    by_expiry: BTreeSet<(Timestamp, SessionId)>,
    /// Under a keyed hash of the owner: short, and of one size. Two owners with one hash are told apart by their slots.
    by_owner: BTreeSet<(u64, SessionId)>,
}

impl Index {
    /// How many expired sessions a shard keeps for the next purge before [`overdue`](Self::overdue) proposes them.
    const BATCH: usize = 32;

    pub(crate) fn insert(&self, id: &SessionId, held: &Held) {
        let owner = self.hash(held.owner.as_ref());
        let mut orders = self.shards.lock(id);
        orders.by_expiry.insert((held.expires_at, *id));
        orders.by_owner.extend(owner.map(|owner| (owner, *id)));
    }

    pub(crate) fn remove(&self, id: &SessionId, held: &Held) {
        let owner = self.hash(held.owner.as_ref());
        let mut orders = self.shards.lock(id);
        orders.by_expiry.remove(&(held.expires_at, *id));
        if let Some(owner) = owner {
            orders.by_owner.remove(&(owner, *id));
        }
    }

    pub(crate) fn set_expiry(&self, id: &SessionId, from: Timestamp, to: Timestamp) {
        if from != to {
            let mut orders = self.shards.lock(id);
            orders.by_expiry.remove(&(from, *id));
            orders.by_expiry.insert((to, *id));
        }
    }

    pub(crate) fn set_owner(&self, id: &SessionId, from: Option<&Owner>, to: Option<&Owner>) {
        if from != to {
            let (from, to) = (self.hash(from), self.hash(to));
            let mut orders = self.shards.lock(id);
            if let Some(from) = from {
                orders.by_owner.remove(&(from, *id));
            }
            orders.by_owner.extend(to.map(|to| (to, *id)));
        }
    }

    /// Everything that may be a session of this owner.
    pub(crate) fn owned_by(&self, owner: &Owner) -> Vec<SessionId> {
        let owner = self.hasher.hash_one(owner);
        let mut ids = Vec::new();
        for orders in self.shards.each() {
            let of_owner = orders.by_owner.range((owner, FIRST)..=(owner, LAST));
            ids.extend(of_owner.map(|(_, id)| *id));
        }
        ids
    }

    /// At most `limit` sessions that have expired.
    pub(crate) fn expired(&self, now: Timestamp, limit: usize) -> Vec<SessionId> {
        let mut ids = Vec::new();
        for orders in self.shards.each() {
            ids.extend(orders.expired(now).take(limit - ids.len()));
            if ids.len() == limit {
                break;
            }
        }
        ids
    }

    /// The sessions beside `id` that have expired, once a batch of them has come together; else none.
    pub(crate) fn overdue(&self, id: &SessionId, now: Timestamp) -> Vec<SessionId> {
        let orders = self.shards.lock(id);
        match orders.expired(now).nth(Self::BATCH - 1) {
            Some(_) => orders.expired(now).take(Self::BATCH).collect(),
            None => Vec::new(),
        }
    }

    /// How many sessions have expired and are still held. Looks at each of them.
    pub(crate) fn count_expired(&self, now: Timestamp) -> usize {
        self.shards.each().map(|orders| orders.expired(now).count()).sum()
    }

    /// How many entries each order has.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let sizes = self.shards.each().map(|orders| (orders.by_expiry.len(), orders.by_owner.len()));
        sizes.fold((0, 0), |(expiries, owners), (a, b)| (expiries + a, owners + b))
    }

    #[cfg(test)]
    pub(crate) fn contains(&self, id: &SessionId, held: &Held) -> bool {
        let owner = self.hash(held.owner.as_ref());
        let orders = self.shards.lock(id);
        orders.by_expiry.contains(&(held.expires_at, *id))
            && owner.is_none_or(|owner| orders.by_owner.contains(&(owner, *id)))
    }

    fn hash(&self, owner: Option<&Owner>) -> Option<u64> {
        owner.map(|owner| self.hasher.hash_one(owner))
    }
}

impl Orders {
    fn expired(&self, now: Timestamp) -> impl Iterator<Item = SessionId> {
        self.by_expiry.range(..=(now, LAST)).map(|(_, id)| *id)
    }
}

const FIRST: SessionId = SessionId::from_bytes([u8::MIN; 16]);
const LAST: SessionId = SessionId::from_bytes([u8::MAX; 16]);
