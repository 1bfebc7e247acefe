//! Opens sessions, commits them, and administers them.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::access::{Access, access};
use crate::commit::{Committed, CookieChange, Outcome, Plan, Situation, plan};
use crate::error::Error;
use crate::execute::Execution;
use crate::owner::Owner;
use crate::record::Record;
use crate::session::{Credential, Loaded, OpenedBy, Origin, Phase, Session, State, unopened};
use crate::settings::Settings;
use crate::store::{SessionStore, Stored};
use crate::token::{SessionId, Token};

mod builder;

pub use builder::SessionManagerBuilder;

/// Manages the life of sessions on a store: a cheap handle, whose clones are the same manager.
///
/// It has no type parameters, so that handlers and application state have none either. An adapter such as
/// `sessions-tower` calls [`begin`](Self::begin), [`open`](Self::open) and [`commit`](Self::commit) for each request;
/// applications use the rest for administration.
///
/// Every method that reaches the store returns [`Error::is_unavailable`] or [`Error::is_indeterminate`] when the store fails;
/// an outage is never an empty session.
///
/// ```
/// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
/// # use kit::*;
/// use sessions_core::{CookieChange, SessionManager};
///
/// # run(async {
/// let manager = SessionManager::builder(store()).build()?;
///
/// // The first request: no cookie, and something to keep.
/// let session = manager.new_session();
/// session.insert("name", &"alice")?;
/// let CookieChange::Set { token, .. } = manager.commit(&session).await?.cookie else { panic!("a new session has a cookie") };
///
/// // The next request comes with that token.
/// let session = manager.load(&token).await?.expect("a live session");
/// assert_eq!(session.get::<String>("name")?.as_deref(), Some("alice"));
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct SessionManager(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    settings: Arc<Settings>,
}

impl SessionManager {
    /// Starts building a manager on a store. An `Arc` of a store is a store too.
    pub fn builder(store: impl SessionStore) -> SessionManagerBuilder {
        SessionManagerBuilder::new(Arc::new(store))
    }

    fn new(store: Arc<dyn SessionStore>, settings: Settings) -> Self {
        Self(Arc::new(Inner { store, settings: Arc::new(settings) }))
    }

    /// A new, empty session. It is stored by the first commit that finds a value or an owner in it.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::{Outcome, SessionManager};
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// let session = manager.new_session();
    /// assert_eq!(manager.commit(&session).await?.outcome, Outcome::Unchanged);
    ///
    /// let session = manager.new_session();
    /// session.insert("name", &"alice")?;
    /// assert_eq!(manager.commit(&session).await?.outcome, Outcome::Created);
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn new_session(&self) -> Session {
        Session::with(Arc::clone(&self.0.settings), State::new(None, Phase::Open))
    }

    /// The session of a request that has not been asked for yet: no store call, and no use before [`open`](Self::open).
    /// `presented` is the token that the client sent, if it sent a well-formed one. For adapters.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{SessionManager, Token};
    ///
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let cookie_value = b"not a token";
    /// let session = manager.begin(Token::parse(cookie_value));
    /// assert!(!session.is_open());
    /// // … when the handler asks for it:
    /// manager.open(&session).await?;
    /// assert!(session.is_open() && session.is_new());
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn begin(&self, presented: Option<Token>) -> Session {
        unopened(Arc::clone(&self.0.settings), presented)
    }

    /// Loads what [`begin`](Self::begin) has begun: one store call, none without a token, none when it is open already.
    ///
    /// Several callers at once make one load. Afterwards the session reads as what the token opens; as an empty new one if
    /// it opens nothing; as [superseded](Session::is_superseded) if the request was overtaken by a rotation.
    ///
    /// # Errors
    ///
    /// Of the store, in which case a later call tries again, [`Error::is_newer_format`], and [`Error::is_sealed`] after the
    /// commit.
    pub async fn open(&self, session: &Session) -> Result<(), Error> {
        let (turn, (phase, presented)) = session.in_turn(|state| (state.phase, state.presented.clone())).await;
        match phase {
            Phase::Unopened => {}
            Phase::Open | Phase::Committing => return Ok(()),
            Phase::Sealed => return Err(Error::sealed()),
        }
        let origin = match presented {
            Some(token) => self.judge(&token, self.0.store.load(&token.id()).await?)?,
            None => Origin::New,
        };
        turn.end(|state| {
            if state.phase != Phase::Unopened {
                return Err(Error::sealed());
            }
            (state.origin, state.phase) = (origin, Phase::Open);
            Ok(())
        })
    }

