//! Steady load: tabs that count, newcomers of whom every other one signs out, and those who need no session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use sessions_proof::faults::{Answer, Role};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::Client;
use crate::record::{Jar, Known, Record};

/// Between an answer and the next request of a tab; of a newcomer, who leaves a session behind each time.
const PACE: Duration = Duration::from_millis(20);
const NEWCOMERS_PACE: Duration = Duration::from_millis(150);

/// A browser with a session, and so many tabs that count.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) tabs: usize,
    pub(crate) known: Known,
}

/// The clients of an application, until they are stopped.
pub(crate) struct Load {
    pub(crate) record: Arc<Record>,
    clients: JoinSet<()>,
}

impl Visitor {
    /// Comes to an application and gets a session.
    pub(crate) async fn come(address: SocketAddr, tabs: usize) -> Self {
        let seen = Client::of(address).ask(Method::GET, "/", None).await;
        assert_eq!(seen.answer, Answer::Page(Some(1)), "the first visit");
        Self { tabs, known: Known { before: 1, jar: Jar::with(seen.token.expect("a cookie")) } }
    }
}

impl Load {
    pub(crate) fn start(address: SocketAddr, visitors: &[Visitor]) -> Self {
        let tabs = visitors.iter().map(|visitor| visitor.tabs).sum();
        let sessions = visitors.iter().map(|visitor| visitor.known.clone()).collect();
        let record = Record::begin(sessions, tabs);
        let mut clients = JoinSet::new();
        let with_session =
            visitors.iter().enumerate().flat_map(|(n, v)| std::iter::repeat_n((n, &v.known.jar), v.tabs));
        for (tab, (session, jar)) in with_session.enumerate() {
            clients.spawn(count(address, tab, session, jar.clone(), Arc::clone(&record)));
        }
        clients.spawn(come_and_go(address, tabs, Arc::clone(&record)));
        clients.spawn(look(address, tabs + 1, None, Arc::clone(&record)));
        let jar = visitors.first().map(|visitor| visitor.known.jar.clone());
        clients.spawn(look(address, tabs + 2, jar, Arc::clone(&record)));
        Self { record, clients }
    }

    /// Lets every client finish what it is at.
    pub(crate) async fn stop(self) -> Arc<Record> {
        self.record.stop();
        self.clients.join_all().await;
        self.record
    }
}

async fn count(address: SocketAddr, tab: usize, session: usize, jar: Jar, record: Arc<Record>) {
    let mut client = Client::of(address);
    while !record.is_stopped() {
        let begun = record.now();
        let seen = client.ask(Method::GET, "/", Some(&jar.token())).await;
        record.add(tab, Some(session), Role::Counts, begun, &seen);
        if let Some(token) = seen.token {
            jar.put(token);
        }
        sleep(PACE).await;
    }
}

async fn come_and_go(address: SocketAddr, tab: usize, record: Arc<Record>) {
    let mut client = Client::of(address);
    let mut leaves = false;
    while !record.is_stopped() {
        let begun = record.now();
        let seen = client.ask(Method::GET, "/", None).await;
        let session = seen.token.clone().map(|token| record.add_session(token));
        record.add(tab, session, Role::Comes, begun, &seen);
        leaves = !leaves;
        if let (true, Some(token)) = (leaves, &seen.token) {
            leave(&mut client, tab, session, token, &record).await;
        }
        sleep(NEWCOMERS_PACE).await;
    }
}

/// Signs out, again and again until it is done.
async fn leave(client: &mut Client, tab: usize, session: Option<usize>, token: &str, record: &Record) {
    while !record.is_stopped() {
        let begun = record.now();
        let seen = client.ask(Method::POST, "/sign-out", Some(token)).await;
        record.add(tab, session, Role::Leaves, begun, &seen);
        if matches!(seen.answer, Answer::Page(_)) {
            return;
        }
        sleep(PACE).await;
    }
}

/// Looks at a page that needs no session, with a cookie or without.
async fn look(address: SocketAddr, tab: usize, jar: Option<Jar>, record: Arc<Record>) {
    let mut client = Client::of(address);
    let role = if jar.is_some() { Role::Passes } else { Role::Looks };
    while !record.is_stopped() {
        let token = jar.as_ref().map(Jar::token);
        let begun = record.now();
        let seen = client.ask(Method::GET, "/signed-out", token.as_deref()).await;
        record.add(tab, None, role, begun, &seen);
        sleep(PACE).await;
    }
}
