//! Whose session it is, how long it lives, and its end.

use std::time::Duration;

use super::{Credential, Phase, Session, State};
use crate::error::Error;
use crate::expiry;
use crate::owner::Owner;

/// The owner, the token, the limits and the end.
impl Session {
    /// Says whose session it is. A change of privilege: it always rotates (ASVS 7.2.4), so that every earlier token ends.
    ///
    /// This is the login. Values that were there before stay; call [`clear`](Session::clear) first if they must not.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.set_owner("user-42")?;
    /// assert_eq!(session.owner().as_ref().map(|owner| owner.as_str()), Some("user-42"));
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.set_owner("user-42")?;
    /// session.clear_owner()?;
    /// assert_eq!(session.owner(), None);
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// # use sessions_core::SessionStatus;
    /// // The second factor was right: from here on the session may do more.
    /// session.insert("second factor", &true)?;
    /// session.rotate()?;
    /// assert_eq!(session.status(), SessionStatus::Rotated);
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// if session.should_rotate() {
    ///     session.renew()?;
    /// }
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.set_owner("user-42")?;
    /// session.destroy()?;
    /// assert_eq!(session.owner(), None);
    /// session.insert("flash", &"You are signed out.")?;
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// use std::time::Duration;
    ///
    /// session.set_lifetime(Duration::from_secs(30 * 24 * 60 * 60))?;
    /// assert!(session.set_lifetime(Duration::ZERO).unwrap_err().is_invalid_setting());
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// use std::time::Duration;
    ///
    /// session.set_idle_timeout(Some(Duration::from_secs(15 * 60)))?;
    /// session.set_idle_timeout(None)?;
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
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
    /// It says nothing of how long the session lives: see [`set_lifetime`](Session::set_lifetime). The browser learns of it
    /// with this response, or with the next new token if this request came with a token that a sibling has renewed.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// # let keep_me_signed_in = true;
    /// session.set_owner("user-42")?;
    /// session.set_persistent(keep_me_signed_in)?;
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_sealed`] after the commit.
    #[doc(alias = "remember_me")]
    pub fn set_persistent(&self, persistent: bool) -> Result<(), Error> {
        self.change(|state| state.change_overrides(|overrides| overrides.persistent = Some(persistent)))
    }

    /// Ends the handle without a commit: what was changed is forgotten, and later changes are errors. For adapters.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// session.seal();
    /// assert!(session.insert("too", &"late").unwrap_err().is_sealed());
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    pub fn seal(&self) {
        self.state().phase = Phase::Sealed;
    }

    /// Ends the handle if nobody has opened it, and says whether that was so. For adapters: what ends a request that has not
    /// asked for its session.
    ///
    /// ```
    /// # use sessions_core::Session;
    /// # let session = Session::detached();
    /// assert!(!session.seal_unopened(), "this one is open");
    /// session.insert("theme", &"dark")?;
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    #[must_use]
    pub fn seal_unopened(&self) -> bool {
        let mut state = self.state();
        let is_unopened = state.phase == Phase::Unopened;
        if is_unopened {
            state.phase = Phase::Sealed;
        }
        is_unopened
    }

    /// Whether something was asked of this handle that a commit has to write.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let state = self.state();
        state.destroyed || state.has_changes() || state.credential != Credential::Keep
    }
}