    /// The session that a token opens, or `None`. One store call.
    ///
    /// A token that a strict rotation has just replaced gives a [superseded](Session::is_superseded) session.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{SessionManager, Token};
    ///
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// let unknown = Token::parse(&[b'A'; 64]).expect("well-formed");
    /// assert!(manager.load(&unknown).await?.is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// Of the store, and [`Error::is_newer_format`].
    pub async fn load(&self, token: &Token) -> Result<Option<Session>, Error> {
        let session = self.begin(Some(token.clone()));
        self.open(&session).await?;
        let found = !matches!(session.state().origin, Origin::New);
        Ok(found.then_some(session))
    }

    /// Writes what the request changed, once, and seals the session.
    ///
    /// Changes are applied to what is stored now, so that concurrent commits lose nothing of each other. A commit that fails or
    /// is dropped may be called again: it goes on where it was, and never applies a change twice.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{CookieChange, Outcome, SessionManager};
    ///
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let session = manager.new_session();
    /// session.set_owner("user-42")?;
    /// let committed = manager.commit(&session).await?;
    /// assert_eq!(committed.outcome, Outcome::Created);
    /// match committed.cookie {
    ///     CookieChange::Set { token, .. } => assert_eq!(token.encode().as_str().len(), 64),
    ///     CookieChange::Keep | CookieChange::Remove => unreachable!("a new session has a token"),
    /// }
    /// assert!(session.insert("too", &"late").unwrap_err().is_sealed());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// Of the store; [`Error::is_contended`] when other writers won until the commit deadline; [`Error::is_too_large`];
    /// [`Error::is_random`]; [`Error::is_corrupt`], [`Error::is_decode`] or [`Error::is_encode`] when a closure of
    /// [`update`](Session::update) meets such a value; [`Error::is_sealed`] when the session was committed already. In every
    /// case but [`Error::is_indeterminate`] nothing was written.
    pub async fn commit(&self, session: &Session) -> Result<Committed, Error> {
        let (turn, (phase, plan, quiet)) = session.in_turn(|state| self.begun(state)).await;
        match phase {
            Phase::Sealed => return Err(Error::sealed()),
            Phase::Unopened => return Ok(Committed::quiet(Outcome::Unchanged)),
            Phase::Open | Phase::Committing => {}
        }
        let committed = match Execution::new(&*self.0.store, &self.0.settings, session).run(plan).await {
            Ok(Committed { outcome: Outcome::Lost, .. }) if quiet => Committed::quiet(Outcome::Unchanged),
            Err(error) if quiet => {
                tracing::warn!(target: "sessions", %error, "session.renewal_failed");
                Committed::quiet(Outcome::Unchanged)
            }
            result => result?,
        };
        let id = turn.end(|state| {
            state.phase = Phase::Sealed;
            state.id()
        });
        report(id, &committed);
        Ok(committed)
    }

    /// Seals a session for whose commit there is nothing to do, and says whether it was one: the cheap end of a request that
    /// has only read. Otherwise it is to be committed. For adapters.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::SessionManager;
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// let session = manager.new_session();
    /// assert!(manager.seal_unless_due(&session));
    ///
    /// let session = manager.new_session();
    /// session.insert("name", &"alice")?;
    /// assert!(!manager.seal_unless_due(&session));
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn seal_unless_due(&self, session: &Session) -> bool {
        let mut state = session.state();
        let clean = state.phase == Phase::Open && self.plan(&state) == Plan::Nothing;
        if clean {
            state.phase = Phase::Sealed;
        }
        clean
    }

    /// The session under an id, for administration: no token is needed, and none is given out.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::SessionManager;
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let stored = manager.new_session();
    /// # stored.insert("name", &"alice")?;
    /// # manager.commit(&stored).await?;
    /// # let id = stored.id().expect("stored");
    /// let session = manager.get_session(&id).await?.expect("a live session");
    /// assert_eq!(session.get::<String>("name")?.as_deref(), Some("alice"));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// Of the store, and [`Error::is_newer_format`].
    pub async fn get_session(&self, id: &SessionId) -> Result<Option<Session>, Error> {
        let Some(stored) = self.0.store.load(id).await? else { return Ok(None) };
        let Stored { version, record, expires_at, owner: _ } = stored;
        let Some(record) = parse(*id, record)? else { return Ok(None) };
        if record.deadline() <= self.0.settings.clock.now() {
            return Ok(None);
        }
        let mut state = State::new(None, Phase::Open);
        state.origin = Origin::Loaded(Loaded { id: *id, version, record, expires_at, opened_by: OpenedBy::Id });
        Ok(Some(Session::with(Arc::clone(&self.0.settings), state)))
    }

