//! Errors: one opaque type for building a store, and the one place where a database's errors become the contract's.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::StoreError;

use crate::verdict::{Remedy, Verdict};

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
    Unsuitable(Cow<'static, str>),
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
    /// that is down, too old or a read-only replica, a wrong password.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.kind, ErrorKind::Connect | ErrorKind::Unsuitable(_))
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

    pub(crate) fn unsuitable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: ErrorKind::Unsuitable(reason.into()), source: None }
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
            ErrorKind::Unsuitable(reason) => write!(f, "the database cannot be used: {reason}"),
            ErrorKind::Schema => f.write_str("the session table cannot be set up"),
        }?;
        match &self.source {
            Some(source @ sqlx::Error::Tls(_)) if !cfg!(feature = "tls") => {
                write!(f, ": {source} (enable the feature `tls` of sessions-sqlx)")
            }
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

/// Why an operation failed. `Debug` is the text: the database's own `Debug` quotes rows (G19).
#[derive(Clone)]
pub(crate) enum Failure {
    /// The store was stopped (G18).
    Stopped,
    /// No answer in time.
    Deadline(Duration),
    /// The runtime that the statement ran on was shut down.
    Interrupted,
    /// No connection could be had: nothing was sent.
    Connection(Arc<sqlx::Error>),
    /// A statement failed.
    Statement(Arc<sqlx::Error>, Verdict),
    /// Other writers kept changing the row between our statements; none of ours was applied.
    Contended,
    /// The sessions are deleted; how many of them were live is not known, for the answer to a first try was lost.
    CountLost,
    /// The connection broke before the answer, and what is there now does not tell what became of the write.
    AnswerLost,
    /// The row is not what this store writes: somebody edited it.
    ForeignRow(&'static str),
    /// The record is over the limit (G12).
    TooLarge { size: usize, limit: usize },
}

impl Failure {
    pub(crate) fn connection(error: sqlx::Error) -> Self {
        Self::Connection(error.into())
    }

    pub(crate) fn statement(error: sqlx::Error) -> Self {
        let verdict = Verdict::of(&error);
        Self::Statement(error.into(), verdict)
    }

    /// Whether a write that failed like this may be in the database all the same, now or later. Unsure is "may".
    pub(crate) fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Stopped | Self::Connection(_) | Self::Contended | Self::TooLarge { .. } => false,
            Self::Statement(_, verdict) => verdict.may_have_been_applied,
            Self::Deadline(_) | Self::Interrupted | Self::CountLost | Self::AnswerLost | Self::ForeignRow(_) => true,
        }
    }

    /// Whether it may be applied later than a second run of it.
    pub(crate) fn may_arrive_late(&self) -> bool {
        match self {
            Self::Statement(_, verdict) => verdict.may_arrive_late,
            failure => failure.may_have_been_applied(),
        }
    }

    /// The same failure, after another statement of the same job was applied: the job is not simply run again, for it counts.
    #[cfg(feature = "mysql")]
    pub(crate) fn after_a_write(self) -> Self {
        match self {
            Self::Statement(error, verdict) if verdict.remedy == Remedy::Again => {
                Self::Statement(error, Verdict::UNCERTAIN)
            }
            Self::Statement(error, verdict) => {
                Self::Statement(error, Verdict { may_have_been_applied: true, ..verdict })
            }
            failure => failure,
        }
    }

    /// Whether a statement for many jobs may have failed like this because of one of them.
    pub(crate) fn may_concern_one_job(&self) -> bool {
        match self {
            Self::ForeignRow(_) => true,
            Self::Statement(_, verdict) => verdict.remedy == Remedy::None,
            _ => false,
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Connection(_) => Remedy::Reconnect,
            Self::Statement(_, verdict) => verdict.remedy,
            _ => Remedy::None,
        }
    }

    /// What the contract calls it. `writing`: whether a write is without an answer.
    pub(crate) fn into_store_error(self, writing: bool) -> StoreError {
        match self {
            Self::TooLarge { size, limit } => StoreError::too_large(size, limit),
            failure if writing && failure.may_have_been_applied() => StoreError::indeterminate(failure),
            failure => StoreError::unavailable(failure),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("the store was stopped"),
            Self::Deadline(limit) => write!(f, "no answer within {limit:?}"),
            Self::Interrupted => f.write_str("the runtime was shut down while the statement ran"),
            Self::Connection(error) => write!(f, "no connection to the database: {error}"),
            Self::Statement(error, _) => write!(f, "a statement failed: {error}"),
            Self::Contended => f.write_str("the row kept changing"),
            Self::AnswerLost => {
                f.write_str("the connection broke before the answer, and what is there now does not tell")
            }
            Self::CountLost => {
                f.write_str("the sessions are deleted, but the connection broke before they were counted")
            }
            Self::ForeignRow(column) => write!(f, "the stored row is not one of this store: look at its {column}"),
            Self::TooLarge { size, limit } => write!(f, "a record of {size} bytes where {limit} are allowed"),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({self})")
    }
}

/// The cause is in the text, and deliberately not the source: see `Debug`.
impl std::error::Error for Failure {}
