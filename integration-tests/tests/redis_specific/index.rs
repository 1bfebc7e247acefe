//! The owner's index: exact on reading, and no larger than its sessions (G15).

use std::collections::BTreeSet;
use std::time::Duration;

use redis::Value;
use sessions_conformance::servers::Kind;
use sessions_core::{Clock, Entry, SessionId, SessionStore, SystemClock};

use crate::bench::{Bench, HOUR, REINDEX, create, entry, owner, update};

/// Sessions that come and go.
const SESSIONS: usize = 10_000;
/// How many of them at once.
const ROUND: usize = 100;

/// The measure: `cargo test --workspace --all-features --test redis_specific -- g15_ten_thousand --nocapture`, with servers.
#[tokio::test]
async fn g15_ten_thousand_sessions_that_came_and_went_leave_no_index_behind() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let index = bench.index("u");
        let mut stay = BTreeSet::new();
        for _ in 0..5 {
            stay.insert(*create(&store, &entry(b"stays", Some("u"))).await.as_bytes());
        }

        let (mut most, mut bytes) = (0, 0);
        for _ in 0..SESSIONS / ROUND {
            let mut gone: Vec<SessionId> = Vec::new();
            for _ in 0..ROUND {
                gone.push(create(&store, &entry(b"goes", Some("u"))).await);
            }
            // Half of them sign out; the others expire, of which nobody tells the index.
            let (out, expired) = gone.split_at(ROUND / 2);
            assert_eq!(store.delete(out).await.expect("an answer"), out.len() as u64);
            for id in expired {
                let key = bench.key(id);
                assert_eq!(bench.number(&key, &["DEL", &key]).await, 1);
            }
            most = most.max(bench.number(&index, &["ZCARD", &index]).await);
            bytes = bytes.max(bench.number(&index, &["MEMORY", "USAGE", &index, "SAMPLES", "0"]).await);
            bench.an_hour_passes_for(&index).await;
        }
        eprintln!("{kind}: of {SESSIONS} sessions, at most {most} entries and {bytes} bytes in the index");
        assert!(most <= 4 * ROUND as i64, "{kind}: {most} entries, where {ROUND} at once and 5 to stay are expected");

        let found = store.owned_by(&owner("u")).await.expect("an answer");
        assert_eq!(found.iter().map(|id| *id.as_bytes()).collect::<BTreeSet<_>>(), stay, "{kind}");
        let left = bench.number(&index, &["ZCARD", &index]).await;
        assert_eq!(left, 5, "{kind}: reading removes what is dead");
        let ttl = bench.number(&index, &["PTTL", &index]).await;
        let longest = i64::try_from(HOUR.as_millis()).expect("an hour") + 15 * 60 * 1000;
        assert!((1..=longest).contains(&ttl), "{kind}: the index expires by itself, in {ttl} ms");
    }
}

/// The index must be there as long as a session may be whose entry is in it: no other entry, and no later one of the same session,
/// shortens its life. The later one may be that of a write that meets a conflict, so that the longer life stands.
#[tokio::test]
async fn g15_the_index_lives_as_long_as_its_longest_session() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        for (name, first, second) in [("longer first", DAY, HOUR), ("shorter first", HOUR, DAY)] {
            for is_same in [false, true] {
                let owner = format!("{name}, {is_same}");
                let (first, second) = (lasting(&owner, first), lasting(&owner, second));
                let id = create(&store, &first).await;
                match is_same {
                    true => update(&store, &id, first.version, &second, REINDEX).await,
                    false => drop(create(&store, &second).await),
                }
                let index = bench.index(&owner);
                let ttl = bench.number(&index, &["PTTL", &index]).await;
                assert!(u128::from(ttl.unsigned_abs()) > DAY.as_millis() && ttl > 0, "{kind}: {owner}: {ttl} ms");
            }
        }
    }
}

