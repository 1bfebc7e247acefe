//! How many commands each operation costs, by the server's own statistics and by the wire: no ping, no `BEGIN`, no `SET`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sessions_conformance::servers::Kind;
use sessions_core::{Change, SessionStore, Ttl};
use sqlx::Row;

use crate::lab::Lab;
use crate::sql::wire::{Round, Wire};
use crate::sql::{KEEP, MINUTE, entry, id, owned, owner, port_of, requests, scenarios, version};

/// A store of a user of its own, over a wire of its own.
struct Watched {
    lab: Lab,
    wire: Wire,
    user: String,
    store: Arc<dyn SessionStore>,
}

impl Watched {
    async fn new() -> Option<Self> {
        let lab = Lab::given().await?;
        lab.store().await.stop().await.expect("stop");
        let (user, url) = lab.user().await;
        lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {user}")).await;
        let wire = Wire::to(Kind::MariaDb, port_of(&lab.url)).await;
        let store = lab.builder().connect(&wire.through(&url)).await.expect("connect");
        let watched = Self { lab, wire, user, store: Arc::new(store) };
        // Both connections are made, and have set what they set once.
        scenarios::create_all(&watched.store, 1_000_000..1_000_200, None).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 1_000_000..1_000_200 {
            let store = Arc::clone(&watched.store);
            tasks.spawn(async move {
                store.delete(&[id(number)]).await.expect("delete")
                    + u64::from(store.load(&id(number)).await.expect("load").is_some())
            });
        }
        assert_eq!(tasks.join_all().await.iter().sum::<u64>(), 200);
        watched.wire.take();
        Some(watched)
    }

    /// How often a statement was run since the last time, over the wire. Preparing it, once on each connection, is not counted;
    /// anything else there must not be.
    fn commands(&self) -> usize {
        let heard = self.wire.take();
        assert_eq!(heard.get(&Round::Other), None, "a ping, or what was not prepared: {heard:?}");
        heard.get(&Round::Execute).copied().unwrap_or_default()
    }

    /// What the server has counted for this user: each kind of command with its number.
    async fn statistics(&self) -> BTreeMap<String, i64> {
        let query = "SELECT EVENT_NAME, CAST(COUNT_STAR AS SIGNED) FROM \
            performance_schema.events_statements_summary_by_user_by_event_name WHERE USER = ? AND COUNT_STAR > 0";
        let rows = sqlx::query(query).bind(&self.user).fetch_all(&self.lab.admin).await.expect("statistics");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Without preparing. The server counts a statement when it is over, which may be after its answer: those that are due are
    /// waited for.
    async fn calls(&self, due: usize) -> usize {
        loop {
            let calls = self.calls_so_far().await;
            if calls >= due {
                return calls;
            }
        }
    }

    /// The number of calls when nothing is under way: the same several times.
    async fn settled(&self) -> usize {
        let (mut calls, mut times) = (0, 0);
        while times < 5 {
            let now = self.calls_so_far().await;
            (calls, times) = (now, if now == calls { times + 1 } else { 0 });
        }
        calls
    }

    async fn calls_so_far(&self) -> usize {
        let statistics = self.statistics().await;
        let calls = statistics.iter().filter(|(name, _)| !name.ends_with("/Prepare") && !name.ends_with("/Close stmt"));
        usize::try_from(calls.map(|(_, count)| count).sum::<i64>()).expect("not negative")
    }
}

macro_rules! cost {
    ($watched:expr, $due:ident, $what:literal, $commands:expr, $operation:expr) => {{
        let before = $watched.calls($due).await;
        let _outcome = $operation.await.expect($what);
        assert_eq!($watched.commands(), $commands, "{}, on the wire", $what);
        $due = before + $commands;
        assert_eq!($watched.calls($due).await, $due, "{}, by the server's statistics", $what);
    }};
}

#[tokio::test]
async fn every_operation_is_one_statement_and_two_where_it_says_what_is_there() {
    let Some(watched) = Watched::new().await else { return };
    let store = &watched.store;
    let both = Change { ttl: Ttl::After(MINUTE), reindex: true };
    let after = Change { reindex: false, ..both };
    let begin = watched.statistics().await;
    // 200 sessions were created, loaded and deleted, loads together.
    let mut due = watched.settled().await;
    for key in [id(1), id(2)] {
        cost!(watched, due, "load, absent", 1, store.load(&key));
        cost!(watched, due, "create", 1, store.create(&key, &owned(1, b"x", "alice"), MINUTE));
        // The third says what is there.
        cost!(watched, due, "create, there is one", 3, store.create(&key, &entry(9, b"x"), MINUTE));
        cost!(watched, due, "load", 1, store.load(&key));
        cost!(watched, due, "update", 1, store.update(&key, version(1), &entry(2, b"x"), KEEP));
        cost!(watched, due, "update, expiry", 1, store.update(&key, version(2), &entry(3, b"x"), after));
        cost!(watched, due, "update, owner", 1, store.update(&key, version(3), &owned(4, b"x", "bob"), both));
        cost!(watched, due, "update, conflict", 2, store.update(&key, version(3), &entry(5, b"x"), KEEP));
        cost!(watched, due, "update, absent", 2, store.update(&id(99), version(3), &entry(5, b"x"), KEEP));
        cost!(watched, due, "touch", 1, store.touch(&key, version(4), MINUTE));
        cost!(watched, due, "touch, another version", 1, store.touch(&key, version(3), MINUTE));
        cost!(watched, due, "owned_by", 1, store.owned_by(&owner("bob")));
        cost!(watched, due, "purge_expired", 1, store.purge_expired(500));
        cost!(watched, due, "delete", 1, store.delete(&[key]));
        // What was not live may have expired: that goes, too.
        cost!(watched, due, "delete, gone", 2, store.delete(&[key]));
        cost!(watched, due, "delete, none", 0, store.delete(&[]));
        let ids: Vec<_> = (0..10_000).map(id).collect();
        cost!(watched, due, "delete, ten thousand that are gone", 40, store.delete(&ids));
        let over = entry(1, &vec![0; 1024 * 1024 + 1]);
        let error = store.create(&key, &over, MINUTE).await.expect_err("over the limit");
        assert!(error.is_too_large() && watched.commands() == 0);
    }
    scenarios::create_all(store, 0..1_024, None).await;
    due += watched.commands();
    let ids: Vec<_> = (0..1_024).map(id).collect();
    cost!(watched, due, "delete, a thousand that are live", 2, store.delete(&ids));
    let end = watched.statistics().await;
    let new: Vec<&String> =
        end.iter().filter(|(name, count)| begin.get(*name) != Some(count)).map(|(name, _)| name).collect();
    for name in new {
        let known = ["/Prepare", "/Execute", "/select", "/insert", "/update", "/delete", "/Close stmt"];
        assert!(known.iter().any(|known| name.ends_with(known)), "{name}");
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

/// A hundred loads at once take far fewer statements than a hundred, and each gets its own answer.
#[tokio::test]
async fn loads_that_wait_share_statements() {
    let Some(watched) = Watched::new().await else { return };
    scenarios::create_all(&watched.store, 0..100, None).await;
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
    let wire = Wire::to(Kind::MariaDb, port_of(&lab.url)).await;
    let pool = sqlx::MySqlPool::connect(&wire.through(&lab.url)).await.expect("a pool");
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
