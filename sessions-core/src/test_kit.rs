//! A manager on the scripted store, with a clock and a random source that tests hold in their hands.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pollster::block_on;

use crate::clock::{Clock, ManualClock, Timestamp};
use crate::commit::{Committed, CookieChange, Outcome};
use crate::error::Error;
use crate::manager::{SessionManager, SessionManagerBuilder};
use crate::random::{Random, RandomError};
use crate::session::Session;
use crate::test_store::TestStore;
use crate::token::{SessionId, Token};

/// When the clock of a test starts: late enough to be set back.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Clones are the same store, clock and managers: a hook takes one along.
#[derive(Debug, Clone)]
pub(crate) struct Kit {
    pub(crate) clock: ManualClock,
    pub(crate) random: TestRandom,
    pub(crate) store: TestStore,
    /// What is tested: its calls are scripted and recorded.
    pub(crate) manager: SessionManager,
    /// Another process with the same settings on the same store, whose calls are neither.
    pub(crate) others: SessionManager,
    counted: Arc<AtomicUsize>,
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl Fn(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let (clock, random) = (ManualClock::at(START), TestRandom::default());
        let store = TestStore::new(clock.clone());
        let manager = |store: TestStore| {
            let builder = SessionManager::builder(store).clock(clock.clone()).random(random.clone());
            configure(builder).build().expect("valid settings")
        };
        let (manager, others) = (manager(store.clone()), manager(store.plain()));
        Self { clock, random, store, manager, others, counted: Arc::default() }
    }

    /// This kit after a deployment with other settings.
    pub(crate) fn deployed(&self, configure: impl Fn(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let manager = |store: TestStore| {
            let builder = SessionManager::builder(store).clock(self.clock.clone()).random(self.random.clone());
            configure(builder).build().expect("valid settings")
        };
        Self { manager: manager(self.store.clone()), others: manager(self.store.plain()), ..self.clone() }
    }

    pub(crate) fn open(&self, token: &Token) -> Session {
        let session = self.manager.begin(Some(token.clone()));
        block_on(self.manager.open(&session)).expect("the store answers");
        session
    }

    /// A loaded session that has added one to the counter, and not yet committed.
    pub(crate) fn counting(&self, token: &Token) -> Session {
        let session = self.open(token);
        increment(&session);
        session
    }

    pub(crate) fn commit(&self, session: &Session) -> Committed {
        self.try_commit(session).expect("the commit has an outcome")
    }

    pub(crate) fn try_commit(&self, session: &Session) -> Result<Committed, Error> {
        block_on(self.manager.commit(session))
    }

    /// Stores a session by another process.
    pub(crate) fn stored(&self, fill: impl FnOnce(&Session)) -> Token {
        let session = self.others.new_session();
        session.insert("stored", &true).expect("a new session takes values");
        fill(&session);
        let committed = block_on(self.others.commit(&session)).expect("the store answers");
        self.random.forget();
        token(&committed)
    }

    /// A whole request to another process.
    pub(crate) fn request(&self, token: &Token, handle: impl FnOnce(&Session)) -> Committed {
        let session = self.others.begin(Some(token.clone()));
        block_on(self.others.open(&session)).expect("the store answers");
        handle(&session);
        block_on(self.others.commit(&session)).expect("the commit has an outcome")
    }

    /// A hook: so many requests to another process, each of which adds one to the counter.
    pub(crate) fn counts(&self, token: &Token, requests: usize) -> impl FnOnce() + Send + 'static {
        let (kit, token) = (self.clone(), token.clone());
        move || {
            for _ in 0..requests {
                assert_eq!(kit.request(&token, increment).outcome, Outcome::Written);
                kit.counted.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// How much such hooks have counted.
    pub(crate) fn counted(&self) -> u64 {
        self.counted.load(Ordering::SeqCst) as u64
    }

    /// What is stored, as administration sees it.
    pub(crate) fn peek(&self, id: SessionId) -> Session {
        block_on(self.others.get_session(&id)).expect("the store answers").expect("the session is live")
    }

    pub(crate) fn counter(&self, id: SessionId) -> Option<u64> {
        self.peek(id).get("counter").expect("a number")
    }

    /// Whether a token opens a session now.
    pub(crate) fn opens(&self, token: &Token) -> bool {
        let session = self.others.begin(Some(token.clone()));
        block_on(self.others.open(&session)).expect("the store answers");
        !session.is_new()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn increment(session: &Session) {
    session.update("counter", |counter: Option<u64>| counter.unwrap_or(0) + 1).expect("the session can be written");
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The token that a commit hands out.
#[track_caller]
pub(crate) fn token(committed: &Committed) -> Token {
    match &committed.cookie {
        CookieChange::Set { token, .. } => token.clone(),
        other => panic!("a token, not {other:?}"),
    }
}

/// Polls a future so many times and drops it, unless it was ready.
pub(crate) fn poll_at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Counts how often it is woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The seed of a test with random input: from the environment to repeat a run, printed when the test fails.
pub(crate) fn seeded(test: &str) -> fastrand::Rng {
    let seed = std::env::var("SESSIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{test}: SESSIONS_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Counts the secrets it makes, and fails when told.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestRandom(Arc<Source>);

#[derive(Debug)]
struct Source {
    rng: Mutex<fastrand::Rng>,
    tokens: AtomicUsize,
    /// How many fills succeed before the source fails.
    good: AtomicUsize,
    /// Bytes to give out for the next token, whatever they are.
    next: Mutex<Option<Vec<u8>>>,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            rng: Mutex::new(fastrand::Rng::new()),
            tokens: AtomicUsize::new(0),
            good: AtomicUsize::new(usize::MAX),
            next: Mutex::default(),
        }
    }
}

impl TestRandom {
    /// How many secrets were made.
    pub(crate) fn tokens(&self) -> usize {
        self.0.tokens.load(Ordering::SeqCst)
    }

    pub(crate) fn forget(&self) {
        self.0.tokens.store(0, Ordering::SeqCst);
    }

    /// Every fill fails after so many.
    pub(crate) fn fail_after(&self, fills: usize) {
        self.0.good.store(fills, Ordering::SeqCst);
    }

    /// The next new token is the one with these bytes.
    pub(crate) fn repeat(&self, token: &Token) {
        let mut bytes = token.id().as_bytes().to_vec();
        bytes.extend([7; 40]);
        *self.0.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let left = self.0.good.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |good| good.checked_sub(1));
        left.map_err(|_| RandomError::new("no entropy today"))?;
        if bytes.len() >= 32 {
            self.0.tokens.fetch_add(1, Ordering::SeqCst);
            if let Some(next) = self.0.next.lock().unwrap_or_else(PoisonError::into_inner).take() {
                bytes.copy_from_slice(&next);
                return Ok(());
            }
        }
        self.0.rng.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
        Ok(())
    }
}
