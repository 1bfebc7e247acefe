//! What the store says and does when the server does not answer, goes away or makes no sense (G11, G18, G19).

mod support;

use std::time::Duration;

use bytes::Bytes;
use sessions_core::{Change, Entry, Owner, SessionId, SessionStore, StoreError, Timestamp, Ttl, Version};
use sessions_redis::RedisStore;
use support::Behaviour::{Answer, Close, Deaf, Silence};
use support::{Behaviour, FakeServer, HELLO};

const ID: SessionId = SessionId::from_bytes([7; 16]);
const VERSION: Version = Version::from_u64(1);
const HOUR: Duration = Duration::from_secs(3600);
const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };

/// Short where it must pass, long where it must not.
const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(30);

fn store(server: &FakeServer, deadline: Duration) -> RedisStore {
    let builder = RedisStore::builder().deadline(deadline).expect("in range");
    builder.connect_lazy(&server.url()).expect("a valid URL")
}

fn entry(owner: Option<&str>) -> Entry {
    Entry {
        version: Version::from_u64(2),
        record: Bytes::from_static(b"record"),
        owner: owner.map(|owner| Owner::new(owner).expect("a valid owner")),
        deadline: Timestamp::MAX,
    }
}

/// Every operation that writes, by name, with its error.
async fn writes(store: &RedisStore) -> Vec<(&'static str, StoreError)> {
    let entry = entry(None);
    vec![
        ("create", store.create(&ID, &entry, HOUR).await.expect_err("create")),
        ("update", store.update(&ID, VERSION, &entry, KEEP).await.expect_err("update")),
        ("touch", store.touch(&ID, VERSION, HOUR).await.expect_err("touch")),
        ("delete", store.delete(&[ID]).await.expect_err("delete")),
    ]
}

/// Every operation that only reads, by name, with its error.
async fn reads(store: &RedisStore) -> Vec<(&'static str, StoreError)> {
    let owner = Owner::new("u").expect("a valid owner");
    vec![
        ("load", store.load(&ID).await.expect_err("load")),
        ("owned_by", store.owned_by(&owner).await.expect_err("owned_by")),
    ]
}

fn text(error: &StoreError) -> String {
    format!("{error} {error:?} {}", std::error::Error::source(error).expect("a source"))
}

/// Answers `HELLO` as a real server would, and leaves the rest to another script.
fn after_hello(
    script: impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static,
) -> impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static {
    move |command, before| match command {
        "HELLO" => HELLO,
        command => script(command, before),
    }
}

#[tokio::test]
async fn g11_a_server_that_accepts_and_says_nothing_is_unavailable() {
    let server = FakeServer::start(|_, _| Silence).await;
    let store = store(&server, SHORT);
    for (operation, error) in writes(&store).await.into_iter().chain(reads(&store).await) {
        assert!(error.is_unavailable(), "{operation}: nothing was sent");
        assert!(text(&error).contains("no connection to the server within 100ms"), "{operation}");
    }
}

#[tokio::test]
async fn g11_silence_after_a_write_was_sent_is_indeterminate() {
    let server = FakeServer::start(after_hello(|_, _| Silence)).await;
    let store = store(&server, SHORT);
    for (operation, error) in writes(&store).await {
        assert!(error.is_indeterminate(), "{operation}");
    }
    for (operation, error) in reads(&store).await {
        assert!(error.is_unavailable(), "{operation} changes nothing");
    }
}

#[tokio::test]
async fn g11_who_stands_in_line_behind_a_blocked_socket_is_answered_in_time() {
    a_blocked_socket().await;
}

/// As before, with the longer queue of a runtime that has several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_who_stands_in_line_is_answered_in_time_on_several_threads() {
    a_blocked_socket().await;
}

/// The server takes one command and reads no further: the socket fills up, then the queue, and the others wait in their requests.
async fn a_blocked_socket() {
    let script = |_: &str, before| if before == 0 { Deaf } else { Answer(":1\r\n") };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, Duration::from_millis(500));
    let large = Entry { record: vec![7; 256 * 1024].into(), ..entry(None) };
    let write = || {
        let (store, large) = (store.clone(), large.clone());
        tokio::spawn(async move { store.update(&ID, VERSION, &large, KEEP).await })
    };
    let writes: Vec<_> = (0..64).map(|_| write()).collect();
    let given_up: Vec<_> = (0..64).map(|_| write()).collect();
    server.hears("EVALSHA").await;
    given_up.iter().for_each(tokio::task::JoinHandle::abort);
    for write in writes {
        let error = write.await.expect("no panic").expect_err("nobody is answered");
        assert!(error.is_indeterminate(), "{error:?}");
    }
    for write in given_up {
        assert!(write.await.expect_err("given up").is_cancelled());
    }
    assert_eq!(server.connections(), 1);
    assert!(store.touch(&ID, VERSION, HOUR).await.expect("on a new connection"));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn g15_a_write_that_comes_too_late_for_its_entry_is_unavailable() {
    let script = |_: &str, before: usize| Answer(if before.is_multiple_of(2) { "*1\r\n:1000\r\n" } else { ":-1\r\n" });
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    let error = store.create(&ID, &entry(Some("u")), HOUR).await.expect_err("too late");
    assert!(error.is_unavailable(), "nothing was written: {error:?}");
    let change = Change { ttl: Ttl::Keep, reindex: true };
    let error = store.update(&ID, VERSION, &entry(Some("u")), change).await.expect_err("too late");
    assert!(error.is_unavailable(), "nothing was written: {error:?}");
    assert_eq!(server.heard("EVALSHA"), 4);
}

