//! Hostile bytes: what a client may send and what a store may hold, mutated without mercy.
//!
//! Four [targets](Target), each a function that takes any bytes and panics when a promise is broken: so that the same four run under
//! the [mutator](mutate) here, on stable Rust and from a printed seed, and under a coverage-guided fuzzer (`proof/fuzz`). They
//! begin from the corpus in `proof/corpus`, which this library wrote.
//!
//! [`at_rest`] damages records where they lie, in every store. [`controls`] are parsers and stores that are broken in one way each.

pub mod at_rest;
pub mod controls;
pub mod cookie;
pub mod corpus;
pub mod literal;
pub mod mutate;
mod record;
mod redis_value;
mod samples;
mod token;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use corpus::Seeds;
use mutate::Mutator;

/// What bytes are thrown at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A session's record: parsed, read and written back by a session manager.
    Record,
    /// The `Cookie` fields of a request, with a line feed between them, against a literal reading of the grammar.
    Cookie,
    /// The text of a token and of an id, against a literal reading of base64url.
    Token,
    /// What `sessions-redis` keeps under a session's key.
    RedisValue,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Record, Self::Cookie, Self::Token, Self::RedisValue];

    /// The folder of its corpus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Cookie => "cookie",
            Self::Token => "token",
            Self::RedisValue => "redis_value",
        }
    }

    /// Throws these bytes at it.
    ///
    /// # Panics
    ///
    /// When a promise is broken.
    pub fn throw(self, bytes: &[u8]) {
        match self {
            Self::Record => record::throw(bytes),
            Self::Cookie => cookie::throw(bytes),
            Self::Token => token::throw(bytes),
            Self::RedisValue => redis_value::throw(bytes),
        }
    }

    /// Throws them with checksums that fit, if it can be told where they are: a fuzzer alone would hardly find them.
    ///
    /// # Panics
    ///
    /// When a promise is broken.
    pub fn throw_forged(self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        if mutate::forge(self, &mut bytes) {
            self.throw(&bytes);
        }
    }

    /// Throws so many mutations of its corpus at it; gives the number of those that were accepted as well-formed.
    ///
    /// # Panics
    ///
    /// When a promise is broken; what was thrown is printed before.
    #[must_use]
    pub fn fuzz(self, seed: u64, executions: u64) -> u64 {
        let mut mutator = Mutator::new(self, seed);
        (0..executions).map(|number| u64::from(self.survives(&mutator.make(), seed, number))).sum()
    }

    /// Whether it is well-formed, as opposed to refused.
    fn survives(self, thrown: &mutate::Thrown, seed: u64, number: u64) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.throw(&thrown.bytes);
            match self {
                // What nobody has made the checksums fit for is never read as something else.
                Self::Record if !thrown.forged => record::never_other_data(&thrown.bytes).expect("no other data"),
                Self::Record => record::is_well_formed(&thrown.bytes),
                Self::Cookie => cookie::is_token(&thrown.bytes),
                Self::Token => token::is_well_formed(&thrown.bytes),
                Self::RedisValue if !thrown.forged => {
                    redis_value::never_other_data(&thrown.bytes).expect("no other data")
                }
                Self::RedisValue => redis_value::is_well_formed(&thrown.bytes),
            }
        }));
        match outcome {
            Ok(well_formed) => well_formed,
            Err(panic) => {
                let hex: String = thrown.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                eprintln!("{self:?}, seed {seed}, execution {number}: {hex}");
                resume_unwind(panic)
            }
        }
    }
}
