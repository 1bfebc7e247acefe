//! Server-side sessions for Rust web services: the manager, the sessions, the encoders and the store contract.
//!
//! The browser holds an opaque token of 256 random bits. Everything else is in a store that you already run, under an id
//! that grants nothing, beside a hash that proves the token. This crate decides what a session is and how it is read,
//! written and ended; it has no runtime and no HTTP. Applications use it through `sessions-tower`, which brings it to axum
//! and to every other tower stack, and one store crate.
//!
//! ```
//! use sessions_core::{CookieChange, Key, Session, SessionManager};
//! # mod kit { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest/kit.rs")); }
//! # use kit::*;
//!
//! const VISITS: Key<u64> = Key::new("visits");
//!
//! /// A handler. It needs no store, and a unit test can call it with `Session::detached()`.
//! fn visit(session: &Session) -> Result<u64, sessions_core::Error> {
//!     session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)
//! }
//!
//! # run(async {
//! let manager = SessionManager::builder(store()).build()?;
//!
//! // What an adapter does around it, for a first request …
//! let session = manager.new_session();
//! assert_eq!(visit(&session)?, 1);
//! let CookieChange::Set { token, .. } = manager.commit(&session).await?.cookie else { panic!("a new session") };
//!
//! // … and for the next one, whose cookie has the token.
//! let session = manager.load(&token).await?.expect("a live session");
//! assert_eq!(visit(&session)?, 2);
//! manager.commit(&session).await?;
//! # Ok(()) });
//! ```
//!
//! # Four promises
//!
//! 1. **Nothing a handler committed is lost.** A commit writes what the request changed, not what it saw. Overlapping requests of one
//!    session keep each other's keys, and counters changed through [`Session::update`] are exact. If the client gets the
//!    handler's response, every session change that the handler made is in the store.
//! 2. **What is over stays over.** A destroyed session, an expired session and a rotated-away token never work again,
//!    whatever slow request was still in flight, on every backend, across processes.
//! 3. **A stolen database, backup, log or cache yields no usable cookie.** The store keeps a hash of the token; ids that are
//!    logged or listed grant nothing; types that hold secrets do not show them.
//! 4. **You pay for what you use.** A session that nobody asks for costs no store call. Reading is one, writing two, a login
//!    with its rotation two as well.
//!
//! # The guide
//!
//! | page | for whom |
//! |---|---|
//! | [Life of a request](guide::life_of_a_request) | everyone: what happens when, and what it costs |
//! | [Choosing a store](guide::stores) | whoever deploys |
//! | [Login done right](guide::login) | login, logout, "keep me signed in", "my devices" |
//! | [Expiry](guide::expiry) | lifetime, idle timeout, absolute timeout, renewal, clocks |
//! | [Concurrency](guide::concurrency) | `insert`, `update` or `require_unchanged` |
//! | [Testing your application](guide::testing) | sessions in unit tests, without a store |
//! | [Encoders](guide::encoders) | types, switching, writing one |
//! | [Trust](guide::trust) | what is hostile, what is secret, what is left to you |
//! | [From the Go package](from_go) | whoever knows `sessions` for Go |
//!
//! # The pieces
//!
//! | | |
//! |---|---|
//! | [`SessionManager`] | opens sessions, commits them, administers them; [built](SessionManagerBuilder) once |
//! | [`Session`] | what a handler works on: values, owner, rotation, end |
//! | [`Key`] | the name of a value with its type |
//! | [`Token`], [`SessionId`] | what the client holds, and what may be told of it |
//! | [`Committed`] | what a commit came to, and what the cookie must become |
//! | [`SessionStore`] | the contract of a backend, G1 to G19 |
//! | [`Encoder`] | how values become bytes: [`MessagePack`], and by feature [JSON](encoder) and bincode |
//! | [`Clock`], [`Random`] | time and randomness, as dependencies |
//! | [`Error`] | opaque, with predicates |
//!
//! # Features
//!
//! Neither is on by default, and neither changes what the rest does: `json` adds an encoder whose values can be read in a database
//! console, `bincode` one for applications that already hold such values.

mod access;
mod base64url;
mod clock;
mod commit;
mod delta;
pub mod encoder;
mod error;
mod execute;
mod expiry;
pub mod from_go;
pub mod guide;
mod key;
mod manager;
mod owner;
mod prepare;
mod random;
mod record;
mod session;
mod settings;
pub mod store;
#[cfg(test)]
mod test_kit;
#[cfg(test)]
mod test_store;
mod token;
mod turn;
mod versions;

/// The examples of the README are tests as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use commit::{Committed, CookieChange, Outcome};
#[cfg(feature = "bincode")]
pub use encoder::Bincode;
#[cfg(feature = "json")]
pub use encoder::Json;
pub use encoder::{Encoder, MessagePack};
pub use error::{Error, StoreError};
pub use key::{Key, MAX_KEY_BYTES};
pub use manager::{SessionManager, SessionManagerBuilder};
pub use owner::Owner;
pub use random::{OsRandom, Random, RandomError};
pub use record::Record;
pub use session::{Session, SessionStatus};
pub use store::{Change, CreateOutcome, Entry, SessionStore, Stored, Ttl, UpdateOutcome, Version};
pub use token::{SessionId, Token, TokenText, Verifier};
