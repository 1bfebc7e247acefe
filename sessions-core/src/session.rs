//! The handle that a request works on.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::delta::Op;
use crate::error::Error;
use crate::owner::Owner;
use crate::record::Record;
use crate::settings::Settings;
use crate::token::{SessionId, Token};

mod life;
mod state;
mod values;

pub(crate) use state::{Credential, Loaded, OpenedBy, Origin, Phase, State};

/// One client's session in one request: a cheap handle, whose clones are the same session.
///
/// Everything on it is synchronous and in memory. What it changes is written by the one commit at the end of the
/// request, together: [`SessionManager::commit`](crate::SessionManager::commit), which an adapter calls. After it the
/// handle is sealed and a change is an error.
///
/// A commit writes *what this request changed*, not what it saw: overlapping requests of one session keep each other's
/// keys. For a value that depends on the stored one, use [`update`](Session::update).
///
/// ```
/// use sessions_core::Session;
///
/// // In a unit test: no store, no manager.
/// let session = Session::detached();
/// session.insert("name", &"alice")?;
/// session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
/// assert_eq!(session.get::<String>("name")?.as_deref(), Some("alice"));
/// assert_eq!(session.get::<u64>("visits")?, Some(1));
/// # Ok::<(), sessions_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Session(Arc<Inner>);

pub(crate) struct Inner {
    settings: Arc<Settings>,
    state: Mutex<State>,
}

/// While it lives, nobody else opens or commits this session: one load, one commit.
#[derive(Debug)]
pub(crate) struct InTurn<'a> {
    session: &'a Session,
    is_over: bool,
}

/// Where a session stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// Nothing was changed.
    Unchanged,
    /// Values, owner or overrides were changed.
    Changed,
    /// The session is to be deleted.
    Destroyed,
    /// Nothing was changed, and so little lifetime is left that the token should be renewed.
    ShouldRotate,
    /// The token is to be replaced.
    Rotated,
}

static DETACHED: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);

impl Session {
    /// A new, empty session that belongs to no manager: to build and inspect sessions in an application's unit tests.
    ///
    /// Its values are encoded as [`MessagePack`](crate::MessagePack). A manager can commit it all the same, under its own
    /// limits; it should be one that reads `MessagePack`.
    #[must_use]
    pub fn detached() -> Self {
        Self::with(Arc::clone(&DETACHED), State::new(None, Phase::Open))
    }

    pub(crate) fn with(settings: Arc<Settings>, state: State) -> Self {
        Self(Arc::new(Inner { settings, state: Mutex::new(state) }))
    }

