//! What `RedisStore::check` says of real servers.

use sessions_conformance::servers::Kind;
use sessions_redis::{RedisStore, Warning};

use crate::bench::{Bench, PATIENT};

async fn check(store: &RedisStore) -> Vec<Warning> {
    store.check().await.expect("an answer")
}

fn evicts(policy: &str) -> Warning {
    Warning::Evicts { policy: policy.to_owned() }
}

#[tokio::test]
async fn a_server_that_is_set_up_well_gives_no_warning() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        assert_eq!(check(&bench.store().await).await, [], "{kind}");
    }
}

#[tokio::test]
async fn each_danger_gives_its_warning() {
    let Some(bench) = Bench::own(Kind::Redis, &[]).await else { return };
    let store = bench.store().await;
    let policies = ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random"];
    for policy in policies.into_iter().chain(["volatile-ttl"]) {
        bench.ask(&["CONFIG", "SET", "maxmemory-policy", policy]).await;
        assert_eq!(check(&store).await, [evicts(policy)]);
    }
    bench.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;

    bench.ask(&["CONFIG", "SET", "appendonly", "no"]).await;
    assert_eq!(check(&store).await, [Warning::NotPersistent]);
    bench.ask(&["CONFIG", "SET", "save", "3600 1"]).await;
    assert_eq!(check(&store).await, []);

    bench.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
    assert_eq!(check(&store).await, [Warning::Replica]);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_gives_a_warning() {
    let Some(bench) = Bench::without_a_disk().await else { return };
    bench.fail_to_save().await;
    assert_eq!(check(&bench.store().await).await, [Warning::PersistenceFails]);
}

#[tokio::test]
async fn one_node_of_a_cluster_is_enough_for_a_warning() {
    let Some(bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    let store = bench.store().await;
    bench.nodes[2].ask(&["CONFIG", "SET", "maxmemory-policy", "volatile-lru"]).await;
    assert_eq!(check(&store).await, [evicts("volatile-lru")]);
    bench.nodes[1].ask(&["CONFIG", "SET", "appendonly", "no"]).await;
    assert_eq!(check(&store).await.len(), 2);
}

#[tokio::test]
async fn what_may_not_be_seen_is_a_warning_and_no_error() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        for (rights, unknown) in [(["-info", "-config"], 1), (["+info", "-config"], 0), (["-info", "+config"], 1)] {
            let user = format!("{}-blind", bench.prefix);
            let words = ["ACL", "SETUSER", &user, "reset", "on", ">secret", "~*", "+@all", rights[0], rights[1]];
            bench.tell_all(&words).await;
            let builder = RedisStore::builder().deadline(PATIENT).expect("in range");
            let store = builder.connect(&bench.url_as(&format!("{user}:secret@"))).await.expect("a user");
            let warnings = check(&store).await;
            // With an append-only file it does not matter whether there are snapshots, too.
            let blind = warnings.iter().filter(|warning| matches!(warning, Warning::Unknown { .. })).count();
            assert_eq!((blind, warnings.len()), (unknown, unknown), "{kind}, {rights:?}: {warnings:?}");
            bench.tell_all(&["ACL", "DELUSER", &user]).await;
        }
    }
}
