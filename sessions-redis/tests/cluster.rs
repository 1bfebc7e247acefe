//! A Cluster whose node goes away between a command and its answer (G9, G11).
#![cfg(feature = "cluster")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use redis::cluster_routing::Slot;
use sessions_core::{Owner, SessionId, SessionStore};
use sessions_redis::RedisStore;
use support::Behaviour::{self, Answer};
use support::{FakeServer, HELLO};

const ID: SessionId = SessionId::from_bytes([7; 16]);

/// The only node of a Cluster, which answers everything but the Cluster's own commands by a script.
async fn node(script: impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static) -> FakeServer {
    node_that(|_| false, script).await
}

/// The same, which ends every connection on a command that it is to end it on.
async fn node_that(
    closes: impl Fn(&str) -> bool + Send + Sync + 'static,
    script: impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static,
) -> FakeServer {
    let own_port = Arc::new(AtomicU16::new(0));
    let port = Arc::clone(&own_port);
    let server = FakeServer::start(move |command, before| match command {
        command if closes(command) => Behaviour::Close,
        "HELLO" => HELLO,
        "PING" => Answer("+PONG\r\n"),
        "CLUSTER" => {
            let port = port.load(Ordering::SeqCst);
            let id = "n".repeat(40);
            let slots = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$40\r\n{id}\r\n");
            Answer(slots.leak())
        }
        command => script(command, before),
    })
    .await;
    own_port.store(server.port(), Ordering::SeqCst);
    server
}

/// Neither by operations that need it nor by the client's own attempts in the background, which have pauses between them.
#[tokio::test]
async fn a_cluster_that_is_gone_is_not_stormed() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let node = node_that(move |_| is_gone.load(Ordering::SeqCst), closing_once("", "")).await;
    let store = store(&node).await;
    gone.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        assert!(store.load(&ID).await.expect_err("gone").is_unavailable());
    }
    let before = node.connections();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = node.connections();
    assert!(before < 200, "{before} connections for three operations");
    assert!(after - before < 20, "{} connections in half a second in which nobody needs one", after - before);
    gone.store(false, Ordering::SeqCst);
    store
        .touch(&ID, sessions_core::Version::from_u64(1), Duration::from_secs(1))
        .await
        .expect_err("no sensible answer");
    assert!(node.heard("EVALSHA") > 0, "back with the first operation");
}

/// Closes the connection when it hears this for the first time, and answers afterwards.
fn closing_once(name: &'static str, answer: &'static str) -> impl Fn(&str, usize) -> Behaviour + Send + Sync {
    move |command, before| match (command == name, before) {
        (true, 0) => Behaviour::Close,
        (true, _) => Answer(answer),
        (false, _) => Answer("+OK\r\n"),
    }
}

