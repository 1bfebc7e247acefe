//! In the process: sessions that are opened, changed and committed on order, so that a test decides who has read what when
//! somebody else commits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::{CookieChange, Error, Outcome, Session, SessionManager, SessionStore, Token};
use sessions_proof::history::process::{Voice, wait_for_start};

/// The counter of every session here.
const COUNT: &str = "count";

/// A manager, and the sessions that are open.
pub(crate) struct Desk {
    manager: SessionManager,
    open: HashMap<String, Session>,
    voice: Voice,
}

impl Desk {
    pub(crate) fn new(store: Arc<dyn SessionStore>, voice: Voice) -> Self {
        // A grace that no pause of a busy machine outlives.
        let manager = SessionManager::builder(store).renew_grace(Duration::from_secs(60 * 60));
        Self { manager: manager.build().expect("valid settings"), open: HashMap::new(), voice }
    }

    /// - `new` makes a session with a counter of 1, and says its token.
    /// - `load SLOT TOKEN` opens it as a request does, and says what it counts.
    /// - `act SLOT ACT` changes it, `commit START SLOT…` commits several at once: what each came to is said.
    /// - `count START TOKEN TASKS EACH` has tasks increment the counter, in a request for each increment.
    /// - `owned OWNER` says how many sessions somebody has.
    pub(crate) async fn obey(&mut self, verb: &str, rest: &str) {
        let words: Vec<_> = rest.split(' ').collect();
        match (verb, &words[..]) {
            ("new", _) => {
                let session = self.manager.new_session();
                act(&session, "add").expect("an open session");
                let committed = self.manager.commit(&session).await.expect("the store works");
                self.voice.say(token_text(&committed.cookie).expect("a new session has a token"));
            }
            ("load", [slot, token]) => {
                let session = open(&self.manager, token).await;
                self.voice.say(session.get::<u64>(COUNT).expect("a number").unwrap_or(0));
                self.open.insert((*slot).to_owned(), session);
            }
            ("act", [slot, what]) => act(&self.open[*slot], what).expect("an open session"),
            ("commit", [start, slots @ ..]) => self.commit(start, slots).await,
            ("count", [start, token, tasks, each]) => self.count(start, token, tasks, each).await,
            ("owned", [owner]) => {
                self.voice.say(self.manager.sessions_of(owner).await.expect("the store works").len());
            }
            other => panic!("no such order: {other:?}"),
        }
    }

    async fn commit(&mut self, start: &str, slots: &[&str]) {
        let start = start.parse().expect("a time");
        let mut tasks = tokio::task::JoinSet::new();
        for slot in slots {
            let (manager, voice) = (self.manager.clone(), self.voice.clone());
            let (slot, session) = self.open.remove_entry(*slot).expect("it is open");
            tasks.spawn(async move {
                wait_for_start(start).await;
                let committed = manager.commit(&session).await.expect("the store works");
                let cookie = match &committed.cookie {
                    CookieChange::Keep => "keep".to_owned(),
                    CookieChange::Remove => "remove".to_owned(),
                    set @ CookieChange::Set { .. } => token_text(set).expect("a token"),
                };
                voice.say(format_args!("{slot} {:?} {cookie}", committed.outcome));
            });
        }
        tasks.join_all().await;
    }

    async fn count(&self, start: &str, token: &str, tasks: &str, each: &str) {
        let start = start.parse().expect("a time");
        let each: u32 = each.parse().expect("a number");
        let mut counting = tokio::task::JoinSet::new();
        for _ in 0..tasks.parse::<u32>().expect("a number") {
            let (manager, token) = (self.manager.clone(), token.to_owned());
            counting.spawn(async move {
                wait_for_start(start).await;
                let mut written = 0;
                for _ in 0..each {
                    let session = open(&manager, &token).await;
                    act(&session, "add").expect("an open session");
                    let outcome = manager.commit(&session).await.expect("the store works").outcome;
                    written += u64::from(outcome == Outcome::Written);
                }
                written
            });
        }
        self.voice.say(counting.join_all().await.iter().sum::<u64>());
    }
}

async fn open(manager: &SessionManager, token: &str) -> Session {
    let session = manager.begin(Some(Token::parse(token.as_bytes()).expect("a token")));
    manager.open(&session).await.expect("the store works");
    session
}

fn act(session: &Session, what: &str) -> Result<(), Error> {
    match what {
        "add" => session.update(COUNT, |count: Option<u64>| count.unwrap_or(0) + 1).map(drop),
        "rotate" => session.rotate(),
        "renew" => session.renew(),
        "login" => session.set_owner("alice"),
        "destroy" => session.destroy(),
        other => panic!("no such act: {other}"),
    }
}

fn token_text(cookie: &CookieChange) -> Option<String> {
    match cookie {
        CookieChange::Set { token, .. } => Some(token.encode().as_str().to_owned()),
        CookieChange::Keep | CookieChange::Remove => None,
    }
}
