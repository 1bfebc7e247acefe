//! The jobs of the two lanes: what the contract's operations come down to, the same for every database.

use std::time::Duration;

use sessions_core::{Change, Entry, Owner, SessionId, Stored, Ttl, Version};

/// A job that only reads.
#[derive(Debug, Clone)]
pub(crate) enum Read {
    Load(SessionId),
    OwnedBy(Owner),
}

/// The answer to a [`Read`], of the kind that fits it.
#[derive(Debug)]
pub(crate) enum Found {
    Session(Option<Stored>),
    Ids(Vec<SessionId>),
}

/// A job that writes. Its answer is a number: of rows written, or of live sessions deleted.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Create { id: SessionId, entry: Entry, ttl: Duration },
    Update(Update),
    Touch { id: SessionId, expected: Version, ttl: Duration },
    Delete(Vec<SessionId>),
    Purge { limit: u32 },
}

/// A compare-and-swap.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    pub(crate) id: SessionId,
    pub(crate) expected: Version,
    pub(crate) entry: Entry,
    pub(crate) change: Change,
}

impl Update {
    /// The new time to live, if it changes.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        match self.change.ttl {
            Ttl::Keep => None,
            Ttl::After(ttl) => Some(ttl),
        }
    }

    /// Whether both take the same statement, and can take it together: they set the same columns of different rows.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.id != other.id
            && self.change.reindex == other.change.reindex
            && self.ttl().is_some() == other.ttl().is_some()
    }
}

/// Whether an update can share a statement with those picked. Those of an owner are rare and stay alone.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn fits_updates(picked: &[Write], job: &Write) -> bool {
    let Write::Update(update) = job else { return false };
    !update.change.reindex && picked.iter().all(|other| matches!(other, Write::Update(other) if other.fits(update)))
}

/// Whether the jobs may be run again while the first run may be on its way: a create that arrives late would bring back a session
/// that the second one has created and that has ended since (G8).
pub(crate) fn may_repeat(jobs: &[Write]) -> bool {
    !jobs.iter().any(|job| matches!(job, Write::Create { .. }))
}

/// The ids of the loads among the jobs: all of them, when they were picked to share a statement.
pub(crate) fn loads(jobs: &[Read]) -> Vec<SessionId> {
    let id = |job: &Read| if let Read::Load(id) = job { Some(*id) } else { None };
    jobs.iter().filter_map(id).collect()
}

/// The updates among the jobs: all of them, when they were picked to share a statement.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn updates(jobs: &[Write]) -> Vec<&Update> {
    fn update(job: &Write) -> Option<&Update> {
        if let Write::Update(update) = job { Some(update) } else { None }
    }
    jobs.iter().filter_map(update).collect()
}

/// Each load's answer among the sessions that were found. An id may be asked for more than once.
pub(crate) fn answer_loads(ids: &[SessionId], found: &[(SessionId, Stored)]) -> Vec<Found> {
    let answer = |id| found.iter().find(|(found, _)| found == id).map(|(_, stored)| stored.clone());
    ids.iter().map(|id| Found::Session(answer(id))).collect()
}
