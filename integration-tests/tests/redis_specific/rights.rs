//! The rights that the README asks for are enough, and none of them is too much.

use redis::Value;
use sessions_conformance::servers::Kind;
use sessions_core::{SessionStore, StoreError};
use sessions_redis::{RedisStore, Warning};

use crate::bench::{Bench, HOUR, KEEP, MOVE, PATIENT, REINDEX, entry, id, owner};
use crate::foreign::source;

const README: &str = include_str!("../../../sessions-redis/README.md");

/// The words after the user's name of the lines of the README that hold for this purpose.
pub(crate) fn rights(purposes: &[&str]) -> Vec<&'static str> {
    let lines = README.lines().filter_map(|line| line.strip_prefix("ACL SETUSER sessions "));
    let (mut words, mut found) = (Vec::new(), 0);
    for line in lines {
        let (rights, purpose) = line.split_once('#').unwrap_or((line, ""));
        if purpose.is_empty() || purposes.iter().any(|wanted| purpose.contains(wanted)) {
            words.extend(rights.split_whitespace());
            found += 1;
        }
    }
    assert!(found > purposes.len(), "the README has the lines: {words:?}");
    words
}

/// A user of the test's own, with rights as in the README.
pub(crate) async fn let_in(bench: &Bench, user: &str, rights: &[&str]) {
    let keys = format!("~{}/*", bench.prefix);
    let mut words = vec!["ACL", "SETUSER", user, "reset"];
    for word in rights {
        words.push(match *word {
            ">PASSWORD" => ">secret",
            "~sessions/*" => &keys,
            word => word,
        });
    }
    bench.tell_all(&words).await;
}

pub(crate) async fn store_of(bench: &Bench, user: &str, database: &str) -> Result<RedisStore, sessions_redis::Error> {
    let builder = RedisStore::builder().prefix(&bench.prefix).expect("a valid prefix");
    let builder = builder.deadline(PATIENT).expect("in range");
    builder.connect(&format!("{}{database}", bench.url_as(&format!("{user}:secret@")))).await
}

#[tokio::test]
async fn the_rights_of_the_readme_are_enough() {
    for (kind, purposes, database) in [
        (Kind::Redis, &["check"][..], ""),
        (Kind::Redis, &["check", "database"], "/1"),
        (Kind::RedisCluster, &["check", "Cluster"], ""),
    ] {
        let Some(bench) = Bench::given(kind).await else { continue };
        let user = format!("{}-least", bench.prefix);
        let_in(&bench, &user, &rights(purposes)).await;
        let store = store_of(&bench, &user, database).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        let failure = everything(&bench, &store, database.is_empty()).await;
        assert!(failure.is_none(), "{kind}: {failure:?}");
        assert_eq!(store.check().await.expect("an answer"), [], "{kind}");

        // Nothing else: other keys, other commands.
        let outside = bench.url_as(&format!("{user}:secret@")).replacen("+cluster", "", 1);
        let mut connection = crate::node::connect(&outside).await;
        for words in [&["GET", "another"][..], &["KEYS", "*"], &["FLUSHALL"], &["CONFIG", "SET", "save", ""]] {
            let cmd = redis::cmd(words[0]).arg(&words[1..]).to_owned();
            let error = connection.send_packed_command(&cmd).await.and_then(Value::extract_error);
            assert_eq!(error.expect_err("forbidden").code(), Some("NOPERM"), "{words:?}");
        }
        bench.tell_all(&["ACL", "DELUSER", &user]).await;
    }
}

