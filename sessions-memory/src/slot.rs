//! One session's place in the map.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use sessions_core::{Entry, Owner, Stored, Timestamp, Version};

use crate::shards::lock;

/// A session behind its own lock, which decides every race about it (G5).
///
/// Invariant: `None` means dead, and a dead slot stays dead. It is emptied once, under its lock, together with its removal
/// from the map; whoever still has it in hand finds nothing to write to (G8).
#[derive(Debug)]
pub(crate) struct Slot(Mutex<Option<Held>>);

/// What a slot holds: 64 bytes, the niche of `None` included, besides the record itself.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) version: Version,
    pub(crate) record: Bytes,
    pub(crate) owner: Option<Owner>,
    pub(crate) expires_at: Timestamp,
}

impl Slot {
    pub(crate) fn new(held: Held) -> Self {
        Self(Mutex::new(Some(held)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        lock(&self.0)
    }
}

impl Held {
    pub(crate) fn new(entry: &Entry, expires_at: Timestamp) -> Self {
        let Entry { version, record, owner, deadline: _ } = entry;
        Self { version: *version, record: own(record), owner: owner.clone(), expires_at }
    }

    /// Takes over what an update writes, apart from the expiry. An owner that stays is not replaced by its equal.
    pub(crate) fn write(&mut self, entry: &Entry) {
        let Entry { version, record, owner, deadline: _ } = entry;
        self.version = *version;
        self.record = own(record);
        if self.owner != *owner {
            self.owner.clone_from(owner);
        }
    }

    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What `load` answers: shares the record, copies nothing.
    pub(crate) fn stored(&self) -> Stored {
        let Self { version, record, owner, expires_at } = self;
        Stored { version: *version, record: record.clone(), expires_at: *expires_at, owner: owner.clone() }
    }
}

/// A copy of exactly these bytes. Deliberately not a shared handle: the writer's bytes may be a slice of a larger buffer,
/// which would stay alive behind it uncounted.
fn own(record: &Bytes) -> Bytes {
    Bytes::copy_from_slice(record)
}
