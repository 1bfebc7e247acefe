//! Building a manager: every value out of range is an error, none is ignored.

use std::sync::Arc;
use std::time::Duration;

use super::SessionManager;
use crate::clock::Clock;
use crate::encoder::{Codecs, Encoder, MessagePack};
use crate::error::Error;
use crate::expiry;
use crate::random::Random;
use crate::settings::Settings;
use crate::store::SessionStore;
use crate::versions::Versions;

/// Builds a [`SessionManager`]. Every default has its reason beside it.
///
/// ```
/// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
/// # use kit::*;
/// use sessions_core::SessionManager;
/// use std::time::Duration;
///
/// const HOUR: Duration = Duration::from_secs(60 * 60);
///
/// let manager = SessionManager::builder(store())
///     .lifetime(12 * HOUR)
///     .idle_timeout(HOUR / 2)
///     .absolute_timeout(7 * 24 * HOUR)
///     .build()?;
///
/// let error = SessionManager::builder(store()).lifetime(Duration::ZERO).build().unwrap_err();
/// assert!(error.is_invalid_setting());
/// # Ok::<(), sessions_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SessionManagerBuilder {
    store: Arc<dyn SessionStore>,
    settings: Settings,
    writer: Arc<dyn Encoder>,
    readers: Vec<Arc<dyn Encoder>>,
}

impl SessionManagerBuilder {
    pub(super) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, settings: Settings::default(), writer: Arc::new(MessagePack), readers: Vec::new() }
    }

    /// How long a token is good for, from when it was issued. Rotation and renewal start it anew.
    ///
    /// Default 24 hours: what NIST SP 800-63B asks to re-authenticate after at its middle level.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.limits.lifetime = lifetime;
        self
    }

    /// How long a session lives without activity.
    ///
    /// Default none: an idle timeout costs a write now and then also for requests that only read.
    #[must_use]
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.settings.limits.idle_timeout = Some(idle_timeout);
        self
    }

    /// How long a session lives from its creation; nothing extends it (ASVS 7.3.2).
    ///
    /// Default none: without renewal the lifetime is such a limit already. Set it when you use `renew` or `auto_renew`.
    #[doc(alias = "max_age")]
    #[must_use]
    pub fn absolute_timeout(mut self, absolute_timeout: Duration) -> Self {
        self.settings.limits.absolute_timeout = Some(absolute_timeout);
        self
    }

    /// With less lifetime left than this, [`Session::status`](crate::Session::status) is `ShouldRotate`.
    ///
    /// Default 2 minutes, as long as a slow page takes to be read and sent back.
    #[must_use]
    pub fn rotate_threshold(mut self, rotate_threshold: Duration) -> Self {
        self.settings.limits.rotate_threshold = rotate_threshold;
        self
    }

    /// How long a renewed token stays valid beside its successor, at most half of the lifetime. Zero makes every renewal
    /// strict.
    ///
    /// Default 30 seconds: requests that are under way when the token is renewed arrive within it.
    #[must_use]
    pub fn renew_grace(mut self, renew_grace: Duration) -> Self {
        self.settings.renew_grace = renew_grace;
        self
    }

    /// A touch is written when 1/`fraction` of the idle window has passed since the last one; 0 means at every request.
    ///
    /// Default 16: the idle timeout is exact to 6 %, and a busy session is written to 16 times a window at the most.
    #[must_use]
    pub fn touch_fraction(mut self, fraction: u32) -> Self {
        self.settings.limits.touch_fraction = fraction;
        self
    }

    /// The largest record, in bytes.
    ///
    /// Default 256 KiB: every read fetches the whole record, and what is larger belongs in a table of its own.
    #[must_use]
    pub fn max_record_bytes(mut self, max_record_bytes: usize) -> Self {
        self.settings.max_record_bytes = max_record_bytes;
        self
    }

    /// How long a commit tries, by the clock. It sends no write that would end later if it took as long as the one before.
    ///
    /// Default 5 seconds: two store deadlines and a reserve.
    #[must_use]
    pub fn commit_deadline(mut self, commit_deadline: Duration) -> Self {
        self.settings.commit_deadline = commit_deadline;
        self
    }

    /// The encoder that writes values. It reads too.
    ///
    /// Default [`MessagePack`]: compact and self-describing.
    #[must_use]
    pub fn encoder(mut self, encoder: impl Encoder) -> Self {
        self.writer = Arc::new(encoder);
        self
    }

    /// Another encoder whose values are read: the one before the switch. May be called several times.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{Json, MessagePack, SessionManager};
    ///
    /// let manager = SessionManager::builder(store()).encoder(Json).also_read(MessagePack).build()?;
    /// # }
    /// # Ok::<(), sessions_core::Error>(())
    /// ```
    #[must_use]
    pub fn also_read(mut self, encoder: impl Encoder) -> Self {
        self.readers.push(Arc::new(encoder));
        self
    }

    /// Who tells the time. Default: the system. Give the store the same one where it takes one.
    ///
    /// ```
    /// # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
    /// # use kit::*;
    /// use sessions_core::{ManualClock, SessionManager};
    /// use std::time::Duration;
    ///
    /// # run(async {
    /// let clock = ManualClock::default();
    /// let manager = SessionManager::builder(store_at(clock.clone())).clock(clock.clone()).build()?;
    /// # let session = manager.new_session();
    /// # session.insert("name", &"alice")?;
    /// # manager.commit(&session).await?;
    /// # let id = session.id().expect("stored");
    /// clock.advance(Duration::from_secs(24 * 60 * 60));
    /// assert!(manager.get_session(&id).await?.is_none());
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Where secrets come from. Default: the operating system, and nothing else is fit for production.
    #[must_use]
    pub fn random(mut self, random: impl Random) -> Self {
        self.settings.random = Arc::new(random);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] for a lifetime, idle timeout, absolute timeout, rotate threshold or commit deadline out of
    /// 1 ms to 100 years, a grace over 100 years, a record limit under 1 KiB or over 1 GiB, or two encoders with one tag.
    pub fn build(self) -> Result<SessionManager, Error> {
        let Self { store, mut settings, writer, readers } = self;
        let limits = &settings.limits;
        expiry::check("lifetime", limits.lifetime)?;
        limits.idle_timeout.map(|idle| expiry::check("idle_timeout", idle)).transpose()?;
        limits.absolute_timeout.map(|absolute| expiry::check("absolute_timeout", absolute)).transpose()?;
        expiry::check("rotate_threshold", limits.rotate_threshold)?;
        expiry::check("commit_deadline", settings.commit_deadline)?;
        expiry::check("renew_grace", settings.renew_grace.max(Duration::from_millis(1)))?;
        if !(1024..=1024 * 1024 * 1024).contains(&settings.max_record_bytes) {
            return Err(Error::invalid_setting("max_record_bytes", "is not between 1 KiB and 1 GiB"));
        }
        settings.codecs = Codecs::new(writer, readers)?;
        settings.versions = Versions::of(&*store);
        Ok(SessionManager::new(store, settings))
    }
}
