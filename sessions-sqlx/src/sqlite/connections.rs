//! Connections: many readers, one writer at a time.

use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Sqlite, SqlitePool};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::statements::Statement;
use crate::deadline::Attempt;
use crate::error::Failure;

/// SQLite lets one connection write at a time. Within this store writers queue here, fairly; against other processes
/// they try again, see [`Writer::execute`].
#[derive(Debug)]
pub(crate) struct Connections {
    readers: SqlitePool,
    writer: SqlitePool,
    turn: Semaphore,
    /// Whether the pools are ours to close.
    own: bool,
    deadline: Duration,
}

impl Connections {
    pub(crate) fn new(readers: SqlitePool, writer: SqlitePool, own: bool, deadline: Duration) -> Self {
        Self { readers, writer, turn: Semaphore::new(1), own, deadline }
    }

    /// One reading statement, at most one row.
    pub(crate) async fn read_one(
        &self,
        statement: &Statement,
        arguments: SqliteArguments,
    ) -> Result<Option<SqliteRow>, Failure> {
        let mut connection = self.readers.acquire().await.map_err(Failure::Connection)?;
        sqlx::query_with(statement.sql(), arguments).fetch_optional(&mut *connection).await.map_err(Failure::Statement)
    }

    /// One reading statement, all its rows.
    pub(crate) async fn read_all(
        &self,
        statement: &Statement,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, Failure> {
        let mut connection = self.readers.acquire().await.map_err(Failure::Connection)?;
        sqlx::query_with(statement.sql(), arguments).fetch_all(&mut *connection).await.map_err(Failure::Statement)
    }

    /// Waits for the turn to write.
    pub(crate) async fn writer(&self) -> Result<Writer<'_>, Failure> {
        // The semaphore is never closed.
        let turn = self.turn.acquire().await.map_err(|_| Failure::Stopped)?;
        let connection = self.writer.acquire().await.map_err(Failure::Connection)?;
        Ok(Writer { connection, _turn: turn, until: Instant::now() + self.deadline })
    }

    /// Closes the pools if they are ours; connections that are in use are waited for.
    pub(crate) async fn close(&self) {
        if self.own {
            self.readers.close().await;
            self.writer.close().await;
        }
    }
}

/// The one that may write now.
pub(crate) struct Writer<'a> {
    connection: PoolConnection<Sqlite>,
    _turn: SemaphorePermit<'a>,
    until: Instant,
}

impl Writer<'_> {
    /// One writing statement; how many rows it wrote.
    pub(crate) async fn execute(
        &mut self,
        attempt: &Attempt,
        statement: &Statement,
        arguments: &SqliteArguments,
    ) -> Result<u64, Failure> {
        loop {
            attempt.write_sent();
            let answer = sqlx::query_with(statement.sql(), arguments.clone()).execute(&mut *self.connection).await;
            match answer {
                Ok(done) => {
                    attempt.write_answered();
                    return Ok(done.rows_affected());
                }
                Err(error) => self.again_if_busy(attempt, error)?,
            }
        }
    }

    /// One writing statement that returns rows.
    pub(crate) async fn execute_returning(
        &mut self,
        attempt: &Attempt,
        statement: &Statement,
        arguments: &SqliteArguments,
    ) -> Result<Vec<SqliteRow>, Failure> {
        loop {
            attempt.write_sent();
            let answer = sqlx::query_with(statement.sql(), arguments.clone()).fetch_all(&mut *self.connection).await;
            match answer {
                Ok(rows) => {
                    attempt.write_answered();
                    return Ok(rows);
                }
                Err(error) => self.again_if_busy(attempt, error)?,
            }
        }
    }

    /// Busy means that another process holds the write lock and that nothing was applied. SQLite's own handler waits in ever
    /// longer steps, up to 100 ms, and so starves beside a process that writes without pause; it is given a few
    /// milliseconds, and the statement is sent again until the deadline.
    fn again_if_busy(&self, attempt: &Attempt, error: sqlx::Error) -> Result<(), Failure> {
        if is_busy(&error) {
            attempt.write_answered();
            if Instant::now() < self.until {
                return Ok(());
            }
        }
        Err(Failure::Statement(error))
    }
}

/// `SQLITE_BUSY` (5) and `SQLITE_LOCKED` (6), of every extended kind.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}
