//! What is written down.

use std::time::Duration;

/// Everything that happened around one fault. Times are since the history began.
#[derive(Debug, Clone)]
pub struct History {
    /// The requests with their answers, in any order.
    pub exchanges: Vec<Exchange>,
    /// The sessions, by the numbers that the exchanges name.
    pub sessions: Vec<Life>,
    /// What was broken, and when.
    pub fault: Fault,
    /// Whether the server keeps what it acknowledged.
    pub keeps: bool,
    /// How long things may take.
    pub deadlines: Deadlines,
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The browser tab: its requests follow each other.
    pub tab: usize,
    /// The session whose cookie it brought, or was given.
    pub session: Option<usize>,
    /// What kind of request it was.
    pub role: Role,
    /// When it was sent.
    pub begun: Duration,
    /// When the whole answer was there.
    pub ended: Duration,
    /// What came back.
    pub answer: Answer,
    /// What the answer said about the cookie.
    pub cookie: Cookie,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Has a session, and counts a visit in it.
    Counts,
    /// Brings no cookie, and is to be given a session.
    Comes,
    /// Has a session, and ends it.
    Leaves,
    /// Has a session, on a page that does not ask for it.
    Passes,
    /// Brings no cookie, on a page that does not ask for a session.
    Looks,
}

impl Role {
    /// Whether its answer needs the store.
    #[must_use]
    pub const fn needs_store(self) -> bool {
        matches!(self, Self::Counts | Self::Comes | Self::Leaves)
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The handler's page, with the number of visits where it shows one.
    Page(Option<u64>),
    /// 503 with `Retry-After`.
    Unavailable,
    /// Anything else, in words: another status, a connection that broke.
    Other(String),
}

/// What an answer said about the session cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Nothing.
    Kept,
    /// It gave one.
    Set,
    /// It took it away.
    Cleared,
}

/// A session: what it counted to before, and what is found afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// Its visits when the history began; 0 for one that began later.
    pub before: u64,
    /// Its visits when all was over; 0 when its cookie opens no session.
    pub after: u64,
}

/// When something was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Whether nothing got through to the server and back between the two times.
    pub is_total: bool,
    /// From here on it was broken.
    pub from: Duration,
    /// From here on it was whole again.
    pub back: Duration,
}

/// How long an application's requests may take, by its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Of one operation of the store: loading is one.
    pub store: Duration,
    /// Of a commit.
    pub commit: Duration,
}

impl Default for Deadlines {
    /// The library's defaults.
    fn default() -> Self {
        Self { store: Duration::from_secs(2), commit: Duration::from_secs(5) }
    }
}
