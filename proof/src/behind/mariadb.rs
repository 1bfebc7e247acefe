//! Behind the MySQL store there is its database, and what the server says of its connections.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use sessions_conformance::servers;
use sessions_core::SessionId;
use sessions_sqlx::MySqlStore;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::{Behind, CONNECTIONS, DEADLINE, Opened, Problem, fresh_name};

struct MariaDb {
    /// The database that only the store's connections are in.
    name: String,
    as_store: MySqlConnectOptions,
    pool: MySqlPool,
}

pub(super) async fn open() -> Result<Option<Opened>, Problem> {
    let Some(url) = servers::given(servers::Kind::MariaDb) else { return Ok(None) };
    let name = fresh_name();
    let pool = MySqlPoolOptions::new().max_connections(1).connect(&url).await?;
    pool.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    let store_url = in_database(&url, &name);
    let builder = MySqlStore::builder().no_purge().deadline(DEADLINE)?.connections(CONNECTIONS)?;
    let store = builder.connect(&store_url).await?;
    store.migrate().await?;
    Ok(Some((Arc::new(store), Arc::new(MariaDb { name, as_store: store_url.parse()?, pool }))))
}

/// The same server's URL for another database.
fn in_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, String::new()), |(a, p)| (a, format!("?{p}")));
    let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
    format!("{server}/{name}{parameters}")
}

impl MariaDb {
    /// A statement on the table. The database's name is ours.
    fn on_table(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(statement.replace("{table}", &format!("{}.sessions", self.name)))
    }
}

#[async_trait]
impl Behind for MariaDb {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        let query = sqlx::query_scalar(self.on_table("SELECT record FROM {table} WHERE id = ?"));
        Ok(query.bind(&id.as_bytes()[..]).fetch_optional(&self.pool).await?)
    }

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        let query = sqlx::query(self.on_table("UPDATE {table} SET record = ? WHERE id = ?"));
        query.bind(bytes).bind(&id.as_bytes()[..]).execute(&self.pool).await?;
        Ok(())
    }

    /// Every row, and the statements that the server has counted.
    async fn dump(&self, _: &[SessionId]) -> Result<Vec<u8>, Problem> {
        let columns = "CONCAT(id, record, COALESCE(owner, ''), version)";
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(self.on_table(&format!("SELECT {columns} FROM {{table}}")))
            .fetch_all(&self.pool)
            .await?;
        let digests = "SELECT CAST(DIGEST_TEXT AS BINARY) FROM performance_schema.events_statements_summary_by_digest \
                       WHERE SCHEMA_NAME = ?";
        let statements: Vec<Vec<u8>> = sqlx::query_scalar(digests).bind(&self.name).fetch_all(&self.pool).await?;
        Ok([rows.concat(), statements.concat()].concat())
    }

    async fn count(&self) -> Result<u64, Problem> {
        let query = sqlx::query_scalar(self.on_table("SELECT count(*) FROM {table}"));
        let count: i64 = query.fetch_one(&self.pool).await?;
        Ok(u64::try_from(count)?)
    }

    /// From the monitor: `information_schema.innodb_trx` is a cache that is not renewed while it is read more often than ten times a
    /// second.
    async fn under_way(&self) -> Result<u64, Problem> {
        let (_, _, status): (String, String, String) =
            sqlx::query_as("SHOW ENGINE INNODB STATUS").fetch_one(&self.pool).await?;
        let of_store = "SELECT CAST(ID AS SIGNED) FROM information_schema.processlist WHERE DB = ?";
        let threads: Vec<i64> = sqlx::query_scalar(of_store).bind(&self.name).fetch_all(&self.pool).await?;
        let open = active(&status).filter(|thread| threads.contains(thread)).count();
        Ok(u64::try_from(open)?)
    }

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        let mut connection = self.as_store.clone().connect().await?;
        connection.execute("BEGIN").await?;
        connection.execute(self.on_table("DELETE FROM {table}")).await?;
        Ok(Some(Box::new(connection)))
    }
}

/// The threads whose transactions are active, as the monitor tells.
fn active(status: &str) -> impl Iterator<Item = i64> {
    let mut is_active = false;
    status.lines().filter_map(move |line| {
        if line.starts_with("---TRANSACTION") {
            is_active = line.contains(", ACTIVE");
        }
        let (thread, _) = line.strip_prefix("MariaDB thread id ")?.split_once(',')?;
        thread.parse().ok().filter(|_| is_active)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monitor_tells_who_is_active() {
        let status = "---TRANSACTION (0x7f1), not started\n0 lock struct(s)\n\
                      ---TRANSACTION 25, ACTIVE 3 sec\n2 lock struct(s)\n\
                      MariaDB thread id 5, OS thread handle 139, query id 12 localhost root\n\
                      ---TRANSACTION 26, not started\nMariaDB thread id 6, OS thread handle 140\n";
        assert_eq!(active(status).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn only_the_database_of_a_url_is_replaced() {
        assert_eq!(in_database("mysql://u:p@h:1/sessions", "a"), "mysql://u:p@h:1/a");
        assert_eq!(in_database("mysql://u:p@h:1/sessions?x=/y", "a"), "mysql://u:p@h:1/a?x=/y");
    }
}
