//! Slots that move from node to node while commits run, and a Cluster that is not whole.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::Value;
use redis::cluster_routing::Slot;
use sessions_conformance::servers::Kind;
use sessions_core::{Outcome, SessionId, SessionManager, SessionStore, Token};
use tokio::task::JoinSet;

use crate::bench::{Bench, KEEP, create, entry, id, owner, update};
use crate::foreign::source;
use crate::rights::{let_in, rights, store_of};
use crate::visits::{arrive, manager, visit, visits};

/// How often each slot moves.
const MOVES: usize = 6;

/// Counters that requests increment while their slots move; what was acknowledged so far.
#[derive(Default)]
struct Traffic {
    acknowledged: Vec<AtomicU64>,
    signed_in: Mutex<BTreeSet<[u8; 16]>>,
    failed: Mutex<Vec<String>>,
    over: AtomicBool,
}

/// With the rights of the README: `ASKING` is one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g05_no_acknowledged_commit_is_lost_while_its_slot_moves() {
    let Some(mut bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    let_in(&bench, "least", &rights(&["Cluster"])).await;
    let store = store_of(&bench, "least", "").await.unwrap_or_else(|error| panic!("{error}"));
    let manager = manager(store.clone());
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(arrive(&manager).await);
    }
    let traffic = Arc::new(Traffic {
        acknowledged: (0..=tokens.len()).map(|_| AtomicU64::new(0)).collect(),
        ..Traffic::default()
    });
    let mut running = JoinSet::new();
    for (number, token) in tokens.iter().enumerate() {
        for _ in 0..2 {
            running.spawn(Arc::clone(&traffic).increments(manager.clone(), token.clone(), number));
        }
        running.spawn(Arc::clone(&traffic).reads(manager.clone(), token.clone(), number));
    }
    running.spawn(Arc::clone(&traffic).signs_in(manager.clone(), tokens.len()));

    let mut keys: Vec<String> = tokens.iter().map(|token| bench.key(&token.id())).collect();
    keys.push(bench.index("u"));
    for _ in 0..MOVES {
        for (number, key) in keys.iter().enumerate() {
            let (slot, from) = (bench.slot(key).await, bench.place(key).await);
            let to = (from + 1) % 3;
            bench.begin_move(slot, from, to).await;
            traffic.goes_on(number).await;
            bench.move_keys(slot, from, to).await;
            // From here on the old node answers ASK,
            traffic.goes_on(number).await;
            bench.finish_move(slot, from, to).await;
            // and now MOVED.
            traffic.goes_on(number).await;
        }
    }
    traffic.over.store(true, Ordering::SeqCst);
    running.join_all().await;

    assert_eq!(*traffic.failed.lock().expect("no panic"), Vec::<String>::new());
    for (number, token) in tokens.iter().enumerate() {
        let acknowledged = traffic.acknowledged[number].load(Ordering::SeqCst);
        assert_eq!(visits(&manager, token).await, Some(acknowledged), "counter {number}");
    }
    let found = store.owned_by(&owner("u")).await.expect("an answer");
    let found: BTreeSet<_> = found.iter().map(|id| *id.as_bytes()).collect();
    assert_eq!(found, *traffic.signed_in.lock().expect("no panic"));
    let all: u64 = traffic.acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    eprintln!("{all} commits acknowledged during {} moves", MOVES * keys.len());
}

impl Traffic {
    async fn increments(self: Arc<Self>, manager: SessionManager, token: Token, number: usize) {
        while !self.over.load(Ordering::SeqCst) {
            match visit(&manager, &token).await {
                Ok(Outcome::Written) => {
                    self.acknowledged[number].fetch_add(1, Ordering::SeqCst);
                }
                other => self.fails(format!("increment: {other:?}")),
            }
        }
    }

    async fn reads(self: Arc<Self>, manager: SessionManager, token: Token, number: usize) {
        while !self.over.load(Ordering::SeqCst) {
            let acknowledged = self.acknowledged[number].load(Ordering::SeqCst);
            match manager.load(&token).await {
                Ok(Some(session)) => {
                    let seen = session.get(&crate::visits::VISITS).expect("a number").unwrap_or_default();
                    if seen < acknowledged {
                        self.fails(format!("{acknowledged} were acknowledged, {seen} are read"));
                    }
                }
                other => self.fails(format!("read: {other:?}")),
            }
        }
    }

