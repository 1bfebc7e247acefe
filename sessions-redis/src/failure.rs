//! Why an operation failed, and whether it may have been applied all the same: the one place where the client's errors become the
//! contract's.
//!
//! # What a failure means for a write
//!
//! | what happened | the contract calls it |
//! |---|---|
//! | not connected: refused, unreachable, TLS, user, password, database number | unavailable |
//! | no connection within the deadline | unavailable |
//! | sent, or in line to be sent, and no answer within the deadline | indeterminate |
//! | sent, and the connection ended before the answer | indeterminate, after one more try where repeating is safe |
//! | sent twice, and the second found another version, or nothing | indeterminate: the first may lie under it |
//! | an error whose code says that the command was not executed ([`NOT_EXECUTED`]) | unavailable |
//! | any other error of the server, or an answer that makes no sense | indeterminate |
//! | a write that the Cluster client may have sent twice | indeterminate, whatever the last answer was |
//!
//! `OOM` is unavailable and not [full](StoreError::full): it hits updates as well as newcomers, and its cause may be
//! somebody else's data. A failed read is always unavailable: it changes nothing.
//!
//! No text of the server is passed on: errors of Redis quote the arguments of the command, which are passwords and records
//! (G19). The code before the text is enough.

use std::fmt;
use std::time::Duration;

use redis::{ErrorKind as Kind, RedisError};
use sessions_core::StoreError;

use crate::value::Malformed;

/// A failed operation: why, and whether it may have been applied all the same.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    pub(crate) maybe_applied: bool,
}

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The store was stopped (G18).
    Stopped,
    /// The record is over the limit (G12).
    TooLarge { size: usize, limit: usize },
    /// No connection could be had: nothing was sent.
    NotConnected(String),
    /// No connection could be had within the deadline: nothing was sent.
    NotConnectedInTime(Duration),
    /// Sent, and no answer within the deadline.
    Silent(Duration),
    /// Sent, and the connection ended before the answer.
    Dropped(String),
    /// Sent twice, because the connection ended before the answer to the first. The second found something else in its way.
    AnswerLost,
    /// The server answered with an error of this code.
    Answered(String),
    /// The write arrived too long after its entry in the owner's index.
    TooLate,
    /// The key holds something else than a session of this store. It is left alone.
    Malformed(Malformed),
    /// An answer of a shape that the command does not have.
    Unexpected,
}

/// Codes of answers to commands that were not executed, and what to do about them.
const NOT_EXECUTED: &[(&str, &str)] = &[
    ("ASK", "a node of a Cluster: connect with a redis+cluster:// URL"),
    ("BUSY", "a script of somebody else blocks the server"),
    ("CLUSTERDOWN", "the Cluster does not serve this key: nodes are down or slots not assigned"),
    ("CROSSSLOT", "a node of a Cluster: connect with a redis+cluster:// URL"),
    ("EXECABORT", "refused"),
    ("LOADING", "the server is starting and still reads its data"),
    ("MASTERDOWN", "a replica without its primary: connect to the primary"),
    ("MISCONF", "the server cannot write to its disk and takes no writes: see its log"),
    (
        "MOVED",
        "the key is on a node of a Cluster that is out of reach, or that a redis+cluster:// URL would have found",
    ),
    ("NOAUTH", "the server wants a password: put it into the URL"),
    ("NOPERM", "the user's ACL lacks a permission: see the crate's README"),
    ("NOREPLICAS", "fewer replicas are in reach than the server wants for a write"),
    ("NOSCRIPT", "the server forgot a script twice in a row"),
    ("OOM", "the server's memory is used up: raise maxmemory"),
    ("READONLY", "a replica, which takes no writes: connect to the primary"),
    ("TRYAGAIN", "the slot is being moved: try again"),
    ("WRONGPASS", "wrong user or password"),
    ("WRONGTYPE", "a session's key holds something that is not a session: choose another prefix"),
];

impl Cause {
    /// What the client reports about a command that it was given.
    pub(crate) fn of(error: &RedisError) -> Self {
        match error.kind() {
            Kind::Server(_) | Kind::Extension => Self::Answered(code(error)),
            // Found before anything is sent.
            Kind::Client
            | Kind::InvalidClientConfig
            | Kind::AuthenticationFailed
            | Kind::RESP3NotSupported
            | Kind::EmptySentinelList
            | Kind::MasterNameNotFoundBySentinel
            | Kind::NoValidReplicasFoundBySentinel
            | Kind::ClusterConnectionNotFound => Self::not_connected(error),
            Kind::Io if error.is_connection_refusal() => Self::not_connected(error),
            Kind::Io => Self::Dropped(io_text(error)),
            _ => Self::Unexpected,
        }
    }

