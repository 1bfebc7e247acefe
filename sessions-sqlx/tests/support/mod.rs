//! What the tests of this crate share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sessions_core::{Clock, Entry, Owner, SessionId, Timestamp, Version};
use sessions_sqlx::SqliteStore;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn id(number: u64) -> SessionId {
    let mut bytes = [0xa5; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).expect("a valid owner")
}

pub(crate) fn entry(version: u64, record: &[u8]) -> Entry {
    Entry { version: Version::from_u64(version), record: record.to_vec().into(), owner: None, deadline: Timestamp::MAX }
}

pub(crate) fn owned(version: u64, record: &[u8], name: &str) -> Entry {
    Entry { owner: Some(owner(name)), ..entry(version, record) }
}

/// A directory that goes away with its owner.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sessions-sqlx-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a directory for the test's files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.0
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("sessions.db").display())
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store on the directory's file, set up, without a purge task.
pub(crate) async fn open(dir: &TempDir) -> SqliteStore {
    open_at(dir, sessions_core::SystemClock).await
}

/// The same, on a clock.
pub(crate) async fn open_at(dir: &TempDir, clock: impl Clock) -> SqliteStore {
    let store = SqliteStore::builder().no_purge().clock(clock).connect(&dir.url()).await.expect("connect");
    store.migrate().await.expect("migrate");
    store
}
