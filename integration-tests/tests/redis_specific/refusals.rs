//! A server that is there and refuses: what each operation says, and that nothing changes (G11).

use redis::Value;
use sessions_conformance::servers::Kind;
use sessions_core::{Entry, SessionId, SessionStore, StoreError, Version};
use sessions_redis::RedisStore;

use crate::bench::{Bench, HOUR, KEEP, REINDEX, create, entry, id, owner};
use crate::foreign::source;
use crate::node::connect;

/// Operations that change something.
const WRITES: &[&str] = &["create", "create, owned", "update", "update, new owner", "touch", "delete"];
/// Those that need memory.
const GROWING: &[&str] = &["create", "create, owned", "update", "update, new owner", "touch"];
const ALL: &[&str] = &["load", "owned_by", "create", "create, owned", "update", "update, new owner", "touch", "delete"];

/// How a server comes to refuse.
struct Refusal {
    /// The codes of its answers.
    codes: &'static [&'static str],
    impose: &'static [&'static [&'static str]],
    lift: &'static [&'static [&'static str]],
    refused: &'static [&'static str],
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        codes: &["READONLY"],
        impose: &[&["REPLICAOF", "127.0.0.1", "1"]],
        lift: &[&["REPLICAOF", "NO", "ONE"]],
        refused: WRITES,
    },
    Refusal {
        codes: &["MASTERDOWN", "READONLY"],
        impose: &[&["CONFIG", "SET", "replica-serve-stale-data", "no"], &["REPLICAOF", "127.0.0.1", "1"]],
        lift: &[&["REPLICAOF", "NO", "ONE"], &["CONFIG", "SET", "replica-serve-stale-data", "yes"]],
        refused: ALL,
    },
    Refusal {
        codes: &["NOREPLICAS"],
        impose: &[&["CONFIG", "SET", "min-replicas-to-write", "1"]],
        lift: &[&["CONFIG", "SET", "min-replicas-to-write", "0"]],
        refused: WRITES,
    },
    Refusal {
        codes: &["OOM"],
        impose: &[&["CONFIG", "SET", "maxmemory", "1"]],
        lift: &[&["CONFIG", "SET", "maxmemory", "0"]],
        refused: GROWING,
    },
];

#[tokio::test]
async fn g11_a_server_that_refuses_has_not_applied_anything() {
    let Some(bench) = Bench::own(Kind::Redis, &[]).await else { return };
    bench.teach_scripts().await;
    for Refusal { codes, impose, lift, refused } in REFUSALS {
        let subject = Subject::new(&bench).await;
        for words in *impose {
            bench.ask(words).await;
        }
        let answers = subject.try_everything().await;
        for words in *lift {
            bench.ask(words).await;
        }
        subject.check(&bench, codes, refused, answers).await;
    }
}

/// A disk that cannot be written to.
#[tokio::test]
async fn g11_a_server_whose_disk_is_full_has_not_applied_anything() {
    let Some(bench) = Bench::without_a_disk().await else { return };
    bench.teach_scripts().await;
    let subject = Subject::new(&bench).await;
    bench.fail_to_save().await;
    let answers = subject.try_everything().await;
    bench.ask(&["CONFIG", "SET", "save", ""]).await;
    subject.check(&bench, &["MISCONF"], WRITES, answers).await;
}

/// A script of somebody else that does not end.
#[tokio::test]
async fn g11_a_server_that_is_busy_has_not_applied_anything() {
    let Some(bench) = Bench::own(Kind::Redis, &[]).await else { return };
    bench.teach_scripts().await;
    let subject = Subject::new(&bench).await;
    bench.ask(&["CONFIG", "SET", "lua-time-limit", "1"]).await;
    let mut other = connect(&bench.url()).await;
    let endless = tokio::spawn(async move {
        let cmd = redis::cmd("EVAL").arg("while true do end").arg(0).to_owned();
        other.send_packed_command(&cmd).await.and_then(Value::extract_error)
    });
    while bench.nodes[0].send(&redis::cmd("PING")).await.is_ok() {}
    let answers = subject.try_everything().await;
    bench.ask(&["SCRIPT", "KILL"]).await;
    endless.await.expect("no panic").expect_err("killed");
    subject.check(&bench, &["BUSY"], ALL, answers).await;
}

/// A server that has just started and still reads its data.
#[tokio::test]
async fn g11_a_server_that_is_loading_has_not_applied_anything() {
    // A tenth of a millisecond for each key, and a look at who is waiting every 1024 of them.
    let Some(mut bench) = Bench::own(Kind::Redis, &["--key-load-delay", "100"]).await else { return };
    bench.teach_scripts().await;
    let subject = Subject::new(&bench).await;
    let mut filling = redis::Pipeline::new();
    for number in 0..40_000 {
        filling.cmd("SET").arg(format!("filler:{number}")).arg(1).ignore();
    }
    filling.exec_async(&mut bench.nodes[0].connection).await.expect("it is filled");
    let mut server = bench.server.take().expect("a server of its own");
    server.kill().await.unwrap_or_else(|error| panic!("{error}"));
    let restarted = async {
        server.restart().await.unwrap_or_else(|error| panic!("{error}"));
        server
    };
    let refused = async {
        loop {
            match subject.store.load(&subject.id).await {
                Ok(_) => panic!("the server was never seen loading"),
                Err(error) if source(&error).contains("LOADING") => return subject.try_everything().await,
                // Not up yet.
                Err(error) => assert!(error.is_unavailable(), "{error:?}"),
            }
            tokio::task::yield_now().await;
        }
    };
    let (server, answers) = tokio::join!(restarted, refused);
    bench.nodes = vec![crate::node::Node::alone(&bench.url()).await];
    bench.server = Some(server);
    subject.check(&bench, &["LOADING"], ALL, answers).await;
}