    /// The session's id; `None` until a new session's first commit.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.state().id()
    }

    /// Whether the session can be used: not before an adapter has [opened](crate::SessionManager::open) it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state().phase != Phase::Unopened
    }

    /// Whether the client sent a token, whatever it is worth.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.state().presented.is_some()
    }

    /// Whether the store does not hold this session: the client came without a valid token, or `destroy` was called.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state().base().is_none()
    }

    /// Whether the request was sent before a rotation that it did not see. Such a session reads as empty and cannot be
    /// written: a write makes the commit [`Lost`](crate::Outcome::Lost).
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        matches!(self.state().origin, Origin::Superseded)
    }

    /// What is to happen at the commit, most important first: destroyed, rotated, changed, should be rotated, unchanged.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// # use sessions_core::SessionStatus;
    /// assert_eq!(session.status(), SessionStatus::Unchanged);
    /// session.insert("theme", &"dark")?;
    /// assert_eq!(session.status(), SessionStatus::Changed);
    /// session.destroy()?;
    /// assert_eq!(session.status(), SessionStatus::Destroyed);
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// A session that was destroyed and written to again is a new one: its status is what is to happen to that.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        let should_rotate = self.should_rotate();
        let state = self.state();
        if state.destroyed && !state.has_changes() {
            SessionStatus::Destroyed
        } else if state.credential != Credential::Keep {
            SessionStatus::Rotated
        } else if state.has_changes() {
            SessionStatus::Changed
        } else if should_rotate {
            SessionStatus::ShouldRotate
        } else {
            SessionStatus::Unchanged
        }
    }

    /// Whether less lifetime is left than the manager's `rotate_threshold`, and renewing the token would extend it.
    #[must_use]
    pub fn should_rotate(&self) -> bool {
        let state = self.state();
        state.base().is_some_and(|base| {
            let (record, limits) = (&base.record, self.settings().limits.with(&state.overrides()));
            limits.should_rotate(record.created_at(), record.deadline(), self.settings().clock.now())
        })
    }

    /// When the session was created; `None` for a new one.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.created_at())
    }

    /// When the token that opens the session now was issued; `None` for a new one.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.issued_at())
    }

    /// When the session ends however active it is: by lifetime or absolute timeout. `None` for a new one.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.deadline())
    }

    /// When the session ends if it is not used again, as it was when loaded. `None` for a new one.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.expires_at)
    }

    /// When the session was last used before it was loaded here, as exactly as touches are written (see
    /// [`touch_fraction`](crate::SessionManagerBuilder::touch_fraction)). `None` without an idle timeout, near the deadline,
    /// and for a new session.
    #[must_use]
    pub fn last_active(&self) -> Option<Timestamp> {
        let state = self.state();
        let base = state.base()?;
        let limits = self.settings().limits.with(&base.record.overrides());
        limits.last_active(base.expires_at, base.record.deadline())
    }

    /// Whose session it is, with a change by this request taken into account.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.state().owner()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed: every change under the lock is a single assignment or insertion.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.0.settings
    }

    /// Waits for the turn to open or to commit, and does `first` when it begins.
    pub(crate) async fn in_turn<T>(&self, mut first: impl FnMut(&mut State) -> T) -> (InTurn<'_>, T) {
        let begin = poll_fn(|context| {
            // Declared before the lock, because its end takes the lock: also when `first` panics.
            let turn;
            let mut state = self.state();
            ready!(state.turn.poll_take(context));
            turn = InTurn { session: self, is_over: false };
            let first = first(&mut state);
            drop(state);
            Poll::Ready((turn, first))
        });
        begin.await
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), Error> {
        let mut state = self.state();
        state.writable()?;
        change(&mut state);
        state.revision += 1;
        Ok(())
    }
}

impl InTurn<'_> {
    /// Ends the turn with `last`.
    pub(crate) fn end<T>(mut self, last: impl FnOnce(&mut State) -> T) -> T {
        self.is_over = true;
        ended(self.session, last)
    }
}

/// Also when what was to be done failed, or was dropped.
impl Drop for InTurn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            ended(self.session, |_| ());
        }
    }
}

fn ended<T>(session: &Session, last: impl FnOnce(&mut State) -> T) -> T {
    let mut state = session.state();
    let last = last(&mut state);
    let waiting = state.turn.end();
    drop(state);
    waiting.wake();
    last
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Session").field("id", &state.id()).field("origin", &state.origin).finish_non_exhaustive()
    }
}

/// The bytes of a value outside the lock: a copy if they are few, or else a slice of the record or a copy of what this
/// request set.
pub(crate) enum Raw {
    Short { bytes: [u8; SHORT], len: usize },
    Stored(Bytes),
    Set(Vec<u8>),
}

/// Up to here copying a value onto the stack is cheaper than sharing or allocating it: numbers, flags, ids.
const SHORT: usize = 32;

impl std::ops::Deref for Raw {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short { bytes, len } => &bytes[..*len],
            Self::Stored(bytes) => bytes,
            Self::Set(bytes) => bytes,
        }
    }
}

impl Raw {
    fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Set(value) | Op::Update { now: value, .. } => Some(Self::new(value, || Self::Set(value.clone()))),
            Op::Remove | Op::Nothing => None,
        }
    }

    /// A value of this record.
    fn stored(record: &Record, value: &[u8]) -> Self {
        Self::new(value, || Self::Stored(record.share(value)))
    }

    fn new(value: &[u8], long: impl FnOnce() -> Self) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..value.len()) {
            Some(short) => {
                short.copy_from_slice(value);
                Self::Short { bytes, len: value.len() }
            }
            None => long(),
        }
    }
}

/// A new session for `manager.new_session()`, or one that waits to be opened with a presented token.
pub(crate) fn unopened(settings: Arc<Settings>, presented: Option<Token>) -> Session {
    Session::with(settings, State::new(presented, Phase::Unopened))
}

#[cfg(test)]
mod tests;
