//! The store.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, Timestamp, Ttl,
    UpdateOutcome, Version,
};
use sqlx::sqlite::SqliteArguments;

use super::builder::SqliteStoreBuilder;
use super::connections::Connections;
use super::row::{self, Bound};
use super::statements::{self, Statements};
use crate::config::Settings;
use crate::deadline::Attempt;
use crate::error::{Error, Failure};
use crate::purge::{Purge, Stop};

/// How often an operation starts anew because the row changed between its two statements.
const ROUNDS: usize = 8;

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
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Arc<dyn Clock>,
    statements: Statements,
    connections: Connections,
    stop: Stop,
}

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

    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, connections: Connections) -> Self {
        let statements = Statements::new(&settings.table);
        let store = Self(Arc::new(Inner { settings, clock, statements, connections, stop: Stop::new() }));
        if let Some(interval) = store.0.settings.purge_interval {
            store.0.stop.start(Background(Arc::downgrade(&store.0)), interval);
        }
        store
    }

    /// Sets up the table and its indexes where they are missing. Any number of processes may do so at once.
    ///
    /// # Errors
    ///
    /// [`Error::is_schema`] with the database's reason.
    pub async fn migrate(&self) -> Result<(), Error> {
        let attempt = Attempt::new(Duration::MAX);
        for statement in &self.0.statements.schema {
            let done = async {
                self.0.connections.writer().await?.execute(&attempt, statement, &SqliteArguments::default()).await
            };
            if let Err(Failure::Connection(error) | Failure::Statement(error)) = done.await {
                return Err(Error::schema(error));
            }
        }
        Ok(())
    }

    /// What [`migrate`](Self::migrate) runs, for people with their own migrations.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessions_sqlx::Error> {
    /// # let store = sessions_sqlx::SqliteStore::connect("sqlite::memory:").await?;
    /// assert!(store.schema().starts_with(r#"CREATE TABLE IF NOT EXISTS "sessions" ("#));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn schema(&self) -> String {
        statements::schema(&self.0.settings.table)
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs an operation under the deadline, unless the store was stopped (G18).
    async fn run<T>(&self, operation: impl AsyncFnOnce(&Attempt) -> Result<T, Failure>) -> Result<T, StoreError> {
        if self.stop.is_stopped() {
            return Err(Failure::Stopped.into_store_error(false));
        }
        let attempt = Attempt::new(self.settings.deadline);
        attempt.run(operation(&attempt)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, Failure> {
        let mut arguments = Bound::with_capacity(2);
        arguments.id(id).time(self.now());
        let row = self.connections.read_one(&self.statements.load, arguments.0).await?;
        row.as_ref().map(row::stored).transpose()
    }

    async fn create(
        &self,
        attempt: &Attempt,
        id: &SessionId,
        entry: &Entry,
        ttl: Duration,
    ) -> Result<CreateOutcome, Failure> {
        self.settings.check_size(&entry.record)?;
        for _ in 0..ROUNDS {
            let written = {
                let mut writer = self.connections.writer().await?;
                let now = self.now();
                let mut arguments = Bound::with_capacity(6);
                arguments.id(id).version(entry.version).time(expiry(now, ttl));
                arguments.owner(entry.owner.as_ref()).bytes(&entry.record).time(now);
                writer.execute(attempt, &self.statements.create, &arguments.0).await?
            };
            if written > 0 {
                return Ok(CreateOutcome::Created);
            }
            // The one that was there may have ended since: then the id is free.
            if let Some(stored) = self.load(id).await? {
                return Ok(CreateOutcome::Exists(stored));
            }
        }
        Err(Failure::Contended)
    }

    async fn update(
        &self,
        attempt: &Attempt,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, Failure> {
        self.settings.check_size(&entry.record)?;
        let statement = match (change.ttl, change.reindex) {
            (Ttl::Keep, false) => &self.statements.update,
            (Ttl::Keep, true) => &self.statements.update_owner,
            (Ttl::After(_), false) => &self.statements.update_expiry,
            (Ttl::After(_), true) => &self.statements.update_both,
        };
        for _ in 0..ROUNDS {
            let written = {
                let mut writer = self.connections.writer().await?;
                let now = self.now();
                let mut arguments = Bound::with_capacity(7);
                arguments.id(id).version(expected).version(entry.version).bytes(&entry.record).time(now);
                if let Ttl::After(ttl) = change.ttl {
                    arguments.time(expiry(now, ttl));
                }
                if change.reindex {
                    arguments.owner(entry.owner.as_ref());
                }
                writer.execute(attempt, statement, &arguments.0).await?
            };
            if written > 0 {
                return Ok(UpdateOutcome::Written);
            }
            match self.load(id).await? {
                None => return Ok(UpdateOutcome::Absent),
                // It was written back to the expected version since: then it can be updated.
                Some(stored) if stored.version == expected => {}
                Some(stored) => return Ok(UpdateOutcome::Conflict(stored)),
            }
        }
        Err(Failure::Contended)
    }

    async fn touch(
        &self,
        attempt: &Attempt,
        id: &SessionId,
        expected: Version,
        ttl: Duration,
    ) -> Result<bool, Failure> {
        let mut writer = self.connections.writer().await?;
        let now = self.now();
        let mut arguments = Bound::with_capacity(4);
        arguments.id(id).version(expected).time(expiry(now, ttl)).time(now);
        Ok(writer.execute(attempt, &self.statements.touch, &arguments.0).await? > 0)
    }

    async fn delete(&self, attempt: &Attempt, ids: &[SessionId]) -> Result<u64, Failure> {
        if ids.is_empty() {
            return Ok(0);
        }
        let ids: Vec<u8> = ids.iter().flat_map(SessionId::as_bytes).copied().collect();
        let mut writer = self.connections.writer().await?;
        let mut arguments = Bound::with_capacity(2);
        arguments.bytes(&ids).time(self.now());
        let rows = writer.execute_returning(attempt, &self.statements.delete, &arguments.0).await?;
        rows.iter().try_fold(0, |count, row| Ok(count + u64::from(row::flag(row)?)))
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, Failure> {
        let mut arguments = Bound::with_capacity(2);
        arguments.owner(Some(owner)).time(self.now());
        self.connections.read_all(&self.statements.owned_by, arguments.0).await?.iter().map(row::id).collect()
    }

    async fn purge_expired(&self, attempt: &Attempt, limit: u32) -> Result<u64, Failure> {
        let mut writer = self.connections.writer().await?;
        let mut arguments = Bound::with_capacity(2);
        arguments.time(self.now()).number(limit.into());
        writer.execute(attempt, &self.statements.purge, &arguments.0).await
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.0.run(async |_| self.0.load(id).await).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.0.run(async |attempt| self.0.create(attempt, id, entry, ttl).await).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.0.run(async |attempt| self.0.update(attempt, id, expected, entry, change).await).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.0.run(async |attempt| self.0.touch(attempt, id, expected, ttl).await).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.0.run(async |attempt| self.0.delete(attempt, ids).await).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.0.run(async |_| self.0.owned_by(owner).await).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.0.run(async |attempt| self.0.purge_expired(attempt, limit).await).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.0.stop.stop().await;
        self.0.connections.close().await;
        Ok(())
    }
}

/// Settings only: no path, no rows (G19).
impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("settings", &self.0.settings)
            .field("stopped", &self.0.stop.is_stopped())
            .finish_non_exhaustive()
    }
}

/// The purge task's handle: it does not keep the store alive.
struct Background(Weak<Inner>);

impl Purge for Background {
    async fn purge(&self, limit: u32) -> Option<Result<u64, StoreError>> {
        let store = self.0.upgrade()?;
        Some(store.run(async |attempt| store.purge_expired(attempt, limit).await).await)
    }
}

fn expiry(now: Timestamp, ttl: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(ttl_millis(ttl)))
}
