//! The writing lane.
//!
//! An autocommit statement commits after its last row was sent: every answer here is read to its end, or "written" could be
//! said of what then fails to commit.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::store::ttl_millis;
use sessions_core::{SessionId, Version};
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Row};

use super::row;
use super::statements::Statements;
use crate::error::Failure;
use crate::job::{self, Update, Write};
use crate::lane::Batch;
use crate::stale::{HOLD, acquire_alive, give_back};

/// As many updates share a statement.
const MOST: usize = 64;

pub(crate) struct Writes {
    pool: PgPool,
    own: bool,
    statements: Arc<Statements>,
}

impl Writes {
    pub(crate) fn new(pool: PgPool, own: bool, statements: Arc<Statements>) -> Self {
        Self { pool, own, statements }
    }

    async fn write(&self, connection: &mut PoolConnection<Postgres>, job: &Write) -> Result<u64, Failure> {
        let query = match job {
            Write::Create { id, entry, ttl } => sqlx::query(self.statements.create.sql())
                .bind(&id.as_bytes()[..])
                .bind(number(entry.version))
                .bind(millis(*ttl))
                .bind(entry.owner.as_ref().map(|owner| owner.as_str().as_bytes()))
                .bind(&entry.record[..]),
            Write::Update(update) => return self.update(connection, update).await,
            Write::Touch { id, expected, ttl } => sqlx::query(self.statements.touch.sql())
                .bind(&id.as_bytes()[..])
                .bind(number(*expected))
                .bind(millis(*ttl)),
            Write::Purge { limit } => sqlx::query(self.statements.purge.sql()).bind(i64::from(*limit)),
            Write::Delete(ids) => return self.delete(connection, ids).await,
        };
        let done = query.execute(&mut **connection).await;
        Ok(done.map_err(Failure::statement)?.rows_affected())
    }

    async fn update(&self, connection: &mut PoolConnection<Postgres>, update: &Update) -> Result<u64, Failure> {
        let Update { id, expected, entry, change } = update;
        let statement = match (update.ttl(), change.reindex) {
            (None, false) => &self.statements.update,
            (Some(_), false) => &self.statements.update_expiry,
            (None, true) => &self.statements.update_owner,
            (Some(_), true) => &self.statements.update_both,
        };
        let mut query = sqlx::query(statement.sql())
            .bind(&id.as_bytes()[..])
            .bind(number(*expected))
            .bind(number(entry.version))
            .bind(&entry.record[..]);
        if let Some(ttl) = update.ttl() {
            query = query.bind(millis(ttl));
        }
        if change.reindex {
            query = query.bind(entry.owner.as_ref().map(|owner| owner.as_str().as_bytes()));
        }
        let done = query.execute(&mut **connection).await;
        Ok(done.map_err(Failure::statement)?.rows_affected())
    }

    /// Updates of different sessions that set the same columns, the owner not among them, in one statement.
    async fn update_many(
        &self,
        connection: &mut PoolConnection<Postgres>,
        updates: &[&Update],
    ) -> Result<Vec<u64>, Failure> {
        // In the order of their ids: two processes that write the same sessions lock them in the same order.
        let mut sorted = updates.to_vec();
        sorted.sort_unstable_by_key(|update| update.id);
        let ttls: Option<Vec<i64>> = sorted.iter().map(|update| update.ttl().map(millis)).collect();
        let statement = if ttls.is_some() { &self.statements.update_expiry_many } else { &self.statements.update_many };
        let mut query = sqlx::query(statement.sql())
            .bind(sorted.iter().map(|update| &update.id.as_bytes()[..]).collect::<Vec<_>>())
            .bind(sorted.iter().map(|update| number(update.expected)).collect::<Vec<_>>())
            .bind(sorted.iter().map(|update| number(update.entry.version)).collect::<Vec<_>>())
            .bind(sorted.iter().map(|update| &update.entry.record[..]).collect::<Vec<_>>());
        if let Some(ttls) = ttls {
            query = query.bind(ttls);
        }
        let rows = query.fetch_all(&mut **connection).await.map_err(Failure::statement)?;
        let written: Vec<SessionId> = rows.iter().map(row::id).collect::<Result<_, _>>()?;
        Ok(updates.iter().map(|update| u64::from(written.contains(&update.id))).collect())
    }

    async fn delete(&self, connection: &mut PoolConnection<Postgres>, ids: &[SessionId]) -> Result<u64, Failure> {
        let ids: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
        let query = sqlx::query(self.statements.delete.sql()).bind(ids);
        let rows = query.fetch_all(&mut **connection).await.map_err(Failure::statement)?;
        let count: i64 = rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        Ok(count.unsigned_abs())
    }
}

impl Batch for Writes {
    type Job = Write;
    type Answer = u64;
    type Connection = PoolConnection<Postgres>;

    fn fits(&self, picked: &[Write], job: &Write) -> bool {
        picked.len() < MOST && job::fits_updates(picked, job)
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
        match jobs {
            [job] => Ok(vec![self.write(connection, job).await?]),
            jobs => self.update_many(connection, &job::updates(jobs)).await,
        }
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

fn number(version: Version) -> i64 {
    version.as_u64().cast_signed()
}

fn millis(ttl: Duration) -> i64 {
    ttl_millis(ttl).cast_signed()
}
