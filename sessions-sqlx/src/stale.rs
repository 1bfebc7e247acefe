//! Pooled connections: those that are kept, and those that broke unnoticed.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, Database, Pool};

use crate::error::Failure;

/// How long a connection stays out of the pool, which looks after its age and its health: at most one question a connection and
/// half minute.
pub(crate) const HOLD: Duration = Duration::from_secs(30);

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

/// A connection outside of the pool: made anew, or taken from a pool of the application, which knows how to make one ready.
pub(crate) async fn own_connection<DB: Database>(pool: &Pool<DB>, own: bool) -> Result<DB::Connection, sqlx::Error> {
    if !own {
        return Ok(pool.acquire().await?.detach());
    }
    let connecting = pool.connect_options();
    let patience = pool.options().get_acquire_timeout();
    tokio::time::timeout(patience, connecting.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Gives a connection back to its pool, for which a runtime is needed; where there is none any more, it is closed.
pub(crate) fn give_back<DB: Database>(connection: PoolConnection<DB>) {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => drop(connection),
        Err(_) => drop(connection.leak()),
    }
}
