//! Building the store: from a URL, or from a pool of the application.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlPool};

use super::reads::Reads;
use super::statements::Statements;
use super::writes::Writes;
use super::{MySqlStore, Server, setup};
use crate::config::{Name, Settings};
use crate::error::Error;
use crate::lane::Lane;
use crate::store::Store;

/// Builds a [`MySqlStore`].
///
/// ```no_run
/// use sessions_sqlx::MySqlStore;
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), sessions_sqlx::Error> {
/// let store = MySqlStore::builder()
///     .table("web_sessions")?
///     .deadline(Duration::from_secs(3))?
///     .connect("mysql://app@localhost/app")
///     .await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it connects"]
pub struct MySqlStoreBuilder {
    settings: Settings,
    database: Option<Name>,
    connections: u8,
}

impl MySqlStoreBuilder {
    /// A connection that was idle for longer is asked whether it is alive before it is used.
    const IDLE_UNASKED: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        Self { settings: Settings::default(), database: None, connections: 8 }
    }

    shared_builder_methods!();

    /// The database of the table (default: that of the URL). It has to exist. Names are as for [`table`](Self::table).
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] for other names.
    pub fn database(mut self, name: &str) -> Result<Self, Error> {
        self.database = Some(Name::new("database", name)?);
        Ok(self)
    }

    /// How many connections there are at most (default 8): 2 to 64, one half for reading, the other for writing.
    ///
    /// Loads that wait at the same time share a statement. `connect` and `migrate` use one more, for as long as they take.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] outside of that range.
    pub fn connections(mut self, connections: u8) -> Result<Self, Error> {
        if !(2..=64).contains(&connections) {
            return Err(Error::setting("connections", "is between 2 and 64"));
        }
        self.connections = connections;
        Ok(self)
    }

    /// Connects to a server: `mysql://USER:PASSWORD@HOST:PORT/DATABASE` or `mariadb://…`, with `?ssl-mode=verify_identity` for
    /// TLS (feature `tls`).
    ///
    /// MySQL's own default authentication (`caching_sha2_password`) needs TLS or a socket. The server is asked to give up
    /// waiting for a lock, which it counts in whole seconds, after half of the deadline. Starts the purge task, so that it
    /// needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`], or [`Error::is_connect`] with the server's reason: refused, wrong password, no such
    /// database, read-only, packets too small for the largest record.
    pub async fn connect(self, url: &str) -> Result<MySqlStore, Error> {
        let options = options(url)?;
        let flavor = setup::check_server(&options, &self.settings).await?;
        let session_settings: Arc<str> = flavor.session_settings(self.settings.deadline).into();
        let pool = MySqlPoolOptions::new()
            .max_connections(self.connections.into())
            .acquire_timeout(self.settings.deadline)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > Self::IDLE_UNASKED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                // Numbers of ours in a text of ours.
                let session_settings = AssertSqlSafe(Arc::clone(&session_settings));
                Box::pin(async move { connection.execute(sqlx::raw_sql(session_settings)).await.map(drop) })
            })
            .connect_lazy_with(options);
        Ok(self.build(pool, true))
    }

    /// Uses a pool of the application; `stop` leaves it open.
    ///
    /// Make it with `test_before_acquire(false)`: the store finds out about stale connections itself. Set
    /// `innodb_lock_wait_timeout` and `lock_wait_timeout` below the [`deadline`](Self::deadline), and see that `max_allowed_packet`
    /// has room for the largest record. `autocommit` must be on, as it is by default. Connections go back to it as soon as no request waits, and it asks each of them whether it is
    /// alive: a pool that the store makes itself does so only every half minute. Starts the purge task, so that it needs a tokio runtime.
    #[must_use]
    pub fn with_pool(mut self, pool: MySqlPool) -> MySqlStore {
        self.connections = u8::try_from(pool.options().get_max_connections().min(8)).unwrap_or(8);
        self.build(pool, false)
    }

    fn build(self, pool: MySqlPool, own: bool) -> MySqlStore {
        let Self { settings, database, connections } = self;
        let statements = Arc::new(Statements::new(database.as_ref(), &settings.table));
        let drivers = usize::from(connections / 2).max(1);
        let reads = Lane::new(Reads::new(pool.clone(), own, Arc::clone(&statements)), drivers, settings.deadline);
        let writes = Lane::new(Writes::new(pool.clone(), own, Arc::clone(&statements)), drivers, settings.deadline);
        MySqlStore(Store::start(settings, Server { pool, own, statements }, reads, writes))
    }
}

fn options(url: &str) -> Result<MySqlConnectOptions, Error> {
    if !url.starts_with("mysql://") && !url.starts_with("mariadb://") {
        return Err(Error::url(sqlx::Error::Configuration("it begins with `mysql://` or `mariadb://`".into())));
    }
    let options = MySqlConnectOptions::from_str(url).map_err(Error::url)?;
    // None of the three matters to our statements, and each costs something on every connection.
    Ok(options.pipes_as_concat(false).no_engine_substitution(false).timezone(None).disable_statement_logging())
}
