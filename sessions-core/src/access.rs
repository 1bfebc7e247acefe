//! Which tokens open a session. Judged when it is loaded and at every conflict.

use crate::clock::Timestamp;
use crate::record::Record;
use crate::settings::SUPERSEDED_WINDOW;
use crate::token::Verifier;

/// What a token is worth to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is the session's token.
    Current,
    /// It was renewed, and its grace has not ended.
    Grace,
    /// It is refused, and the session's token is so young that the request was sent before the rotation.
    Superseded,
    /// It is refused.
    Refused,
    /// The record is past its deadline and opens for nobody.
    Over,
}

impl Access {
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Current | Self::Grace)
    }
}

/// Both verifiers are compared in constant time, and which of them was tried shows only to who has a valid token.
pub(crate) fn access(record: &Record, verifier: &Verifier, now: Timestamp) -> Access {
    let current = record.verifier() == *verifier;
    let previous =
        record.previous().is_some_and(|previous| previous.verifier == *verifier && now < previous.grace_ends);
    if record.deadline() <= now {
        Access::Over
    } else if current {
        Access::Current
    } else if previous {
        Access::Grace
    } else if now.since(record.issued_at()) < SUPERSEDED_WINDOW {
        Access::Superseded
    } else {
        Access::Refused
    }
}
