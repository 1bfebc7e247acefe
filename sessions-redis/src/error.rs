//! Errors: one opaque type for building a store, and the one place where the client's errors become the contract's.
//!
//! # What a failure means for a write
//!
//! | what happened | the contract calls it |
//! |---|---|
//! | not connected: refused, unreachable, TLS, user, password, database number | unavailable |
//! | no connection within the deadline | unavailable |
//! | sent, and no answer within the deadline | indeterminate |
//! | sent, and the connection ended before the answer | indeterminate, after one more try where repeating is safe |
//! | an error whose code says that the command was not executed ([`NOT_EXECUTED`]) | unavailable |
//! | any other error of the server, or an answer that makes no sense | indeterminate |
//! | a write that the Cluster client may have sent twice | indeterminate, whatever the last answer was |
//!
//! `OOM` is unavailable and not [full](StoreError::full): it hits updates as well as newcomers, and its cause may be
//! somebody else's data. A failed read is always unavailable: it changes nothing.
//!
//! No text of the server is passed on: errors of Redis quote the arguments of the command, which are passwords and records
//! (G19). The code before the text is enough.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use redis::{ErrorKind as Kind, RedisError};
use sessions_core::StoreError;

use crate::value::Malformed;

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
            Self::Silent(_) | Self::Dropped(_) | Self::Unexpected => true,
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
            Cause::Answered(code) => match advice(code) {
                Some(advice) => write!(f, "the server answered {code}: {advice}"),
                None => write!(f, "the server answered with an error ({code})"),
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
mod tests {
    use super::*;

    /// What the client makes of this line from a server.
    fn answered(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("well-formed");
        value.extract_error().expect_err("an error")
    }

    fn of_a_write(error: &RedisError) -> StoreError {
        Cause::of(error).of_a_write().into()
    }

    #[test]
    fn g11_answers_that_say_not_executed_are_unavailable() {
        for (code, advice) in NOT_EXECUTED {
            let error = of_a_write(&answered(&format!("{code} whatever the server says")));
            assert!(error.is_unavailable(), "{code}");
            let text = std::error::Error::source(&error).expect("a source").to_string();
            assert_eq!(text, format!("the server answered {code}: {advice}"));
        }
    }

    #[test]
    fn g11_refusals_inside_of_scripts_are_known_on_redis_6_2() {
        let error = of_a_write(&answered("@user_script: 43: -OOM command not allowed when used memory > 'maxmemory'."));
        assert!(error.is_unavailable());
        assert!(of_a_write(&answered("@user_script: 43: Unknown Redis command called from script")).is_indeterminate());
    }

    #[test]
    fn g11_other_answers_leave_a_write_in_doubt() {
        for line in ["ERR upstream failure", "PROXY timed out", "", "weird", "UNBLOCKED"] {
            assert!(of_a_write(&answered(line)).is_indeterminate(), "{line}");
            // A read changes nothing.
            assert!(StoreError::from(Cause::of(&answered(line)).certain()).is_unavailable(), "{line}");
        }
    }

    #[test]
    fn g11_a_broken_connection_leaves_a_write_in_doubt_unless_it_was_never_made() {
        use std::io::ErrorKind as Io;

        for kind in [Io::BrokenPipe, Io::ConnectionReset, Io::UnexpectedEof, Io::TimedOut, Io::Other] {
            assert!(of_a_write(&std::io::Error::from(kind).into()).is_indeterminate(), "{kind}");
        }
        assert!(of_a_write(&std::io::Error::from(Io::ConnectionRefused).into()).is_unavailable());
    }

    #[test]
    fn g11_what_the_client_finds_before_it_sends_is_unavailable() {
        for kind in [Kind::Client, Kind::InvalidClientConfig, Kind::AuthenticationFailed, Kind::RESP3NotSupported] {
            assert!(of_a_write(&(kind, "a reason").into()).is_unavailable(), "{kind:?}");
        }
        assert!(of_a_write(&(Kind::Parse, "garbage").into()).is_indeterminate());
    }

    #[test]
    fn a_cluster_that_cannot_be_connected_to_says_why() {
        let text = |detail: &str| {
            let error = (Kind::Io, "Failed to create initial connections", detail.to_owned()).into();
            Cause::not_connected(&error).certain().to_string()
        };
        let refused = answered("WRONGPASS invalid username-password pair or user is disabled.").to_string();
        assert_eq!(text(&refused), "no connection to the server: WRONGPASS: wrong user or password");
        let refused = RedisError::from((Kind::AuthenticationFailed, "Password authentication failed")).to_string();
        assert_eq!(text(&refused), "no connection to the server: WRONGPASS: wrong user or password");
        let refused = answered("NOAUTH HELLO must be called with the client already authenticated").to_string();
        assert!(text(&refused).contains("NOAUTH: the server wants a password"), "{}", text(&refused));
        for detail in ["Connection refused (os error 111)", "hunter2", "", "HUNTER2: hunter2"] {
            assert_eq!(text(detail), "no connection to the server: no node of the Cluster can be reached");
        }
    }

    #[test]
    fn g12_too_large_keeps_its_numbers() {
        let error = StoreError::from(Cause::TooLarge { size: 11, limit: 10 }.certain());
        assert!(error.is_too_large());
        assert!(error.to_string().contains("11 bytes"));
    }

    #[test]
    fn g19_no_text_of_the_server_is_passed_on() {
        let lines = [
            "ERR unknown command 'SET', with args beginning with: 'sessions/s/x' 'hunter2' 'PX'",
            "NOPERM this user has no permissions to run 'hunter2'",
            "hunter2 is no code",
            "HUNTER2",
        ];
        for line in lines {
            let error = answered(line);
            for failure in [Cause::of(&error), Cause::not_connected(&error)].map(Cause::of_a_write) {
                let text = format!("{failure} {failure:?}");
                assert!(!text.to_lowercase().contains("hunter2"), "{text}");
            }
        }
    }
}
