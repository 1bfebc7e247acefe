//! The bounds of a store and its clock.

use std::sync::Arc;

use sessions_core::{Clock, SystemClock};

use crate::error::Error;
use crate::meter::Amount;
use crate::store::MemoryStore;

/// Sets the bounds of a [`MemoryStore`]; made by [`MemoryStore::builder`].
///
/// ```
/// use sessions_memory::MemoryStore;
///
/// let store = MemoryStore::builder().max_sessions(50_000).max_bytes(64 << 20).build()?;
/// assert_eq!(store.usage().held, 0);
/// # Ok::<(), sessions_memory::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct MemoryStoreBuilder {
    max_sessions: usize,
    max_bytes: usize,
    max_record_bytes: Option<usize>,
    clock: Arc<dyn Clock>,
}

impl MemoryStoreBuilder {
    /// 250 000 sessions: with small records about 150 MiB. Few single processes have as many visitors within a session's
    /// lifetime; who has them sets the bound knowingly, and who is flooded by clients without cookies keeps the process.
    pub const DEFAULT_MAX_SESSIONS: usize = 250_000;

    /// 256 MiB, about 1 KiB for each of the default number of sessions: a flood of small newcomers meets the bound on
    /// sessions first and leaves the live ones room to grow; large records meet this bound before they fill the machine.
    pub const DEFAULT_MAX_BYTES: usize = 256 << 20;

    /// 1 MiB, four times the session manager's own default limit, so that the manager's error, which names the session's
    /// values, comes first; the store's limit is the net below it.
    pub const DEFAULT_MAX_RECORD_BYTES: usize = 1 << 20;

    /// The most sessions held at once, at least 1. When they are all live, `create` answers
    /// [`full`](sessions_core::StoreError::full); none is evicted (G17).
    ///
    /// ```
    /// use sessions_core::{Entry, SessionId, SessionStore, Timestamp, Version};
    /// use sessions_memory::MemoryStore;
    /// use std::time::Duration;
    ///
    /// # pollster::block_on(async {
    /// let store = MemoryStore::builder().max_sessions(1).build()?;
    /// let version = Version::from_u64(1);
    /// let entry = Entry { version, record: "hello".into(), owner: None, deadline: Timestamp::MAX };
    /// let (first, second) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
    ///
    /// store.create(&first, &entry, Duration::from_secs(60)).await?;
    /// let refused = store.create(&second, &entry, Duration::from_secs(60)).await.unwrap_err();
    /// assert!(refused.is_full());
    /// assert!(store.load(&first).await?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_sessions(self, sessions: usize) -> Self {
        Self { max_sessions: sessions, ..self }
    }

    /// The most bytes of all records together, at least 1. `create`, and an `update` that makes a record longer, answer
    /// [`full`](sessions_core::StoreError::full) beyond it; an update that does not is always taken (G17).
    ///
    /// It counts the records alone. The process needs about 400 bytes a session on top, 500 with an owner: for the default
    /// bounds 370 MiB at the very most.
    pub fn max_bytes(self, bytes: usize) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// The most bytes of one record, at least 1 and at most `max_bytes` (G12). When it is not set, the default or `max_bytes`,
    /// whichever is less.
    pub fn max_record_bytes(self, bytes: usize) -> Self {
        Self { max_record_bytes: Some(bytes), ..self }
    }

    /// Who tells the time; [`SystemClock`] unless told otherwise. A test gives a
    /// [`ManualClock`](sessions_core::ManualClock) and moves it.
    ///
    /// When it jumps forward, sessions expire that much earlier; when it jumps back, the live ones expire that much later,
    /// and those that were found expired stay so.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// An empty store.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] when a bound is 0, or the one on a record is above `max_bytes`.
    ///
    /// ```
    /// use sessions_memory::MemoryStore;
    ///
    /// let error = MemoryStore::builder().max_bytes(1_000).max_record_bytes(1_001).build().unwrap_err();
    /// assert_eq!(error.to_string(), "max_record_bytes is at most max_bytes: a longer record would never fit");
    /// ```
    pub fn build(self) -> Result<MemoryStore, Error> {
        let Self { max_sessions, max_bytes, max_record_bytes, clock } = self;
        let max_record_bytes = max_record_bytes.unwrap_or(Self::DEFAULT_MAX_RECORD_BYTES.min(max_bytes));
        if max_sessions == 0 {
            return Err(Error::setting("max_sessions", "is at least 1: a store for no session refuses everybody"));
        }
        if max_bytes == 0 {
            return Err(Error::setting("max_bytes", "is at least 1: a store for no bytes refuses everybody"));
        }
        if max_record_bytes == 0 {
            return Err(Error::setting("max_record_bytes", "is at least 1: a store for empty records holds nothing"));
        }
        if max_record_bytes > max_bytes {
            return Err(Error::setting("max_record_bytes", "is at most max_bytes: a longer record would never fit"));
        }
        Ok(MemoryStore::with(Amount { sessions: max_sessions, bytes: max_bytes }, max_record_bytes, clock))
    }
}

impl Default for MemoryStoreBuilder {
    fn default() -> Self {
        Self {
            max_sessions: Self::DEFAULT_MAX_SESSIONS,
            max_bytes: Self::DEFAULT_MAX_BYTES,
            max_record_bytes: None,
            clock: Arc::new(SystemClock),
        }
    }
}
