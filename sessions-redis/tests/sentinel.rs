//! Sentinel: the store asks who the primary is, and asks again when a connection has ended.
#![cfg(feature = "sentinel")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use redis::sentinel::{SentinelClient, SentinelServerType};
use sessions_core::{SessionId, SessionStore};
use sessions_redis::RedisStore;
use support::Behaviour::{Answer, Close};
use support::{Behaviour, FakeServer};

const ID: SessionId = SessionId::from_bytes([7; 16]);

/// A sentinel that names the server at a port as the primary.
async fn sentinel(primary: Arc<AtomicU16>) -> FakeServer {
    let script = move |command: &str, _| match command {
        "ROLE" => Answer("*2\r\n$8\r\nsentinel\r\n*1\r\n$5\r\nshop1\r\n"),
        "SENTINEL" => {
            let words = [
                "name",
                "shop1",
                "ip",
                "127.0.0.1",
                "port",
                &primary.load(Ordering::SeqCst).to_string(),
                "flags",
                "master",
            ];
            let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
            Answer(format!("*1\r\n*8\r\n{words}").leak())
        }
        _ => Answer("+OK\r\n"),
    };
    FakeServer::start(script).await
}

/// A primary that closes the connection at the `n`th time it is asked for a session.
async fn primary(closes_at: usize) -> FakeServer {
    let script = move |command: &str, before| -> Behaviour {
        match command {
            "ROLE" => Answer("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
            "GET" if before == closes_at => Close,
            "GET" => Answer("$-1\r\n"),
            _ => Answer("+OK\r\n"),
        }
    };
    FakeServer::start(script).await
}

#[tokio::test]
async fn after_a_failover_the_store_is_on_the_new_primary() {
    let (old, new) = (primary(1).await, primary(usize::MAX).await);
    let named = Arc::new(AtomicU16::new(old.port()));
    let sentinel = sentinel(Arc::clone(&named)).await;
    let client = SentinelClient::build(
        vec![format!("redis://127.0.0.1:{}", sentinel.port())],
        "shop1",
        None,
        SentinelServerType::Master,
    )
    .expect("valid settings");
    let store = RedisStore::builder().deadline(Duration::from_secs(30)).expect("in range").with(client);

    assert_eq!(store.load(&ID).await.expect("answered"), None);
    assert_eq!((old.heard("GET"), new.heard("GET")), (1, 0));
    named.store(new.port(), Ordering::SeqCst);
    assert_eq!(store.load(&ID).await.expect("answered by the new primary"), None);
    assert_eq!((old.heard("GET"), new.heard("GET")), (2, 1));
}

#[tokio::test]
async fn a_primary_that_the_sentinels_do_not_know_is_unavailable() {
    let sentinel = sentinel(Arc::new(AtomicU16::new(1))).await;
    let url = vec![format!("redis://127.0.0.1:{}", sentinel.port())];
    let client = SentinelClient::build(url, "other", None, SentinelServerType::Master).expect("valid settings");
    let error = RedisStore::from(client).load(&ID).await.expect_err("nobody knows it");
    assert!(error.is_unavailable(), "{error:?}");
}
