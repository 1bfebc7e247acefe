//! The conflict loop over a database that does as it is told: answers that are lost.

use std::collections::VecDeque;
use std::sync::Mutex;

use sessions_core::{Timestamp, Ttl};

use super::*;
use crate::job;
use crate::verdict::{Remedy, Verdict};

/// Gives these answers, one after the other. Where there is none, this failure.
struct Told<J, A>(Mutex<VecDeque<Option<A>>>, fn(&[J]) -> bool, fn() -> Failure);

impl<J: Send + Sync + 'static, A: Send + 'static> Told<J, A> {
    fn lane(
        answers: impl IntoIterator<Item = Option<A>>,
        may_repeat: fn(&[J]) -> bool,
        failure: fn() -> Failure,
    ) -> Lane<Self> {
        Lane::new(Self(Mutex::new(answers.into_iter().collect()), may_repeat, failure), 1, Duration::from_secs(2))
    }
}

impl<J: Send + Sync + 'static, A: Send + 'static> Batch for Told<J, A> {
    type Job = J;
    type Answer = A;
    type Connection = ();

    fn fits(&self, _: &[J], _: &J) -> bool {
        false
    }

    fn may_repeat(&self, jobs: &[J]) -> bool {
        (self.1)(jobs)
    }

    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn reconnect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn run(&self, (): &mut (), _: &[J]) -> Result<Vec<A>, Failure> {
        match self.0.lock().expect("not poisoned").pop_front().expect("a statement that was foreseen") {
            Some(answer) => Ok(vec![answer]),
            None => Err(self.2()),
        }
    }

    fn give_up(&self, (): ()) {}

    fn hold(&self) -> Option<Duration> {
        None
    }

    fn let_go(&self, (): ()) {}
}

struct Nowhere;

impl Database for Nowhere {
    type Reads = Told<Read, Found>;
    type Writes = Told<Write, u64>;

    async fn close(&self) {}
}

/// A store whose writes come to these numbers of rows, and which then finds this version.
fn store(writes: &[Option<u64>], finds: Option<u64>) -> Arc<Store<Nowhere>> {
    store_that(broken, writes, finds)
}

/// The connection broke, somewhere.
fn broken() -> Failure {
    Failure::statement(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into())
}

/// The database says that it has ended the connection.
fn ended() -> Failure {
    Failure::Statement(Arc::new(sqlx::Error::WorkerCrashed), Verdict::known(true, Remedy::Reconnect))
}

fn store_that(fails: fn() -> Failure, writes: &[Option<u64>], finds: Option<u64>) -> Arc<Store<Nowhere>> {
    let settings = Settings { purge_interval: None, ..Settings::default() };
    let there = finds.map(|version| {
        let Entry { version, record, owner, .. } = entry(version);
        Stored { version, record, owner, expires_at: Timestamp::MAX }
    });
    let reads = Told::lane([Some(Found::Session(there))], |_| true, fails);
    Store::start(settings, Nowhere, reads, Told::lane(writes.iter().copied(), job::may_repeat, fails))
}

fn entry(version: u64) -> Entry {
    Entry { version: Version::from_u64(version), record: "record".into(), owner: None, deadline: Timestamp::MAX }
}

const ID: SessionId = SessionId::from_bytes([7; 16]);
const MINUTE: Duration = Duration::from_secs(60);
const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };
/// The answer to the first run is lost, the second writes nothing.
const LOST: [Option<u64>; 2] = [None, Some(0)];

async fn update(store: &Store<Nowhere>) -> Result<UpdateOutcome, StoreError> {
    store.update(&ID, Version::from_u64(1), &entry(2), KEEP).await
}

#[tokio::test]
async fn g06_a_conflict_with_a_first_run_whose_answer_was_lost_is_none() {
    assert_eq!(update(&store(&LOST, Some(2))).await.expect("its version is there"), UpdateOutcome::Written);
}

/// The first copy may arrive when the session that the second one has created is over.
#[tokio::test]
async fn g08_a_create_that_may_be_on_its_way_is_not_repeated() {
    let created = store(&[None, Some(1)], None).create(&ID, &entry(2), MINUTE).await;
    assert!(created.expect_err("unknown").is_indeterminate());
}

#[tokio::test]
async fn g06_a_create_on_a_connection_that_the_database_has_ended_is_repeated() {
    let create = async |writes, finds| store_that(ended, writes, finds).create(&ID, &entry(2), MINUTE).await;
    assert_eq!(create(&[None, Some(1)], None).await.expect("an answer"), CreateOutcome::Created);
    assert_eq!(create(&LOST, Some(2)).await.expect("its version is there"), CreateOutcome::Created);
    for there in [None, Some(3)] {
        assert!(create(&LOST, there).await.expect_err("unknown").is_indeterminate(), "{there:?}");
    }
}

#[tokio::test]
async fn g06_what_a_first_run_may_lie_under_does_not_tell_that_it_wrote_nothing() {
    for there in [None, Some(1), Some(3)] {
        assert!(update(&store(&LOST, there)).await.expect_err("unknown").is_indeterminate(), "{there:?}");
    }
    let touched = store(&LOST, None).touch(&ID, Version::from_u64(1), MINUTE).await;
    assert!(touched.expect_err("unknown").is_indeterminate());
}

#[tokio::test]
async fn g06_without_a_first_run_what_is_there_is_the_answer() {
    let conflict = update(&store(&[Some(0)], Some(3))).await.expect("an answer");
    assert!(matches!(conflict, UpdateOutcome::Conflict(there) if there.version == Version::from_u64(3)));
    assert_eq!(update(&store(&[Some(0)], None)).await.expect("an answer"), UpdateOutcome::Absent);
    let created = store(&[Some(0)], Some(3)).create(&ID, &entry(2), MINUTE).await.expect("an answer");
    assert!(matches!(created, CreateOutcome::Exists(there) if there.version == Version::from_u64(3)));
    assert!(!store(&[Some(0)], None).touch(&ID, Version::from_u64(1), MINUTE).await.expect("an answer"));
}

#[tokio::test]
async fn a_second_run_that_writes_is_an_answer() {
    assert_eq!(update(&store(&[None, Some(1)], None)).await.expect("an answer"), UpdateOutcome::Written);
    assert!(store(&[None, Some(1)], None).touch(&ID, Version::from_u64(1), MINUTE).await.expect("an answer"));
}
