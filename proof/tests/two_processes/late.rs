//! Promise 2 over HTTP, through two servers: what is over stays over, whatever slow request was still in flight at the other.

use std::net::SocketAddr;
use std::time::Duration;

use sessions_core::{SessionStore, Token};
use tokio::task::JoinHandle;

use crate::client::{Answer, Browser};
use crate::pair::Pair;

/// Every way of writing that a slow request may end with.
const WRITES: [&str; 7] = ["insert:late", "add", "clear", "rotate", "renew", "login:mallory", "persist"];

/// A slow request through one server that loaded the session before it was ended through the other, and commits after.
pub(crate) async fn undoes_nothing(mut pair: Pair) {
    let servers = pair.serve().await;
    for slow_at_a in [true, false] {
        logout(&mut pair, servers, slow_at_a).await;
        login(&mut pair, servers, slow_at_a).await;
    }
    let (backend, requests) = (pair.place.backend.name(), 4 * WRITES.len());
    println!(
        "proof: two processes, late commits: server={backend}; after=logout or login; requests={requests}; lost=all; \
         cookies=0"
    );
    pair.stop().await;
}

async fn logout(pair: &mut Pair, servers: [SocketAddr; 2], slow_at_a: bool) {
    let [slow, other] = ordered(servers, slow_at_a);
    let mut browsers = visitors(slow, "/do/insert:a+login:alice").await;
    let olds = browsers.clone();
    let late = pair.start_slow(slow, slow_at_a, &olds).await;
    for browser in &mut browsers {
        assert_eq!(browser.visit(other, "/do/logout").await.cookies.len(), 1);
        assert_eq!(browser.token(), None);
    }
    let answers = pair.finish(slow_at_a, late).await;
    for ((answer, write), old) in answers.iter().zip(WRITES).zip(&olds) {
        answer.assert_lost(write);
        for server in servers {
            assert_eq!(old.ask(server, "/do/keys").await.quiet(), "", "{write}");
        }
    }
}

async fn login(pair: &mut Pair, servers: [SocketAddr; 2], slow_at_a: bool) {
    let [slow, other] = ordered(servers, slow_at_a);
    let mut browsers = visitors(slow, "/do/insert:a").await;
    let olds = browsers.clone();
    let late = pair.start_slow(slow, slow_at_a, &olds).await;
    for browser in &mut browsers {
        assert_eq!(browser.visit(other, "/do/insert:b+login:alice").await.cookies.len(), 1);
    }
    let answers = pair.finish(slow_at_a, late).await;
    for (((answer, write), old), new) in answers.iter().zip(WRITES).zip(&olds).zip(&browsers) {
        answer.assert_lost(write);
        assert_ne!(new.token(), old.token());
        for server in servers {
            assert_eq!(new.ask(server, "/do/keys").await.quiet(), "a,b", "{write}");
            assert_eq!(new.ask(server, "/do/who").await.quiet(), "alice", "{write}");
            assert_eq!(old.ask(server, "/do/keys").await.quiet(), "", "{write}");
        }
    }
}

/// The session's idle timeout runs out at the store, by the store's own clock, while the requests are in flight.
pub(crate) async fn does_not_undo_an_expiry(mut pair: Pair) {
    let servers = pair.serve().await;
    let [slow, _] = servers;
    let store = pair.place.open().await.expect("the store opens");
    let mut idle = Duration::from_millis(500);
    let (browsers, late) = loop {
        let mut browsers = visitors(slow, "/do/insert:a+login:alice").await;
        for browser in &mut browsers {
            browser.visit(slow, &format!("/do/idle:{}", idle.as_millis())).await;
        }
        match pair.try_start_slow(slow, true, &browsers).await {
            Ok(late) => break (browsers, late),
            // A busy machine: they were over before the slow requests had loaded them.
            Err(late) => drop(pair.finish(true, late).await),
        }
        idle *= 2;
    };
    for browser in &browsers {
        until_gone(&*store, browser).await;
    }
    let answers = pair.finish(true, late).await;
    for ((answer, write), browser) in answers.iter().zip(WRITES).zip(&browsers) {
        answer.assert_lost(write);
        until_gone(&*store, browser).await;
        for server in servers {
            assert_eq!(browser.ask(server, "/do/keys").await.quiet(), "", "{write}");
        }
    }
    store.stop().await.expect("the store stops");
    let backend = pair.place.backend.name();
    println!(
        "proof: two processes, late commits: server={backend}; after=expiry; requests={}; lost=all; cookies=0",
        WRITES.len()
    );
    pair.stop().await;
}

/// Asks until the store says that the session is gone.
async fn until_gone(store: &dyn SessionStore, browser: &Browser) {
    let token = browser.token().and_then(|text| Token::parse(text.as_bytes())).expect("a token");
    while store.load(&token.id()).await.expect("the store works").is_some() {
        // Between two questions; it may take as many as it likes.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn ordered([a, b]: [SocketAddr; 2], a_first: bool) -> [SocketAddr; 2] {
    if a_first { [a, b] } else { [b, a] }
}

/// A browser for each way of writing, with a session of its own.
async fn visitors(server: SocketAddr, path: &str) -> Vec<Browser> {
    let mut browsers = vec![Browser::default(); WRITES.len()];
    for browser in &mut browsers {
        browser.visit(server, path).await;
    }
    browsers
}

type Late = Vec<JoinHandle<Answer>>;

impl Pair {
    pub(crate) async fn serve(&mut self) -> [SocketAddr; 2] {
        let mut addresses = Vec::new();
        for worker in [&mut self.a, &mut self.b] {
            worker.tell("serve").await;
            addresses.push(worker.hear().await.parse().expect("an address"));
        }
        [addresses[0], addresses[1]]
    }

    /// Starts a slow request for each way of writing; all have loaded their session when this returns.
    async fn start_slow(&mut self, server: SocketAddr, at_a: bool, browsers: &[Browser]) -> Late {
        self.try_start_slow(server, at_a, browsers).await.expect("the sessions are there")
    }

    /// The same; `Err` when some have found their session gone.
    async fn try_start_slow(&mut self, server: SocketAddr, at_a: bool, browsers: &[Browser]) -> Result<Late, Late> {
        let mut late = Late::new();
        for (browser, write) in browsers.iter().cloned().zip(WRITES) {
            late.push(tokio::spawn(async move { browser.ask(server, &format!("/slow/{write}")).await }));
        }
        let worker = if at_a { &mut self.a } else { &mut self.b };
        let mut all_there = true;
        for _ in WRITES {
            all_there &= worker.hear().await == "arrived";
        }
        if all_there { Ok(late) } else { Err(late) }
    }

    /// Lets the slow requests go on, and gives their answers.
    async fn finish(&mut self, at_a: bool, late: Late) -> Vec<Answer> {
        let worker = if at_a { &mut self.a } else { &mut self.b };
        worker.tell(format_args!("admit {}", late.len())).await;
        let mut answers = Vec::new();
        for request in late {
            answers.push(request.await.expect("it ends"));
        }
        answers
    }
}
