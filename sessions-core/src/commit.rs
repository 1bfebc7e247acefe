//! The one commit of a request: what it is to do, and what came of it.
//!
//! [`plan`] decides and does no I/O; [`execute`](crate::execute) does the I/O and decides nothing but who won.

use std::time::Duration;

use crate::prepare::Prepared;
use crate::session::{Credential, Origin, State};
use crate::store::Version;
use crate::token::{SessionId, Token};

/// What a commit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to write.
    Unchanged,
    /// A new session is stored.
    Created,
    /// The changes are stored.
    Written,
    /// Only the expiry moved.
    Touched,
    /// The session is deleted.
    Deleted,
    /// The session ended, or its token was replaced, while the request ran: nothing was written, and the request had
    /// something to write.
    Lost,
}

/// What the client's cookie must become.
///
/// ```
/// use sessions_core::CookieChange;
///
/// assert_eq!(format!("{:?}", CookieChange::Remove), "Remove");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CookieChange {
    /// Send nothing.
    Keep,
    /// Send the token.
    Set {
        /// The secret for the client.
        token: Token,
        /// The session's own word on whether the cookie outlives the browser; `None` leaves it to the configuration.
        persistent: Option<bool>,
        /// From now to the session's deadline: the `Max-Age` of a persistent cookie.
        max_age: Duration,
    },
    /// Send a removal.
    Remove,
}

/// The result of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// What came of it.
    pub outcome: Outcome,
    /// What to send to the client.
    pub cookie: CookieChange,
}

impl Committed {
    pub(crate) const fn quiet(outcome: Outcome) -> Self {
        Self { outcome, cookie: CookieChange::Keep }
    }
}

/// What a commit has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    Nothing,
    Create,
    Update,
    /// Nothing is to be written; whether the guarded keys are unchanged is to be looked up.
    Check,
    Touch,
    Delete,
    DeleteThenCreate,
    Lost,
}

/// All that the plan depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    pub(crate) origin: From,
    /// Values or an owner: what makes a new session worth storing.
    pub(crate) has_contents: bool,
    /// Contents, or overrides of a stored session.
    pub(crate) has_changes: bool,
    pub(crate) credential: Credential,
    pub(crate) destroyed: bool,
    pub(crate) guarded: bool,
    pub(crate) touch_due: bool,
}

/// Where the session of a commit came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    New,
    Loaded,
    Superseded,
}

impl Situation {
    pub(crate) fn of(state: &State, touch_due: bool) -> Self {
        let has_contents = state.has_contents();
        Self {
            origin: match state.origin {
                Origin::New => From::New,
                Origin::Loaded(_) => From::Loaded,
                Origin::Superseded => From::Superseded,
            },
            has_contents,
            has_changes: has_contents || state.has_overrides(),
            credential: state.credential,
            destroyed: state.destroyed,
            guarded: !state.guards.is_empty(),
            touch_due,
        }
    }
}

/// The table of DESIGN.md, "Commit".
pub(crate) fn plan(situation: Situation) -> Plan {
    let Situation { origin, has_contents, has_changes, credential, destroyed, guarded, touch_due } = situation;
    match origin {
        // An empty new session is never stored (ASVS 7.6.2).
        From::New if has_contents => Plan::Create,
        From::New => Plan::Nothing,
        From::Loaded if destroyed && has_contents => Plan::DeleteThenCreate,
        From::Loaded if destroyed => Plan::Delete,
        From::Loaded if has_changes || credential != Credential::Keep => Plan::Update,
        From::Loaded if guarded => Plan::Check,
        From::Loaded if touch_due => Plan::Touch,
        From::Loaded => Plan::Nothing,
        // It reads as empty, creates nothing and must not disturb the cookie that the rotation has set.
        From::Superseded if has_changes || destroyed || guarded || credential >= Credential::Renew => Plan::Lost,
        From::Superseded => Plan::Nothing,
    }
}