    async fn signs_in(self: Arc<Self>, manager: SessionManager, number: usize) {
        while !self.over.load(Ordering::SeqCst) {
            let session = manager.new_session();
            session.set_owner("u").expect("a valid owner");
            match manager.commit(&session).await {
                Ok(_) => {
                    let id = session.id().expect("it is stored");
                    self.signed_in.lock().expect("no panic").insert(*id.as_bytes());
                    self.acknowledged[number].fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => self.fails(format!("sign-in: {error:?}")),
            }
        }
    }

    fn fails(&self, text: String) {
        self.failed.lock().expect("no panic").push(text);
    }

    /// Waits for some commits that began after this call; not for ever, if they fail.
    async fn goes_on(&self, number: usize) {
        let until = self.acknowledged[number].load(Ordering::SeqCst) + 6;
        while self.acknowledged[number].load(Ordering::SeqCst) < until
            && self.failed.lock().expect("no panic").is_empty()
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Keys of one slot, some here and some there: the node answers TRYAGAIN, and none is forgotten.
#[tokio::test]
async fn g09_a_deletion_across_a_slot_that_moves_is_complete() {
    let Some(bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    let store = bench.store().await;
    let first = id();
    let slot = Slot::for_key(bench.key(&first).as_bytes());
    let mut ids = vec![first];
    while ids.len() < 5 {
        let next = id();
        if Slot::for_key(bench.key(&next).as_bytes()) == slot {
            ids.push(next);
        }
    }
    for id in &ids[..4] {
        store.create(id, &entry(b"1", None), crate::bench::HOUR).await.expect("an answer");
    }
    let from = bench.place(&bench.key(&first)).await;
    let to = (from + 1) % 3;
    let number = bench.slot(&bench.key(&first)).await;
    bench.begin_move(number, from, to).await;
    bench.move_key(&bench.key(&ids[0]), from, to).await;
    bench.move_key(&bench.key(&ids[1]), from, to).await;
    assert_eq!(store.delete(&ids).await.expect("an answer"), 4, "the fifth never was");
    for id in &ids {
        assert_eq!(store.load(id).await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn g11_a_cluster_that_is_not_whole_has_not_applied_anything() {
    let Some(bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    let store = bench.store().await;
    let session = entry(b"1", Some("u"));
    let id = create(&store, &session).await;
    let (slot, place) = (bench.slot(&bench.key(&id)).await.to_string(), bench.place(&bench.key(&id)).await);
    bench.tell_all(&["CLUSTER", "DELSLOTS", &slot]).await;
    bench.wait_for("cluster_state:fail").await;
    let next = entry(b"2", None);
    let answers = [
        ("load", store.load(&id).await.err()),
        ("create", store.create(&self::id(), &next, crate::bench::HOUR).await.err()),
        ("update", store.update(&id, session.version, &next, KEEP).await.err()),
        ("touch", store.touch(&id, session.version, crate::bench::HOUR).await.err()),
        ("delete", store.delete(&[id]).await.err()),
        ("owned_by", store.owned_by(&owner("u")).await.err()),
    ];
    for (operation, error) in answers {
        let error = error.unwrap_or_else(|| panic!("{operation} is answered"));
        assert!(error.is_unavailable(), "{operation} leaves doubt: {error:?}");
        assert!(source(&error).contains("CLUSTERDOWN"), "{operation} says {}", source(&error));
    }
    bench.nodes[place].ask(&["CLUSTER", "ADDSLOTS", &slot]).await;
    bench.wait_for("cluster_state:ok").await;
    update(&store, &id, session.version, &entry(b"2", None), KEEP).await;
}

/// One node of three is gone, and no replica takes over: its sessions are unavailable, within the deadline.
#[tokio::test]
async fn g11_a_node_that_is_gone_takes_only_its_sessions_with_it() {
    let Some(mut bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    // Without this, half a minute of a test would be a wait for all of them to refuse.
    bench.tell_all(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await;
    let store = bench.store_within(Duration::from_secs(2)).await;
    let mut sessions: Vec<(usize, SessionId, sessions_core::Entry)> = Vec::new();
    for _ in 0..12 {
        let session = entry(b"1", None);
        let id = create(&store, &session).await;
        sessions.push((bench.place(&bench.key(&id)).await, id, session));
    }
    let gone = sessions[0].0;
    // It ends without an answer.
    let _ = bench.nodes[gone].send(redis::cmd("SHUTDOWN").arg("NOSAVE")).await;
    for (place, id, session) in &sessions {
        let next = entry(b"2", None);
        match (store.load(id).await, store.update(id, session.version, &next, KEEP).await) {
            (Ok(stored), Ok(_)) => assert!(stored.is_some() && *place != gone),
            (Err(load), Err(update)) => {
                assert_eq!(*place, gone, "{load:?}");
                assert!(load.is_unavailable(), "{load:?}");
                assert!(update.is_unavailable() || update.is_indeterminate(), "{update:?}");
            }
            other => panic!("node {place} of {gone}: {other:?}"),
        }
    }
    let server = bench.server.as_mut().expect("a server of its own");
    server.restart().await.unwrap_or_else(|error| panic!("{error}"));
    for (_, id, _) in &sessions {
        assert!(store.load(id).await.unwrap_or_else(|error| panic!("{error:?}")).is_some());
    }
}

impl Bench {
    async fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let (slot, [from, to]) = (slot.to_string(), [from, to].map(|place| &self.nodes[place]));
        to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from.id]).await;
        from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to.id]).await;
    }

    async fn move_keys(&self, slot: u16, from: usize, to: usize) {
        loop {
            let found = self.nodes[from].ask(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "100"]).await;
            let Value::Array(keys) = found else { panic!("no keys: {found:?}") };
            if keys.is_empty() {
                return;
            }
            for key in keys {
                self.move_key(&crate::node::text(key), from, to).await;
            }
        }
    }

    async fn move_key(&self, key: &str, from: usize, to: usize) {
        let port = self.nodes[to].port.to_string();
        let words = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "AUTH", self.password(), "KEYS", key];
        self.nodes[from].ask(&words).await;
    }

    async fn finish_move(&mut self, slot: u16, from: usize, to: usize) {
        let id = self.nodes[to].id.clone();
        for place in [to, from, 3 - from - to] {
            self.nodes[place].ask(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &id]).await;
        }
        self.note_move(slot, to);
    }

    /// Waits until every node says this of the Cluster.
    async fn wait_for(&self, state: &str) {
        for node in &self.nodes {
            while !crate::node::text(node.ask(&["CLUSTER", "INFO"]).await).contains(state) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