/// A store with a session, and how both were before.
struct Subject {
    store: RedisStore,
    id: SessionId,
    session: Entry,
    bytes: Vec<u8>,
    new: [SessionId; 2],
}

type Answers = Vec<(&'static str, Option<StoreError>)>;

impl Subject {
    async fn new(bench: &Bench) -> Self {
        let store = bench.store().await;
        let session = entry(b"before", Some("u"));
        let id = create(&store, &session).await;
        let bytes = bench.bytes(&bench.key(&id)).await.expect("stored");
        Self { store, id, session, bytes, new: [self::id(), self::id()] }
    }

    /// What each operation answers. `delete` is the last one.
    async fn try_everything(&self) -> Answers {
        let Self { store, id, session, new, .. } = self;
        let (next, owned) = (entry(b"after", session.owner.as_ref().map(|_| "u")), entry(b"after", Some("v")));
        vec![
            ("load", store.load(id).await.err()),
            ("owned_by", store.owned_by(&owner("u")).await.err()),
            ("create", store.create(&new[0], &entry(b"new", None), HOUR).await.err()),
            ("create, owned", store.create(&new[1], &entry(b"new", Some("u")), HOUR).await.err()),
            ("update", store.update(id, session.version, &next, KEEP).await.err()),
            ("update, new owner", store.update(id, session.version, &owned, REINDEX).await.err()),
            ("touch", store.touch(id, session.version, 2 * HOUR).await.err()),
            ("delete", store.delete(&[*id]).await.err()),
        ]
    }

    /// Those that must be refused were, with one of these codes, and left everything as it was; the others worked.
    async fn check(&self, bench: &Bench, codes: &[&str], refused: &[&str], answers: Answers) {
        let code = codes[0];
        let Self { store, id, session, bytes, new } = self;
        for (operation, error) in &answers {
            match error {
                Some(error) => {
                    assert!(refused.contains(operation), "{code}: {operation} fails: {error:?}");
                    assert!(error.is_unavailable(), "{code}: {operation} leaves doubt: {error:?}");
                    let known = codes.iter().any(|code| source(error).contains(code));
                    assert!(known, "{code}: {operation} says {}", source(error));
                }
                None => assert!(!refused.contains(operation), "{code}: {operation} is not refused"),
            }
        }
        for id in new {
            assert_eq!(store.load(id).await.expect("an answer"), None, "{code}: a session out of nothing");
        }
        assert!(store.owned_by(&owner("v")).await.expect("an answer").is_empty(), "{code}");
        if !refused.contains(&"delete") {
            assert_eq!(store.load(id).await.expect("an answer"), None, "{code}");
            return;
        }
        let key = bench.key(id);
        assert_eq!(bench.bytes(&key).await.as_ref(), Some(bytes), "{code}: the session is as it was");
        let ttl = bench.number(&key, &["PTTL", &key]).await;
        assert!((1..=3_600_000).contains(&ttl), "{code}: it lives as long as before, and not {ttl} ms");
        assert_eq!(store.owned_by(&owner("u")).await.expect("an answer"), [*id], "{code}");
        // And everything works again, on the same store.
        let next = entry(b"after", Some("u"));
        crate::bench::update(store, id, session.version, &next, KEEP).await;
        assert!(!store.touch(id, Version::from_u64(0), HOUR).await.expect("an answer"));
        assert_eq!(store.delete(&[*id]).await.expect("an answer"), 1, "{code}");
    }
}

impl Bench {
    /// A server that may not write to its folder.
    pub(crate) async fn without_a_disk() -> Option<Self> {
        // As a process it would write to the disk of this machine.
        let in_containers = std::path::Path::new("/var/run/docker.sock").exists()
            && std::env::var("SESSIONS_TEST_SERVERS").as_deref() != Ok("processes");
        if !in_containers {
            eprintln!("LEFT OUT: a disk that is full, which takes a container");
            return None;
        }
        Self::own(Kind::Redis, &["--appendonly", "no", "--dir", "/"]).await
    }

    /// Lets a snapshot fail, after which a server that takes snapshots refuses writes.
    pub(crate) async fn fail_to_save(&self) {
        self.ask(&["CONFIG", "SET", "save", "3600 1"]).await;
        self.ask(&["BGSAVE"]).await;
        while self.nodes[0].info("rdb_bgsave_in_progress").await == "1" {}
        assert_eq!(self.nodes[0].info("rdb_last_bgsave_status").await, "err");
    }
}
