//! Every store, and the door behind it: what is at rest in it, and what is still under way.
//!
//! A [`Bench`] is a store that nobody else uses, in a namespace, file or database of its own.

#[cfg(feature = "servers")]
mod mariadb;
mod memory;
#[cfg(feature = "servers")]
mod postgres;
#[cfg(feature = "servers")]
mod redis;
mod sqlite;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
pub use sessions_conformance::Problem;
use sessions_core::{Clock, ManualClock, SessionId, SessionManager, SessionManagerBuilder, SessionStore, SystemClock};

/// The stores there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sessions-memory`.
    Memory,
    /// `sessions-sqlx` on a file.
    Sqlite,
    /// `sessions-redis` on one server.
    #[cfg(feature = "servers")]
    Redis,
    /// `sessions-redis` on a Cluster.
    #[cfg(feature = "servers")]
    RedisCluster,
    /// `sessions-sqlx` on Postgres.
    #[cfg(feature = "servers")]
    Postgres,
    /// `sessions-sqlx` on `MariaDB`.
    #[cfg(feature = "servers")]
    MariaDb,
}

/// A store that nobody else uses, and the time that its manager reads. A clone is the same bench.
#[derive(Debug, Clone)]
pub struct Bench {
    /// What it is a bench of.
    pub kind: Kind,
    /// The store.
    pub store: Arc<dyn SessionStore>,
    /// The clock of managers on it, and of the store if it takes one. It begins at the present time.
    pub clock: ManualClock,
    behind: Arc<dyn Behind>,
}

/// What can be done behind a store's back.
#[async_trait]
trait Behind: Send + Sync {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem>;

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem>;

    async fn dump(&self, ids: &[SessionId]) -> Result<Vec<u8>, Problem>;

    async fn count(&self) -> Result<u64, Problem>;

    async fn under_way(&self) -> Result<u64, Problem>;

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem>;
}

impl Bench {
    /// Opens a store; `None` for a server that was left out on purpose.
    ///
    /// # Errors
    ///
    /// When the server of that name cannot be used.
    pub async fn open(kind: Kind) -> Result<Option<Self>, Problem> {
        let clock = ManualClock::at(SystemClock.now());
        let opened = match kind {
            Kind::Memory => Some(memory::open(&clock)?),
            Kind::Sqlite => Some(sqlite::open(&clock).await?),
            #[cfg(feature = "servers")]
            Kind::Redis => redis::open(false).await?,
            #[cfg(feature = "servers")]
            Kind::RedisCluster => redis::open(true).await?,
            #[cfg(feature = "servers")]
            Kind::Postgres => postgres::open().await?,
            #[cfg(feature = "servers")]
            Kind::MariaDb => mariadb::open().await?,
        };
        Ok(opened.map(|(store, behind)| Self { kind, store, clock, behind }))
    }

    /// The same bench with another store in front.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn SessionStore>) -> Self {
        Self { store, ..self }
    }

    /// A manager on the store, told the time by the bench's clock.
    #[must_use]
    pub fn builder(&self) -> SessionManagerBuilder {
        SessionManager::builder(Arc::clone(&self.store)).clock(self.clock.clone())
    }

    /// The bytes at rest that hold a session's record, in the store's own envelope where it has one.
    ///
    /// # Errors
    ///
    /// When the store cannot be looked into.
    pub async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        self.behind.at_rest(id).await
    }

    /// Puts other bytes in their place, behind the store's back. Nothing else changes: neither version nor expiry.
    ///
    /// # Errors
    ///
    /// When the store cannot be looked into.
    pub async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        self.behind.replace(id, bytes).await
    }

    /// Everything that is at rest: the bytes of the files, every key and value, every column of every row. Of the memory store,
    /// which nobody else can look into, the records under these ids.
    ///
    /// # Errors
    ///
    /// When the store cannot be looked into.
    pub async fn dump(&self, ids: &[SessionId]) -> Result<Vec<u8>, Problem> {
        self.behind.dump(ids).await
    }

    /// How many sessions are at rest, expired ones too.
    ///
    /// # Errors
    ///
    /// When the store cannot be looked into.
    pub async fn count(&self) -> Result<u64, Problem> {
        self.behind.count().await
    }

    /// How many statements and transactions of this store the server knows that have not ended.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn under_way(&self) -> Result<u64, Problem> {
        self.behind.under_way().await
    }

    /// Waits until nothing is under way; an error if that does not happen within `patience`.
    ///
    /// # Errors
    ///
    /// When something stays open, or the server cannot be asked.
    pub async fn come_to_rest(&self, patience: Duration) -> Result<(), Problem> {
        let until = Instant::now() + patience;
        loop {
            match self.under_way().await? {
                0 => return Ok(()),
                open if Instant::now() > until => return Err(format!("{open} transactions stay open").into()),
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// Opens a transaction that writes, as a request that goes away in the middle might leave it behind: the negative control. `None`
    /// where there are none to leave.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        self.behind.leave_open().await
    }
}

impl fmt::Debug for dyn Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Behind")
    }
}

/// What each store opens as.
type Opened = (Arc<dyn SessionStore>, Arc<dyn Behind>);

/// A name for a namespace, table or database that nobody else uses.
#[cfg(feature = "servers")]
fn fresh_name() -> String {
    format!("proof_{:016x}", fastrand::u64(..))
}

/// Longer than any pause of a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// So few that a leak is seen: each of them would be missed.
#[cfg(feature = "servers")]
const CONNECTIONS: u8 = 4;
