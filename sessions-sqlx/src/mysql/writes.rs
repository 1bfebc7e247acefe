//! The writing lane. Without `RETURNING`, a statement for many updates could not tell which of them it wrote: each write is a
//! statement of its own, and the server shares the `fsync` among connections.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::store::ttl_millis;
use sessions_core::{Entry, SessionId};
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlArguments;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{MySql, MySqlPool};

use super::statements::{SIZES, Statements};
use crate::error::Failure;
use crate::job::{self, Update, Write};
use crate::lane::Batch;
use crate::stale::{HOLD, acquire_alive, give_back};
use crate::statement::Statement;
use crate::verdict::Remedy;

pub(crate) struct Writes {
    pool: MySqlPool,
    own: bool,
    statements: Arc<Statements>,
}

impl Writes {
    pub(crate) fn new(pool: MySqlPool, own: bool, statements: Arc<Statements>) -> Self {
        Self { pool, own, statements }
    }

    async fn write(&self, connection: &mut PoolConnection<MySql>, job: &Write) -> Result<u64, Failure> {
        match job {
            Write::Create { id, entry, ttl } => self.create(connection, id, entry, *ttl).await,
            Write::Update(update) => execute(connection, self.update(update)).await,
            Write::Touch { id, expected, ttl } => {
                let query = sqlx::query(self.statements.touch.sql()).bind(millis(*ttl)).bind(&id.as_bytes()[..]);
                execute(connection, query.bind(expected.as_u64())).await
            }
            Write::Purge { limit } => execute(connection, sqlx::query(self.statements.purge.sql()).bind(*limit)).await,
            Write::Delete(ids) => self.delete(connection, ids).await,
        }
    }

    async fn create(
        &self,
        connection: &mut PoolConnection<MySql>,
        id: &SessionId,
        entry: &Entry,
        ttl: Duration,
    ) -> Result<u64, Failure> {
        let query = |statement: &Statement| {
            sqlx::query(statement.sql())
                .bind(entry.version.as_u64())
                .bind(millis(ttl))
                .bind(entry.owner.as_ref().map(|owner| owner.as_str().as_bytes().to_vec()))
                .bind(entry.record.to_vec())
                .bind(id.as_bytes().to_vec())
        };
        match query(&self.statements.create).execute(&mut **connection).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) => {
                execute(connection, query(&self.statements.create_over_expired)).await
            }
            Err(error) => Err(Failure::statement(error)),
        }
    }

    fn update<'a>(&self, update: &'a Update) -> Query<'a, MySql, MySqlArguments> {
        let Update { id, expected, entry, change } = update;
        let statement = match (update.ttl(), change.reindex) {
            (None, false) => &self.statements.update,
            (Some(_), false) => &self.statements.update_expiry,
            (None, true) => &self.statements.update_owner,
            (Some(_), true) => &self.statements.update_both,
        };
        let mut query = sqlx::query(statement.sql()).bind(entry.version.as_u64()).bind(&entry.record[..]);
        if let Some(ttl) = update.ttl() {
            query = query.bind(millis(ttl));
        }
        if change.reindex {
            query = query.bind(entry.owner.as_ref().map(|owner| owner.as_str().as_bytes()));
        }
        query.bind(&id.as_bytes()[..]).bind(expected.as_u64())
    }

    async fn delete(&self, connection: &mut PoolConnection<MySql>, ids: &[SessionId]) -> Result<u64, Failure> {
        let size = SIZES.iter().position(|size| ids.len() <= *size).unwrap_or(SIZES.len() - 1);
        let live = execute(connection, for_ids(&self.statements.delete_live[size], size, ids)).await?;
        // Those that are left have expired, if they are there: a clock that jumps back must not revive them.
        if live < ids.len() as u64 {
            self.delete_expired(connection, size, ids).await.map_err(Failure::after_a_write)?;
        }
        Ok(live)
    }

    /// Tries again here and not in the lane, which would run both statements again and count nothing.
    async fn delete_expired(
        &self,
        connection: &mut PoolConnection<MySql>,
        size: usize,
        ids: &[SessionId],
    ) -> Result<(), Failure> {
        const TRIES: usize = 8;
        for _ in 1..TRIES {
            match execute(connection, for_ids(&self.statements.delete_expired[size], size, ids)).await {
                Err(failure) if failure.remedy() == Remedy::Again => {}
                outcome => return outcome.map(drop),
            }
        }
        execute(connection, for_ids(&self.statements.delete_expired[size], size, ids)).await.map(drop)
    }
}

impl Batch for Writes {
    type Job = Write;
    type Answer = u64;
    type Connection = PoolConnection<MySql>;

    fn fits(&self, _: &[Write], _: &Write) -> bool {
        false
    }

    async fn connect(&self) -> Result<Self::Connection, Failure> {
        self.pool.acquire().await.map_err(Failure::connection)
    }

    async fn reconnect(&self) -> Result<Self::Connection, Failure> {
        acquire_alive(&self.pool).await
    }

    fn may_repeat(&self, jobs: &[Write]) -> bool {
        job::may_repeat(jobs)
    }

    async fn run(&self, connection: &mut Self::Connection, jobs: &[Write]) -> Result<Vec<u64>, Failure> {
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            answers.push(self.write(connection, job).await?);
        }
        Ok(answers)
    }

    fn give_up(&self, mut connection: Self::Connection) {
        connection.close_on_drop();
    }

    fn hold(&self) -> Option<Duration> {
        self.own.then_some(HOLD)
    }

    fn let_go(&self, connection: Self::Connection) {
        give_back(connection);
    }
}

fn for_ids<'a>(statement: &Statement, size: usize, ids: &'a [SessionId]) -> Query<'a, MySql, MySqlArguments> {
    let query = sqlx::query(statement.sql());
    (0..SIZES[size]).fold(query, |query, at| query.bind(ids.get(at).map(|id| &id.as_bytes()[..])))
}

async fn execute(
    connection: &mut PoolConnection<MySql>,
    query: Query<'_, MySql, MySqlArguments>,
) -> Result<u64, Failure> {
    Ok(query.execute(&mut **connection).await.map_err(Failure::statement)?.rows_affected())
}

fn millis(ttl: Duration) -> i64 {
    ttl_millis(ttl).cast_signed()
}
