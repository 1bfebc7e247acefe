//! How many commands each operation costs, by the server's own statistics and by the wire: no ping, no `BEGIN`, no `SET`.

use std::sync::Arc;

use sessions_conformance::servers::Kind;
use sessions_core::{Change, SessionStore, Ttl};
use sqlx::Row;

use crate::lab::Lab;
use crate::sql::wire::{Round, Wire};
use crate::sql::{KEEP, MINUTE, entry, id, owned, owner, port_of, requests, version};

/// A store of a role of its own, over a wire of its own.
struct Watched {
    lab: Lab,
    wire: Wire,
    role: String,
    store: Arc<dyn SessionStore>,
}

impl Watched {
    async fn new() -> Option<Self> {
        let lab = Lab::given().await?;
        lab.store().await.stop().await.expect("stop");
        let (role, url) = lab.role().await;
        lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {role}")).await;
        let wire = Wire::to(Kind::Postgres, port_of(&lab.url)).await;
        let store = lab.builder().connect(&wire.through(&url)).await.expect("connect");
        wire.take();
        Some(Self { lab, wire, role, store: Arc::new(store) })
    }

    /// How often a statement was run since the last time, over the wire. Preparing it, once on each connection, is not counted;
    /// anything else there must not be.
    fn commands(&self) -> usize {
        let heard = self.wire.take();
        assert_eq!(heard.get(&Round::Other), None, "a ping, or what was not prepared: {heard:?}");
        heard.get(&Round::Execute).copied().unwrap_or_default()
    }

    /// What the server has counted for this role: each statement with its number of calls.
    async fn statistics(&self) -> Vec<(String, i64)> {
        let query =
            "SELECT query, calls FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid WHERE rolname = $1";
        let rows = sqlx::query(query).bind(&self.role).fetch_all(&self.lab.admin).await.expect("statistics");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    async fn calls(&self) -> usize {
        let sum: i64 = self.statistics().await.iter().map(|(_, calls)| calls).sum();
        usize::try_from(sum).expect("not negative")
    }
}

macro_rules! cost {
    ($watched:expr, $what:literal, $commands:expr, $operation:expr) => {{
        let before = $watched.calls().await;
        let _outcome = $operation.await.expect($what);
        assert_eq!($watched.commands(), $commands, "{}, on the wire", $what);
        assert_eq!($watched.calls().await - before, $commands, "{}, by the server's statistics", $what);
    }};
}

#[tokio::test]
async fn every_operation_is_one_statement_and_two_where_it_says_what_is_there() {
    let Some(watched) = Watched::new().await else { return };
    let store = &watched.store;
    let both = Change { ttl: Ttl::After(MINUTE), reindex: true };
    let after = Change { reindex: false, ..both };
    // Twice: with and without preparing the statements first.
    for key in [id(1), id(2)] {
        cost!(watched, "load, absent", 1, store.load(&key));
        cost!(watched, "create", 1, store.create(&key, &owned(1, b"x", "alice"), MINUTE));
        cost!(watched, "create, there is one", 2, store.create(&key, &entry(9, b"x"), MINUTE));
        cost!(watched, "load", 1, store.load(&key));
        cost!(watched, "update", 1, store.update(&key, version(1), &entry(2, b"x"), KEEP));
        cost!(watched, "update, expiry", 1, store.update(&key, version(2), &entry(3, b"x"), after));
        cost!(watched, "update, owner", 1, store.update(&key, version(3), &owned(4, b"x", "bob"), both));
        cost!(watched, "update, conflict", 2, store.update(&key, version(3), &entry(5, b"x"), KEEP));
        cost!(watched, "update, absent", 2, store.update(&id(99), version(3), &entry(5, b"x"), KEEP));
        cost!(watched, "touch", 1, store.touch(&key, version(4), MINUTE));
        cost!(watched, "touch, another version", 1, store.touch(&key, version(3), MINUTE));
        cost!(watched, "owned_by", 1, store.owned_by(&owner("bob")));
        cost!(watched, "purge_expired", 1, store.purge_expired(500));
        cost!(watched, "delete", 1, store.delete(&[key]));
        cost!(watched, "delete, gone", 1, store.delete(&[key]));
        cost!(watched, "delete, none", 0, store.delete(&[]));
        let ids: Vec<_> = (0..10_000).map(id).collect();
        cost!(watched, "delete, ten thousand", 1, store.delete(&ids));
        let over = entry(1, &vec![0; 1024 * 1024 + 1]);
        let error = store.create(&key, &over, MINUTE).await.expect_err("over the limit");
        assert!(error.is_too_large() && watched.commands() == 0);
    }
    for (query, _) in watched.statistics().await {
        let (verb, is_ours) = (query.split(' ').next().unwrap_or_default(), query.contains(&watched.lab.table));
        // Asked once, when the store was built.
        let is_check = query.contains("pg_is_in_recovery");
        assert!(is_check || (is_ours && ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb)), "{query}");
    }
    watched.store.stop().await.expect("stop");
    watched.lab.end().await;
}

#[tokio::test]
async fn requests_cost_what_the_table_says() {
    let Some(watched) = Watched::new().await else { return };
    requests::requests_cost_what_the_table_says(Arc::clone(&watched.store), || watched.commands()).await;
    watched.store.stop().await.expect("stop");
    watched.lab.end().await;
}

/// A hundred requests at once take far fewer statements than a hundred, and each gets its own answer.
#[tokio::test]
async fn those_that_wait_share_statements() {
    let Some(watched) = Watched::new().await else { return };
    crate::sql::scenarios::create_all(&watched.store, 0..100, None).await;
    watched.commands();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&watched.store);
        tasks.spawn(async move { store.load(&id(number)).await.expect("load").expect("live") });
    }
    assert_eq!(tasks.join_all().await.len(), 100);
    let loads = watched.commands();
    assert!(loads < 50, "{loads} statements for 100 loads");
    watched.store.stop().await.expect("stop");
    watched.lab.end().await;
}

/// A control: a pool of the application with its default settings asks each connection whether it is alive, and that is heard.
#[tokio::test]
async fn a_pool_that_pings_is_heard() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let wire = Wire::to(Kind::Postgres, port_of(&lab.url)).await;
    let pool = sqlx::PgPool::connect(&wire.through(&lab.url)).await.expect("a pool");
    let store = lab.builder().with_pool(pool.clone());
    for _ in 0..3 {
        store.load(&id(1)).await.expect("load");
    }
    pool.close().await;
    let heard = wire.take();
    assert_eq!(heard.get(&Round::Execute), Some(&3), "{heard:?}");
    assert!(heard.get(&Round::Other) >= Some(&2), "{heard:?}");
    lab.end().await;
}
