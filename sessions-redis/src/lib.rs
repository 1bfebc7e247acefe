//! Server-side sessions in Redis or Valkey, on one server, behind Sentinel or in a Cluster.
//!
//! [`RedisStore`] keeps the contract of [`SessionStore`](sessions_core::SessionStore): connect it, hand it over to the session
//! manager, `stop` it at shutdown. Redis 6.2 and later, Valkey.
//!
//! ```no_run
//! use sessions_redis::RedisStore;
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::connect("redis://127.0.0.1/").await?;
//! // Does the server evict sessions? Does it keep them over a restart?
//! for warning in store.check().await? {
//!     eprintln!("{warning}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The README has the key layout, every command, the rights that a user needs, measured sizes, settings for the server and a
//! table of failures. This page says how the store behaves.
//!
//! # Connecting
//!
//! [`RedisStore::connect`] takes a URL for one server, a socket, TLS or a Cluster: see [`RedisStoreBuilder::connect`].
//! [`RedisStoreBuilder::with`] takes what the application has: a client, a connection, a `SentinelClient`; [`Source`] says
//! what each can do after an outage. [`RedisStoreBuilder::connect_lazy`] is for programs that start before their server.
//!
//! All operations of a store and its clones share one connection, and one to each node of a Cluster: commands are pipelined, and
//! answers come in order. No pool is needed, and none helps; blocking commands are not used.
//!
//! # How a session is kept
//!
//! One string per session, under `PREFIX/s/ID`, which expires by itself: a short envelope with version, expiry and owner, then the
//! record. `load` is one GET and `create` one SET NX PX; `update` and `touch` are one script of one key each, which is what makes
//! them atomic against every process (G5). Expiry is decided by the server's clock, in milliseconds (G3); the expiry in the envelope
//! is the writer's estimate, for those who read it.
//!
//! # Owners
//!
//! A session with an owner is also in a sorted set, `PREFIX/o/OWNER`, which says where to look for it and never what is
//! there: [`owned_by`](sessions_core::SessionStore::owned_by) reads each session and keeps those that are live and have this owner
//! now (G15). The entry is made before the session is written. It may therefore be one too many, which costs a read, and never one too
//! few. The two writes need not be one, so that index and session may be in different slots of a Cluster.
//!
//! Entries that lead nowhere are removed by whoever meets them, once they are old enough to be no sign-in that is still under way. The
//! set expires with the last session that may be in it.
//!
//! # Deadlines
//!
//! Every operation answers within its deadline (2 s unless told otherwise), connecting included: when the server hangs, when
//! the network swallows packets, when other operations stand in line. What was surely not applied is
//! [unavailable](sessions_core::StoreError::is_unavailable), what was sent without an answer, or stood in line to be sent, is
//! [indeterminate](sessions_core::StoreError::is_indeterminate). An operation whose future is dropped is done or is
//! not; the connection stays usable for the others (G11).
//!
//! # When the server is away
//!
//! The store is back as soon as the server is: nobody waits for a timer. A connection that ended, or on which nobody was answered for a
//! whole deadline, is replaced by the next operation; all who need it wait for the one attempt, each within its deadline. A
//! refused attempt stands for 20 ms, so that an outage under load is no storm of connections on a server that is coming up.
//!
//! Memory does not grow meanwhile: a command lives with the request that waits for it and with the connection it was sent on, and
//! both go at the deadline. Of a store's own connection to one server, at most 1024 commands are handed over ahead of the socket, 16 on a
//! runtime of one thread; the others wait in their requests.
//!
//! On a Cluster, a node that goes silent does not make way by itself for the one that takes over. A task looks for that one, on
//! a second connection on the side, which takes the place of the first when it is answered for a session that nobody
//! answered for. It begins when a command went unanswered for a whole deadline, and `stop` ends it (G18). There is no other
//! task than the client's own.
//!
//! What is safe to repeat is repeated once when a connection ends before the answer: reads, and writes that compare versions. A
//! create and a deletion are not, and are [indeterminate](sessions_core::StoreError::is_indeterminate): a create that arrives
//! late would bring back a session that has ended since (G8), and a deletion counts. The client of a Cluster repeats by
//! itself; where it may have done so, a create or a deletion is indeterminate whatever the answer, and any other write unless
//! the answer tells that it is stored.
//!
//! # Trust
//!
//! The server is trusted with integrity: who may write to it can forge sessions. It is not trusted with secrets: it holds
//! verifiers, never tokens. A value that is not what this store writes is an error that touches nothing; only
//! [`delete`](sessions_core::SessionStore::delete) does not look. Prefixes are validated, owners and ids are arguments and never
//! part of a script (G13). No record, no password and no text of the server is in an error, in `Debug` or in an event (G19).
//!
//! Redis answers a write before it is on another machine: a failover may lose the last writes before it, a logout too. The
//! README says what to set to make that rare, and [`RedisStore::check`] says what is not set.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `cluster`: `redis+cluster://` URLs, and stores from a `ClusterClient` or a `ClusterConnection`.
//! - `sentinel`: stores from a `SentinelClient`.
//! - `tls`: `rediss://` URLs, through rustls with ring.

mod call;
mod check;
mod config;
mod connection;
mod delete;
mod error;
mod failure;
mod index;
mod keys;
#[cfg(feature = "cluster")]
mod redirect;
mod script;
mod source;
mod store;
mod value;

pub use check::Warning;
pub use config::RedisStoreBuilder;
pub use error::Error;
pub use source::Source;
pub use store::RedisStore;

/// The README's programs compile.
#[cfg(all(doctest, feature = "cluster", feature = "sentinel", feature = "tls"))]
#[doc = include_str!("../README.md")]
struct Readme;
