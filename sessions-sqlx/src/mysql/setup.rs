//! Before the first session: is the server one to work with, and is the table there?

use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, MySqlPool, Row};

use super::statements::Statements;
use crate::config::{Name, Settings};
use crate::error::Error;

/// What a statement needs beside its record.
const PACKET_OVERHEAD: u64 = 4096;

/// The two families, which bound the time of a statement in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    MySql,
    MariaDb,
}

impl Flavor {
    /// What each connection of ours sets, so that the server gives up before we do. Locks have whole seconds; MySQL bounds
    /// only what reads.
    pub(crate) fn session_settings(self, deadline: Duration) -> String {
        let millis = (deadline * 3 / 4).as_millis();
        let lock_seconds = (deadline / 2).as_secs().max(1);
        match self {
            Self::MySql => {
                format!("SET SESSION innodb_lock_wait_timeout = {lock_seconds}, SESSION max_execution_time = {millis}")
            }
            Self::MariaDb => format!(
                "SET SESSION innodb_lock_wait_timeout = {lock_seconds}, SESSION max_statement_time = {}.{:03}",
                millis / 1000,
                millis % 1000
            ),
        }
    }
}

/// Connects once, so that what is wrong is said now and in the server's words.
pub(crate) async fn check_server(options: &MySqlConnectOptions, settings: &Settings) -> Result<Flavor, Error> {
    let patience = settings.deadline;
    let check = async {
        let mut connection = options.connect().await.map_err(Error::connect)?;
        let query = "SELECT VERSION(), @@max_allowed_packet, CAST(@@read_only AS CHAR) NOT IN ('0', 'OFF')";
        let row = connection.fetch_one(query).await.map_err(Error::connect)?;
        let version: String = row.try_get(0).map_err(Error::connect)?;
        let packet: u64 = row.try_get_unchecked(1).map_err(Error::connect)?;
        let read_only: i64 = row.try_get_unchecked(2).map_err(Error::connect)?;
        // Whether the server hears the farewell does not matter.
        let _ = connection.close().await;
        if read_only != 0 {
            return Err(Error::unsuitable("it is read-only: use the primary"));
        }
        if packet < settings.max_record_bytes as u64 + PACKET_OVERHEAD {
            let largest = settings.max_record_bytes;
            return Err(Error::unsuitable(format!(
                "its max_allowed_packet of {packet} bytes is too small for records of {largest}: raise it, or lower \
                `max_record_bytes`"
            )));
        }
        Ok(if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::MySql })
    };
    match tokio::time::timeout(patience, check).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::unsuitable(format!("no answer within {patience:?}"))),
    }
}

/// Sets up the table if it is missing.
pub(crate) async fn migrate(
    pool: &MySqlPool,
    statements: &Statements,
    database: Option<&Name>,
    table: &Name,
) -> Result<(), Error> {
    let there = sqlx::query(statements.is_set_up.sql())
        .bind(database.map(Name::as_str))
        .bind(table.as_str())
        .fetch_optional(pool)
        .await;
    if there.map_err(Error::schema)?.is_none() {
        pool.execute(sqlx::raw_sql(statements.schema.sql())).await.map_err(Error::schema)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gives_up_before_the_deadline() {
        let settings = |flavor: Flavor| flavor.session_settings(Duration::from_millis(4_100));
        assert_eq!(
            settings(Flavor::MariaDb),
            "SET SESSION innodb_lock_wait_timeout = 2, SESSION max_statement_time = 3.075"
        );
        assert_eq!(
            settings(Flavor::MySql),
            "SET SESSION innodb_lock_wait_timeout = 2, SESSION max_execution_time = 3075"
        );
    }
}
