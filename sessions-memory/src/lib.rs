//! Sessions in the memory of one process: the store for a single instance, for development and for tests.
//!
//! [`MemoryStore`] keeps the whole contract of [`SessionStore`](sessions_core::SessionStore), on a
//! [moka](https://docs.rs/moka) map whose own policies are all left off: what goes, and when, is decided here.
//!
//! ```
//! use sessions_memory::MemoryStore;
//!
//! let store = MemoryStore::builder().max_sessions(100_000).build()?;
//! # let _ = store;
//! # Ok::<(), sessions_memory::Error>(())
//! ```
//!
//! # What is kept, and for how long
//!
//! A live session is never evicted (G17). A store at one of its bounds ([`MemoryStoreBuilder`]) removes what has expired and
//! then refuses newcomers, so that a flood of clients without cookies costs its own sessions and nobody else's.
//!
//! Everything is lost when the process ends, and no other process sees it.
//!
//! # What reclaims memory
//!
//! No thread and no timer; the crate needs no runtime. An expired session is absent at once (G3), and its memory comes back
//!
//! - when [`purge_expired`](sessions_core::SessionStore::purge_expired) finds it, in logarithmic time for each session,
//! - when a session is created and some dozen beside it have expired: whoever adds one clears up, so that at most about two
//!   thousand expired sessions are held in a store that is never purged and still used,
//! - when a bound is met: all of them give way before a live session is refused,
//! - when its id is created again or deleted.
//!
//! # Cost
//!
//! `load`, `update` and `touch` are one lookup in the map, without a lock, and the lock of the one session. `load` copies no
//! record; writing copies it once. A session with a record of 175 bytes takes 549 bytes of memory and 573 once it
//! was loaded, one with an owner of its own 620 and 644: `cargo test -p sessions-memory --test footprint -- --nocapture`
//! counts them.
//!
//! Operations take a microsecond or so and run to their end when they are polled. Two take as long as their argument makes
//! them: a `delete` of many ids, and `purge_expired`, for which a limit of some thousand is a good measure on a thread
//! that serves requests.
//!
//! # Trust
//!
//! Ids may come from clients: looking one up stores nothing, and the map's hash is keyed. Records are opaque; they hold no
//! usable token. The clock may jump: what was once found expired stays so.

mod config;
mod error;
mod hasher;
mod index;
mod meter;
mod sessions;
mod shards;
mod slot;
mod store;

pub use config::MemoryStoreBuilder;
pub use error::Error;
pub use store::{MemoryStore, Usage};

#[cfg(test)]
mod tests;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
