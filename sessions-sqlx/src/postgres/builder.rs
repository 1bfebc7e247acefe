//! Building the store: from a URL, or from a pool of the application.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use super::reads::Reads;
use super::statements::{Place, Statements};
use super::writes::Writes;
use super::{PostgresStore, Server, setup};
use crate::config::{Name, Settings};
use crate::error::Error;
use crate::lane::Lane;
use crate::store::Store;

/// Builds a [`PostgresStore`].
///
/// ```no_run
/// use sessions_sqlx::PostgresStore;
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), sessions_sqlx::Error> {
/// let store = PostgresStore::builder()
///     .schema("app")?
///     .table("web_sessions")?
///     .deadline(Duration::from_secs(1))?
///     .connect("postgres://app@localhost/app")
///     .await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it connects"]
pub struct PostgresStoreBuilder {
    settings: Settings,
    schema: Option<Name>,
    unlogged: bool,
    relaxed_durability: bool,
    connections: u8,
}

impl PostgresStoreBuilder {
    /// A connection that was idle for longer is asked whether it is alive before it is used.
    const IDLE_UNASKED: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        let settings = Settings::default();
        Self { settings, schema: None, unlogged: false, relaxed_durability: false, connections: 8 }
    }

    shared_builder_methods!();

    /// The schema of the table (default: the first one of the search path). It has to exist. Names are as for
    /// [`table`](Self::table).
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] for other names.
    pub fn schema(mut self, name: &str) -> Result<Self, Error> {
        self.schema = Some(Name::new("schema", name)?);
        Ok(self)
    }

    /// Lets [`migrate`](PostgresStore::migrate) create an `UNLOGGED` table. An existing table stays what it is.
    ///
    /// A write leaves 40 bytes in the log instead of 170 to 510 (of a small session; the README has the figures). The price: **after a crash of the server the table is empty**,
    /// so that everybody is logged out, and replicas and backups by log do not have it.
    pub fn unlogged(mut self) -> Self {
        self.unlogged = true;
        self
    }

    /// Answers writes before they are on the disk (`synchronous_commit = off`).
    ///
    /// A crash of the server may lose the writes of its last moments (three times `wal_writer_delay`, 0.6 s by default): a visit
    /// is forgotten, but a logout may be, too. That is why it is not the default. With a pool of the application, set it
    /// there.
    pub fn relaxed_durability(mut self) -> Self {
        self.relaxed_durability = true;
        self
    }

    /// How many connections there are at most (default 8): 2 to 64, one half for reading, the other for writing.
    ///
    /// Requests that wait at the same time share a statement, so that a few go a long way. `connect` and `migrate` use one more, for
    /// as long as they take.
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

    /// Connects to a server: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `?sslmode=verify-full` for TLS (feature `tls`).
    ///
    /// Statements time out on the server before the deadline passes here, and locks before that. Starts the purge task, so
    /// that it needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`], or [`Error::is_connect`] with the server's reason: refused, wrong password, no such
    /// database, read-only, too old.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, Error> {
        let options = self.options(url)?;
        setup::check_server(&options, self.settings.deadline).await?;
        let pool = PgPoolOptions::new()
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
            .connect_lazy_with(options);
        Ok(self.build(pool, true))
    }

    /// Uses a pool of the application; `stop` leaves it open.
    ///
    /// Make it with `test_before_acquire(false)`: the store finds out about stale connections itself. Set `statement_timeout` and
    /// `lock_timeout` below the [`deadline`](Self::deadline). Connections go back to it as soon as no request waits, and it asks each
    /// of them whether it is alive: a pool that the store makes itself does so only every half minute. Starts the purge task, so that it needs a tokio runtime.
    #[must_use]
    pub fn with_pool(mut self, pool: PgPool) -> PostgresStore {
        self.connections = u8::try_from(pool.options().get_max_connections().min(8)).unwrap_or(8);
        self.build(pool, false)
    }

    fn options(&self, url: &str) -> Result<PgConnectOptions, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::url(sqlx::Error::Configuration("it begins with `postgres://`".into())));
        }
        let options = PgConnectOptions::from_str(url).map_err(Error::url)?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("sessions"),
        };
        let deadline = self.settings.deadline.as_millis();
        let mut server_settings =
            vec![("statement_timeout", (deadline * 3 / 4).to_string()), ("lock_timeout", (deadline / 2).to_string())];
        if self.relaxed_durability {
            server_settings.push(("synchronous_commit", "off".to_owned()));
        }
        Ok(options.options(server_settings).disable_statement_logging())
    }

    fn build(self, pool: PgPool, own: bool) -> PostgresStore {
        let Self { settings, schema, unlogged, relaxed_durability: _, connections } = self;
        let statements = Arc::new(Statements::new(&Place { schema, table: settings.table.clone(), unlogged }));
        let drivers = usize::from(connections / 2).max(1);
        let reads = Lane::new(Reads::new(pool.clone(), own, Arc::clone(&statements)), drivers, settings.deadline);
        let writes = Lane::new(Writes::new(pool.clone(), own, Arc::clone(&statements)), drivers, settings.deadline);
        PostgresStore(Store::start(settings, Server { pool, own, statements }, reads, writes))
    }
}