    /// Commits by id, for administration: whatever has become of the token that the session was opened with.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{Outcome, SessionManager};
    ///
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let stored = manager.new_session();
    /// # stored.insert("name", &"alice")?;
    /// # manager.commit(&stored).await?;
    /// # let id = stored.id().expect("stored");
    /// let session = manager.get_session(&id).await?.expect("a live session");
    /// session.insert("notice", &"Your plan has changed.")?;
    /// assert_eq!(manager.set_session(&session).await?.outcome, Outcome::Written);
    /// # Ok(()) });
    /// ```
    ///
    /// With a rotation it ends the client's token: the new one is in the answer, and the client does not have it.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub async fn set_session(&self, session: &Session) -> Result<Committed, Error> {
        // A commit under the token that is under way keeps the right that it began with.
        let (turn, ()) = session.in_turn(|_| ()).await;
        turn.end(|state| {
            if let Origin::Loaded(loaded) = &mut state.origin {
                loaded.opened_by = OpenedBy::Id;
            }
        });
        self.commit(session).await
    }

    /// Ends a session. `true` if it was live. Requests in flight cannot bring it back.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::SessionManager;
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let stored = manager.new_session();
    /// # stored.insert("name", &"alice")?;
    /// # manager.commit(&stored).await?;
    /// # let id = stored.id().expect("stored");
    /// assert!(manager.delete_session(&id).await?);
    /// assert!(!manager.delete_session(&id).await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// Of the store; on [`Error::is_indeterminate`] it is safe to call again.
    #[doc(alias = "revoke")]
    pub async fn delete_session(&self, id: &SessionId) -> Result<bool, Error> {
        Ok(self.delete_sessions(std::slice::from_ref(id)).await? > 0)
    }

    /// Ends sessions, none to many thousand, and counts those that were live.
    ///
    /// # Errors
    ///
    /// Of the store, in which case some may be deleted; it is safe to call again.
    pub async fn delete_sessions(&self, ids: &[SessionId]) -> Result<u64, Error> {
        let count = self.0.store.delete(ids).await?;
        tracing::info!(target: "sessions", asked = ids.len(), deleted = count, "session.deleted_by_id");
        Ok(count)
    }

    /// The live sessions of an owner, most recently issued first: "list my devices" (ASVS 7.5.2).
    ///
    /// As [`get_session`](Self::get_session) gives them: with their values, without their tokens. One store call for the
    /// list and one for each session.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::SessionManager;
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let login = manager.new_session();
    /// # login.set_owner("user-42")?;
    /// # manager.commit(&login).await?;
    /// for session in manager.sessions_of("user-42").await? {
    ///     println!("{:?}, since {:?}, last used {:?}", session.id(), session.created_at(), session.last_active());
    /// }
    /// # assert_eq!(manager.sessions_of("user-42").await?.len(), 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_owner`], and of the store.
    pub async fn sessions_of(&self, owner: impl AsRef<str>) -> Result<Vec<Session>, Error> {
        let owner = Owner::new(owner)?;
        let mut sessions = Vec::new();
        for id in self.0.store.owned_by(&owner).await? {
            sessions.extend(self.get_session(&id).await?.filter(|session| session.owner().as_ref() == Some(&owner)));
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.issued_at()));
        Ok(sessions)
    }

    /// Ends the sessions of an owner, all or all but one, and counts them: "sign out everywhere" (ASVS 7.4.2, 7.4.3).
    ///
    /// A session whose login commits after this call has listed them is not among them.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// # use sessions_core::SessionManager;
    /// # run(async {
    /// # let manager = SessionManager::builder(store()).build()?;
    /// # let session = manager.new_session();
    /// # for login in [session.clone(), manager.new_session()] {
    /// #     login.set_owner("user-42")?;
    /// #     manager.commit(&login).await?;
    /// # }
    /// // "Sign out everywhere else":
    /// assert_eq!(manager.delete_sessions_of("user-42", session.id()).await?, 1);
    /// // After a change of the password:
    /// assert_eq!(manager.delete_sessions_of("user-42", None).await?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_owner`], and of the store; it is safe to call again.
    #[doc(alias = "purge")]
    pub async fn delete_sessions_of(&self, owner: impl AsRef<str>, except: Option<SessionId>) -> Result<u64, Error> {
        let mut ids = self.0.store.owned_by(&Owner::new(owner)?).await?;
        ids.retain(|id| Some(*id) != except);
        if ids.is_empty() { Ok(0) } else { self.delete_sessions(&ids).await }
    }

    /// Deletes at most `limit` expired entries from the store and counts them. Stores with background work do it by
    /// themselves.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn purge_expired(&self, limit: u32) -> Result<u64, Error> {
        Ok(self.0.store.purge_expired(limit).await?)
    }

    /// Stops the store: its background work ends, later calls are [`Error::is_unavailable`]. Idempotent.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn stop(&self) -> Result<(), Error> {
        Ok(self.0.store.stop().await?)
    }

    /// Begins a commit: the phase that it finds, what it has to do, and whether nobody would miss it.
    fn begun(&self, state: &mut State) -> (Phase, Plan, bool) {
        let found = state.phase;
        match found {
            Phase::Sealed | Phase::Unopened => {
                state.phase = Phase::Sealed;
                return (found, Plan::Nothing, false);
            }
            Phase::Open | Phase::Committing => state.phase = Phase::Committing,
        }
        let asked = || state.has_changes() || state.destroyed || !state.guards.is_empty();
        (found, self.plan(state), state.credential == Credential::RenewQuietly && !asked())
    }

    fn plan(&self, state: &State) -> Plan {
        let situation = Situation::of(state, false);
        // Only a session that nothing else is to be done with asks whether a touch is due.
        match plan(situation) {
            Plan::Nothing => plan(Situation { touch_due: self.touch_due(state), ..situation }),
            decided => decided,
        }
    }

    fn touch_due(&self, state: &State) -> bool {
        let Some(base) = state.base() else { return false };
        let limits = self.0.settings.limits.with(&base.record.overrides());
        // Without an idle timeout none is ever due, whatever the time.
        limits.idle_timeout.is_some()
            && limits.touch_due(base.expires_at, base.record.deadline(), self.0.settings.clock.now())
    }

    /// What a token is worth now, to what the store holds under its id.
    fn judge(&self, token: &Token, stored: Option<Stored>) -> Result<Origin, Error> {
        let id = token.id();
        let Some(Stored { version, record, expires_at, owner: _ }) = stored else {
            tracing::debug!(target: "sessions", session = %id, "session.unknown");
            return Ok(Origin::New);
        };
        let Some(record) = parse(id, record)? else { return Ok(Origin::New) };
        let opened_by = match access(&record, &token.verifier(), self.0.settings.clock.now()) {
            Access::Current => OpenedBy::Current,
            Access::Grace => OpenedBy::Grace,
            Access::Superseded => {
                tracing::debug!(target: "sessions", session = %id, "session.superseded");
                return Ok(Origin::Superseded);
            }
            Access::Refused => {
                tracing::warn!(target: "sessions", session = %id, "session.refused");
                return Ok(Origin::New);
            }
            Access::Over => {
                tracing::debug!(target: "sessions", session = %id, "session.expired");
                return Ok(Origin::New);
            }
        };
        Ok(Origin::Loaded(Loaded { id, version, record, expires_at, opened_by }))
    }
}

