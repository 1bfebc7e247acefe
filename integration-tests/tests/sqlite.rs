//! The contract on SQLite: on a file, which processes share, and in memory.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::{Harness, Problem, Profile, conformance};
use sessions_core::{ManualClock, Timestamp};
use sessions_sqlx::SqliteStore;

const RECORD_LIMIT: usize = 1 << 20;

/// A database, with the tables of all namespaces.
struct Sqlite {
    url: String,
    clock: ManualClock,
    /// Where the file is, if it is one.
    folder: Option<PathBuf>,
}

impl Sqlite {
    fn on_a_file() -> Self {
        let folder = std::env::temp_dir().join(format!("sessions-sqlite-{:016x}", fastrand::u64(..)));
        std::fs::create_dir(&folder).expect("a temporary folder");
        Self::new(format!("sqlite:{}", folder.join("sessions.db").display()), Some(folder))
    }

    fn in_memory() -> Self {
        Self::new("sqlite::memory:".into(), None)
    }

    fn new(url: String, folder: Option<PathBuf>) -> Self {
        Self { url, clock: ManualClock::at(Timestamp::from_millis(1_753_000_000_123)), folder }
    }
}

#[async_trait]
impl Harness for Sqlite {
    type Store = SqliteStore;

    fn profile(&self) -> Profile {
        let profile = Profile::new(RECORD_LIMIT).clock(self.clock.clone());
        if self.folder.is_some() { profile.shared() } else { profile }
    }

    async fn open(&self, namespace: &str) -> Result<SqliteStore, Problem> {
        let builder = SqliteStore::builder().clock(self.clock.clone()).no_purge();
        // Longer than any pause of a busy machine.
        let builder = builder.table(namespace)?.deadline(Duration::from_secs(60))?;
        let store = builder.max_record_bytes(RECORD_LIMIT)?.connect(&self.url).await?;
        store.migrate().await?;
        Ok(store)
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What is left over lies in a temporary folder.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

mod file {
    use super::*;

    conformance!(Sqlite::on_a_file());
}

mod memory {
    use super::*;

    conformance!(Sqlite::in_memory());
}
