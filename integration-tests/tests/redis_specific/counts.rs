//! What each operation costs: the commands that the server itself has counted, on the node that they belong to.

use std::collections::BTreeSet;

use sessions_conformance::servers::Kind;
use sessions_core::{Clock, Entry, SessionId, SessionStore, SystemClock, Version};

use crate::bench::{Bench, HOUR, KEEP, MOVE, REINDEX, create, entry, id, owner};
use crate::node::Counts;

const ADD: &str = "evalsha{time zadd zcard pexpire}";
const ADD_SECOND: &str = "evalsha{time zadd zcard pttl}";
const READ: &str = "evalsha{time zrange}";

/// The table of the crate's README: an operation, its commands on the session and on the owner's index. What runs inside of
/// a script stands in braces: the server counts it, but nobody waits for it.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("load", "get", ""),
    ("load, absent", "get", ""),
    ("create", "set", ""),
    ("create, exists", "set get", ""),
    ("create, owned", "evalsha{time set}", ADD),
    ("create, owned, one more", "evalsha{time set}", ADD_SECOND),
    ("create, owned, exists", "evalsha{time set get}", ADD),
    ("update", "evalsha{getrange set}", ""),
    ("update, expiry too", "evalsha{getrange set}", ""),
    ("update, owned", "evalsha{getrange set}", ""),
    ("update, new owner", "evalsha{getrange time set}", ADD),
    ("update, owned, later deadline", "evalsha{getrange time set}", "evalsha{time zadd zcard pttl pexpire}"),
    ("update, conflict", "evalsha{getrange get}", ""),
    ("update, absent", "evalsha{getrange get}", ""),
    ("touch", "evalsha{getrange setrange pexpire}", ""),
    ("touch, conflict", "evalsha{getrange}", ""),
    ("delete", "unlink", ""),
    ("owned_by, nothing", "", READ),
    ("owned_by, one", "getrange", READ),
    ("purge_expired", "", ""),
    ("stop", "", ""),
];

#[tokio::test]
async fn each_operation_costs_what_the_readme_says() {
    each_operation(Kind::Redis).await;
}

#[tokio::test]
async fn each_operation_costs_the_same_on_a_cluster() {
    each_operation(Kind::RedisCluster).await;
}

async fn each_operation(kind: Kind) {
    let Some(bench) = Bench::own(kind, &[]).await else { return };
    bench.teach_scripts().await;
    let store = bench.store().await;
    let mut seen = Vec::new();
    for (name, ..) in OPERATIONS {
        // A session of each kind, and an owner that nobody had before.
        let (plain, owned, fresh) = (entry(b"1", None), entry(b"1", Some("u")), format!("owner of {name}"));
        let (id, of_u) = (create(&store, &plain).await, create(&store, &owned).await);
        let (next, to_fresh) = (entry(b"2", None), entry(b"2", Some(&fresh)));
        if ["owned_by, one", "create, owned, one more"].contains(name) {
            // Its index lives longer than any other here.
            store.create(&self::id(), &to_fresh, 2 * HOUR).await.expect("an answer");
        }
        let of_fresh = match *name {
            "update, owned, later deadline" => create(&store, &to_fresh).await,
            _ => id,
        };
        bench.count().await;
        let about = match *name {
            "load" => store.load(&id).await.map(|stored| assert!(stored.is_some())).map(|()| id),
            "load, absent" => {
                store.load(&self::id()).await.map(|stored| assert!(stored.is_none())).map(|()| self::id())
            }
            "create" => {
                let id = self::id();
                store.create(&id, &next, HOUR).await.map(|_| id)
            }
            "create, exists" => store.create(&id, &next, HOUR).await.map(|_| id),
            "create, owned" | "create, owned, one more" => {
                let id = self::id();
                store.create(&id, &to_fresh, HOUR).await.map(|_| id)
            }
            "create, owned, exists" => store.create(&id, &to_fresh, HOUR).await.map(|_| id),
            "update" => store.update(&id, plain.version, &next, KEEP).await.map(|_| id),
            "update, expiry too" => store.update(&id, plain.version, &next, MOVE).await.map(|_| id),
            "update, owned" => store.update(&of_u, owned.version, &owned, MOVE).await.map(|_| of_u),
            "update, new owner" => store.update(&id, plain.version, &to_fresh, REINDEX).await.map(|_| id),
            "update, owned, later deadline" => {
                let later = Entry { deadline: SystemClock.now().after(2 * HOUR), ..entry(b"3", Some(&fresh)) };
                store.update(&of_fresh, to_fresh.version, &later, REINDEX).await.map(|_| of_fresh)
            }
            "update, conflict" => store.update(&id, Version::from_u64(0), &next, KEEP).await.map(|_| id),
            "update, absent" => {
                let id = self::id();
                store.update(&id, plain.version, &next, KEEP).await.map(|_| id)
            }
            "touch" => store.touch(&id, plain.version, HOUR).await.map(|_| id),
            "touch, conflict" => store.touch(&id, Version::from_u64(0), HOUR).await.map(|_| id),
            "delete" => store.delete(&[id]).await.map(|_| id),
            "owned_by, nothing" => store.owned_by(&owner(&fresh)).await.map(|_| id),
            "owned_by, one" => store.owned_by(&owner(&fresh)).await.map(|ids| ids[0]),
            "purge_expired" => store.purge_expired(100).await.map(|_| id),
            "stop" => store.clone().stop().await.map(|()| id),
            other => panic!("no such operation: {other}"),
        };
        seen.push((*name, about.expect("an answer"), fresh, bench.counted().await));
    }
    for ((name, id, owner, counted), (_, on_session, on_index)) in seen.into_iter().zip(OPERATIONS) {
        if name == "load, absent" {
            assert_eq!(sum(counted), counts(on_session), "{name}");
            continue;
        }
        let mut expected = vec![Counts::new(); bench.nodes.len()];
        add(&mut expected[bench.place(&bench.key(&id)).await], counts(on_session));
        add(&mut expected[bench.place(&bench.index(&owner)).await], counts(on_index));
        assert_eq!(counted, expected, "{name}");
    }
}

