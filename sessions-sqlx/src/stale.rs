//! Pooled connections that broke unnoticed.

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database, Pool};

use crate::error::Failure;

/// A connection that has just answered. When a server restarts, all pooled connections are stale at once: those that do
/// not answer are closed, and there are at most as many as the pool holds.
pub(crate) async fn acquire_alive<DB: Database>(pool: &Pool<DB>) -> Result<PoolConnection<DB>, Failure> {
    for _ in 0..pool.options().get_max_connections() {
        let mut connection = pool.acquire().await.map_err(Failure::connection)?;
        if connection.ping().await.is_ok() {
            return Ok(connection);
        }
        connection.close_on_drop();
    }
    pool.acquire().await.map_err(Failure::connection)
}
