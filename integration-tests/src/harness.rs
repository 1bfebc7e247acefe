//! What a store author tells the suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{ManualClock, SessionStore};

/// Why a store could not be opened.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Opens a store for the suite, and knows a few facts about it.
///
/// Each test makes its own harness from the expression in [`conformance!`](crate::conformance), inside the runtime of the
/// test; it may connect, and it may panic with one line that says what is missing.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// The store under test. A clone of it is the same store (G14); `Arc` of a store is a store too.
    type Store: SessionStore + Clone;

    /// The facts. Called once a test.
    fn profile(&self) -> Profile;

    /// Opens the namespace of this name (G13), as a process that has just started would.
    ///
    /// Good names are lower-case letters, digits and underscores, begin with a letter and have at most 40 characters. For
    /// G13 the suite also tries bad ones: refuse them, or keep them apart. A store without namespaces ignores the name and
    /// opens a new, empty store.
    ///
    /// # Errors
    ///
    /// For a name that the store refuses. On a good name an error fails the test.
    async fn open(&self, namespace: &str) -> Result<Self::Store, Problem>;

    /// Opens a store that takes at most this many live sessions (G17); `None`, the default, when it has no such bound.
    async fn open_bounded(&self, _namespace: &str, _sessions: usize) -> Option<Self::Store> {
        None
    }
}

/// Facts about a store that the suite needs.
///
/// ```
/// use sessions_conformance::Profile;
///
/// let redis = Profile::new(1 << 20).shared().native_expiry().secret("hunter2");
/// # let _ = redis;
/// ```
#[derive(Debug, Clone)]
pub struct Profile {
    pub(crate) record_limit: usize,
    pub(crate) clock: Option<ManualClock>,
    pub(crate) tolerance: Duration,
    pub(crate) shared: bool,
    pub(crate) native_expiry: bool,
    pub(crate) secrets: Vec<String>,
}

impl Profile {
    /// A store that takes records of at most `record_limit` bytes (G12), tells the time by the system's clock, lives in one
    /// process and keeps expired entries until they are purged.
    #[must_use]
    pub fn new(record_limit: usize) -> Self {
        Self {
            record_limit,
            clock: None,
            tolerance: Duration::from_secs(1),
            shared: false,
            native_expiry: false,
            secrets: Vec::new(),
        }
    }

    /// The store reads this clock: the suite moves it instead of waiting, and expects expiry times to the millisecond.
    #[must_use]
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self.tolerance = Duration::ZERO;
        self
    }

    /// How far the store's clock, or the expiry it tells, may be off from this machine's clock. 1 s unless told otherwise.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Two handles opened on one namespace hold the same sessions, as two processes would.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// The backend removes expired sessions by itself: `purge_expired` answers 0 (G16).
    #[must_use]
    pub fn native_expiry(mut self) -> Self {
        self.native_expiry = true;
        self
    }

    /// Text that must appear in no `Debug`, error or event: a password of the connection (G19).
    #[must_use]
    pub fn secret(mut self, text: impl Into<String>) -> Self {
        self.secrets.push(text.into());
        self
    }

    /// The password in a URL such as `redis://USER:PASSWORD@HOST`, if it has one, is a [`secret`](Self::secret).
    #[must_use]
    pub fn secret_of(self, url: &str) -> Self {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        match user.and_then(|user| user.split_once(':')) {
            Some((_, password)) if !password.is_empty() => self.secret(password),
            _ => self,
        }
    }
}

/// A harness for the same store as `Arc<dyn SessionStore>`.
#[derive(Debug, Clone, Default)]
pub struct Erased<H>(pub H);

#[async_trait]
impl<H: Harness> Harness for Erased<H> {
    type Store = Arc<dyn SessionStore>;

    fn profile(&self) -> Profile {
        self.0.profile()
    }

    async fn open(&self, namespace: &str) -> Result<Self::Store, Problem> {
        Ok(Arc::new(self.0.open(namespace).await?))
    }

    async fn open_bounded(&self, namespace: &str, sessions: usize) -> Option<Self::Store> {
        Some(Arc::new(self.0.open_bounded(namespace, sessions).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_url_is_a_secret() {
        let secrets = |url| Profile::new(0).secret_of(url).secrets;
        assert_eq!(secrets("redis://default:hunter2@localhost:6379/0"), ["hunter2"]);
        assert_eq!(secrets("redis://:p:w@rd@localhost"), ["p:w@rd"]);
        for url in ["redis://localhost:6379", "redis://user@localhost", "redis://user:@localhost", "sqlite:file.db"] {
            assert!(secrets(url).is_empty(), "{url}");
        }
    }
}
