//! Sessions as they were, as they are to become, and as they are found.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Clock, Entry, Owner, SessionId, SessionStore, Stored, SystemClock};

use crate::behind::Problem;

/// A session that an operation is about, or that it must leave alone.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    pub(crate) id: SessionId,
    /// As it was before.
    pub(crate) before: Option<Stored>,
    /// As it is to become.
    pub(crate) after: After,
}

/// What an operation makes of a session.
#[derive(Debug, Clone)]
pub(crate) enum After {
    /// Nothing.
    Unchanged,
    /// This entry; with this time to live, or the expiry that it had.
    Holds(Entry, Option<Duration>),
    /// The same entry with this time to live.
    Touched(Duration),
    /// It is gone.
    Gone,
}

/// As what a session is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Before,
    After,
    /// Neither: the one thing that must not be.
    Else,
}

impl Watched {
    /// Looks at it, and at the lists of the owners that it has or had.
    pub(crate) async fn find(&self, store: &Arc<dyn SessionStore>) -> Result<Found, Problem> {
        let stored = store.load(&self.id).await?;
        Ok(match stored {
            stored if stored == self.before => Found::Before,
            stored if self.has_become(stored.as_ref()) => Found::After,
            _ => Found::Else,
        })
    }

    /// Whether its owners list it if and only if it is theirs, once it has come to rest.
    pub(crate) async fn is_listed_rightly(&self, store: &Arc<dyn SessionStore>) -> Result<bool, Problem> {
        let owner = store.load(&self.id).await?.and_then(|stored| stored.owner);
        for other in self.owners() {
            let listed = store.owned_by(&other).await?.iter().filter(|id| **id == self.id).count();
            if listed != usize::from(owner.as_ref() == Some(&other)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn owners(&self) -> impl Iterator<Item = Owner> {
        let after = if let After::Holds(entry, _) = &self.after { entry.owner.clone() } else { None };
        self.before.as_ref().and_then(|stored| stored.owner.clone()).into_iter().chain(after)
    }

    fn has_become(&self, found: Option<&Stored>) -> bool {
        match (&self.after, found) {
            (After::Gone, None) => true,
            (After::Holds(entry, ttl), Some(found)) => {
                let Stored { version, record, expires_at: _, owner } = found;
                *version == entry.version
                    && *record == entry.record
                    && *owner == entry.owner
                    && self.expires_rightly(found, *ttl)
            }
            (After::Touched(ttl), Some(found)) => {
                self.before
                    .as_ref()
                    .is_some_and(|before| Stored { expires_at: before.expires_at, ..found.clone() } == *before)
                    && self.expires_rightly(found, Some(*ttl))
            }
            (After::Unchanged | After::Holds(..) | After::Touched(_) | After::Gone, _) => false,
        }
    }

    /// The expiry has stayed, or has moved by about the difference of the times to live, all of which are hours apart.
    fn expires_rightly(&self, found: &Stored, ttl: Option<Duration>) -> bool {
        let before = self.before.as_ref().map(|before| before.expires_at);
        let Some(ttl) = ttl else { return Some(found.expires_at) == before };
        let expected = before.unwrap_or_else(|| SystemClock.now().after(BEFORE)).after(ttl.saturating_sub(BEFORE));
        found.expires_at.since(expected).max(expected.since(found.expires_at)) < SLACK
    }
}

/// The time to live of every session before an operation.
pub(crate) const BEFORE: Duration = Duration::from_secs(60 * 60);

/// How far apart the moments at which two times to live begin may be.
const SLACK: Duration = Duration::from_secs(30 * 60);