#[tokio::test]
async fn g11_an_entry_in_the_index_alone_is_no_write() {
    // The script on the index is not answered; the session's is never sent.
    let server = FakeServer::start(after_hello(|_, _| Silence)).await;
    let store = store(&server, SHORT);
    let error = store.create(&ID, &entry(Some("u")), HOUR).await.expect_err("silence");
    assert!(error.is_unavailable());
    assert_eq!(server.heard("EVALSHA"), 1);
}

#[tokio::test]
async fn a_connection_on_which_nobody_is_answered_is_replaced() {
    let server = FakeServer::start(after_hello(|_, _| Silence)).await;
    let store = store(&server, SHORT);
    for connections in 1..=3 {
        store.load(&ID).await.expect_err("silence");
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn a_connection_on_which_others_are_answered_is_kept() {
    // Answers come in order: what is sent when the script arrives is the answer to the GET before it.
    let script = |command: &str, _| if command == "EVALSHA" { Answer("_\r\n") } else { Silence };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, Duration::from_millis(500));
    let load = tokio::spawn({
        let store = store.clone();
        async move { store.load(&ID).await }
    });
    server.hears("GET").await;
    assert!(store.touch(&ID, VERSION, HOUR).await.expect_err("never answered").is_indeterminate());
    assert_eq!(load.await.expect("no panic").expect("answered"), None);
    store.load(&ID).await.expect_err("never answered");
    assert_eq!((server.heard("GET"), server.connections()), (2, 1));
}

#[tokio::test]
async fn what_is_safe_to_repeat_is_repeated_when_the_connection_ends() {
    let script = |command: &str, before| match (command, before) {
        (_, 0) => Close,
        ("GET", _) => Answer("_\r\n"),
        _ => Answer(":1\r\n"),
    };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    assert_eq!(store.load(&ID).await.expect("the second time"), None);
    store.touch(&ID, VERSION, HOUR).await.expect("the second time");
    assert_eq!((server.heard("GET"), server.heard("EVALSHA")), (2, 2));
}

/// The first copy may arrive when the session that the second one has created is over.
#[tokio::test]
async fn g08_a_create_is_not_repeated() {
    let script = |command: &str, before| match (command, before) {
        ("SET", 0) | ("EVALSHA", 1) => Close,
        ("SET", _) => Answer("+OK\r\n"),
        _ => Answer("*1\r\n:1000\r\n"),
    };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    let error = store.create(&ID, &entry(None), HOUR).await.expect_err("unknown");
    assert!(error.is_indeterminate(), "{error:?}");
    store.create(&ID, &entry(None), HOUR).await.expect("the connection is back");
    // The first script is the index.
    let error = store.create(&ID, &entry(Some("alice")), HOUR).await.expect_err("unknown");
    assert!(error.is_indeterminate(), "{error:?}");
    assert_eq!((server.heard("SET"), server.heard("EVALSHA")), (2, 2));
}

#[tokio::test]
async fn g06_a_repeated_write_that_finds_something_else_is_in_doubt() {
    // An empty string is what the script that touches finds of a session that is absent.
    let script = |command: &str, before| match (command, before) {
        (_, 0) => Close,
        ("EVALSHA", 3) => Close,
        ("EVALSHA", 4) => Answer("$0\r\n\r\n"),
        _ => Answer("_\r\n"),
    };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    let error = store.update(&ID, VERSION, &entry(None), KEEP).await.expect_err("absent, or written and then deleted");
    assert!(error.is_indeterminate(), "{error:?}");
    // Alone, the same answer says that nothing was written.
    store.update(&ID, VERSION, &entry(None), KEEP).await.expect("absent");
    let error = store.touch(&ID, VERSION, HOUR).await.expect_err("absent, or touched and then deleted");
    assert!(error.is_indeterminate(), "{error:?}");
    assert_eq!(server.heard("EVALSHA"), 5);
}

#[tokio::test]
async fn g09_a_deletion_is_not_repeated_because_it_counts() {
    let script = |_: &str, before| if before == 0 { Close } else { Answer(":0\r\n") };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    assert!(store.delete(&[ID]).await.expect_err("it may be gone").is_indeterminate());
    assert_eq!(server.heard("UNLINK"), 1);
    assert_eq!(store.delete(&[ID]).await.expect("answered"), 0);
}

#[tokio::test]
async fn g11_a_repeated_write_stays_in_doubt_whatever_the_second_answer_says() {
    let script = |_: &str, before| if before == 0 { Close } else { Answer("-LOADING a moment\r\n") };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    let error = store.create(&ID, &entry(None), HOUR).await.expect_err("refused");
    assert!(error.is_indeterminate(), "the first one may have been applied");
    // Alone, the same answer is a certain no.
    assert!(store.create(&ID, &entry(None), HOUR).await.expect_err("refused").is_unavailable());
}

#[tokio::test]
async fn a_connection_that_ended_while_idle_costs_nobody_anything() {
    // The store hears of the end before it sends: the deletion, which is never repeated, succeeds.
    let script = |command: &str, before| match (command, before) {
        ("GET", _) => Close,
        _ => Answer(":1\r\n"),
    };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    store.load(&ID).await.expect_err("closed twice");
    assert_eq!(store.delete(&[ID]).await.expect("on a new connection"), 1);
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn many_who_need_a_connection_make_one() {
    let server = FakeServer::start(after_hello(|_, _| Answer("_\r\n"))).await;
    let store = store(&server, LONG);
    let loads: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let store = store.clone();
                async move { store.load(&ID).await }
            })
        })
        .collect();
    for load in loads {
        assert_eq!(load.await.expect("no panic").expect("answered"), None);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn g11_who_gives_up_connecting_leaves_it_to_the_next() {
    let script = |command: &str, before| match (command, before) {
        ("HELLO", 0) => Silence,
        ("HELLO", _) => HELLO,
        _ => Answer("_\r\n"),
    };
    let server = FakeServer::start(script).await;
    let store = store(&server, LONG);
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.load(&ID).await }
    });
    server.hears("HELLO").await;
    let second = tokio::spawn({
        let store = store.clone();
        async move { store.load(&ID).await }
    });
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.expect("no panic").expect("it connects itself"), None);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_as_text() {
    let script = |command: &str, before| match (command, before) {
        ("EVALSHA", 0) => Answer("-NOSCRIPT No matching script\r\n"),
        _ => Answer(":1\r\n"),
    };
    let server = FakeServer::start(after_hello(script)).await;
    let store = store(&server, LONG);
    for evals in [1, 1] {
        assert!(store.touch(&ID, VERSION, HOUR).await.expect("answered"));
        assert_eq!(server.heard("EVAL"), evals);
    }
}