async fn store(node: &FakeServer) -> RedisStore {
    let url = node.url().replacen("redis://", "redis+cluster://", 1);
    let builder = RedisStore::builder().deadline(Duration::from_secs(30)).expect("in range");
    builder.connect(&url).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The client repeats a command when a connection to a node ends. What the second one counts is not what there was.
#[tokio::test]
async fn g09_a_deletion_that_the_client_repeated_is_in_doubt() {
    let node = node(closing_once("UNLINK", ":0\r\n")).await;
    let store = store(&node).await;
    let error = store.delete(&[ID]).await.expect_err("the first one may have deleted it");
    assert!(error.is_indeterminate(), "{error:?}");
    assert_eq!(node.heard("UNLINK"), 2);
    assert_eq!(store.delete(&[ID]).await.expect("answered"), 0, "and now it is certain");
}

#[tokio::test]
async fn a_read_that_the_client_repeated_is_as_good_as_any() {
    let node = node(closing_once("GET", "$-1\r\n")).await;
    assert_eq!(store(&node).await.load(&ID).await.expect("the second time"), None);
    assert_eq!(node.heard("GET"), 2);
}

/// Somebody else's command takes the permission, until the client gives up; then both go out in one piece.
#[tokio::test]
async fn a_command_whose_permission_goes_astray_is_sent_with_it() {
    let port = Arc::new(AtomicU16::new(0));
    let own_port = Arc::clone(&port);
    // As long as the client asks by itself, each ASKING is lost: the node answers as if there had been none.
    let node = node(move |command, before| {
        let redirect = |kind: &str| format!("-{kind} 42 127.0.0.1:{}\r\n", own_port.load(Ordering::SeqCst));
        match (command, before) {
            ("ASKING", _) => Answer("+OK\r\n"),
            ("GET", 0..9) => Answer(redirect(if before % 2 == 0 { "ASK" } else { "MOVED" }).leak()),
            _ => Answer("$-1\r\n"),
        }
    })
    .await;
    port.store(node.port(), Ordering::SeqCst);
    assert_eq!(store(&node).await.load(&ID).await.expect("found at last"), None);
    assert_eq!(node.heard("GET"), 10);
}

const SLOTS: u16 = 16_384;

/// A Cluster of two nodes with half of the slots each, and a third that can take over from the second.
struct Halves {
    nodes: Vec<FakeServer>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    ports: [AtomicU16; 3],
    /// A frozen node ends no connection and redirects nobody: whoever waits for it waits for ever.
    frozen: [AtomicBool; 3],
    taken_over: AtomicBool,
}

impl State {
    /// Who has the second half.
    fn second(&self) -> usize {
        if self.taken_over.load(Ordering::SeqCst) { 2 } else { 1 }
    }

    /// What a node says about a key: this, or who would know.
    fn about(&self, key: &[u8], node: usize, answer: &'static str) -> &'static str {
        match self.node_of(key) {
            its if its == node => answer,
            its => {
                let (slot, port) = (slot(key), self.ports[its].load(Ordering::SeqCst));
                format!("-MOVED {slot} 127.0.0.1:{port}\r\n").leak()
            }
        }
    }

    fn node_of(&self, key: &[u8]) -> usize {
        if slot(key) < SLOTS / 2 { 0 } else { self.second() }
    }

    fn slots(&self) -> &'static str {
        let half = |first: u16, last: u16, node: usize| {
            let (port, id) = (self.ports[node].load(Ordering::SeqCst), node.to_string().repeat(40));
            format!("*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$40\r\n{id}\r\n")
        };
        format!("*2\r\n{}{}", half(0, SLOTS / 2 - 1, 0), half(SLOTS / 2, SLOTS - 1, self.second())).leak()
    }
}

fn slot(key: &[u8]) -> u16 {
    (0..SLOTS).find(|slot| Slot::new(*slot) == Some(Slot::for_key(key))).expect("a slot")
}

impl Halves {
    async fn start() -> Self {
        let (mut nodes, state) = (Vec::new(), Arc::<State>::default());
        for number in 0..3 {
            let its = Arc::clone(&state);
            let node = FakeServer::start_on_keys(move |command, key| match command {
                _ if its.frozen[number].load(Ordering::SeqCst) => Behaviour::Silence,
                "HELLO" => HELLO,
                "CLUSTER" => Answer(its.slots()),
                "GET" if key.starts_with(b"sessions/o/") => Answer("-WRONGTYPE Operation against a key\r\n"),
                "GET" => Answer(its.about(key, number, "$-1\r\n")),
                "PTTL" => Answer(its.about(key, number, ":-2\r\n")),
                "EVALSHA" => Answer("*1\r\n:1000\r\n"),
                _ => Answer("+OK\r\n"),
            })
            .await;
            state.ports[number].store(node.port(), Ordering::SeqCst);
            nodes.push(node);
        }
        Self { nodes, state }
    }

    async fn store(&self) -> RedisStore {
        let nodes: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        let builder = RedisStore::builder().deadline(Duration::from_millis(100)).expect("in range");
        let url = format!("redis+cluster://{}", nodes.join(","));
        builder.connect(&url).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A session that is on this node.
    async fn session_on(&self, node: usize, store: &RedisStore) -> SessionId {
        for byte in 0..=u8::MAX {
            let (id, before) = (SessionId::from_bytes([byte; 16]), self.nodes[node].heard("GET"));
            assert_eq!(store.load(&id).await.expect("all nodes answer"), None);
            if self.nodes[node].heard("GET") > before {
                return id;
            }
        }
        panic!("all sessions are on one node");
    }

    /// A node goes silent, as whoever loads this session notices.
    async fn freeze(&self, node: usize, store: &RedisStore, id: &SessionId) {
        self.state.frozen[node].store(true, Ordering::SeqCst);
        assert!(store.load(id).await.expect_err("silence").is_unavailable());
    }

    /// The third node takes over from the second, and this session of its is back.
    async fn take_over(&self, store: &RedisStore, id: &SessionId) {
        self.state.taken_over.store(true, Ordering::SeqCst);
        let back = async { while store.load(id).await.is_err() {} };
        tokio::time::timeout(Duration::from_secs(30), back).await.expect("it finds the third node");
        assert!(self.nodes[2].heard("GET") > 0);
    }

    /// How many connections and commands there were on all nodes.
    fn count(&self) -> usize {
        self.nodes.iter().map(|node| node.connections() + node.heard_in_all()).sum()
    }
}

#[tokio::test]
async fn a_silent_node_is_left_for_the_one_that_took_over() {
    let halves = Halves::start().await;
    let store = halves.store().await;
    let id = halves.session_on(1, &store).await;
    halves.freeze(1, &store, &id).await;
    halves.take_over(&store, &id).await;
}

#[tokio::test]
async fn a_silent_node_without_a_successor_hides_no_successor_of_another() {
    let halves = Halves::start().await;
    let store = halves.store().await;
    let (lost, found) = (halves.session_on(0, &store).await, halves.session_on(1, &store).await);
    halves.freeze(0, &store, &lost).await;
    halves.freeze(1, &store, &found).await;
    halves.take_over(&store, &found).await;
    assert!(store.load(&lost).await.expect_err("silence").is_unavailable());
}

#[tokio::test]
async fn a_silent_node_is_left_by_those_who_want_an_index_of_its() {
    let halves = Halves::start().await;
    let store = halves.store().await;
    let is_on_second = |owner: &String| halves.state.node_of(format!("sessions/o/{owner}").as_bytes()) == 1;
    let owner = (0..).map(|n| n.to_string()).find(is_on_second).expect("every other one");
    let owner = Owner::new(owner).expect("a valid owner");
    assert_eq!(store.owned_by(&owner).await.expect("answered"), []);
    halves.state.frozen[1].store(true, Ordering::SeqCst);
    store.owned_by(&owner).await.expect_err("silence");
    halves.state.taken_over.store(true, Ordering::SeqCst);
    let back = async { while store.owned_by(&owner).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it finds the third node");
}

#[tokio::test]
async fn g18_stop_ends_the_search_for_a_successor() {
    let halves = Halves::start().await;
    let store = halves.store().await;
    let id = halves.session_on(1, &store).await;
    let before = halves.nodes[0].connections();
    halves.freeze(1, &store, &id).await;
    while halves.nodes[0].connections() == before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.stop().await.expect("stops");
    // What was on its way arrives.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = halves.count();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(halves.count(), before);
}
