//! Names that need care: prefixes and owners as they end up in keys (G13, G15).

use std::collections::BTreeSet;

use redis::Value;
use sessions_conformance::servers::Kind;
use sessions_core::{Owner, SessionStore};
use sessions_redis::RedisStore;

use crate::bench::{Bench, PATIENT, create, entry, id, owner};

const KINDS: [Kind; 2] = [Kind::Redis, Kind::RedisCluster];

/// Everything a prefix may contain, and what could be taken for something else.
const PREFIXES: &[&str] = &["a.b", "a:b", "a-b", "a_b", "A.B", "a", "a:s", "a:o", "0", "-", ".", "s", "o"];

#[tokio::test]
async fn g13_prefixes_that_need_care_do_not_see_each_other() {
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let mut stores = Vec::new();
        for prefix in PREFIXES {
            let prefix = format!("{}{prefix}", bench.prefix);
            let builder = RedisStore::builder().prefix(&prefix).expect("a valid prefix");
            let store = builder.deadline(PATIENT).expect("in range").connect(&bench.url()).await.expect("connected");
            stores.push((prefix, store));
        }
        let shared = id();
        for (prefix, store) in &stores {
            store.create(&shared, &entry(prefix.as_bytes(), Some("u")), crate::bench::HOUR).await.expect("an answer");
        }
        for (prefix, store) in &stores {
            let stored = store.load(&shared).await.expect("an answer").expect("live");
            assert_eq!(stored.record, prefix.as_bytes(), "{kind}");
            assert_eq!(store.owned_by(&owner("u")).await.expect("an answer"), [shared], "{kind}");
            // As a pattern of SCAN or of an ACL, `PREFIX/*` means these keys and no others.
            assert_eq!(bench.keys(&format!("{prefix}/*")).await.len(), 2, "{kind}: {prefix}");
        }
        let (first, rest) = stores.split_first().expect("some");
        assert_eq!(first.1.delete(&[shared]).await.expect("an answer"), 1);
        for (prefix, store) in rest {
            assert!(store.load(&shared).await.expect("an answer").is_some(), "{kind}: {prefix}");
        }
    }
}

/// Braces decide about the slot on a Cluster, wildcards about patterns, spaces and line ends about protocols of old.
#[tokio::test]
async fn g15_owners_that_need_care() {
    let long = "ö".repeat(Owner::MAX_BYTES / 2);
    let names = [
        "{",
        "}",
        "{}",
        "{a}",
        "{}{a}",
        "a{b}c",
        "{a",
        "*",
        "?",
        "[a-z]",
        "a*",
        "\\*",
        " ",
        "  ",
        "a b",
        "\t",
        "\r\n",
        "a\r\nDEL x",
        "/",
        "//",
        "s/",
        "../s",
        "用户",
        "🦀",
        "\u{202e}",
        "\0",
        "\0\0",
        "\"",
        "'",
        "%s",
        "$6",
        &long,
    ];
    for kind in KINDS {
        let Some(bench) = Bench::given(kind).await else { continue };
        let store = bench.store().await;
        let mut ids = Vec::new();
        for name in names {
            ids.push((name, create(&store, &entry(name.as_bytes(), Some(name))).await));
        }
        for (name, id) in &ids {
            assert_eq!(store.owned_by(&owner(name)).await.expect("an answer"), [*id], "{kind}: {name:?}");
            let stored = store.load(id).await.expect("an answer").expect("live");
            assert_eq!(stored.owner, Some(owner(name)), "{kind}: {name:?}");
            let index = bench.index(name);
            assert_eq!(bench.number(&index, &["ZCARD", &index]).await, 1, "{kind}: {name:?}");
        }
        // Ending all sessions of `*` ends those of `*`.
        let (_, star) = ids.iter().find(|(name, _)| *name == "*").expect("among them");
        assert_eq!(store.delete(&store.owned_by(&owner("*")).await.expect("an answer")).await.expect("an answer"), 1);
        for (name, id) in &ids {
            assert_eq!(store.load(id).await.expect("an answer").is_some(), id != star, "{kind}: {name:?}");
        }
    }
}

#[tokio::test]
async fn sessions_are_spread_over_the_nodes() {
    let Some(bench) = Bench::given(Kind::RedisCluster).await else { return };
    let store = bench.store().await;
    let mut nodes = BTreeSet::new();
    for _ in 0..60 {
        let id = create(&store, &entry(b"1", None)).await;
        nodes.insert(bench.place(&bench.key(&id)).await);
    }
    assert_eq!(nodes.len(), 3);
}

impl Bench {
    /// The keys that match a pattern, on all nodes.
    async fn keys(&self, pattern: &str) -> Vec<Value> {
        let mut keys = Vec::new();
        for node in &self.nodes {
            match node.ask(&["KEYS", pattern]).await {
                Value::Array(found) => keys.extend(found),
                other => panic!("no keys: {other:?}"),
            }
        }
        keys
    }
}
