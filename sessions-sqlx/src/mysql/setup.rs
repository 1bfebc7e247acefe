//! Before the first session: is the server one to work with, and is the table there?

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlPool, Row};

use super::statements::Statements;
use crate::config::Settings;
use crate::error::Error;
use crate::stale::own_connection;

/// What a statement needs beside its record.
const PACKET_OVERHEAD: u64 = 4096;

/// The two families, which bound the time of a statement in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    MySql,
    MariaDb,
}

impl Flavor {
    /// Earlier ones are out of their makers' support, and were not tried.
    fn oldest_version(self) -> (u16, u16) {
        match self {
            Self::MySql => (8, 0),
            Self::MariaDb => (10, 5),
        }
    }

    /// What each connection of ours sets: that a statement is committed when it is answered, whatever the server's default; and that
    /// the server gives up before we do. Locks, of rows and of the table's definition, have whole seconds; MySQL bounds only what
    /// reads.
    pub(crate) fn session_settings(self, deadline: Duration) -> String {
        let millis = (deadline * 3 / 4).as_millis();
        let seconds = (deadline / 2).as_secs().max(1);
        let locks = format!("SET autocommit = 1, innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds},");
        match self {
            Self::MySql => format!("{locks} max_execution_time = {millis}"),
            Self::MariaDb => format!("{locks} max_statement_time = {}.{:03}", millis / 1000, millis % 1000),
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
        let flavor = flavor(&version).map_err(Error::unsuitable)?;
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
        // What each connection will set, so that a server that refuses it says so here.
        let session_settings = AssertSqlSafe(flavor.session_settings(patience));
        connection.execute(sqlx::raw_sql(session_settings)).await.map_err(Error::connect)?;
        // Whether the server hears the farewell does not matter.
        let _ = connection.close().await;
        Ok(flavor)
    };
    match tokio::time::timeout(patience, check).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::unsuitable(format!("no answer within {patience:?}"))),
    }
}

/// The family of a server by its `VERSION()`, such as `8.0.36-0ubuntu0.22.04.1` or `10.11.6-MariaDB`; or why it will not do.
fn flavor(version: &str) -> Result<Flavor, String> {
    let flavor = if version.contains("MariaDB") { Flavor::MariaDb } else { Flavor::MySql };
    let oldest = flavor.oldest_version();
    let mut numbers = version.split(['.', '-']).map_while(|number| number.parse().ok());
    let number: (u16, u16) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if number < oldest {
        let (major, minor) = oldest;
        let name = if flavor == Flavor::MariaDb { "MariaDB" } else { "MySQL" };
        return Err(format!("{name} {major}.{minor} or later is needed, this is {version}"));
    }
    Ok(flavor)
}

/// Sets up the table if it is missing, over a connection of its own: those of our pool may all be held by the lanes.
pub(crate) async fn migrate(pool: &MySqlPool, own: bool, statements: &Statements) -> Result<(), Error> {
    let mut connection = own_connection(pool, own).await.map_err(Error::schema)?;
    match connection.execute(sqlx::raw_sql(statements.is_set_up.sql())).await {
        Err(error) if is_missing_table(&error) => {
            connection.execute(sqlx::raw_sql(statements.schema.sql())).await.map_err(Error::schema)?;
        }
        outcome => {
            outcome.map_err(Error::schema)?;
        }
    }
    let _ = connection.close().await;
    Ok(())
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    const NO_SUCH_TABLE: u16 = 1146;
    let answer = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    answer.is_some_and(|error| error.number() == NO_SUCH_TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_gives_up_before_the_deadline() {
        let settings = |flavor: Flavor| flavor.session_settings(Duration::from_millis(4_100));
        let locks = "SET autocommit = 1, innodb_lock_wait_timeout = 2, lock_wait_timeout = 2, ";
        assert_eq!(settings(Flavor::MariaDb), format!("{locks}max_statement_time = 3.075"));
        assert_eq!(settings(Flavor::MySql), format!("{locks}max_execution_time = 3075"));
    }

    #[test]
    fn servers_are_told_apart_and_old_ones_refused() {
        for version in ["10.11.6-MariaDB-0+deb12u1", "10.5.0-MariaDB", "11.4.2-MariaDB-ubu2404"] {
            assert_eq!(flavor(version), Ok(Flavor::MariaDb), "{version}");
        }
        for version in ["8.0.36", "8.4.0-log", "9.0", "8.0.mysql_aurora.3.04.0"] {
            assert_eq!(flavor(version), Ok(Flavor::MySql), "{version}");
        }
        for version in ["10.4.34-MariaDB", "5.7.44-log", "5.5.5", "", "x"] {
            let reason = flavor(version).expect_err(version);
            assert!(reason.contains("or later is needed, this is"), "{reason}");
        }
    }
}
