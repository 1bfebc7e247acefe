//! Behind the SQLite store there is its file, which another connection opens.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{ManualClock, SessionId};
use sessions_sqlx::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, SqliteConnection};
use tempfile::TempDir;

use super::{Behind, DEADLINE, Opened, Problem};

struct Sqlite {
    folder: TempDir,
    options: SqliteConnectOptions,
}

pub(super) async fn open(clock: &ManualClock) -> Result<Opened, Problem> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sessions.db");
    let builder = SqliteStore::builder().no_purge().clock(clock.clone()).deadline(DEADLINE)?;
    // No check here cuts the power.
    let store = builder.relaxed_durability().connect(&format!("sqlite:{}", file.display())).await?;
    store.migrate().await?;
    let options = SqliteConnectOptions::new().filename(&file).disable_statement_logging();
    Ok((Arc::new(store), Arc::new(Sqlite { folder, options })))
}

impl Sqlite {
    async fn connect(&self) -> Result<SqliteConnection, Problem> {
        Ok(self.options.clone().busy_timeout(DEADLINE).connect().await?)
    }
}

#[async_trait]
impl Behind for Sqlite {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        let query = sqlx::query_scalar("SELECT record FROM sessions WHERE id = ?").bind(&id.as_bytes()[..]);
        Ok(query.fetch_optional(&mut self.connect().await?).await?)
    }

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        let query = sqlx::query("UPDATE sessions SET record = ? WHERE id = ?").bind(bytes).bind(&id.as_bytes()[..]);
        query.execute(&mut self.connect().await?).await?;
        Ok(())
    }

    /// All files in the folder: the database, its log and its shared memory.
    async fn dump(&self, _: &[SessionId]) -> Result<Vec<u8>, Problem> {
        let mut dump = Vec::new();
        for file in std::fs::read_dir(self.folder.path())? {
            dump.extend(std::fs::read(file?.path())?);
        }
        Ok(dump)
    }

    async fn count(&self) -> Result<u64, Problem> {
        let query = sqlx::query_scalar("SELECT count(*) FROM sessions");
        let count: i64 = query.fetch_one(&mut self.connect().await?).await?;
        Ok(u64::try_from(count)?)
    }

    /// Whether another connection may write, without waiting.
    async fn under_way(&self) -> Result<u64, Problem> {
        let mut connection = self.options.clone().busy_timeout(Duration::ZERO).connect().await?;
        match connection.execute("BEGIN IMMEDIATE; ROLLBACK").await {
            Ok(_) => Ok(0),
            Err(error) if error.as_database_error().is_some_and(|answer| answer.code().as_deref() == Some("5")) => {
                Ok(1)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        let mut connection = self.connect().await?;
        connection.execute("BEGIN IMMEDIATE").await?;
        Ok(Some(Box::new(connection)))
    }
}
