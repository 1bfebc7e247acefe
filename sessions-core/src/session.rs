//! The handle that a request works on.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::delta::Op;
use crate::error::Error;
use crate::expiry;
use crate::key::{Key, MAX_KEY_BYTES};
use crate::owner::Owner;
use crate::settings::Settings;
use crate::token::{SessionId, Token};
use crate::turn::Turn;

mod state;

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
    /// Held while the session is being opened or committed: one load, one commit.
    busy: Turn,
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

/// How often a closure runs on one handle before it is taken for one that changes what it is given by itself.
const MAX_RUNS: u32 = 1_000;

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
        Self(Arc::new(Inner { settings, state: Mutex::new(state), busy: Turn::default() }))
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
            let head = base.record.head();
            let limits = self.settings().limits.with(&state.overrides());
            limits.should_rotate(head.created_at, head.deadline, self.settings().clock.now())
        })
    }

    /// When the session was created; `None` for a new one.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.head().created_at)
    }

    /// When the token that opens the session now was issued; `None` for a new one.
    #[must_use]
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.head().issued_at)
    }

    /// When the session ends however active it is: by lifetime or absolute timeout. `None` for a new one.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.state().base().map(|base| base.record.head().deadline)
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
        let limits = self.settings().limits.with(&base.record.head().overrides);
        limits.last_active(base.expires_at, base.record.head().deadline)
    }

    /// Whose session it is, with a change by this request taken into account.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        self.state().owner()
    }

    /// The value under `key`.
    ///
    /// # Errors
    ///
    /// [`Error::is_decode`] when the value is of another type or no encoder reads it, [`Error::is_corrupt`] when it fails
    /// its checksum. Neither changes anything.
    pub fn get<T: DeserializeOwned>(&self, key: impl Into<Key<T>>) -> Result<Option<T>, Error> {
        let key = key.into();
        let raw = self.state().raw(key.name())?;
        raw.map(|raw| self.settings().codecs.decode(key.name(), &raw)).transpose()
    }

    /// Sets the value under `key`. What was there before is replaced without having been read.
    ///
    /// # Errors
    ///
    /// [`Error::is_encode`], [`Error::is_too_large`], [`Error::is_invalid_key`], or [`Error::is_sealed`] after the commit.
    /// On an error nothing has changed.
    pub fn insert<T: Serialize>(&self, key: impl Into<Key<T>>, value: &T) -> Result<(), Error> {
        let key = checked(key.into().into_name())?;
        let value = self.settings().encode(&key, value)?;
        self.change(|state| state.delta.set(key, value))
    }

    /// Changes the value under `key` in a way that depends on what is there: counters, lists, carts.
    ///
    /// The closure runs at once, and again at the commit on what is stored then, if a concurrent request has written
    /// meanwhile. It must therefore depend on nothing but its argument, and not hold a clone of the session; the value that
    /// this method returns is provisional. Counters changed this way are exact.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get) and [`insert`](Session::insert), and [`Error::is_contended`] for a closure that by itself
    /// changes the value it is given. At a commit that runs it again, a failure fails the commit, and nothing is written.
    pub fn update<T, F>(&self, key: impl Into<Key<T>>, update: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let key = checked(key.into().into_name())?;
        let (name, settings) = (key.clone(), Arc::clone(self.settings()));
        let make = move |raw: Option<&[u8]>| -> Result<(T, Vec<u8>), Error> {
            let value = update(raw.map(|raw| settings.codecs.decode(&name, raw)).transpose()?);
            let encoded = settings.encode(&name, &value)?;
            Ok((value, encoded))
        };
        let make = Arc::new(make);
        let again = Arc::clone(&make);
        self.change_read(
            &key,
            |raw| make(raw),
            |state, (value, encoded)| {
                state.delta.update(key.clone(), Arc::new(move |raw| Ok(again(raw)?.1)), encoded);
                value
            },
        )
    }

    /// Removes the value under `key`, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn remove(&self, key: impl AsRef<str>) -> Result<(), Error> {
        let key = key.as_ref();
        self.change(|state| state.remove(key))
    }

    /// Removes the value under `key` and returns it: for a message that is shown once.
    ///
    /// Of clones of this handle one gets it. Two overlapping requests may both get it; add
    /// [`require_unchanged`](Session::require_unchanged) where they must not.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get), in which case it is not removed, and [`Error::is_sealed`] after the commit.
    pub fn take<T: DeserializeOwned>(&self, key: impl Into<Key<T>>) -> Result<Option<T>, Error> {
        let key = key.into();
        let read = |raw: Option<&[u8]>| raw.map(|raw| self.settings().codecs.decode(key.name(), raw)).transpose();
        self.change_read(key.name(), read, |state, value| {
            if value.is_some() {
                state.remove(key.name());
            }
            value
        })
    }

    /// Whether there is a value under `key`.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<str>) -> bool {
        self.state().contains(key.as_ref())
    }

    /// The keys that have a value, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.state().keys()
    }

    /// Removes every value. The session stays, with its token and owner.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "flush")]
    pub fn clear(&self) -> Result<(), Error> {
        self.change(|state| {
            let stored = state.base().is_some_and(|base| !base.record.is_empty());
            state.delta.clear(stored);
        })
    }

    /// Makes the commit [`Lost`](crate::Outcome::Lost), with nothing written, if a concurrent request has changed the
    /// value under `key` since this one loaded it: for a decision that was taken from what was read. If there is nothing
    /// else to write, it costs one load more.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// if session.get::<bool>("coupon used")? != Some(true) {
    ///     session.require_unchanged("coupon used")?;
    ///     session.insert("coupon used", &true)?;
    ///     // … grant the discount: of two overlapping requests, one gets a 409.
    /// }
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn require_unchanged(&self, key: impl AsRef<str>) -> Result<(), Error> {
        let key = key.as_ref().to_owned();
        self.change(|state| state.guards.push(key))
    }

    /// Says whose session it is. A change of privilege: it always rotates (ASVS 7.2.4), so that every earlier token ends.
    ///
    /// This is the login. Values that were there before stay; call [`clear`](Session::clear) first if they must not.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_owner`] for an id that is empty or over 255 bytes, and [`Error::is_sealed`] after the commit.
    pub fn set_owner(&self, owner: impl AsRef<str>) -> Result<(), Error> {
        let owner = Owner::new(owner)?;
        self.change(|state| {
            state.owner = Some(Some(owner));
            state.credential = Credential::Rotate;
        })
    }

    /// Makes the session nobody's, and rotates. For a logout, [`destroy`](Session::destroy) is what you want.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn clear_owner(&self) -> Result<(), Error> {
        self.change(|state| {
            state.owner = Some(None);
            state.credential = Credential::Rotate;
        })
    }

    /// Replaces the token, strictly: with the commit every earlier token is over, also for requests in flight.
    ///
    /// For changes of privilege; the lifetime starts anew. [`set_owner`](Session::set_owner) does it by itself.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "cycle_id")]
    #[doc(alias = "regenerate")]
    pub fn rotate(&self) -> Result<(), Error> {
        self.change(|state| state.credential = Credential::Rotate)
    }

    /// Replaces the token gracefully: the present one stays valid for a grace (default 30 s), so that overlapping
    /// requests go on. The lifetime starts anew.
    ///
    /// Where a sibling has renewed meanwhile, where this request itself came with a token in its grace, or where such a
    /// grace still runs, no new token is made: one renewal serves all, and every grace is kept.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn renew(&self) -> Result<(), Error> {
        self.change(|state| state.credential = state.credential.max(Credential::Renew))
    }

    /// [`renew`](Session::renew) as housekeeping, for adapters: if it cannot be done, the request does not fail.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    pub fn renew_quietly(&self) -> Result<(), Error> {
        let mut state = self.state();
        state.writable()?;
        state.credential = state.credential.max(Credential::RenewQuietly);
        Ok(())
    }

    /// Ends the session: the commit deletes it, and the client's cookie goes. From here on the handle is an empty new
    /// session; what is written to it afterwards is stored under a fresh id and token.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "invalidate")]
    #[doc(alias = "logout")]
    pub fn destroy(&self) -> Result<(), Error> {
        self.change(State::destroy)
    }

    /// Gives this session a lifetime of its own, from when its token was issued. Sticky: it is kept in the record, over
    /// rotations too. 1 ms to 100 years; the absolute timeout holds all the same.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] out of that range, and [`Error::is_sealed`] after the commit.
    pub fn set_lifetime(&self, lifetime: Duration) -> Result<(), Error> {
        let lifetime = expiry::check("a session's lifetime", lifetime)?;
        self.change(|state| state.change_overrides(|overrides| overrides.lifetime = Some(lifetime)))
    }

    /// Gives this session an idle timeout of its own, or none. Sticky. 1 ms to 100 years.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] out of that range, and [`Error::is_sealed`] after the commit.
    pub fn set_idle_timeout(&self, idle_timeout: Option<Duration>) -> Result<(), Error> {
        let idle = idle_timeout.map(|idle| expiry::check("a session's idle timeout", idle)).transpose()?;
        self.change(|state| state.change_overrides(|overrides| overrides.idle_timeout = Some(idle)))
    }

    /// Whether the cookie outlives the browser ("keep me signed in"): with `true` it has a `Max-Age` up to the deadline.
    /// Sticky; without it the cookie configuration decides.
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "remember_me")]
    pub fn set_persistent(&self, persistent: bool) -> Result<(), Error> {
        self.change(|state| state.change_overrides(|overrides| overrides.persistent = Some(persistent)))
    }

    /// Ends the handle without a commit: what was changed is forgotten, and later changes are errors. For adapters.
    pub fn seal(&self) {
        self.state().phase = Phase::Sealed;
    }

    /// Whether something was asked of this handle that a commit has to write.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let state = self.state();
        state.destroyed || state.has_changes() || state.credential != Credential::Keep
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed: every change under the lock is a single assignment or insertion.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.0.settings
    }

    pub(crate) fn busy(&self) -> &Turn {
        &self.0.busy
    }

    /// A change that depends on the value under `key`. `make` is the application's: it runs without our lock, and again if a
    /// clone of this handle has changed the value meanwhile.
    fn change_read<M, R>(
        &self,
        key: &str,
        make: impl Fn(Option<&[u8]>) -> Result<M, Error>,
        change: impl FnOnce(&mut State, M) -> R,
    ) -> Result<R, Error> {
        for _ in 0..MAX_RUNS {
            let (raw, revision) = {
                let state = self.state();
                state.writable()?;
                (state.raw(key)?, state.revision)
            };
            let made = make(raw.as_deref())?;
            let mut state = self.state();
            state.writable()?;
            if state.revision == revision || state.raw(key)?.as_deref() == raw.as_deref() {
                state.revision += 1;
                return Ok(change(&mut state, made));
            }
        }
        Err(Error::contended())
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), Error> {
        let mut state = self.state();
        state.writable()?;
        change(&mut state);
        state.revision += 1;
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Session").field("id", &state.id()).field("origin", &state.origin).finish_non_exhaustive()
    }
}

fn checked(key: Cow<'static, str>) -> Result<Cow<'static, str>, Error> {
    if key.len() > MAX_KEY_BYTES { Err(Error::invalid_key(key.len())) } else { Ok(key) }
}

/// The bytes of a value outside the lock: a slice of the record, or a copy of what this request set.
pub(crate) enum Raw {
    Stored(Bytes),
    Set(Vec<u8>),
}

impl std::ops::Deref for Raw {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Stored(bytes) => bytes,
            Self::Set(bytes) => bytes,
        }
    }
}

impl Raw {
    fn of(op: &Op) -> Option<Self> {
        match op {
            Op::Set(value) | Op::Update { now: value, .. } => Some(Self::Set(value.clone())),
            Op::Remove | Op::Nothing => None,
        }
    }
}

/// A new session for `manager.new_session()`, or one that waits to be opened with a presented token.
pub(crate) fn unopened(settings: Arc<Settings>, presented: Option<Token>) -> Session {
    Session::with(settings, State::new(presented, Phase::Unopened))
}

#[cfg(test)]
mod tests;