#[tokio::test]
async fn a_forgotten_script_costs_one_command_more() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::own(kind, &[]).await else { continue };
        let store = bench.store().await;
        let mut stored = entry(b"1", None);
        let id = create(&store, &stored).await;
        for forgotten in [true, false, true, false] {
            if forgotten {
                bench.tell_all(&["SCRIPT", "FLUSH"]).await;
            }
            bench.count().await;
            let next = entry(b"2", None);
            crate::bench::update(&store, &id, stored.version, &next, KEEP).await;
            let cost = if forgotten { "evalsha eval{getrange set}" } else { "evalsha{getrange set}" };
            assert_eq!(sum(bench.counted().await), counts(cost), "{kind}, forgotten: {forgotten}");
            stored = next;
        }
    }
}

/// G9, and that no command holds the server up: at most 500 keys each, and on a Cluster those of one slot.
#[tokio::test]
async fn g09_ten_thousand_ids_go_in_batches() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::own(kind, &[]).await else { continue };
        let store = bench.store().await;
        let mut ids: Vec<SessionId> = (0..9_900).map(|_| id()).collect();
        let mut live = Vec::new();
        for _ in 0..100 {
            live.push(create(&store, &entry(b"1", None)).await);
        }
        ids.extend(&live);
        fastrand::shuffle(&mut ids);

        let mut slots = vec![BTreeSet::new(); bench.nodes.len()];
        for id in &ids {
            let key = bench.key(id);
            let slot = if kind == Kind::Redis { 0 } else { bench.slot(&key).await };
            slots[bench.place(&key).await].insert(slot);
        }
        bench.count().await;
        assert_eq!(store.delete(&ids).await.expect("an answer"), 100, "{kind}");
        let counted: Vec<_> = bench.counted().await.iter().map(|counts| counts["unlink"]).collect();
        let expected: Vec<_> = match kind {
            Kind::Redis => vec![20],
            _ => slots.iter().map(|slots| slots.len() as u64).collect(),
        };
        assert_eq!(counted, expected, "{kind}");
        for id in &live {
            assert_eq!(store.load(id).await.expect("an answer"), None);
        }
    }
}

/// G15: one script, one short read for each.
#[tokio::test]
async fn g15_a_thousand_sessions_of_an_owner_are_read_without_their_records() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::own(kind, &[]).await else { continue };
        bench.teach_scripts().await;
        let store = bench.store().await;
        let mut ids = BTreeSet::new();
        for _ in 0..1_000 {
            ids.insert(*create(&store, &entry(&[7; 4_000], Some("u"))).await.as_bytes());
        }
        bench.count().await;
        let output = bench.output().await;
        let found = store.owned_by(&owner("u")).await.expect("an answer");
        let read = bench.output().await - output;
        let expected = Counts::from([("evalsha", 1), ("time", 1), ("zrange", 1), ("getrange", 1_000)].map(named));
        assert_eq!(bench.counted_together().await, expected, "{kind}");
        assert_eq!(found.iter().map(|id| *id.as_bytes()).collect::<BTreeSet<_>>(), ids);
        assert!(read < 1_000 * 400, "{kind}: {read} bytes for a thousand envelopes of at most 280 bytes");
    }
}

impl Bench {
    /// Lets every node know every script, as a server does that has served for a while.
    pub(crate) async fn teach_scripts(&self) {
        const SCRIPTS: [&str; 6] = [
            include_str!("../../../sessions-redis/src/scripts/create.lua"),
            include_str!("../../../sessions-redis/src/scripts/index_add.lua"),
            include_str!("../../../sessions-redis/src/scripts/index_read.lua"),
            include_str!("../../../sessions-redis/src/scripts/index_trim.lua"),
            include_str!("../../../sessions-redis/src/scripts/touch.lua"),
            include_str!("../../../sessions-redis/src/scripts/update.lua"),
        ];
        for script in SCRIPTS {
            self.tell_all(&["SCRIPT", "LOAD", script]).await;
        }
    }

    /// Bytes that the nodes have sent so far.
    async fn output(&self) -> u64 {
        let mut bytes = 0;
        for node in &self.nodes {
            bytes += node.info("total_net_output_bytes").await.parse::<u64>().expect("a number");
        }
        bytes
    }
}

/// `get evalsha{getrange set}` as the server counts it.
pub(crate) fn counts(cost: &str) -> Counts {
    let mut counts = Counts::new();
    for name in cost.split([' ', '{', '}']).filter(|name| !name.is_empty()) {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

pub(crate) fn add(counts: &mut Counts, more: Counts) {
    for (name, count) in more {
        *counts.entry(name).or_default() += count;
    }
}

pub(crate) fn sum(all: Vec<Counts>) -> Counts {
    all.into_iter().fold(Counts::new(), |mut sum, counts| {
        add(&mut sum, counts);
        sum
    })
}

fn named((name, count): (&str, u64)) -> (String, u64) {
    (name.to_owned(), count)
}
