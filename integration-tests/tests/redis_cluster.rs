//! The contract on a Redis Cluster of three masters.

use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::servers::{Kind, given};
use sessions_conformance::{Harness, Problem, Profile, conformance};
use sessions_redis::RedisStore;

const RECORD_LIMIT: usize = 1 << 20;

struct Cluster {
    url: String,
}

impl Cluster {
    fn new(url: &str) -> Self {
        // The environment names a node; the rest of the Cluster is found through it.
        Self { url: url.replacen("redis://", "redis+cluster://", 1) }
    }
}

#[async_trait]
impl Harness for Cluster {
    type Store = RedisStore;

    fn profile(&self) -> Profile {
        Profile::new(RECORD_LIMIT).shared().native_expiry().secret_of(&self.url)
    }

    async fn open(&self, namespace: &str) -> Result<RedisStore, Problem> {
        let builder = RedisStore::builder().prefix(namespace)?.max_record_bytes(RECORD_LIMIT)?;
        // Longer than any pause of a busy machine.
        Ok(builder.deadline(Duration::from_secs(60))?.connect(&self.url).await?)
    }
}

conformance!(Cluster::new(&url), if let Some(url) = given(Kind::RedisCluster));
