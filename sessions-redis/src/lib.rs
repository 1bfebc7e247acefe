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
//! # How a session is kept
//!
//! One string per session, under `PREFIX/s/ID`, which expires by itself: a short envelope with version, expiry and owner, then the
//! record. `load` is one GET and `create` one SET NX PX; `update` and `touch` are one script of one key each, which is what makes
//! them atomic against every process (G5). Sessions with an owner are also in a sorted set, `PREFIX/o/OWNER`, which says where to
//! look for them. Nothing touches two keys at once, so that a Cluster is no special case.
//!
//! # When the server is away
//!
//! Every operation answers within its deadline (2 s unless told otherwise), and the store is back as soon as the server is:
//! nobody waits for a timer. What was surely not applied is *unavailable*, what was sent without an answer is
//! *indeterminate*. A connection that ended, or on which nobody was answered for a whole deadline, is replaced.
//!
//! # Trust
//!
//! The server is trusted with integrity: who may write to it can forge sessions. It is not trusted with secrets: it holds
//! verifiers, never tokens. A value that is not what this store writes is an error that touches nothing. Redis answers a
//! write before it is on another machine: a failover may lose the last writes before it, a logout too. The README says what to set
//! to make that rare.
//!
//! # Features
//!
//! `cluster`, `sentinel` and `tls`; none is on by default.

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