#[tokio::test]
async fn g11_an_answer_that_makes_no_sense_leaves_a_write_in_doubt() {
    for nonsense in ["HTTP/1.1 400 Bad Request\r\n\r\n", "*1\r\n+what\r\n", "#t\r\n", ":77\r\n"] {
        let server = FakeServer::start(after_hello(move |_, _| Answer(nonsense))).await;
        let store = store(&server, LONG);
        let error = store.update(&ID, VERSION, &entry(None), KEEP).await.expect_err(nonsense);
        assert!(error.is_indeterminate(), "{nonsense}: {error:?}");
        assert!(store.load(&ID).await.expect_err(nonsense).is_unavailable());
    }
}

#[tokio::test]
async fn g19_a_refused_login_names_no_password() {
    for refusal in [
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        "-ERR unknown command `HELLO`, with args beginning with: `3` `AUTH` `default` `hunter2`\r\n",
        "-ERR Client sent AUTH hunter2, but no password is set\r\n",
    ] {
        let server = FakeServer::start(move |_, _| Answer(refusal)).await;
        let store = store(&server, LONG);
        let error = store.load(&ID).await.expect_err("refused");
        assert!(error.is_unavailable());
        assert!(!text(&error).contains("hunter2"), "{error}");
        let error = RedisStore::connect(&server.url()).await.expect_err("refused");
        assert!(error.is_connect());
        assert!(!format!("{error} {error:?} {store:?}").contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn g18_stop_refuses_what_comes_and_answers_what_is_under_way() {
    let server = FakeServer::start(after_hello(|_, _| Answer("_\r\n"))).await;
    let store = store(&server, LONG);
    assert_eq!(store.load(&ID).await.expect("answered"), None);
    store.stop().await.expect("stops");
    store.stop().await.expect("stops again");
    let error = store.clone().load(&ID).await.expect_err("stopped");
    assert!(error.is_unavailable());
    assert_eq!(server.heard("GET"), 1);
}