    /// What the client reports about an attempt to connect.
    pub(crate) fn not_connected(error: &RedisError) -> Self {
        Self::NotConnected(match error.kind() {
            Kind::Io => match error.detail() {
                Some(detail) => no_node_text(detail),
                None => io_text(error),
            },
            Kind::Server(_) | Kind::Extension => {
                let code = code(error);
                match advice(&code) {
                    Some(advice) => format!("{code}: {advice}"),
                    None => {
                        format!(
                            "the server answered {code}: see user, password, database number, and whether it is a Cluster"
                        )
                    }
                }
            }
            Kind::AuthenticationFailed => "wrong user or password".to_owned(),
            Kind::RESP3NotSupported => "the server does not know HELLO: add ?protocol=resp2 to the URL".to_owned(),
            Kind::MasterNameNotFoundBySentinel => "the sentinels do not know this primary".to_owned(),
            Kind::ClusterConnectionNotFound => "no node of the Cluster can be reached".to_owned(),
            Kind::InvalidClientConfig => "the client's settings do not fit: see its URL and features".to_owned(),
            _ => "the connection could not be set up".to_owned(),
        })
    }

    /// Whether a command that failed like this may have been executed. Unsure is "may".
    pub(crate) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Silent(_) | Self::Dropped(_) | Self::AnswerLost | Self::Unexpected => true,
            Self::Answered(code) => advice(code).is_none(),
            Self::Stopped
            | Self::TooLarge { .. }
            | Self::NotConnected(_)
            | Self::NotConnectedInTime(_)
            | Self::TooLate
            | Self::Malformed(_) => false,
        }
    }

    /// A failure that surely applied nothing.
    pub(crate) fn certain(self) -> Failure {
        Failure { cause: self, maybe_applied: false }
    }

    /// A failure of a command that writes.
    pub(crate) fn of_a_write(self) -> Failure {
        Failure { maybe_applied: self.leaves_doubt(), cause: self }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure { cause: Cause::TooLarge { size, limit }, .. } => Self::too_large(size, limit),
            Failure { maybe_applied: true, .. } => Self::indeterminate(failure),
            Failure { maybe_applied: false, .. } => Self::unavailable(failure),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Stopped => f.write_str("the store was stopped"),
            Cause::TooLarge { size, limit } => write!(f, "a record of {size} bytes where {limit} are allowed"),
            Cause::NotConnected(reason) => write!(f, "no connection to the server: {reason}"),
            Cause::NotConnectedInTime(limit) => write!(f, "no connection to the server within {limit:?}"),
            Cause::Silent(limit) => write!(f, "no answer within {limit:?}"),
            Cause::Dropped(reason) => write!(f, "the connection ended before the answer: {reason}"),
            Cause::AnswerLost => {
                f.write_str("the connection ended before the answer, and what is there now does not tell")
            }
            Cause::Answered(code) => match advice(code) {
                Some(advice) => write!(f, "the server answered {code}: {advice}"),
                // In a script, a missing right and an unknown command have no code of their own.
                None => write!(
                    f,
                    "the server answered with an error ({code}): does the user lack a right, or is the version older \
                     than 6.2? See the crate's README"
                ),
            },
            Cause::TooLate => f.write_str("the write was held up for minutes on its way and not applied any more"),
            Cause::Malformed(malformed) => fmt::Display::fmt(malformed, f),
            Cause::Unexpected => f.write_str("the answer makes no sense: is this a Redis or Valkey server?"),
        }
    }
}

impl std::error::Error for Failure {}

fn advice(code: &str) -> Option<&'static str> {
    NOT_EXECUTED.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice)
}

/// The code of an answer, which is one word of capitals; anything else may be data and is not passed on (G19).
fn code(error: &RedisError) -> String {
    let code = match (error.code(), error.detail()) {
        // What Redis 6.2 itself refuses inside of a script begins with the place: `@user_script: 26: -OOM command not …`.
        (Some("@user_script:"), Some(detail)) => detail.split_once(": -").and_then(|(_, text)| text.split(' ').next()),
        (code, _) => code,
    };
    match code {
        Some(code) if code.len() <= 24 && code.bytes().all(|b| b.is_ascii_uppercase()) => code.to_owned(),
        _ => "unknown code".to_owned(),
    }
}

/// Why no node of a Cluster could be connected to. The client keeps the reason of one as a text, in which only the codes are
/// not data (G19).
fn no_node_text(detail: &str) -> String {
    let mut words = detail.split(|c: char| !c.is_ascii_alphabetic());
    let known = words.find_map(|word| match word {
        "AuthenticationFailed" => Some(("WRONGPASS", "wrong user or password")),
        _ => NOT_EXECUTED.iter().find(|(code, _)| *code == word).copied(),
    });
    match known {
        Some((code, advice)) => format!("{code}: {advice}"),
        None => "no node of the Cluster can be reached".to_owned(),
    }
}

/// What the operating system or TLS says. Neither knows what was sent.
fn io_text(error: &RedisError) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => "the connection is broken".to_owned(),
    }
}

#[cfg(test)]
mod tests;
