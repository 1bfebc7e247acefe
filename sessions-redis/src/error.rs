//! The error of building a store, opaque.

use std::borrow::Cow;
use std::fmt;

use redis::RedisError;

use crate::failure::Failure;

/// A store could not be built or connected. Nothing was written.
///
/// The text says what to do next; it never contains a password (G19).
///
/// ```
/// use sessions_redis::RedisStore;
///
/// let error = RedisStore::builder().prefix("{shop}").unwrap_err();
/// assert!(error.is_invalid_setting());
/// assert_eq!(error.to_string(), "prefix takes no braces: they would put every session of a Cluster on one node");
/// ```
pub struct Error {
    kind: ErrorKind,
}

#[derive(Debug)]
enum ErrorKind {
    Setting { name: &'static str, reason: &'static str },
    Url { reason: Cow<'static, str> },
    Connect(Failure),
}

impl Error {
    /// Whether a setting is out of its range.
    #[must_use]
    pub fn is_invalid_setting(&self) -> bool {
        matches!(self.kind, ErrorKind::Setting { .. })
    }

    /// Whether the URL is not one of a Redis server, or needs a feature of this crate that is off.
    #[must_use]
    pub fn is_invalid_url(&self) -> bool {
        matches!(self.kind, ErrorKind::Url { .. })
    }

    /// Whether the server could not be reached or refused the connection: wrong host, user, password or database number,
    /// TLS on one side only.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, ErrorKind::Connect(_))
    }

    pub(crate) fn setting(name: &'static str, reason: &'static str) -> Self {
        Self { kind: ErrorKind::Setting { name, reason } }
    }

    pub(crate) fn url(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: ErrorKind::Url { reason: reason.into() } }
    }

    /// Why the client refuses a URL: its reasons are fixed texts, but a detail would quote the URL.
    pub(crate) fn refused_url(error: &RedisError) -> Self {
        match error.detail() {
            None => Self::url(error.to_string()),
            Some(_) => Self::url("a part of it is not valid"),
        }
    }

    pub(crate) fn connect(failure: Failure) -> Self {
        Self { kind: ErrorKind::Connect(failure) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Setting { name, reason } => write!(f, "{name} {reason}"),
            ErrorKind::Url { reason } => write!(f, "not a URL of a Redis server: {reason}"),
            ErrorKind::Connect(failure) => fmt::Display::fmt(failure, f),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.kind, f)
    }
}

impl std::error::Error for Error {}
