//! The store of one's own: under the conformance suite, and what is its own beside it.

mod support;

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sessions_conformance::{Harness, Problem, Profile, conformance};
use sessions_core::{Entry, ManualClock, SessionId, SessionStore, SystemClock, Timestamp, Version};
use sessions_examples::custom_store::FileStore;
use support::{Client, Program};
use tempfile::TempDir;

/// A busy machine must not look like a broken store.
const DEADLINE: Duration = Duration::from_secs(60);

/// A folder with a file for each store: it has no namespaces, and no two handles share a file.
struct Files {
    folder: TempDir,
    clock: ManualClock,
    opened: AtomicUsize,
}

impl Default for Files {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::at(Timestamp::from_millis(1_753_000_000_123));
        Self { folder, clock, opened: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Harness for Files {
    type Store = FileStore;

    fn profile(&self) -> Profile {
        Profile::new(FileStore::RECORD_LIMIT).clock(self.clock.clone())
    }

    async fn open(&self, _namespace: &str) -> Result<FileStore, Problem> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.journal"));
        Ok(FileStore::open_with(path, self.clock.clone(), DEADLINE)?)
    }
}

conformance!(Files::default());

/// What was answered is there after a crash, and a change that was cut off in the middle is not, wherever it was cut.
#[tokio::test]
async fn a_journal_that_is_cut_off_anywhere_has_what_was_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.journal");
    let ids: Vec<_> = (1..=3).map(|number| SessionId::from_bytes([number; 16])).collect();
    let mut lengths = Vec::new();
    let store = FileStore::open_with(&path, SystemClock, DEADLINE).expect("it opens");
    for id in &ids {
        lengths.push(fs::metadata(&path).expect("it is there").len());
        store.create(id, &entry(), Duration::from_secs(3600)).await.expect("created");
    }
    store.stop().await.expect("stopped");
    let whole = fs::read(&path).expect("it is there");

    for length in 16..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let store = FileStore::open_with(&path, SystemClock, DEADLINE).expect("it opens");
        for (id, start) in ids.iter().zip(lengths.iter().skip(1)) {
            let is_whole = u64::try_from(length).expect("small") >= *start;
            assert_eq!(store.load(id).await.expect("loaded").is_some(), is_whole, "{id}, cut at {length}");
        }
        store.stop().await.expect("stopped");
    }
}

#[tokio::test]
async fn a_file_is_open_once_and_one_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("once.journal");
    let store = FileStore::open(&path).expect("it opens");
    assert!(FileStore::open(&path).is_err(), "it is open");
    store.stop().await.expect("stopped");
    assert!(FileStore::open(&path).is_ok(), "it was closed");

    let foreign = folder.path().join("letter.txt");
    fs::write(&foreign, "Dear Grace,").expect("written");
    assert!(FileStore::open(&foreign).is_err());
    assert_eq!(fs::read(&foreign).expect("it is there"), b"Dear Grace,");
}

#[tokio::test]
async fn a_journal_does_not_grow_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grown.journal");
    let store = FileStore::open_with(&path, SystemClock, DEADLINE).expect("it opens");
    let (id, large) = (SessionId::from_bytes([1; 16]), vec![7; 256 * 1024]);
    for _ in 0..20 {
        let entry = Entry { record: large.clone().into(), ..entry() };
        store.create(&id, &entry, Duration::from_secs(3600)).await.expect("created");
        store.delete(&[id]).await.expect("deleted");
    }
    let length = fs::metadata(&path).expect("it is there").len();
    assert!(length < 3 * 1024 * 1024, "{length} bytes for no session");
}

#[tokio::test]
async fn an_application_on_it_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || Program::start(env!("CARGO_BIN_EXE_custom_store"), &["127.0.0.1:0"], folder.path());
    let program = start().await;
    let mut client = Client::new(program.address);
    assert_eq!(client.get("/").await.body, "visit 1\n");
    program.stop().await;
    let program = start().await;
    assert_eq!(client.at(program.address).get("/").await.body, "visit 2\n");
}

fn entry() -> Entry {
    Entry { version: Version::from_u64(1), record: "hello".into(), owner: None, deadline: Timestamp::MAX }
}
