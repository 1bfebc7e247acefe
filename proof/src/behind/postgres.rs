//! Behind the Postgres store there is its table, and what the server says of its connections.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use sessions_conformance::servers;
use sessions_core::SessionId;
use sessions_sqlx::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::{Behind, CONNECTIONS, DEADLINE, Opened, Problem, fresh_name};

struct Postgres {
    /// The table, and what the store's connections call themselves.
    name: String,
    /// With that name, for what poses as the store.
    as_store: PgConnectOptions,
    pool: PgPool,
}

pub(super) async fn open() -> Result<Option<Opened>, Problem> {
    let Some(url) = servers::given(servers::Kind::Postgres) else { return Ok(None) };
    let name = fresh_name();
    let separator = if url.contains('?') { '&' } else { '?' };
    let store_url = format!("{url}{separator}application_name={name}");
    let builder = PostgresStore::builder().table(&name)?.no_purge().deadline(DEADLINE)?.connections(CONNECTIONS)?;
    let store = builder.connect(&store_url).await?;
    store.migrate().await?;
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
    Ok(Some((Arc::new(store), Arc::new(Postgres { name, as_store: store_url.parse()?, pool }))))
}

impl Postgres {
    /// A statement on the table. Its name is ours.
    fn on_table(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(statement.replace("{table}", &format!("\"{}\"", self.name)))
    }
}

#[async_trait]
impl Behind for Postgres {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        let query = sqlx::query_scalar(self.on_table("SELECT record FROM {table} WHERE id = $1"));
        Ok(query.bind(&id.as_bytes()[..]).fetch_optional(&self.pool).await?)
    }

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        let query = sqlx::query(self.on_table("UPDATE {table} SET record = $1 WHERE id = $2"));
        query.bind(bytes).bind(&id.as_bytes()[..]).execute(&self.pool).await?;
        Ok(())
    }

    /// Every row, and the statements that the server has counted.
    async fn dump(&self, _: &[SessionId]) -> Result<Vec<u8>, Problem> {
        let columns = "id || record || coalesce(owner, '') || int8send(version)";
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(self.on_table(&format!("SELECT {columns} FROM {{table}}")))
            .fetch_all(&self.pool)
            .await?;
        let statements: Vec<String> =
            sqlx::query_scalar("SELECT query FROM pg_stat_statements WHERE query LIKE '%' || $1 || '%'")
                .bind(&self.name)
                .fetch_all(&self.pool)
                .await?;
        Ok([rows.concat(), statements.concat().into_bytes()].concat())
    }

    async fn count(&self) -> Result<u64, Problem> {
        let query = sqlx::query_scalar(self.on_table("SELECT count(*) FROM {table}"));
        let count: i64 = query.fetch_one(&self.pool).await?;
        Ok(u64::try_from(count)?)
    }

    async fn under_way(&self) -> Result<u64, Problem> {
        let states = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state <> 'idle'";
        let open: i64 = sqlx::query_scalar(states).bind(&self.name).fetch_one(&self.pool).await?;
        Ok(u64::try_from(open)?)
    }

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        let mut connection = self.as_store.clone().connect().await?;
        connection.execute("BEGIN").await?;
        connection.execute(self.on_table("DELETE FROM {table}")).await?;
        Ok(Some(Box::new(connection)))
    }
}
