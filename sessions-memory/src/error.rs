//! Why a store could not be built.

use std::fmt;

/// A store could not be built. The text says what to change.
///
/// ```
/// use sessions_memory::MemoryStore;
///
/// let error = MemoryStore::builder().max_sessions(0).build().unwrap_err();
/// assert!(error.is_invalid_setting());
/// assert_eq!(error.to_string(), "max_sessions is at least 1: a store for no session refuses everybody");
/// ```
#[derive(Debug)]
pub struct Error(Kind);

#[derive(Debug)]
enum Kind {
    Setting { name: &'static str, reason: &'static str },
}

impl Error {
    /// Whether a setting is out of its range.
    #[must_use]
    pub fn is_invalid_setting(&self) -> bool {
        matches!(self.0, Kind::Setting { .. })
    }

    pub(crate) fn setting(name: &'static str, reason: &'static str) -> Self {
        Self(Kind::Setting { name, reason })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Setting { name, reason } => write!(f, "{name} {reason}"),
        }
    }
}

impl std::error::Error for Error {}
