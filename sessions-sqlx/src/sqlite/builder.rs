//! Building the store: from a URL, or from a pool of the application.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Clock, SystemClock};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, SqlitePool};

use super::SqliteStore;
use super::reads::Reads;
use super::writes::Writes;
use super::{Pools, statements::Statements};
use crate::config::Settings;
use crate::error::Error;
use crate::lane::Lane;
use crate::store::Store;
use crate::verdict::{Remedy, Verdict};

/// How long SQLite itself waits for a lock before we ask again; longer waits are made of many of these.
/// Its own handler waits in ever longer steps, up to 100 ms, and starves beside a process that writes without pause.
const BUSY_SLICE: Duration = Duration::from_millis(5);

/// Builds a [`SqliteStore`].
///
/// ```
/// use sessions_sqlx::SqliteStore;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sessions_sqlx::Error> {
/// let store = SqliteStore::builder()
///     .table("web_sessions")?
///     .deadline(Duration::from_secs(1))?
///     .connect("sqlite::memory:")
///     .await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it connects"]
pub struct SqliteStoreBuilder {
    settings: Settings,
    clock: Arc<dyn Clock>,
    readers: u8,
    synchronous: SqliteSynchronous,
}

impl SqliteStoreBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            readers: 2,
            synchronous: SqliteSynchronous::Full,
        }
    }

    shared_builder_methods!();

    /// The clock that decides what has expired (default: the system's). SQLite has none of its own, so that the clock of
    /// the file is the clock of the processes that share it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many connections read at the same time (default 2): 1 to 64. One more writes.
    ///
    /// Requests that wait at the same time share a statement, so that more readers make more parallelism, not less waiting.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] outside of that range.
    pub fn readers(mut self, readers: u8) -> Result<Self, Error> {
        if !(1..=64).contains(&readers) {
            return Err(Error::setting("readers", "is between 1 and 64"));
        }
        self.readers = readers;
        Ok(self)
    }

    /// Answers writes before they are on the disk (`synchronous = NORMAL` instead of `FULL`).
    ///
    /// A crash of the application loses nothing and the file stays consistent in any case. A crash of the operating system or
    /// a power cut may lose the last writes before it: a visit is forgotten, but a logout may be, too. That is why
    /// it is not the default. It saves one `fsync` a write.
    pub fn relaxed_durability(mut self) -> Self {
        self.synchronous = SqliteSynchronous::Normal;
        self
    }

    /// Opens a file, or a database in memory: `sqlite:PATH`, `sqlite:///absolute/path`, `sqlite::memory:`.
    ///
    /// A file that does not exist is created, unless the URL says `?mode=rw`; it is put into WAL mode. Starts the purge
    /// task, so that it needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`], or [`Error::is_connect`] when the directory is missing, the file is not writable or it is
    /// not a database.
    pub async fn connect(self, url: &str) -> Result<SqliteStore, Error> {
        let (options, in_memory) = parse(url)?;
        let options = options
            .foreign_keys(false)
            .busy_timeout(BUSY_SLICE)
            .synchronous(self.synchronous)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(self.settings.deadline)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        if in_memory {
            // Every connection would be a database of its own; this one must stay.
            let pool =
                pool.min_connections(1).max_connections(1).connect_with(options).await.map_err(Error::connect)?;
            return Ok(self.build(pool.clone(), pool, true));
        }
        prepare(&options, self.settings.deadline).await?;
        let writer = pool.clone().max_connections(1).connect_with(options.clone()).await.map_err(Error::connect)?;
        let readers = pool.max_connections(self.readers.into()).connect_lazy_with(options);
        Ok(self.build(readers, writer, true))
    }

    /// Uses a pool of the application, for reading and writing; `stop` leaves it open.
    ///
    /// Put the file into WAL mode, or readers and the writer wait for each other. In memory the pool must have exactly one
    /// connection. Set its busy timeout well below the [`deadline`](Self::deadline). Starts the purge task, so that it needs a
    /// tokio runtime.
    #[must_use]
    pub fn with_pool(self, pool: SqlitePool) -> SqliteStore {
        self.build(pool.clone(), pool, false)
    }

    fn build(self, readers: SqlitePool, writer: SqlitePool, own: bool) -> SqliteStore {
        let Self { settings, clock, readers: reading, synchronous: _ } = self;
        let statements = Arc::new(Statements::new(&settings.table));
        let reads = Reads::new(readers.clone(), Arc::clone(&statements), Arc::clone(&clock));
        let writes = Writes::new(writer.clone(), Arc::clone(&statements), clock);
        let reads = Lane::new(reads, reading.into(), settings.deadline);
        // SQLite lets one connection write at a time: within the process writers queue in the lane, fairly.
        let writes = Lane::new(writes, 1, settings.deadline);
        SqliteStore(Store::start(settings, Pools { readers, writer, own, statements }, reads, writes))
    }
}

/// The options of a URL, and whether it is one of a database in memory.
fn parse(url: &str) -> Result<(SqliteConnectOptions, bool), Error> {
    let unsuitable = |reason: &str| Error::url(sqlx::Error::Configuration(reason.into()));
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Err(unsuitable("it begins with `sqlite:`"));
    };
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if path.trim_start_matches('/').is_empty() {
        return Err(unsuitable("it names a file, as in `sqlite:sessions.db`, or `sqlite::memory:`"));
    }
    let mode = parameters.split('&').find_map(|parameter| parameter.strip_prefix("mode="));
    if mode == Some("ro") || parameters.contains("immutable") {
        return Err(unsuitable("a session store has to write"));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(Error::url)?;
    let in_memory = path.trim_start_matches('/') == ":memory:" || mode == Some("memory");
    Ok((if mode.is_none() { options.create_if_missing(true) } else { options }, in_memory))
}

/// Puts the file into WAL mode and makes sure that it can be written to. Changing the mode takes a lock that SQLite does not
/// wait for, so that processes that start together have to try again.
async fn prepare(options: &SqliteConnectOptions, patience: Duration) -> Result<(), Error> {
    let options = options.clone().journal_mode(SqliteJournalMode::Wal);
    let attempts = async {
        loop {
            match prepare_once(&options).await {
                Err(error) if Verdict::of(&error).remedy == Remedy::Again => tokio::time::sleep(BUSY_SLICE).await,
                outcome => return outcome,
            }
        }
    };
    match tokio::time::timeout(patience, attempts).await {
        Ok(outcome) => outcome.map_err(Error::connect),
        Err(_) => Err(Error::unsuitable(format!("another process has kept it locked for {patience:?}"))),
    }
}

async fn prepare_once(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    // SQLite opens a file that it may only read without a word. Nothing of this stays: not even on an error, with which the
    // connection ends.
    connection.execute(sqlx::raw_sql("BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK")).await?;
    connection.close().await
}