impl fmt::Debug for SessionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("store", &self.0.store).finish_non_exhaustive()
    }
}

/// A corrupt record is an event, and the session counts as absent; one of a newer format is an error.
fn parse(id: SessionId, record: Bytes) -> Result<Option<Record>, Error> {
    match Record::parse(id, record) {
        Ok(record) => Ok(Some(record)),
        Err(error) if error.is_corrupt() => {
            tracing::error!(target: "sessions", session = %id, %error, "session.corrupt");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// One event for every step of a session's life. Ids, never tokens (ASVS 16.2.5).
fn report(id: Option<SessionId>, committed: &Committed) {
    let id = id.map(tracing::field::display);
    let new_token = matches!(committed.cookie, CookieChange::Set { .. });
    match committed.outcome {
        // A deletion was told when it was done: another session may have followed.
        Outcome::Unchanged | Outcome::Deleted => {}
        Outcome::Created => tracing::info!(target: "sessions", session = id, "session.created"),
        Outcome::Written => tracing::debug!(target: "sessions", session = id, new_token, "session.written"),
        Outcome::Touched => tracing::trace!(target: "sessions", session = id, "session.touched"),
        Outcome::Lost => tracing::info!(target: "sessions", session = id, "session.lost"),
    }
}

#[cfg(test)]
mod tests;
