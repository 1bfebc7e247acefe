//! Sessions in an SQLite file: nothing to install, shared by all processes of one machine.

mod builder;
mod reads;
mod row;
mod statements;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Change, CreateOutcome, Entry, Owner, SessionId, StoreError, Stored, UpdateOutcome, Version};
use sqlx::SqlitePool;

pub use builder::SqliteStoreBuilder;
use statements::Statements;

use crate::error::Error;
use crate::statement::Statement;
use crate::store::{Database, Store};

/// A session store in an SQLite file.
///
/// All processes of one machine may share a file; a network file system is no place for it. Clones are the same store (G14).
///
/// ```
/// use sessions_core::{Entry, Owner, SessionId, SessionStore, Timestamp, Version};
/// use sessions_sqlx::SqliteStore;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = SqliteStore::connect("sqlite::memory:").await?;
/// store.migrate().await?;
///
/// let id = SessionId::from_bytes([7; 16]);
/// let entry = Entry {
///     version: Version::from_u64(1),
///     record: b"bytes"[..].into(),
///     owner: Some(Owner::new("user-42")?),
///     deadline: Timestamp::MAX,
/// };
/// store.create(&id, &entry, Duration::from_secs(60)).await?;
/// assert_eq!(store.load(&id).await?.expect("it is live").record, entry.record);
/// assert_eq!(store.owned_by(&Owner::new("user-42")?).await?, [id]);
/// store.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Store<Pools>>);

impl SqliteStore {
    /// Opens a file with the default settings: see [`SqliteStoreBuilder::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url).await
    }

    /// A builder for other settings.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder::new()
    }

    /// Sets up the table and its indexes where they are missing. Any number of processes may do so at once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions_sqlx::Error> {
    /// let store = sessions_sqlx::SqliteStore::connect("sqlite::memory:").await?;
    /// store.migrate().await?;
    /// assert!(store.schema_sql().starts_with(r#"CREATE TABLE IF NOT EXISTS "sessions" ("#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_schema`] with the database's reason.
    pub async fn migrate(&self) -> Result<(), Error> {
        let Pools { writer, statements, .. } = &self.0.database;
        writes::migrate(writer, &statements.schema, self.0.settings.deadline).await
    }

    shown_statements!();

    fn by_operation(&self) -> Vec<(&'static str, &Statement)> {
        self.0.database.statements.by_operation()
    }
}

impl_session_store!(SqliteStore);

/// The connections: many read while one writes.
pub(crate) struct Pools {
    readers: SqlitePool,
    writer: SqlitePool,
    /// Whether they are ours to close.
    own: bool,
    statements: Arc<Statements>,
}

impl Database for Pools {
    type Reads = reads::Reads;
    type Writes = writes::Writes;

    async fn close(&self) {
        if self.own {
            self.readers.close().await;
            self.writer.close().await;
        }
    }
}
