//! Errors: one opaque type for building a store, and the one place where a database's errors become the contract's.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use sessions_core::StoreError;

/// A store could not be built or set up. Nothing was written, apart from what `migrate` completed.
///
/// The text says what to do next; it never contains a password (G19).
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use sessions_sqlx::SqliteStore;
///
/// let error = SqliteStore::builder().table("robert'; --").unwrap_err();
/// assert!(error.is_invalid_setting());
/// # }
/// ```
pub struct Error {
    kind: ErrorKind,
    source: Option<sqlx::Error>,
}

#[derive(Debug)]
enum ErrorKind {
    Setting { name: &'static str, reason: Cow<'static, str> },
    Url,
    Connect,
    Schema,
}

impl Error {
    /// Whether a setting is out of its range.
    #[must_use]
    pub fn is_invalid_setting(&self) -> bool {
        matches!(self.kind, ErrorKind::Setting { .. })
    }

    /// Whether the URL is not one of this database.
    #[must_use]
    pub fn is_invalid_url(&self) -> bool {
        matches!(self.kind, ErrorKind::Url)
    }

    /// Whether the database could not be opened or reached: a file that is missing, not writable or no database, a server
    /// that is down, a wrong password.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, ErrorKind::Connect)
    }

    /// Whether the table could not be set up.
    #[must_use]
    pub fn is_schema(&self) -> bool {
        matches!(self.kind, ErrorKind::Schema)
    }

    pub(crate) fn setting(name: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: ErrorKind::Setting { name, reason: reason.into() }, source: None }
    }

    pub(crate) fn url(source: sqlx::Error) -> Self {
        Self { kind: ErrorKind::Url, source: Some(source) }
    }

    pub(crate) fn connect(source: sqlx::Error) -> Self {
        Self { kind: ErrorKind::Connect, source: Some(source) }
    }

    pub(crate) fn schema(source: sqlx::Error) -> Self {
        Self { kind: ErrorKind::Schema, source: Some(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Setting { name, reason } => write!(f, "{name} {reason}"),
            ErrorKind::Url => f.write_str("not a URL of this database"),
            ErrorKind::Connect => f.write_str("the database cannot be opened"),
            ErrorKind::Schema => f.write_str("the session table cannot be set up"),
        }?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("source", &self.source).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Why an operation failed, before it is known whether it was sent.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store was stopped (G18).
    Stopped,
    /// The operation took longer than the deadline.
    Deadline(Duration),
    /// No connection could be had: nothing was sent.
    Connection(sqlx::Error),
    /// A statement failed.
    Statement(sqlx::Error),
    /// Other writers kept changing the row between our statements; none of ours was applied.
    Contended,
    /// The row is not what this store writes: somebody edited it.
    ForeignRow(&'static str),
    /// The record is over the limit (G12).
    TooLarge { size: usize, limit: usize },
}

impl Failure {
    /// What the contract calls it. `writing` says whether a write was under way without an answer.
    pub(crate) fn into_store_error(self, writing: bool) -> StoreError {
        match self {
            Self::TooLarge { size, limit } => StoreError::too_large(size, limit),
            Self::Stopped | Self::Connection(_) | Self::Contended | Self::ForeignRow(_) => {
                StoreError::unavailable(self)
            }
            Self::Deadline(_) if writing => StoreError::indeterminate(self),
            Self::Deadline(_) => StoreError::unavailable(self),
            Self::Statement(ref error) if writing && may_have_been_applied(error) => StoreError::indeterminate(self),
            Self::Statement(_) => StoreError::unavailable(self),
        }
    }
}

/// Whether a write that failed like this may be in the database all the same. Unsure is "may".
fn may_have_been_applied(error: &sqlx::Error) -> bool {
    match error {
        // An answer of the database: it says that the statement failed, and then it was rolled back, with few exceptions.
        sqlx::Error::Database(answer) => answer.code().is_some_and(|code| is_uncertain_answer(&code)),
        // Before anything was sent.
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Configuration(_)
        | sqlx::Error::InvalidArgument(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::Tls(_) => false,
        // The connection or its thread broke: the statement may have reached the other side.
        _ => true,
    }
}

/// Codes under which the database does not know itself whether the write will be found there.
fn is_uncertain_answer(code: &str) -> bool {
    match code.parse::<u32>() {
        // SQLite: an I/O error (low byte 10) of the final sync leaves a complete write in the log, which recovery may find.
        Ok(code) if code & 0xff == 10 => true,
        _ => false,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the store was stopped"),
            Self::Deadline(limit) => write!(f, "no answer within {limit:?}"),
            Self::Connection(error) => write!(f, "no connection to the database: {error}"),
            Self::Statement(error) => write!(f, "a statement failed: {error}"),
            Self::Contended => f.write_str("the row kept changing"),
            Self::ForeignRow(what) => write!(f, "the stored row is not one of this store: {what}"),
            Self::TooLarge { size, limit } => write!(f, "a record of {size} bytes where {limit} are allowed"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connection(error) | Self::Statement(error) => Some(error),
            _ => None,
        }
    }
}
