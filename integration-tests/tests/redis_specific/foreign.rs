//! A session's key that holds something else: an error that touches nothing, on every operation but `delete`.

use sessions_conformance::servers::Kind;
use sessions_core::{SessionId, SessionStore, StoreError};
use sessions_redis::RedisStore;

use crate::bench::{Bench, HOUR, KEEP, MOVE, REINDEX, create, entry, owner};
use crate::visits::{arrive, manager, visits};

const KINDS: [Kind; 2] = [Kind::Redis, Kind::RedisCluster];

#[tokio::test]
async fn a_key_of_another_type_is_left_alone() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        for words in [["HSET", "field"], ["RPUSH", "element"], ["SADD", "member"]] {
            let session = entry(b"1", Some("u"));
            let id = create(&store, &session).await;
            let key = bench.key(&id);
            bench.ask_about(&key, &["DEL", &key]).await;
            let words = [words[0], &key, words[1], "value"];
            bench.ask_about(&key, if words[0] == "HSET" { &words[..] } else { &words[..3] }).await;
            let before = bench.ask_about(&key, &["DUMP", &key]).await;

            for (operation, error) in failures(&store, &id, &session).await {
                assert!(error.is_unavailable(), "{kind}, {words:?}, {operation}: {error:?}");
                assert!(source(&error).contains("choose another prefix"), "{kind}, {operation}: {}", source(&error));
            }
            // One that nobody can judge is no reason to fail for the others.
            let other = create(&store, &entry(b"1", Some("u"))).await;
            assert_eq!(store.owned_by(&owner("u")).await.expect("an answer"), [other], "{kind}");
            assert_eq!(bench.ask_about(&key, &["DUMP", &key]).await, before, "{kind}: untouched");
            assert_eq!(store.delete(&[id, other]).await.expect("an answer"), 2, "{kind}: deletion is the way out");
            assert_eq!(store.load(&id).await.expect("an answer"), None);
        }
    }
}

#[tokio::test]
async fn bytes_of_somebody_else_are_left_alone() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let newer = b"\xf5sR\x02 a format to come".as_slice();
        for foreign in [b"1".as_slice(), b"{\"user\":42}", &[0; 300], &[0xff; 300], newer] {
            let session = entry(b"1", None);
            let id = create(&store, &session).await;
            let key = bench.key(&id);
            bench.plant(&key, foreign).await;
            for (operation, error) in failures(&store, &id, &session).await {
                assert!(error.is_unavailable(), "{kind}, {foreign:?}, {operation}: {error:?}");
                let text = source(&error);
                let expected = if foreign == newer { "newer version" } else { "not a session" };
                assert!(text.contains(expected), "{kind}, {foreign:?}, {operation}: {text}");
            }
            assert_eq!(bench.bytes(&key).await.as_deref(), Some(foreign), "{kind}: untouched");
            assert_eq!(store.delete(&[id]).await.expect("an answer"), 1, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_session_that_was_cut_short_or_copied_to_another_key_is_no_session() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let session = entry(b"record", Some("user-42"));
        let (id, other) = (create(&store, &session).await, create(&store, &session).await);
        let key = bench.key(&id);
        let [bytes, others] =
            [bench.bytes(&key).await, bench.bytes(&bench.key(&other)).await].map(Option::unwrap_or_default);
        let envelope = bytes.len() - session.record.len();
        for len in 0..envelope {
            bench.plant(&key, &bytes[..len]).await;
            let error = store.load(&id).await.expect_err("not whole");
            assert!(error.is_unavailable(), "{kind}, {len} bytes: {error:?}");
            // As good as nothing to a touch, which compares what it finds with what was expected.
            if let Ok(touched) = store.touch(&id, session.version, HOUR).await {
                assert!(!touched || len >= 12, "{kind}, {len} bytes: touched");
            }
        }
        bench.plant(&key, &others).await;
        let error = store.load(&id).await.expect_err("another's");
        assert!(source(&error).contains("damaged"), "{kind}: {}", source(&error));
        assert_eq!(store.owned_by(&owner("user-42")).await.expect("an answer"), [other], "{kind}");
        bench.plant(&key, &bytes).await;
        assert_eq!(store.load(&id).await.expect("an answer").expect("live").record, session.record, "{kind}");
    }
}

/// The envelope whole, the record not: the manager sees it by its own checksums, and the session counts as over.
#[tokio::test]
async fn a_record_that_was_cut_short_opens_for_nobody() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let manager = manager(bench.store().await);
        let token = arrive(&manager).await;
        let key = bench.key(&token.id());
        let bytes = bench.bytes(&key).await.expect("stored");
        for len in [bytes.len() - 1, bytes.len() - 10, 60] {
            bench.plant(&key, &bytes[..len]).await;
            assert_eq!(visits(&manager, &token).await, None, "{kind}, {len} of {} bytes", bytes.len());
        }
        bench.plant(&key, &bytes).await;
        assert_eq!(visits(&manager, &token).await, Some(0), "{kind}: nothing was overwritten meanwhile");
    }
}

/// Every operation that meets the value, with its error.
async fn failures(
    store: &RedisStore,
    id: &SessionId,
    session: &sessions_core::Entry,
) -> Vec<(&'static str, StoreError)> {
    let (next, owned) = (entry(b"2", None), entry(b"2", Some("other")));
    vec![
        ("load", store.load(id).await.expect_err("load")),
        ("create", store.create(id, &next, HOUR).await.expect_err("create")),
        ("create, owned", store.create(id, &owned, HOUR).await.expect_err("create, owned")),
        ("update", store.update(id, session.version, &next, KEEP).await.expect_err("update")),
        ("update, expiry too", store.update(id, session.version, &next, MOVE).await.expect_err("update")),
        ("update, new owner", store.update(id, session.version, &owned, REINDEX).await.expect_err("update, owned")),
        ("touch", store.touch(id, session.version, HOUR).await.expect_err("touch")),
    ]
}

pub(crate) fn source(error: &StoreError) -> String {
    std::error::Error::source(error).expect("a source").to_string()
}
