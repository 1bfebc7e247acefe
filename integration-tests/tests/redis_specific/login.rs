//! A connection that cannot be had: what it is called, and that it comes by itself when the reason is gone.

use std::time::Duration;

use sessions_conformance::servers::Kind;
use sessions_core::{SessionStore, StoreError};
use sessions_redis::{Error, RedisStore};

use crate::bench::{Bench, HOUR, create, entry, id};
use crate::foreign::source;

const KINDS: [Kind; 2] = [Kind::Redis, Kind::RedisCluster];

async fn refused(url: &str) -> Error {
    let builder = RedisStore::builder().deadline(Duration::from_secs(5)).expect("in range");
    let error = builder.connect(url).await.expect_err("refused");
    assert!(error.is_connect(), "{error:?}");
    error
}

/// What the operations of a store say that was not connected at its start.
async fn failures(url: &str) -> Vec<StoreError> {
    let builder = RedisStore::builder().deadline(Duration::from_secs(5)).expect("in range");
    let store = builder.connect_lazy(url).expect("a valid URL");
    let (id, entry) = (id(), entry(b"1", None));
    vec![
        store.load(&id).await.expect_err("load"),
        store.create(&id, &entry, HOUR).await.expect_err("create"),
        store.delete(&[id]).await.expect_err("delete"),
    ]
}

#[tokio::test]
async fn a_wrong_login_is_refused_and_nothing_is_applied() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        for (login, advice) in [
            ("default:hunter2@", "wrong user or password"),
            ("nobody:hunter2@", "wrong user or password"),
            (":hunter2@", "wrong user or password"),
            ("", "wants a password"),
        ] {
            let url = bench.url_as(login);
            let error = refused(&url).await;
            assert!(kind == Kind::RedisCluster || error.to_string().contains(advice), "{kind}, {login}: {error}");
            for error in failures(&url).await {
                assert!(error.is_unavailable(), "{kind}, {login}: {error:?}");
                assert!(!format!("{error:?} {}", source(&error)).contains("hunter2"), "{kind}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_database_that_there_is_not_is_refused() {
    let Some(bench) = Bench::given(Kind::Redis).await else { return };
    let url = format!("{}/9999", bench.url());
    let error = refused(&url).await;
    assert!(error.to_string().contains("database number"), "{error}");
    assert!(failures(&url).await.iter().all(StoreError::is_unavailable));
    // Sessions of one database are not in another.
    let store = bench.store().await;
    let id = create(&store, &entry(b"1", None)).await;
    let builder = RedisStore::builder().prefix(&bench.prefix).expect("a valid prefix");
    let other = builder.connect(&format!("{}/1", bench.url())).await.expect("it has 16");
    assert_eq!(other.load(&id).await.expect("an answer"), None);
}

#[tokio::test]
async fn one_server_and_a_cluster_are_not_mixed_up() {
    if let Some(bench) = Bench::given(Kind::Redis).await {
        let url = bench.url().replacen("redis://", "redis+cluster://", 1);
        refused(&url).await;
        assert!(failures(&url).await.iter().all(StoreError::is_unavailable));
    }
    let Some(bench) = Bench::given(Kind::RedisCluster).await else { return };
    let builder = RedisStore::builder().prefix(&bench.prefix).expect("a valid prefix");
    let store = builder.connect(&bench.url().replacen("+cluster", "", 1)).await.expect("a node takes connections");
    let mut moved = 0;
    for _ in 0..50 {
        match store.create(&id(), &entry(b"1", None), HOUR).await {
            Ok(_) => {}
            Err(error) => {
                assert!(error.is_unavailable(), "{error:?}");
                assert!(source(&error).contains("redis+cluster://"), "{}", source(&error));
                moved += 1;
            }
        }
    }
    assert!(moved > 0, "two thirds of the keys are on other nodes");
}

#[tokio::test]
async fn tls_to_a_server_without_is_refused() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let url = bench.url().replacen("redis", "rediss", 1);
        refused(&url).await;
        assert!(failures(&url).await.iter().all(StoreError::is_unavailable), "{kind}");
    }
}

/// The administrator takes the user away, which ends its connections, and gives it back.
#[tokio::test]
async fn a_user_that_is_taken_away_and_given_back() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let user = format!("{}-user", bench.prefix);
        let give = ["ACL", "SETUSER", &user, "reset", "on", ">secret", "~*", "+@all"];
        bench.tell_all(&give).await;
        let builder = RedisStore::builder().prefix(&bench.prefix).expect("a valid prefix");
        let builder = builder.deadline(Duration::from_secs(5)).expect("in range");
        let store = builder.connect(&bench.url_as(&format!("{user}:secret@"))).await.expect("a user");
        let session = entry(b"1", None);
        let id = create(&store, &session).await;

        bench.tell_all(&["ACL", "DELUSER", &user]).await;
        // The first write finds its connection ended and cannot have another one: it may have left, or not.
        let error = store.touch(&id, session.version, HOUR).await.expect_err("nobody");
        assert!(error.is_unavailable() || error.is_indeterminate(), "{kind}: {error:?}");
        assert!(store.load(&id).await.expect_err("nobody").is_unavailable(), "{kind}");

        bench.tell_all(&give).await;
        // Back as soon as the last refusal is some milliseconds old.
        let stored = loop {
            match store.load(&id).await {
                Ok(stored) => break stored,
                Err(error) => assert!(error.is_unavailable(), "{kind}: {error:?}"),
            }
        };
        assert_eq!(stored.expect("live").version, session.version, "{kind}");
        bench.tell_all(&["ACL", "DELUSER", &user]).await;
    }
}