/// Each of them taken away makes something fail, and typed.
#[tokio::test]
async fn none_of_the_rights_of_the_readme_is_too_much() {
    let Some(bench) = Bench::given(Kind::Redis).await else { return };
    let user = format!("{}-less", bench.prefix);
    let all = rights(&["check", "database"]);
    for right in all.iter().filter(|word| word.starts_with('+')) {
        let less: Vec<_> = all.iter().copied().filter(|word| word != right).collect();
        let_in(&bench, &user, &less).await;
        let store = match store_of(&bench, &user, "/1").await {
            Ok(store) => store,
            Err(error) => {
                assert_eq!(*right, "+select", "{error}");
                assert!(error.is_connect() && error.to_string().contains("database number"), "{error}");
                continue;
            }
        };
        // EVAL is for a server that has forgotten, which is what a server does when it starts.
        bench.tell_all(&["SCRIPT", "FLUSH"]).await;
        let warnings = store.check().await.expect("an answer");
        if ["+info", "+config|get"].contains(right) {
            // The append-only file makes up for the snapshots.
            let blind = warnings.iter().any(|warning| matches!(warning, Warning::Unknown { .. }));
            assert!(blind || *right == "+config|get", "{right}: {warnings:?}");
            continue;
        }
        match everything(&bench, &store, false).await {
            None => panic!("{right} is not needed"),
            Some((operation, Some(error))) => {
                // Within a script the refusal has no code of its own. It leaves doubt, and a hint.
                let text = source(&error);
                let certain = error.is_unavailable() && text.contains("NOPERM");
                let hinted = text.contains("does the user lack a right");
                assert!(certain || hinted, "without {right}, {operation} says {text}");
            }
            Some(("the index", None)) => assert!(["+zscore", "+zrem"].contains(right), "{right}"),
            Some((operation, None)) => panic!("without {right}, {operation} fails"),
        }
    }
    bench.tell_all(&["ACL", "DELUSER", &user]).await;
}

/// Runs every operation, each in every way that sends other commands. The first that failed, or the index when it was not
/// cleared up, which is nobody's error.
async fn everything(bench: &Bench, store: &RedisStore, look: bool) -> Option<(&'static str, Option<StoreError>)> {
    let (plain, next, owned) = (entry(b"1", None), entry(b"2", None), entry(b"3", Some("u")));
    let (one, two) = (id(), id());
    let failed = async |operation, error: Option<StoreError>| error.map(|error| (operation, Some(error)));
    macro_rules! each {
        ($($name:literal: $call:expr),* $(,)?) => {
            $(if let Some(failure) = failed($name, $call.await.err()).await { return Some(failure); })*
        };
    }
    each! {
        "create": store.create(&one, &plain, HOUR),
        "create, exists": store.create(&one, &plain, HOUR),
        "create, owned": store.create(&two, &owned, HOUR),
        "create, owned, exists": store.create(&two, &owned, HOUR),
        "load": store.load(&one),
        "update": store.update(&one, plain.version, &next, KEEP),
        "update, expiry too": store.update(&one, next.version, &next, MOVE),
        "update, new owner": store.update(&one, next.version, &owned, REINDEX),
        "touch": store.touch(&one, owned.version, HOUR),
        "owned_by": store.owned_by(&owner("u")),
    }
    // More than are sampled, and so old that they are cleared up.
    let index = bench.index("crowd");
    let database = if look { "0" } else { "1" };
    bench.crowd(&index, database).await;
    each! {
        "create, sampled": store.create(&id(), &entry(b"1", Some("crowd")), HOUR),
        "owned_by, crowded": store.owned_by(&owner("crowd")),
        "delete": store.delete(&[one, two]),
        "purge_expired": store.purge_expired(1),
    }
    (bench.crowded(&index, database).await != 1).then_some(("the index", None))
}

impl Bench {
    /// Fills an index with entries that lead nowhere, in one of the databases of one server.
    async fn crowd(&self, index: &str, database: &str) {
        const FILL: &str = "for i = 1, 40 do redis.call('ZADD', KEYS[1], i, string.rep(string.char(i), 16)) end
            return redis.call('PEXPIRE', KEYS[1], 3600000)";
        self.in_database(index, database, &["EVAL", FILL, "1", index]).await;
    }

    async fn crowded(&self, index: &str, database: &str) -> i64 {
        match self.in_database(index, database, &["ZCARD", index]).await {
            Value::Int(number) => number,
            other => panic!("no number: {other:?}"),
        }
    }

    async fn in_database(&self, key: &str, database: &str, words: &[&str]) -> Value {
        if database == "0" {
            return self.ask_about(key, words).await;
        }
        let mut connection = crate::node::connect(&format!("{}/{database}", self.url())).await;
        let cmd = redis::cmd(words[0]).arg(&words[1..]).to_owned();
        connection.send_packed_command(&cmd).await.and_then(Value::extract_error).expect("an answer")
    }
}
