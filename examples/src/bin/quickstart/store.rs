//! Opening a store by URL. An application that has chosen its store needs one of these branches.

use std::sync::Arc;

use sessions_memory::MemoryStore;
use sessions_tower::SessionStore;

use crate::Failure;
use crate::store_url::{Kind, StoreUrl};

/// A store that is ready, and what the operator should know about its server.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) warnings: Vec<String>,
}

/// Connects, and sets up the table where there is one.
pub(crate) async fn open(url: &StoreUrl) -> Result<Opened, Failure> {
    match url.kind() {
        Kind::Memory => Ok(Opened::without_warnings(MemoryStore::new())),
        #[cfg(feature = "sqlite")]
        Kind::Sqlite => {
            let store = sessions_sqlx::SqliteStore::connect(url.secret()).await.map_err(|e| sql_failure(url, &e))?;
            store.migrate().await.map_err(|e| sql_failure(url, &e))?;
            Ok(Opened::without_warnings(store))
        }
        #[cfg(feature = "redis")]
        Kind::Redis => {
            let store = sessions_redis::RedisStore::connect(url.secret()).await.map_err(|e| redis_failure(url, &e))?;
            let checked = store.check().await.map_err(|error| failure(url, false, &error))?;
            let warnings = checked.iter().map(ToString::to_string).collect();
            Ok(Opened { store: Arc::new(store), warnings })
        }
        #[cfg(feature = "postgres")]
        Kind::Postgres => {
            let store = sessions_sqlx::PostgresStore::connect(url.secret()).await.map_err(|e| sql_failure(url, &e))?;
            store.migrate().await.map_err(|e| sql_failure(url, &e))?;
            Ok(Opened::without_warnings(store))
        }
        #[cfg(feature = "mysql")]
        Kind::MySql => {
            let store = sessions_sqlx::MySqlStore::connect(url.secret()).await.map_err(|e| sql_failure(url, &e))?;
            store.migrate().await.map_err(|e| sql_failure(url, &e))?;
            Ok(Opened::without_warnings(store))
        }
        #[allow(unreachable_patterns, reason = "it depends on the features")]
        kind => Err(Failure::Usage(format!("--store {url}: this program was built without its feature `{kind}`"))),
    }
}

impl Opened {
    fn without_warnings(store: impl SessionStore) -> Self {
        Self { store: Arc::new(store), warnings: Vec::new() }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn sql_failure(url: &StoreUrl, error: &sessions_sqlx::Error) -> Failure {
    failure(url, error.is_invalid_url(), error)
}

#[cfg(feature = "redis")]
fn redis_failure(url: &StoreUrl, error: &sessions_redis::Error) -> Failure {
    failure(url, error.is_invalid_url(), error)
}

fn failure(url: &StoreUrl, is_invalid_url: bool, error: &dyn std::error::Error) -> Failure {
    if is_invalid_url {
        Failure::Usage(format!("--store {url}: {error}"))
    } else {
        Failure::Impossible(format!("cannot keep sessions in {url}: {error}"))
    }
}