/// What trimming relies on: a write that comes later than its fence writes nothing. The texts themselves are run, with fences by the
/// server's own clock.
#[tokio::test]
async fn g15_a_write_that_comes_after_its_fence_writes_nothing() {
    const CREATE: &str = include_str!("../../../sessions-redis/src/scripts/create.lua");
    const UPDATE: &str = include_str!("../../../sessions-redis/src/scripts/update.lua");
    const MINUTE: i64 = 60_000;
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let key = bench.key(&create(&store, &entry(b"1", None)).await);

        for (keeps_its_life, ttl) in [(true, ""), (false, "60000")] {
            let there = bench.bytes(&key).await.expect("it is there");
            let (head, expiry) = (&there[..12], if keeps_its_life { &[][..] } else { &there[12..20] });
            let mut next = head.to_vec();
            next[11] ^= 1;
            let update = async |fence: i64| {
                bench.run(&key, UPDATE, &[head, &next, &there[20..], expiry, ttl.as_bytes()], fence).await
            };
            assert_eq!(update(-1).await, Value::Int(-1), "{kind}");
            assert_eq!(bench.bytes(&key).await.as_ref(), Some(&there), "{kind}");
            assert!(bench.number(&key, &["PTTL", &key]).await > MINUTE, "{kind}");
            assert_eq!(update(MINUTE).await, Value::Int(1), "{kind}");
            assert_eq!(bench.bytes(&key).await, Some([&next, &there[12..]].concat()), "{kind}");
            assert_eq!(bench.number(&key, &["PTTL", &key]).await > MINUTE, keeps_its_life, "{kind}");
        }

        let key = bench.key(&crate::bench::id());
        let create = async |fence: i64| bench.run(&key, CREATE, &[b"value", b"60000"], fence).await;
        assert_eq!(create(-1).await, Value::Int(-1), "{kind}");
        assert_eq!(bench.bytes(&key).await, None, "{kind}");
        assert_eq!(create(MINUTE).await, Value::Int(1), "{kind}");
        assert_eq!(bench.bytes(&key).await, Some(b"value".to_vec()), "{kind}");
    }
}

fn lasting(owner: &str, life: Duration) -> Entry {
    Entry { deadline: SystemClock.now().after(life), ..entry(b"1", Some(owner)) }
}

/// An entry may be older than its session: a sign-in that is on its way must not be taken for dead.
#[tokio::test]
async fn g15_young_entries_stay_although_they_lead_nowhere() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let index = bench.index("u");
        for _ in 0..40 {
            let id = create(&store, &entry(b"1", Some("u"))).await;
            store.delete(&[id]).await.expect("an answer");
        }
        assert!(store.owned_by(&owner("u")).await.expect("an answer").is_empty());
        assert_eq!(bench.number(&index, &["ZCARD", &index]).await, 40, "{kind}: all of them are minutes old at most");
        bench.an_hour_passes_for(&index).await;
        assert!(store.owned_by(&owner("u")).await.expect("an answer").is_empty());
        assert_eq!(bench.number(&index, &["ZCARD", &index]).await, 0, "{kind}");
    }
}

/// The index is in another slot than the session: what matters is the order of the two writes, not that they are one.
#[tokio::test]
async fn g15_a_session_that_changes_hands_is_found_with_one_owner_at_a_time() {
    for kind in [Kind::Redis, Kind::RedisCluster] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let mut current = entry(b"1", Some("owner 0"));
        let id = create(&store, &current).await;
        for turn in 1..=30 {
            let name = format!("owner {}", turn % 3);
            let next = entry(b"1", (turn % 5 != 0).then_some(&name));
            update(&store, &id, current.version, &next, REINDEX).await;
            current = next;
            for other in ["owner 0", "owner 1", "owner 2"] {
                let found = store.owned_by(&owner(other)).await.expect("an answer");
                let expected = if current.owner == Some(owner(other)) { vec![id] } else { vec![] };
                assert_eq!(found, expected, "{kind}, turn {turn}, {other}");
            }
        }
    }
}

impl Bench {
    /// Makes every entry an hour older. Nothing else in an index tells the time.
    async fn an_hour_passes_for(&self, index: &str) {
        const AGE: &str = "local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
            for i = 1, #all, 2 do redis.call('ZADD', KEYS[1], 'XX', all[i + 1] - 3600000, all[i]) end
            return #all / 2";
        self.ask_about(index, &["EVAL", AGE, "1", index]).await;
    }
}
