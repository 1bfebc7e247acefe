//! Behind the Redis store there are its keys.

use std::any::Any;
use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::{Client, Cmd, FromRedisValue, RedisResult, cmd};
use async_trait::async_trait;
use sessions_conformance::servers;
use sessions_core::SessionId;
use sessions_redis::RedisStore;

use super::{Behind, DEADLINE, Opened, Problem, fresh_name};

struct Redis {
    prefix: String,
    connection: Connection,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

pub(super) async fn open(cluster: bool) -> Result<Option<Opened>, Problem> {
    let kind = if cluster { servers::Kind::RedisCluster } else { servers::Kind::Redis };
    let Some(url) = servers::given(kind) else { return Ok(None) };
    let prefix = fresh_name();
    let builder = RedisStore::builder().prefix(&prefix)?.deadline(DEADLINE)?;
    let (store, connection) = if cluster {
        let connection = ClusterClient::new(vec![url.as_str()])?.get_async_connection().await?;
        let store = builder.connect(&url.replacen("redis://", "redis+cluster://", 1)).await?;
        (store, Connection::Cluster(connection))
    } else {
        let connection = Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
        (builder.connect(&url).await?, Connection::Single(connection))
    };
    Ok(Some((Arc::new(store), Arc::new(Redis { prefix, connection }))))
}

impl Redis {
    fn key(&self, id: &SessionId) -> String {
        format!("{}/s/{id}", self.prefix)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match self.connection.clone() {
            Connection::Single(mut connection) => command.query_async(&mut connection).await,
            Connection::Cluster(mut connection) => command.query_async(&mut connection).await,
        }
    }
}

#[async_trait]
impl Behind for Redis {
    async fn at_rest(&self, id: &SessionId) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.ask(cmd("GET").arg(self.key(id))).await?)
    }

    async fn replace(&self, id: &SessionId, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.ask(cmd("SET").arg(self.key(id)).arg(bytes).arg("KEEPTTL")).await?)
    }

    /// Every key, and what is under it.
    async fn dump(&self, _: &[SessionId]) -> Result<Vec<u8>, Problem> {
        let keys: Vec<Vec<u8>> = self.ask(cmd("KEYS").arg(format!("{}/*", self.prefix))).await?;
        let mut dump = keys.concat();
        for key in keys {
            let parts: Vec<Vec<u8>> = match self.ask::<String>(cmd("TYPE").arg(&key)).await?.as_str() {
                "zset" => self.ask(cmd("ZRANGE").arg(&key).arg(0).arg(-1)).await?,
                _ => vec![self.ask(cmd("GET").arg(&key)).await?],
            };
            dump.extend(parts.concat());
        }
        Ok(dump)
    }

    async fn count(&self) -> Result<u64, Problem> {
        let keys: Vec<Vec<u8>> = self.ask(cmd("KEYS").arg(format!("{}/s/*", self.prefix))).await?;
        Ok(u64::try_from(keys.len())?)
    }

    /// There are no transactions: an operation is single commands and scripts.
    async fn under_way(&self) -> Result<u64, Problem> {
        Ok(0)
    }

    async fn leave_open(&self) -> Result<Option<Box<dyn Any + Send>>, Problem> {
        Ok(None)
    }
}
