//! A table of one's own, and an administrator beside the store.

use std::sync::{Arc, Mutex};

use sessions_conformance::servers::{Kind, given};
use sessions_core::SessionStore;
use sessions_sqlx::MySqlStore;
use sessions_sqlx::mysql::MySqlStoreBuilder;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlPool};

use crate::sql::{PATIENCE, unique, url_as};

/// One test's table on a server, and a pool of an administrator.
pub(crate) struct Lab {
    pub(crate) url: String,
    pub(crate) table: String,
    pub(crate) admin: MySqlPool,
    users: Mutex<Vec<String>>,
}

impl Lab {
    /// On the server of the test run; `None` when it was left out on purpose.
    pub(crate) async fn given() -> Option<Self> {
        Some(Self::on(&given(Kind::MariaDb)?).await)
    }

    /// On a server.
    pub(crate) async fn on(url: &str) -> Self {
        let admin = MySqlPoolOptions::new().max_connections(2).connect(url).await.expect("the server");
        Self { url: url.to_owned(), table: unique("specific"), admin, users: Mutex::default() }
    }

    /// For a store on the table, without a purge task and with few connections.
    pub(crate) fn builder(&self) -> MySqlStoreBuilder {
        let builder = MySqlStore::builder().table(&self.table).expect("a valid name").no_purge();
        builder.deadline(PATIENCE).expect("a valid deadline").connections(2).expect("a valid number")
    }

    /// A store on the table, which is set up.
    pub(crate) async fn store(&self) -> MySqlStore {
        let store = self.builder().connect(&self.url).await.expect("connect");
        store.migrate().await.expect("migrate");
        store
    }

    /// The same, as a trait object.
    pub(crate) async fn shared(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store().await)
    }

    /// Runs a statement as the administrator, and returns how many rows it met. `{table}` is the quoted table.
    pub(crate) async fn sql(&self, text: &str) -> u64 {
        let text = self.text(text);
        let done = sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&self.admin).await;
        done.unwrap_or_else(|error| panic!("{text}: {error}")).rows_affected()
    }

    /// The one value of a query.
    pub(crate) async fn value<T>(&self, text: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::MySql> + sqlx::Type<sqlx::MySql>,
    {
        let text = self.text(text);
        let value = sqlx::query_scalar(AssertSqlSafe(text.clone())).fetch_one(&self.admin).await;
        value.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// How many transactions wait for a lock with such a statement. The server looks for them anew only when it was not asked
    /// within a tenth of a second.
    pub(crate) async fn waiting(&self, statement: &str) -> i64 {
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        let table = &self.table;
        self.value(&format!(
            "SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.innodb_trx JOIN information_schema.processlist \
             ON processlist.id = trx_mysql_thread_id WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '{statement}%{table}%'"
        ))
        .await
    }

    /// Makes a user who may do nothing, and returns its name and its address.
    pub(crate) async fn user(&self) -> (String, String) {
        let (user, password) = (unique("user"), unique("pw"));
        self.sql(&format!("CREATE USER {user} IDENTIFIED BY '{password}'")).await;
        self.users.lock().expect("not poisoned").push(user.clone());
        let url = url_as(&self.url, &user, &password, None);
        (user, url)
    }

    /// Ends every connection of a user.
    pub(crate) async fn end_connections(&self, user: &str) {
        self.sql(&format!("KILL HARD CONNECTION USER {user}")).await;
    }

    /// Removes what the test has made.
    pub(crate) async fn end(self) {
        self.sql("DROP TABLE IF EXISTS {table}").await;
        let users = std::mem::take(&mut *self.users.lock().expect("not poisoned"));
        for user in users {
            self.sql(&format!("DROP USER {user}")).await;
        }
        self.admin.close().await;
    }

    fn text(&self, text: &str) -> String {
        text.replace("{table}", &format!("`{}`", self.table))
    }
}
