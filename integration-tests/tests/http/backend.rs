//! The stores that the rules are run on. A new one is a function here and a line in `http_rules.rs`.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sessions_core::{ManualClock, SessionStore};
use sessions_memory::MemoryStore;
use sessions_sqlx::SqliteStore;

/// Opens a store that nobody else uses.
///
/// The clock is the session manager's. It starts at the present time and jumps; a store on a server, which has its own, may leave
/// it alone: no rule depends on an expiry that only the store can judge.
pub(crate) type Open = fn(ManualClock) -> Pin<Box<dyn Future<Output = Opened> + Send>>;

/// A store, and what goes when it goes.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) folder: Option<Folder>,
}

pub(crate) fn memory(clock: ManualClock) -> Pin<Box<dyn Future<Output = Opened> + Send>> {
    Box::pin(async move {
        let store = MemoryStore::builder().clock(clock).build().expect("the default bounds are valid");
        Opened { store: Arc::new(store), folder: None }
    })
}

pub(crate) fn sqlite(clock: ManualClock) -> Pin<Box<dyn Future<Output = Opened> + Send>> {
    Box::pin(async move {
        let folder = Folder::create();
        let url = format!("sqlite:{}", folder.0.join("sessions.db").display());
        let store = SqliteStore::builder().no_purge().clock(clock).connect(&url).await.expect("a new file");
        store.migrate().await.expect("a new table");
        Opened { store: Arc::new(store), folder: Some(folder) }
    })
}

/// A folder that goes with its owner.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sessions-http-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder for the test's file");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
