//! The writing lane, and setting up the table.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::store::ttl_millis;
use sessions_core::{Clock, SessionId, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Executor, Sqlite, SqlitePool};

use super::row::{self, Bound};
use super::statements::{SIZES, Statements};
use crate::error::{Error, Failure};
use crate::job::{self, Update, Write};
use crate::lane::Batch;
use crate::statement::Statement;
use crate::verdict::{Remedy, Verdict};

pub(crate) struct Writes {
    pool: SqlitePool,
    statements: Arc<Statements>,
    clock: Arc<dyn Clock>,
}

impl Writes {
    pub(crate) fn new(pool: SqlitePool, statements: Arc<Statements>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, statements, clock }
    }

    async fn write(&self, connection: &mut PoolConnection<Sqlite>, job: &Write) -> Result<u64, Failure> {
        let now = self.clock.now();
        let mut arguments = Bound::with_capacity(7);
        arguments.time(now);
        let statement = match job {
            Write::Create { id, entry, ttl } => {
                arguments.id(id).version(entry.version).time(expiry(now, *ttl));
                arguments.owner(entry.owner.as_ref()).bytes(&entry.record);
                &self.statements.create
            }
            Write::Update(update) => self.bind_update(&mut arguments, now, update),
            Write::Touch { id, expected, ttl } => {
                arguments.id(id).version(*expected).time(expiry(now, *ttl));
                &self.statements.touch
            }
            Write::Purge { limit } => {
                arguments.number((*limit).into());
                &self.statements.purge
            }
            Write::Delete(ids) => return self.delete(connection, arguments, ids).await,
        };
        execute(connection, statement, arguments.0).await
    }

    fn bind_update(&self, arguments: &mut Bound, now: Timestamp, update: &Update) -> &Statement {
        let Update { id, expected, entry, change } = update;
        arguments.id(id).version(*expected).version(entry.version).bytes(&entry.record);
        if let Some(ttl) = update.ttl() {
            arguments.time(expiry(now, ttl));
        }
        if change.reindex {
            arguments.owner(entry.owner.as_ref());
        }
        match (update.ttl().is_some(), change.reindex) {
            (false, false) => &self.statements.update,
            (false, true) => &self.statements.update_owner,
            (true, false) => &self.statements.update_expiry,
            (true, true) => &self.statements.update_both,
        }
    }

    async fn delete(
        &self,
        connection: &mut PoolConnection<Sqlite>,
        mut arguments: Bound,
        ids: &[SessionId],
    ) -> Result<u64, Failure> {
        let ids: Vec<u8> = ids.iter().flat_map(SessionId::as_bytes).copied().collect();
        arguments.bytes(&ids);
        let rows = fetch(connection, &self.statements.delete, arguments.0).await?;
        rows.iter().try_fold(0, |count, row| Ok(count + u64::from(row::was_live(row)?)))
    }

    /// Updates of different sessions that set the same columns, the owner not among them, in one statement.
    async fn update_many(
        &self,
        connection: &mut PoolConnection<Sqlite>,
        updates: &[&Update],
    ) -> Result<Vec<u64>, Failure> {
        let size = SIZES.iter().position(|size| updates.len() <= *size).unwrap_or_default();
        let now = self.clock.now();
        let moves = updates[0].ttl().is_some();
        let columns = if moves { 5 } else { 4 };
        let mut arguments = Bound::with_capacity(1 + SIZES[size] * columns);
        arguments.time(now);
        for update in updates {
            let Update { id, expected, entry, change: _ } = update;
            arguments.id(id).version(*expected).version(entry.version).bytes(&entry.record);
            if let Some(ttl) = update.ttl() {
                arguments.time(expiry(now, ttl));
            }
        }
        for _ in updates.len() * columns..SIZES[size] * columns {
            arguments.null();
        }
        let statement =
            if moves { &self.statements.update_expiry_many[size] } else { &self.statements.update_many[size] };
        let written: Vec<SessionId> =
            fetch(connection, statement, arguments.0).await?.iter().map(row::id).collect::<Result<_, _>>()?;
        Ok(updates.iter().map(|update| u64::from(written.contains(&update.id))).collect())
    }
}

impl Batch for Writes {
    type Job = Write;
    type Answer = u64;
    type Connection = PoolConnection<Sqlite>;

    fn fits(&self, picked: &[Write], job: &Write) -> bool {
        picked.len() < SIZES[SIZES.len() - 1] && job::fits_updates(picked, job)
    }

    async fn connect(&self) -> Result<Self::Connection, Failure> {
        self.pool.acquire().await.map_err(Failure::connection)
    }

    async fn reconnect(&self) -> Result<Self::Connection, Failure> {
        self.connect().await
    }

    fn may_repeat(&self, jobs: &[Write]) -> bool {
        job::may_repeat(jobs)
    }

    async fn run(&self, connection: &mut Self::Connection, jobs: &[Write]) -> Result<Vec<u64>, Failure> {
        match jobs {
            [job] => Ok(vec![self.write(connection, job).await?]),
            jobs => self.update_many(connection, &job::updates(jobs)).await,
        }
    }

    /// The pool sees whether it still answers, once the statement has ended.
    fn give_up(&self, connection: Self::Connection) {
        drop(connection);
    }

    /// The pool's question does not leave the process.
    fn hold(&self) -> Option<Duration> {
        None
    }

    fn let_go(&self, connection: Self::Connection) {
        drop(connection);
    }
}

/// Sets up the table, under the patience of one operation for each statement.
pub(crate) async fn migrate(pool: &SqlitePool, statements: &[Statement], patience: Duration) -> Result<(), Error> {
    for statement in statements {
        let until = tokio::time::Instant::now() + patience;
        while let Err(error) = pool.execute(sqlx::raw_sql(statement.sql())).await {
            // Another process is setting it up.
            if Verdict::of(&error).remedy != Remedy::Again || tokio::time::Instant::now() > until {
                return Err(Error::schema(error));
            }
        }
    }
    Ok(())
}

async fn execute(
    connection: &mut PoolConnection<Sqlite>,
    statement: &Statement,
    arguments: SqliteArguments,
) -> Result<u64, Failure> {
    let done = sqlx::query_with(statement.sql(), arguments).execute(&mut **connection).await;
    Ok(done.map_err(Failure::statement)?.rows_affected())
}

/// All rows are taken, so that the statement runs to its end.
async fn fetch(
    connection: &mut PoolConnection<Sqlite>,
    statement: &Statement,
    arguments: SqliteArguments,
) -> Result<Vec<SqliteRow>, Failure> {
    sqlx::query_with(statement.sql(), arguments).fetch_all(&mut **connection).await.map_err(Failure::statement)
}

fn expiry(now: Timestamp, ttl: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_add(ttl_millis(ttl)))
}
