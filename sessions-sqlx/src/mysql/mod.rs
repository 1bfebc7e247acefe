//! Sessions in a MySQL or MariaDB table, shared by any number of machines.

mod builder;
mod reads;
mod row;
mod setup;
mod statements;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Change, CreateOutcome, Entry, Owner, SessionId, StoreError, Stored, UpdateOutcome, Version};
use sqlx::MySqlPool;

pub use builder::MySqlStoreBuilder;
use statements::Statements;

use crate::error::Error;
use crate::statement::Statement;
use crate::store::{Database, Store};

/// A session store in a MySQL or MariaDB table (InnoDB).
///
/// What is live is judged by the server's clock at the beginning of each statement, so that its clients' clocks and time
/// zones do not matter (G3). Clones are the same store (G14). Tested with MariaDB 10.11; MariaDB 10.5, MySQL 8.0 and later are
/// accepted.
///
/// ```no_run
/// use sessions_core::{Owner, SessionStore};
/// use sessions_sqlx::MySqlStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MySqlStore::connect("mysql://app:password@localhost/app").await?;
/// store.migrate().await?;
/// let devices = store.owned_by(&Owner::new("user-42")?).await?;
/// println!("signed in on {} devices", devices.len());
/// store.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MySqlStore(Arc<Store<Server>>);

impl MySqlStore {
    /// Connects with the default settings: see [`MySqlStoreBuilder::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url).await
    }

    /// A builder for other settings.
    pub fn builder() -> MySqlStoreBuilder {
        MySqlStoreBuilder::new()
    }

    /// Sets up the table and its indexes where they are missing. Any number of processes may do so at once; where everything is
    /// there, no privilege to create anything is needed.
    ///
    /// # Errors
    ///
    /// [`Error::is_schema`] with the server's reason.
    pub async fn migrate(&self) -> Result<(), Error> {
        let Server { pool, own, statements } = &self.0.database;
        setup::migrate(pool, *own, statements).await
    }

    shown_statements!();

    fn by_operation(&self) -> Vec<(&'static str, &Statement)> {
        self.0.database.statements.by_operation()
    }
}

impl_session_store!(MySqlStore);

/// The connections to the server.
pub(crate) struct Server {
    pool: MySqlPool,
    /// Whether the pool is ours to close.
    own: bool,
    statements: Arc<Statements>,
}

impl Database for Server {
    type Reads = reads::Reads;
    type Writes = writes::Writes;

    const DELETES: usize = statements::MOST;

    async fn close(&self) {
        if self.own {
            self.pool.close().await;
        }
    }
}
