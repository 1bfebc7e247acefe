//! Histories: what several processes asked of one store, when, and what they were told; and whether sessions that do one thing
//! at a time could have answered so.
//!
//! - [`process`] starts the test program again as a process of its own, which a test talks to line by line.
//! - [`drive`] has tasks call a store at random; [`record`] writes down each call before it is made and each answer when it has come.
//! - [`check`] looks for an order of the calls, session by session, that explains every answer (Wing and Gong's search, with
//!   Lowe's memory of what was tried): the store is linearizable if there is one.
//! - [`proxy`] cuts connections in the middle, so that answers go missing, and lets writes arrive late.
//! - [`broken`] has the stores that must be caught.
//!
//! # Time
//!
//! [`now`] is `CLOCK_MONOTONIC`, one clock for all processes of a machine. A call is stamped before it is made and after it was
//! answered: a call whose end is before the beginning of another was over when that one began. Equal stamps count as overlap.
//!
//! # Answers that never came
//!
//! A call that ended in [indeterminate](sessions_core::StoreError::is_indeterminate), or whose process was killed, has no
//! [end](Operation::end): it may have had its effect at any time after it began, or may never have it. A write that was
//! [unavailable](sessions_core::StoreError::is_unavailable) surely had none, and is no part of the history: when it has had one
//! all the same, nobody wrote what is read afterwards, and no order explains that.

use std::collections::{BTreeMap, HashMap};

use sessions_core::SessionId;

pub mod backend;
pub mod broken;
pub mod check;
pub mod drive;
pub mod model;
pub mod pair;
pub mod process;
pub mod proxy;
pub mod record;
mod text;

pub use text::{Line, NoLine};

/// Nanoseconds on the clock that all processes of this machine share.
#[must_use]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// What is stored, as far as one state of a session is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Names the write of the record.
    pub version: u64,
    /// Names the call that set the expiry.
    pub mark: u64,
}

/// What was asked. Every write has a version that no other has, every call that moves the expiry such a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// What is there?
    Load,
    /// Store this under an absent id.
    Create(Seen),
    /// Replace one version by another, and the expiry if there is a mark.
    Update {
        /// The version that must be there.
        expected: u64,
        /// The new one.
        version: u64,
        /// The new expiry, or as it is.
        mark: Option<u64>,
    },
    /// Move the expiry.
    Touch {
        /// The version that must be there.
        expected: u64,
        /// The new expiry.
        mark: u64,
    },
    /// Delete, whatever is there.
    Delete,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was done: created, written, touched, deleted.
    Done,
    /// Nothing is there, and nothing was done.
    Absent,
    /// This is there: the answer to a load, to a create that came too late, to an update that met another version.
    There(Seen),
    /// A touch that found nothing, or another version.
    Refused,
}

/// Which call of which task of which process. Displayed as `process.task.call`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number {
    /// The process.
    pub process: u16,
    /// The task in it.
    pub task: u16,
    /// The call of it.
    pub call: u32,
}

/// One call and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Who made it.
    pub number: Number,
    /// On which session.
    pub session: u64,
    /// What was asked.
    pub call: Call,
    /// When it began.
    pub from: u64,
    /// When it had ended, and how. `None`: nobody knows whether and when it had its effect.
    pub end: Option<(u64, Answer)>,
    /// Whether it is a second copy of a call, see [`History::with_repeats`].
    pub repeat: bool,
}

impl Operation {
    /// Whether both were under way at the same time.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let ends = |operation: &Self| operation.end.map_or(u64::MAX, |(until, _)| until);
        self.from <= ends(other) && other.from <= ends(self)
    }
}

/// The id of the session that a history calls by this number.
#[must_use]
pub fn id(session: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&session.to_be_bytes());
    SessionId::from_bytes(bytes)
}

/// What processes tell of their calls, line by line, put together. Lines of several processes may come in any order.
#[derive(Debug, Default)]
pub struct History {
    operations: HashMap<Number, Operation>,
}

impl History {
    /// Takes a [line](Line) of a process; `false` if it is none.
    pub fn hear(&mut self, line: &str) -> bool {
        match line.parse() {
            Ok(Line::Began(operation)) => {
                self.operations.insert(operation.number, operation);
            }
            Ok(Line::Ended { number, until, answer }) => {
                if let Some(operation) = self.operations.get_mut(&number) {
                    operation.end = Some((until, answer));
                }
            }
            Ok(Line::Void(number)) => {
                self.operations.remove(&number);
            }
            Err(NoLine) => return false,
        }
        true
    }

    /// The operations on each session, in the order in which they began.
    #[must_use]
    pub fn by_session(&self) -> BTreeMap<u64, Vec<Operation>> {
        let mut sessions = BTreeMap::<u64, Vec<Operation>>::new();
        for operation in self.operations.values() {
            sessions.entry(operation.session).or_default().push(*operation);
        }
        for operations in sessions.values_mut() {
            operations.sort_unstable_by_key(|operation| (operation.from, operation.number));
        }
        sessions
    }

    /// The same, where stores, and the client of a Cluster, repeat calls by themselves because connections end: a touch or deletion
    /// may have been done twice, and so may a create that was not answered. The second copy has no end. There is none of an update: a
    /// version is replaced once. And none of a create that was answered, or it would bring back what is over.
    ///
    /// So this is what connections that end in the middle may cost: the copy of a deletion takes what was created meanwhile under the
    /// same id, which session managers never do.
    #[must_use]
    pub fn with_repeats(&self) -> BTreeMap<u64, Vec<Operation>> {
        let mut sessions = self.by_session();
        for operations in sessions.values_mut() {
            let may_be_repeated = |one: &&Operation| match (one.call, one.end) {
                (Call::Create(_), end) => end.is_none(),
                (Call::Update { .. } | Call::Load, _) => false,
                (_, end) => matches!(end, None | Some((_, Answer::Done))),
            };
            let repeats: Vec<_> = operations
                .iter()
                .filter(may_be_repeated)
                .map(|one| Operation { end: None, repeat: true, ..*one })
                .collect();
            operations.extend(repeats);
        }
        sessions
    }
}
