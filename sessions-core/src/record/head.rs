//! What a record says besides its values, read from its bytes when it is asked for.

use std::time::Duration;

use super::{IDLE, LIFETIME, OWNER, PERSISTENCE, PERSISTENT, PREVIOUS, RECENT, Reader, Record, TIME, text};
use crate::clock::Timestamp;
use crate::expiry::Overrides;
use crate::store::Version;
use crate::token::Verifier;

const CREATED_AT: usize = 2;
const ISSUED_AT: usize = CREATED_AT + TIME;
const DEADLINE: usize = ISSUED_AT + TIME;
const VERIFIER: usize = DEADLINE + TIME;
const PREVIOUS_AT: usize = VERIFIER + 32;

const ROOM: &str = "`parse` has found room for it";

/// Where a record with these flags has its superseded versions.
pub(super) const fn recent_at(flags: u8) -> usize {
    if flags & PREVIOUS == 0 { PREVIOUS_AT } else { PREVIOUS_AT + 32 + TIME }
}

/// Everything of a record but the owner and the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) created_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) deadline: Timestamp,
    pub(crate) verifier: Verifier,
    pub(crate) previous: Option<Previous>,
    pub(crate) recent: Recent,
    pub(crate) overrides: Overrides,
}

/// The token that a renewal replaced, valid until its grace ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) verifier: Verifier,
    pub(crate) grace_ends: Timestamp,
}

/// The last few superseded versions, newest first: they settle whether a write that was never answered has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Recent {
    pub(super) versions: [u64; RECENT],
    pub(super) len: u8,
}

impl Recent {
    pub(crate) fn contains(&self, version: Version) -> bool {
        self.as_slice().contains(&version.as_u64())
    }

    /// These versions after `superseded` was replaced by a new one.
    pub(crate) fn push(self, superseded: Version) -> Self {
        let mut versions = [superseded.as_u64(); RECENT];
        versions[1..].copy_from_slice(&self.versions[..RECENT - 1]);
        Self { versions, len: self.len.saturating_add(1).min(4) }
    }

    pub(super) fn as_slice(&self) -> &[u64] {
        &self.versions[..usize::from(self.len)]
    }
}

// Invariant: `parse` has found room for everything that the flags say is there.
impl Record {
    /// When the session was created.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.time(CREATED_AT)
    }

    /// When the session opens for nobody any more.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.time(DEADLINE)
    }

    /// Whose session it is.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        if self.flags() & OWNER == 0 {
            return None;
        }
        let recent = recent_at(self.flags());
        let start = recent + 1 + 8 * usize::from(self.bytes[recent]) + 1;
        let owner = text(&self.bytes[start..self.overrides]);
        (!owner.is_empty()).then_some(owner)
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            created_at: self.created_at(),
            issued_at: self.issued_at(),
            deadline: self.deadline(),
            verifier: self.verifier(),
            previous: self.previous(),
            recent: self.recent(),
            overrides: self.overrides(),
        }
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        self.time(ISSUED_AT)
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.read(VERIFIER).verifier().expect(ROOM)
    }

    pub(crate) fn previous(&self) -> Option<Previous> {
        if self.flags() & PREVIOUS == 0 {
            return None;
        }
        let mut read = self.read(PREVIOUS_AT);
        Some(Previous { verifier: read.verifier().expect(ROOM), grace_ends: read.timestamp().expect(ROOM) })
    }

    pub(crate) fn recent(&self) -> Recent {
        let mut read = self.read(recent_at(self.flags()));
        let mut recent = Recent { len: read.u8().expect(ROOM), ..Recent::default() };
        for version in &mut recent.versions[..usize::from(recent.len)] {
            *version = read.u64().expect(ROOM);
        }
        recent
    }

    pub(crate) fn overrides(&self) -> Overrides {
        let flags = self.flags();
        let mut read = self.read(self.overrides);
        let mut millis_if = |flag: u8| (flags & flag != 0).then(|| read.u64().expect(ROOM));
        let lifetime = millis_if(LIFETIME).map(Duration::from_millis);
        let idle_timeout = millis_if(IDLE).map(|idle| (idle != u64::MAX).then(|| Duration::from_millis(idle)));
        let persistent = (flags & PERSISTENCE != 0).then_some(flags & PERSISTENT != 0);
        Overrides { lifetime, idle_timeout, persistent }
    }

    fn flags(&self) -> u8 {
        self.bytes[1]
    }

    fn time(&self, at: usize) -> Timestamp {
        self.read(at).timestamp().expect(ROOM)
    }

    fn read(&self, at: usize) -> Reader<'_> {
        Reader { bytes: &self.bytes, at }
    }
}
