//! The contract on Postgres.

use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::servers::{Kind, given};
use sessions_conformance::{Harness, Problem, Profile, conformance};
use sessions_sqlx::PostgresStore;

const RECORD_LIMIT: usize = 1 << 20;

struct Postgres {
    url: String,
}

#[async_trait]
impl Harness for Postgres {
    type Store = PostgresStore;

    fn profile(&self) -> Profile {
        Profile::new(RECORD_LIMIT).shared().secret_of(&self.url)
    }

    async fn open(&self, namespace: &str) -> Result<PostgresStore, Problem> {
        let builder = PostgresStore::builder().table(namespace)?.max_record_bytes(RECORD_LIMIT)?.no_purge();
        // The deadline is longer than any pause of a busy machine; the connections are few, for many tests run at once.
        let store = builder.deadline(Duration::from_secs(60))?.connections(4)?.connect(&self.url).await?;
        store.migrate().await?;
        Ok(store)
    }
}

conformance!(Postgres { url }, if let Some(url) = given(Kind::Postgres));
