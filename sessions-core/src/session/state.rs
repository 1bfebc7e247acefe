//! What a session handle holds behind its lock.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::commit::Attempt;
use crate::delta::Delta;
use crate::error::Error;
use crate::expiry::Overrides;
use crate::owner::Owner;
use crate::record::Record;
use crate::store::Version;
use crate::token::{SessionId, Token, Verifier};
use crate::turn::Turn;

use super::Raw;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) turn: Turn,
    pub(crate) phase: Phase,
    pub(crate) origin: Origin,
    /// What the client sent. A loaded session was opened by it.
    pub(crate) presented: Option<Token>,
    pub(crate) delta: Delta,
    /// The owner to set or, `Some(None)`, to clear.
    pub(crate) owner: Option<Option<Owner>>,
    /// The overrides to set; a field that is `None` stays what it is.
    overrides: Overrides,
    pub(crate) credential: Credential,
    pub(crate) destroyed: bool,
    /// Keys that no concurrent request may have changed.
    pub(crate) guards: Vec<String>,
    /// Counts the changes, so that a closure that ran without the lock knows whether it must run again.
    pub(crate) revision: u64,
    pub(crate) attempt: Attempt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// With a token that has not been looked up.
    Unopened,
    Open,
    /// Being committed, or a commit has failed or was dropped: it may be taken up again.
    Committing,
    Sealed,
}

#[derive(Debug)]
pub(crate) enum Origin {
    New,
    Loaded(Loaded),
    Superseded,
}

/// A session as the store held it.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) id: SessionId,
    pub(crate) version: Version,
    pub(crate) record: Record,
    pub(crate) expires_at: Timestamp,
    pub(crate) opened_by: OpenedBy,
}

/// By what right a session was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenedBy {
    /// The token that the record names.
    Current,
    /// A renewed token in its grace.
    Grace,
    /// Administration: by id, without a token.
    Id,
}

impl Loaded {
    /// The verifier of the token that opened it. The record names it, or it would not have.
    pub(crate) fn opened_with(&self) -> Option<Verifier> {
        match self.opened_by {
            OpenedBy::Current => Some(self.record.verifier()),
            OpenedBy::Grace => self.record.previous().map(|previous| previous.verifier),
            OpenedBy::Id => None,
        }
    }
}

/// What is to become of the token, in rising order of strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Credential {
    Keep,
    RenewQuietly,
    Renew,
    Rotate,
}

impl State {
    pub(crate) fn new(presented: Option<Token>, phase: Phase) -> Self {
        Self {
            turn: Turn::default(),
            phase,
            origin: Origin::New,
            presented,
            delta: Delta::default(),
            owner: None,
            overrides: Overrides::default(),
            credential: Credential::Keep,
            destroyed: false,
            guards: Vec::new(),
            revision: 0,
            attempt: Attempt::default(),
        }
    }

    /// What the store holds, also when this request has destroyed it.
    pub(crate) fn loaded(&self) -> Option<&Loaded> {
        match &self.origin {
            Origin::Loaded(loaded) => Some(loaded),
            Origin::New | Origin::Superseded => None,
        }
    }

    /// What the request sees of the store.
    pub(crate) fn base(&self) -> Option<&Loaded> {
        self.loaded().filter(|_| !self.destroyed)
    }

    pub(crate) fn id(&self) -> Option<SessionId> {
        self.attempt.created.or_else(|| self.loaded().map(|loaded| loaded.id))
    }

    /// Whether a commit has values, an owner or overrides to write.
    pub(crate) fn has_changes(&self) -> bool {
        self.has_contents() || self.has_overrides()
    }

    /// Whether a commit has overrides to write.
    pub(crate) fn has_overrides(&self) -> bool {
        self.overrides != Overrides::default() && self.base().is_some()
    }

    /// Whether there is something that makes a new session worth storing: overrides alone do not (ASVS 7.6.2).
    pub(crate) fn has_contents(&self) -> bool {
        !self.delta.is_empty() || self.owner.as_ref().is_some_and(|owner| owner.is_some() || self.base().is_some())
    }

    pub(crate) fn overrides(&self) -> Overrides {
        self.overrides_over(self.base().map_or_else(Overrides::default, |base| base.record.overrides()))
    }

    /// The overrides of a record with this request's changes applied.
    pub(crate) fn overrides_over(&self, stored: Overrides) -> Overrides {
        let Overrides { lifetime, idle_timeout, persistent } = self.overrides;
        Overrides {
            lifetime: lifetime.or(stored.lifetime),
            idle_timeout: idle_timeout.or(stored.idle_timeout),
            persistent: persistent.or(stored.persistent),
        }
    }

    pub(crate) fn change_overrides(&mut self, change: impl FnOnce(&mut Overrides)) {
        change(&mut self.overrides);
    }

    pub(crate) fn owner(&self) -> Option<Owner> {
        match &self.owner {
            Some(owner) => owner.clone(),
            None => self.base()?.record.owner().and_then(|owner| Owner::new(owner).ok()),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        let stored = self.base().is_some_and(|base| base.record.contains(key));
        self.delta.remove(Cow::Owned(key.to_owned()), stored);
    }

    pub(crate) fn destroy(&mut self) {
        self.delta = Delta::default();
        self.owner = None;
        self.overrides = Overrides::default();
        self.credential = Credential::Keep;
        self.guards.clear();
        self.destroyed = true;
    }

    pub(crate) fn writable(&self) -> Result<(), Error> {
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Unopened => Err(Error::unopened()),
            Phase::Committing | Phase::Sealed => Err(Error::sealed()),
        }
    }

    /// The bytes under `key` with this request's changes applied.
    pub(crate) fn raw(&self, key: &str) -> Result<Option<Raw>, Error> {
        if self.phase == Phase::Unopened {
            return Err(Error::unopened());
        }
        match (self.delta.get(key), self.base()) {
            (Some(op), _) => Ok(Raw::of(op)),
            (None, Some(base)) if !self.delta.is_cleared() => {
                let value = base.record.verified_value(base.id, key)?;
                Ok(value.map(|value| Raw::stored(&base.record, value)))
            }
            (None, _) => Ok(None),
        }
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        match (self.delta.get(key), self.base()) {
            (Some(op), _) => Raw::of(op).is_some(),
            (None, Some(base)) => !self.delta.is_cleared() && base.record.contains(key),
            (None, None) => false,
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let stored = self.base().filter(|_| !self.delta.is_cleared());
        let mut keys: Vec<String> = stored.into_iter().flat_map(|base| base.record.keys()).map(String::from).collect();
        keys.retain(|key| self.contains(key));
        keys.extend(self.delta.keys().filter(|key| self.contains(key)).map(String::from));
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
