//! Writes every exchange down, and lets a test wait for what it is interested in.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sessions_proof::faults::{Answer, Exchange, Role};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::client::Seen;

/// What none of the events that are waited for takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// The token that a browser has for a session: all of its tabs share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(Arc<Mutex<String>>);

impl Jar {
    pub(crate) fn with(token: String) -> Self {
        Self(Arc::new(Mutex::new(token)))
    }

    pub(crate) fn token(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }

    pub(crate) fn put(&self, token: String) {
        *self.0.lock().expect("no panic") = token;
    }
}

/// A session under observation: what it counted to before, and its cookie.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) before: u64,
    pub(crate) jar: Jar,
}

/// The record of one fault.
pub(crate) struct Record {
    began: Instant,
    /// How many tabs count.
    tabs: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    sessions: Vec<Known>,
    /// Pages and refusals, of each tab that counts.
    tallies: Vec<(u64, u64)>,
    stopped: bool,
}

impl Record {
    /// Begins, with the sessions that there are.
    pub(crate) fn begin(sessions: Vec<Known>, tabs: usize) -> Arc<Self> {
        let state = State { sessions, tallies: vec![(0, 0); tabs], ..State::default() };
        Arc::new(Self { began: Instant::now(), tabs, state: Mutex::new(state), changed: Notify::new() })
    }

    /// The time of the record.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// A session that began meanwhile.
    pub(crate) fn add_session(&self, token: String) -> usize {
        let mut state = self.state();
        state.sessions.push(Known { before: 0, jar: Jar::with(token) });
        state.sessions.len() - 1
    }

    /// Writes down what a request came to that was sent at `begun` and is answered now.
    pub(crate) fn add(&self, tab: usize, session: Option<usize>, role: Role, begun: Duration, seen: &Seen) {
        let (answer, cookie) = (seen.answer.clone(), seen.cookie);
        let mut state = self.state();
        if role == Role::Counts {
            let (pages, refusals) = &mut state.tallies[tab];
            match answer {
                Answer::Page(_) => *pages += 1,
                Answer::Unavailable | Answer::Other(_) => *refusals += 1,
            }
        }
        state.exchanges.push(Exchange { tab, session, role, begun, ended: self.now(), answer, cookie });
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until every tab that counts has had so many more pages.
    pub(crate) async fn pages(&self, more: u64) {
        self.more(|tally| tally.0, more, self.tabs).await;
    }

    /// Waits until every tab that counts has been refused so many more times.
    pub(crate) async fn refusals(&self, more: u64) {
        self.more(|tally| tally.1, more, self.tabs).await;
    }

    /// Waits until any tab that counts has been refused.
    pub(crate) async fn a_refusal(&self) {
        self.more(|tally| tally.1, 1, 1).await;
    }

    /// Waits until every tab that counts has been answered so many more times, one way or the other.
    pub(crate) async fn answers(&self, more: u64) {
        self.more(|tally| tally.0 + tally.1, more, self.tabs).await;
    }

    async fn more(&self, count: fn((u64, u64)) -> u64, more: u64, tabs: usize) {
        let before: Vec<u64> = self.state().tallies.iter().map(|tally| count(*tally)).collect();
        let wait = async {
            loop {
                let changed = self.changed.notified();
                let done =
                    self.state().tallies.iter().zip(&before).filter(|(now, b)| count(**now) >= *b + more).count();
                if done >= tabs {
                    return;
                }
                changed.await;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{more} more than {before:?} of (pages, refusals): {:?}", self.state().tallies);
    }

    /// Tells the clients that it is over.
    pub(crate) fn stop(&self) {
        self.state().stopped = true;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// What was written down, and the sessions that were seen.
    pub(crate) fn take(&self) -> (Vec<Exchange>, Vec<Known>) {
        let mut state = self.state();
        (std::mem::take(&mut state.exchanges), std::mem::take(&mut state.sessions))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}
