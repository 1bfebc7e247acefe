//! Before the first session: is the server one to work with, and is the table there?

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgDatabaseError};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, PgPool, Row};

use super::statements::Statements;
use crate::error::Error;
use crate::stale::own_connection;

/// `ON CONFLICT`, `SKIP LOCKED` and `unnest` of several arrays are older; nothing older was tried.
const OLDEST_VERSION: i32 = 120_000;

/// Connects once, so that what is wrong is said now and in the server's words.
pub(crate) async fn check_server(options: &PgConnectOptions, patience: Duration) -> Result<(), Error> {
    let check = async {
        let mut connection = options.connect().await.map_err(Error::connect)?;
        let query = "SELECT current_setting('server_version_num')::int4, \
            pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool";
        let row = connection.fetch_one(query).await.map_err(Error::connect)?;
        let version: i32 = row.try_get(0).map_err(Error::connect)?;
        let read_only: bool = row.try_get(1).map_err(Error::connect)?;
        // Whether the server hears the farewell does not matter.
        let _ = connection.close().await;
        if version < OLDEST_VERSION {
            return Err(Error::unsuitable(format!("Postgres 12 or later is needed, this is {}", version / 10_000)));
        }
        if read_only {
            return Err(Error::unsuitable("it is a read-only replica or a read-only database: use the primary"));
        }
        Ok(())
    };
    match tokio::time::timeout(patience, check).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::unsuitable(format!("no answer within {patience:?}"))),
    }
}

/// Sets up what is missing, over a connection of its own: those of our pool may all be held by the lanes, and an index on a large
/// table takes longer than an operation may.
pub(crate) async fn migrate(pool: &PgPool, own: bool, statements: &Statements) -> Result<(), Error> {
    let mut connection = own_connection(pool, own).await.map_err(Error::schema)?;
    if !is_set_up(&mut connection, statements).await.map_err(Error::schema)? {
        connection.execute("SET statement_timeout = 0").await.map_err(Error::schema)?;
        for statement in &statements.schema {
            create(&mut connection, statement.text()).await.map_err(Error::schema)?;
        }
    }
    let _ = connection.close().await;
    Ok(())
}

async fn is_set_up(connection: &mut PgConnection, statements: &Statements) -> Result<bool, sqlx::Error> {
    let [table, expiry_index, owner_index] = &statements.relations;
    sqlx::query_scalar(statements.is_set_up.sql())
        .bind(table)
        .bind(expiry_index)
        .bind(owner_index)
        .fetch_one(connection)
        .await
}

/// `IF NOT EXISTS` looks before it leaps: who loses the race gets an error, and finds it there when it looks again.
async fn create(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    const LOST_RACES: usize = 8;
    for _ in 0..LOST_RACES {
        match connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await {
            Err(error) if lost_a_race(&error) => {}
            outcome => return outcome.map(drop),
        }
    }
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await.map(drop)
}

fn lost_a_race(error: &sqlx::Error) -> bool {
    let answer = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    // Unique violation in the catalogue, duplicate table, duplicate object, deadlock.
    answer.is_some_and(|error| matches!(error.code(), "23505" | "42P07" | "42710" | "40P01"))
}