/// What a commit has tried, kept on the session so that one that failed or was dropped can be taken up again: it mints one secret
/// for a session at most, and knows which write may have landed.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    /// The token this commit hands out, if it turns out to be needed.
    pub(crate) token: Option<Token>,
    /// The version that was drawn with it, for the first write that hands it out.
    pub(crate) version: Option<Version>,
    /// The update that was sent and not answered: it may have landed, and may yet.
    pub(crate) update: Option<Box<Prepared>>,
    /// The ids of creates that were sent and not answered, and are not sent again.
    pub(crate) abandoned: Vec<SessionId>,
    /// A delete was sent and not answered: finding nothing then does not mean that somebody else did it.
    pub(crate) delete: bool,
    /// Deleting is done; what is left is to create the session that follows.
    pub(crate) deleted: bool,
    /// The id under which this commit has stored a new session.
    pub(crate) created: Option<SessionId>,
}

impl Attempt {
    /// Takes a fresh token, with the version that was drawn with it.
    pub(crate) fn issue(&mut self, (token, version): (Token, Version)) -> &Token {
        self.version = Some(version);
        self.token.insert(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Situation = Situation {
        origin: From::Loaded,
        has_contents: false,
        has_changes: false,
        credential: Credential::Keep,
        destroyed: false,
        guarded: false,
        touch_due: false,
    };

    /// Every combination, so that a row that is added must say what it does here.
    fn all() -> impl Iterator<Item = Situation> {
        let bools = [false, true];
        let credentials = [Credential::Keep, Credential::RenewQuietly, Credential::Renew, Credential::Rotate];
        [From::New, From::Loaded, From::Superseded].into_iter().flat_map(move |origin| {
            bools.into_iter().flat_map(move |has_contents| {
                bools.into_iter().flat_map(move |overrides| {
                    credentials.into_iter().flat_map(move |credential| {
                        bools.into_iter().flat_map(move |destroyed| {
                            bools.into_iter().flat_map(move |guarded| {
                                bools.into_iter().map(move |touch_due| Situation {
                                    origin,
                                    has_contents,
                                    has_changes: has_contents || overrides,
                                    credential,
                                    destroyed,
                                    guarded,
                                    touch_due,
                                })
                            })
                        })
                    })
                })
            })
        })
    }

    #[test]
    fn the_rows_of_the_table() {
        let contents = Situation { has_contents: true, has_changes: true, ..NOTHING };
        assert_eq!(plan(NOTHING), Plan::Nothing);
        assert_eq!(plan(Situation { touch_due: true, ..NOTHING }), Plan::Touch);
        assert_eq!(plan(contents), Plan::Update);
        assert_eq!(plan(Situation { guarded: true, touch_due: true, ..NOTHING }), Plan::Check);
        assert_eq!(plan(Situation { guarded: true, ..contents }), Plan::Update);
        assert_eq!(plan(Situation { credential: Credential::Rotate, ..NOTHING }), Plan::Update);
        assert_eq!(plan(Situation { credential: Credential::RenewQuietly, ..NOTHING }), Plan::Update);
        assert_eq!(plan(Situation { destroyed: true, ..NOTHING }), Plan::Delete);
        assert_eq!(plan(Situation { destroyed: true, ..contents }), Plan::DeleteThenCreate);
        assert_eq!(plan(Situation { origin: From::New, ..NOTHING }), Plan::Nothing);
        assert_eq!(plan(Situation { origin: From::New, destroyed: true, ..NOTHING }), Plan::Nothing);
        assert_eq!(plan(Situation { origin: From::New, ..contents }), Plan::Create);
        assert_eq!(plan(Situation { origin: From::Superseded, ..NOTHING }), Plan::Nothing);
        assert_eq!(plan(Situation { origin: From::Superseded, ..contents }), Plan::Lost);
    }

    #[test]
    fn asvs_7_6_2_a_new_session_without_contents_is_never_stored() {
        for situation in all().filter(|s| s.origin == From::New && !s.has_contents) {
            assert_eq!(plan(situation), Plan::Nothing, "{situation:?}");
        }
    }

    #[test]
    fn a_superseded_session_never_reaches_the_store() {
        for situation in all().filter(|s| s.origin == From::Superseded) {
            assert!(matches!(plan(situation), Plan::Nothing | Plan::Lost), "{situation:?}");
        }
    }

    #[test]
    fn a_destroyed_session_is_never_updated_or_touched() {
        for situation in all().filter(|s| s.destroyed) {
            assert!(!matches!(plan(situation), Plan::Update | Plan::Touch), "{situation:?}");
        }
    }
}
