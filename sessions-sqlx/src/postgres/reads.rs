//! The reading lane.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Owner, SessionId, Stored};
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

use super::row;
use super::statements::Statements;
use crate::error::Failure;
use crate::job::{self, Found, Read};
use crate::lane::Batch;
use crate::stale::{HOLD, acquire_alive, give_back};

/// As many loads share a statement.
const MOST: usize = 64;

pub(crate) struct Reads {
    pool: PgPool,
    own: bool,
    statements: Arc<Statements>,
}

impl Reads {
    pub(crate) fn new(pool: PgPool, own: bool, statements: Arc<Statements>) -> Self {
        Self { pool, own, statements }
    }

    async fn load(
        &self,
        connection: &mut PoolConnection<Postgres>,
        ids: &[SessionId],
    ) -> Result<Vec<(SessionId, Stored)>, Failure> {
        let query = match ids {
            [id] => sqlx::query(self.statements.load.sql()).bind(&id.as_bytes()[..]),
            ids => {
                let ids: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
                sqlx::query(self.statements.load_many.sql()).bind(ids)
            }
        };
        query.fetch_all(&mut **connection).await.map_err(Failure::statement)?.iter().map(row::session).collect()
    }

    async fn owned_by(
        &self,
        connection: &mut PoolConnection<Postgres>,
        owner: &Owner,
    ) -> Result<Vec<SessionId>, Failure> {
        let query = sqlx::query(self.statements.owned_by.sql()).bind(owner.as_str().as_bytes());
        query.fetch_all(&mut **connection).await.map_err(Failure::statement)?.iter().map(row::id).collect()
    }
}

impl Batch for Reads {
    type Job = Read;
    type Answer = Found;
    type Connection = PoolConnection<Postgres>;

    fn fits(&self, picked: &[Read], job: &Read) -> bool {
        picked.len() < MOST && matches!((&picked[0], job), (Read::Load(_), Read::Load(_)))
    }

    async fn connect(&self) -> Result<Self::Connection, Failure> {
        self.pool.acquire().await.map_err(Failure::connection)
    }

    async fn reconnect(&self) -> Result<Self::Connection, Failure> {
        acquire_alive(&self.pool).await
    }

    fn may_repeat(&self, _: &[Read]) -> bool {
        true
    }

    async fn run(&self, connection: &mut Self::Connection, jobs: &[Read]) -> Result<Vec<Found>, Failure> {
        match jobs {
            [Read::OwnedBy(owner)] => Ok(vec![Found::Ids(self.owned_by(connection, owner).await?)]),
            jobs => {
                let ids = job::loads(jobs);
                let found = self.load(connection, &ids).await?;
                Ok(job::answer_loads(&ids, &found))
            }
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
