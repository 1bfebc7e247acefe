//! A Cluster whose node goes away between a command and its answer (G9, G11).
#![cfg(feature = "cluster")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use sessions_core::{SessionId, SessionStore};
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

/// A frozen node ends no connection and redirects nobody: whoever waits for it waits for ever.
#[tokio::test]
async fn a_silent_node_is_left_for_the_one_that_took_over() {
    let (frozen, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let ports = Arc::new([AtomicU16::new(0), AtomicU16::new(0)]);
    let node = async |number: usize| {
        let (frozen, over, ports) = (Arc::clone(&frozen), Arc::clone(&over), Arc::clone(&ports));
        FakeServer::start(move |command, _| match command {
            _ if number == 0 && frozen.load(Ordering::SeqCst) => Behaviour::Silence,
            "HELLO" => HELLO,
            "CLUSTER" => {
                let master = usize::from(over.load(Ordering::SeqCst));
                let (port, id) = (ports[master].load(Ordering::SeqCst), "n".repeat(40));
                let slots = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$40\r\n{id}\r\n");
                Answer(slots.leak())
            }
            "GET" => Answer("$-1\r\n"),
            _ => Answer("+OK\r\n"),
        })
        .await
    };
    let nodes = [node(0).await, node(1).await];
    for (port, node) in ports.iter().zip(&nodes) {
        port.store(node.port(), Ordering::SeqCst);
    }
    let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", nodes[0].port(), nodes[1].port());
    let builder = RedisStore::builder().deadline(Duration::from_millis(100)).expect("in range");
    let store = builder.connect(&url).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(store.load(&ID).await.expect("the first node answers"), None);

    frozen.store(true, Ordering::SeqCst);
    assert!(store.load(&ID).await.expect_err("silence").is_unavailable());
    over.store(true, Ordering::SeqCst);
    let back = async { while store.load(&ID).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it finds the second node");
    assert!(nodes[1].heard("GET") > 0);
}
