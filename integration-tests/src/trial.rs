//! What one test has to hand: stores in a namespace of its own, fresh ids and versions, and time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sessions_core::{Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, SystemClock, Timestamp, Version};

use crate::expect::Expect;
use crate::harness::{Harness, Problem, Profile};
use crate::opened::{Opens, Store};
use crate::race::race;

/// A time to live that no test outlasts.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A time to live that is meant to be over soon. Nothing asserts that a session with it is still live.
pub(crate) const SHORT: Duration = Duration::from_millis(20);

/// Times to live in which a test hopes to get one more operation in. When the machine was too busy for the first, the session
/// has expired and the test tries the next.
pub(crate) const WINDOWS: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_millis(3_200),
    Duration::from_millis(12_800),
];

/// How much longer than a time to live a test waits: the store may read another clock than this machine's timer.
const MARGIN: Duration = Duration::from_millis(20);

/// One run of one test.
pub(crate) struct Trial {
    pub(crate) profile: Profile,
    harness: Box<dyn Opens>,
    namespace: String,
    random: Mutex<fastrand::Rng>,
    versions: Versions,
}

impl Trial {
    pub(crate) fn new(harness: impl Harness, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        Self {
            profile: harness.profile(),
            harness: Box::new(harness),
            // Not from the seed: on a server that lasts, a second run must not meet the sessions of the first.
            namespace: format!("g{:016x}", fastrand::u64(..)),
            versions: Versions(Arc::new(AtomicU64::new(random.u64(..1 << 40)))),
            random: Mutex::new(random),
        }
    }

    /// Opens the namespace of this test.
    pub(crate) async fn open(&self) -> Store {
        self.open_named(&self.namespace).await.expect("the harness opens a store")
    }

    /// Two handles on the namespace of this test: of two processes if the backend can, else one store twice.
    pub(crate) async fn open_twice(&self) -> [Store; 2] {
        let store = self.open().await;
        let other = if self.profile.shared { self.open().await } else { Arc::clone(&store) };
        [store, other]
    }

    /// Opens another namespace, whose name is that of this test with something good after it.
    pub(crate) async fn open_beside(&self, suffix: &str) -> Store {
        let name = format!("{}{suffix}", self.namespace);
        self.open_named(&name).await.expect("the harness opens a store")
    }

    /// Opens the namespace of a name that may be bad.
    pub(crate) async fn open_named(&self, name: &str) -> Result<Store, Problem> {
        self.harness.open(name).await
    }

    /// Opens the namespace of this test with room for some sessions; `None` when the store has no such bound.
    pub(crate) async fn open_bounded(&self, sessions: usize) -> Option<Store> {
        self.harness.open_bounded(&self.namespace, sessions).await
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A fresh id.
    pub(crate) fn id(&self) -> SessionId {
        SessionId::from_bytes(self.random(|random| random.u128(..).to_be_bytes()))
    }

    /// A fresh version.
    pub(crate) fn version(&self) -> Version {
        self.versions.next()
    }

    /// Fresh versions for a task.
    pub(crate) fn versions(&self) -> Versions {
        self.versions.clone()
    }

    /// An entry with a fresh version, a record that tells it, no owner and a deadline beyond every time to live.
    pub(crate) fn entry(&self) -> Entry {
        self.versions.entry()
    }

    /// An entry with this record.
    pub(crate) fn entry_with(&self, record: impl Into<Bytes>) -> Entry {
        Entry { record: record.into(), ..self.entry() }
    }

    /// An entry with this owner.
    pub(crate) fn entry_of(&self, owner: &Owner) -> Entry {
        Entry { owner: Some(owner.clone()), ..self.entry() }
    }

    /// An owner whose name no other test has.
    pub(crate) fn owner(&self, name: &str) -> Owner {
        Owner::new(format!("{name} of {}", self.namespace)).expect("a short name")
    }

    /// Draws from the seeded randomness.
    pub(crate) fn random<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates a session that lives for the whole test.
    pub(crate) async fn create(&self, store: &Store, entry: &Entry) -> SessionId {
        self.create_for(store, entry, HOUR).await
    }

    /// Creates a session that has expired when this returns.
    pub(crate) async fn create_expired(&self, store: &Store, entry: &Entry) -> SessionId {
        let id = self.create_for(store, entry, SHORT).await;
        self.outlast(SHORT).await;
        id
    }

    /// Creates a session under a fresh id.
    pub(crate) async fn create_for(&self, store: &Store, entry: &Entry, ttl: Duration) -> SessionId {
        let id = self.id();
        let outcome = store.create(&id, entry, ttl).await.answer();
        assert_eq!(outcome, CreateOutcome::Created, "create under a fresh id");
        id
    }

    /// Creates many sessions, several at a time.
    pub(crate) async fn create_many(
        &self,
        store: &Store,
        count: usize,
        ttl: Duration,
        entry: impl Fn() -> Entry,
    ) -> Vec<SessionId> {
        const TASKS: usize = 8;
        let sessions: Vec<_> = (0..count).map(|_| (self.id(), entry())).collect();
        race(TASKS, |task| {
            let store = Arc::clone(store);
            let mine: Vec<_> = sessions.iter().skip(task).step_by(TASKS).cloned().collect();
            async move {
                for (id, entry) in mine {
                    let outcome = store.create(&id, &entry, ttl).await.answer();
                    assert_eq!(outcome, CreateOutcome::Created, "create under a fresh id");
                }
            }
        })
        .await;
        sessions.into_iter().map(|(id, _)| id).collect()
    }

    /// What the store's clock says, within the tolerance of the profile.
    pub(crate) fn now(&self) -> Timestamp {
        self.profile.clock.as_ref().map_or_else(|| SystemClock.now(), Clock::now)
    }

    /// Returns when this time has passed for the store: exactly, by a clock that the suite holds, else about.
    pub(crate) async fn elapse(&self, duration: Duration) {
        match &self.profile.clock {
            Some(clock) => clock.advance(duration),
            None => tokio::time::sleep(duration).await,
        }
    }

    /// Returns when a session that had this time to live is surely over.
    pub(crate) async fn outlast(&self, ttl: Duration) {
        self.elapse(ttl + MARGIN).await;
    }

    /// Checks that a session is over, as one that was created to be over by now.
    ///
    /// What a store makes of expired sessions is for G3 to test, which finds them absent.
    pub(crate) async fn assert_over(&self, store: &Store, id: &SessionId) {
        let control = self.create_expired(store, &self.entry()).await;
        let [session, control] = [store.load(id).await.answer(), store.load(&control).await.answer()];
        assert_eq!(session.is_some(), control.is_some(), "whether the session lives on beyond its time");
    }
}

/// Fresh versions, each greater than those before: that versions need no order is for G7 to test.
#[derive(Clone)]
pub(crate) struct Versions(Arc<AtomicU64>);

impl Versions {
    pub(crate) fn next(&self) -> Version {
        Version::from_u64(self.0.fetch_add(1, Ordering::Relaxed))
    }

    /// An entry as that of [`Trial::entry`].
    pub(crate) fn entry(&self) -> Entry {
        let version = self.next();
        Entry { version, record: record_of(version), owner: None, deadline: Timestamp::MAX }
    }
}

/// The record of an entry that was not told another: whether record and version belong together can be seen.
pub(crate) fn record_of(version: Version) -> Bytes {
    format!("record of {version:?}").into()
}
