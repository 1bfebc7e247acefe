//! The requests that every contender is measured with.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the handler does with its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Does not ask for it.
    Nothing,
    /// Reads the number under `n`.
    Read,
    /// Reads the number under `n`, which is this one, or is not there.
    Is(Option<u64>),
    /// Reads the number under `n` and writes it, one higher.
    ReadWrite,
    /// Writes 1 under `n`.
    Write,
    /// Writes the user's id under `user`, and gives the session a new token or id.
    Login,
    /// Ends it.
    Destroy,
    /// Writes the id of this user, and a text of 32 bytes under `token`: a small session.
    SignUp {
        /// As the session's owner, where the library knows owners, and not as a value.
        owned: bool,
    },
    /// Writes 1 under `n`, and so many texts of together so many bytes under `text 0` and so on.
    Fill {
        /// How many.
        texts: usize,
        /// Of all of them together.
        bytes: usize,
    },
    /// Reads `text 0`, which has so many bytes.
    ReadText(usize),
}

/// One column of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name in the results.
    pub name: &'static str,
    /// What is there before.
    pub before: Preparation,
    /// What each measured request does.
    pub job: Job,
}

/// Which sessions there are, and which of them a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// No cookie.
    Nobody,
    /// All requests bring the cookie of one session, made by this.
    One(Job),
    /// Each request brings the cookie of another session, made by this.
    Each(Job),
}

impl Case {
    /// Requests measured in one round, or counted, at once: fewer where each takes long.
    pub(crate) const fn chunk(self) -> usize {
        match (self.before, self.job) {
            (_, Job::ReadText(bytes)) | (Preparation::One(Job::Fill { bytes, .. }), _) if bytes > 100_000 => 100,
            _ => 1_000,
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CASES.into_iter().find(|case| case.name == name)
    }
}

/// All of them, in the order of the tables.
pub const CASES: [Case; 13] = [
    case("anonymous", Preparation::Nobody, Job::Nothing),
    case("untouched", SMALL, Job::Nothing),
    case("read", SMALL, Job::Read),
    case("read_write", SMALL, Job::ReadWrite),
    case("new", Preparation::Nobody, Job::Write),
    case("login", Preparation::Each(Job::Write), Job::Login),
    case("destroy", Preparation::Each(Job::Write), Job::Destroy),
    case("number_of_1k", filled(8, 1 << 10), Job::Read),
    case("number_of_16k", filled(8, 16 << 10), Job::Read),
    case("number_of_256k", filled(8, 256 << 10), Job::Read),
    case("text_of_1k", filled(1, 1 << 10), Job::ReadText(1 << 10)),
    case("text_of_16k", filled(1, 16 << 10), Job::ReadText(16 << 10)),
    case("text_of_256k", filled(1, 256 << 10), Job::ReadText(256 << 10)),
];

const SMALL: Preparation = Preparation::One(Job::Write);

const fn filled(texts: usize, bytes: usize) -> Preparation {
    Preparation::One(Job::Fill { texts, bytes })
}

const fn case(name: &'static str, before: Preparation, job: Job) -> Case {
    Case { name, before, job }
}

/// An id that no user had before.
#[must_use]
pub fn next_user() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(100_000);
    format!("user-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A text of so many bytes, other for each number.
#[must_use]
pub fn text(number: usize, bytes: usize) -> String {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .";
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letter = |_| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        char::from(LETTERS[state >> 58])
    };
    (0..bytes).map(letter).collect()
}
