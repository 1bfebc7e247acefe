//! The reading lane.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Clock, Owner, SessionId, Stored};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqlitePool};

use super::row::{self, Bound};
use super::statements::{SIZES, Statements};
use crate::error::Failure;
use crate::job::{self, Found, Read};
use crate::lane::Batch;

pub(crate) struct Reads {
    pool: SqlitePool,
    statements: Arc<Statements>,
    clock: Arc<dyn Clock>,
}

impl Reads {
    pub(crate) fn new(pool: SqlitePool, statements: Arc<Statements>, clock: Arc<dyn Clock>) -> Self {
        Self { pool, statements, clock }
    }

    async fn load(
        &self,
        connection: &mut PoolConnection<Sqlite>,
        ids: &[SessionId],
    ) -> Result<Vec<(SessionId, Stored)>, Failure> {
        let mut arguments = Bound::with_capacity(1 + ids.len());
        arguments.time(self.clock.now());
        for id in ids {
            arguments.id(id);
        }
        let statement = match SIZES.iter().position(|size| ids.len() <= *size) {
            Some(size) if ids.len() > 1 => {
                for _ in ids.len()..SIZES[size] {
                    arguments.null();
                }
                &self.statements.load_many[size]
            }
            _ => &self.statements.load,
        };
        let rows = sqlx::query_with(statement.sql(), arguments.0).fetch_all(&mut **connection).await;
        rows.map_err(Failure::statement)?.iter().map(row::session).collect()
    }

    async fn owned_by(
        &self,
        connection: &mut PoolConnection<Sqlite>,
        owner: &Owner,
    ) -> Result<Vec<SessionId>, Failure> {
        let mut arguments = Bound::with_capacity(2);
        arguments.time(self.clock.now()).owner(Some(owner));
        let rows = sqlx::query_with(self.statements.owned_by.sql(), arguments.0).fetch_all(&mut **connection).await;
        rows.map_err(Failure::statement)?.iter().map(row::id).collect()
    }
}

impl Batch for Reads {
    type Job = Read;
    type Answer = Found;
    type Connection = PoolConnection<Sqlite>;

    fn fits(&self, picked: &[Read], job: &Read) -> bool {
        picked.len() < SIZES[SIZES.len() - 1] && matches!((&picked[0], job), (Read::Load(_), Read::Load(_)))
    }

    async fn connect(&self) -> Result<Self::Connection, Failure> {
        self.pool.acquire().await.map_err(Failure::connection)
    }

    async fn reconnect(&self) -> Result<Self::Connection, Failure> {
        self.connect().await
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
