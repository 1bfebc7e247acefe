//! The largest record, and the largest that can be asked for (G12).

use sessions_conformance::servers::Kind;
use sessions_core::{CreateOutcome, SessionStore, UpdateOutcome};
use sessions_redis::RedisStore;

use crate::bench::{Bench, HOUR, KEEP, MOVE, PATIENT, create, entry, id};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn g12_a_record_at_the_limit_and_one_byte_more() {
    for (kind, limit) in
        [(Kind::Redis, MIB), (Kind::Redis, 64 * MIB), (Kind::RedisCluster, MIB), (Kind::RedisCluster, 64 * MIB)]
    {
        let Some(bench) = Bench::given(kind).await else { continue };
        let builder = RedisStore::builder().prefix(&bench.prefix).expect("a valid prefix");
        let builder = builder.max_record_bytes(limit).expect("in range").deadline(PATIENT).expect("in range");
        let store = builder.connect(&bench.url()).await.unwrap_or_else(|error| panic!("{error}"));

        let full = entry(&noise(limit), Some("u"));
        let id = create(&store, &full).await;
        let stored = store.load(&id).await.expect("an answer").expect("live");
        assert!(stored.record == full.record, "{kind}, {limit}: what was created");

        let next = entry(&noise(limit), Some("u"));
        let outcome = store.update(&id, full.version, &next, MOVE).await.expect("an answer");
        assert_eq!(outcome, UpdateOutcome::Written, "{kind}, {limit}");
        assert!(store.touch(&id, next.version, HOUR).await.expect("an answer"));

        let over = entry(&noise(limit + 1), Some("u"));
        assert!(store.update(&id, next.version, &over, KEEP).await.expect_err("too large").is_too_large());
        assert!(store.create(&self::id(), &over, HOUR).await.expect_err("too large").is_too_large());

        // A conflict, and a create over it, bring all of it back.
        let empty = entry(b"", None);
        let UpdateOutcome::Conflict(current) = store.update(&id, full.version, &empty, KEEP).await.expect("an answer")
        else {
            panic!("an old version")
        };
        assert!(current.record == next.record, "{kind}, {limit}: what a conflict says");
        let CreateOutcome::Exists(current) = store.create(&id, &empty, HOUR).await.expect("an answer") else {
            panic!("an id that is taken")
        };
        assert!(current.record == next.record, "{kind}, {limit}: what a create finds");
        assert_eq!(store.delete(&[id]).await.expect("an answer"), 1);
    }
}

/// Every byte value, in no order that a parser would like.
fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fastrand::fill(&mut bytes);
    bytes
}
