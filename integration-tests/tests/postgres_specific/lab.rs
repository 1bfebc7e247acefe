//! A table of one's own, and an administrator beside the store.

use std::sync::Arc;

use sessions_conformance::servers::{Kind, given};
use sessions_core::SessionStore;
use sessions_sqlx::PostgresStore;
use sessions_sqlx::postgres::PostgresStoreBuilder;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::sql::{PATIENCE, unique, url_as};

/// One test's table on a server, and a pool of the superuser.
pub(crate) struct Lab {
    pub(crate) url: String,
    pub(crate) table: String,
    pub(crate) admin: PgPool,
    roles: std::sync::Mutex<Vec<String>>,
}

impl Lab {
    /// On the server of the test run; `None` when Postgres was left out on purpose.
    pub(crate) async fn given() -> Option<Self> {
        Some(Self::on(&given(Kind::Postgres)?).await)
    }

    /// On a server.
    pub(crate) async fn on(url: &str) -> Self {
        let admin = PgPoolOptions::new().max_connections(2).connect(url).await.expect("the server");
        Self { url: url.to_owned(), table: unique("specific"), admin, roles: std::sync::Mutex::default() }
    }

    /// For a store on the table, without a purge task and with few connections.
    pub(crate) fn builder(&self) -> PostgresStoreBuilder {
        let builder = PostgresStore::builder().table(&self.table).expect("a valid name").no_purge();
        builder.deadline(PATIENCE).expect("a valid deadline").connections(2).expect("a valid number")
    }

    /// A store on the table, which is set up.
    pub(crate) async fn store(&self) -> PostgresStore {
        let store = self.builder().connect(&self.url).await.expect("connect");
        store.migrate().await.expect("migrate");
        store
    }

    /// The same, as a trait object.
    pub(crate) async fn shared(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store().await)
    }

    /// Runs a statement as the superuser, and returns how many rows it met. `{table}` is the quoted table.
    pub(crate) async fn sql(&self, text: &str) -> u64 {
        let text = self.text(text);
        let done = sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&self.admin).await;
        done.unwrap_or_else(|error| panic!("{text}: {error}")).rows_affected()
    }

    /// The one value of a query.
    pub(crate) async fn value<T>(&self, text: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let text = self.text(text);
        let value = sqlx::query_scalar(AssertSqlSafe(text.clone())).fetch_one(&self.admin).await;
        value.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Makes a role that may do nothing, and returns its name and its address.
    pub(crate) async fn role(&self) -> (String, String) {
        let (role, password) = (unique("role"), unique("pw"));
        self.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{password}'")).await;
        self.roles.lock().expect("not poisoned").push(role.clone());
        let url = url_as(&self.url, &role, &password, None);
        (role, url)
    }

    /// Removes what the test has made.
    pub(crate) async fn end(self) {
        self.sql("DROP TABLE IF EXISTS {table}").await;
        let roles = std::mem::take(&mut *self.roles.lock().expect("not poisoned"));
        for role in roles {
            self.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
        }
        self.admin.close().await;
    }

    fn text(&self, text: &str) -> String {
        text.replace("{table}", &format!("\"{}\"", self.table))
    }
}
