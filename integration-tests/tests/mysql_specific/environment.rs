//! Names, time zones, sizes, times and set-up.

use std::sync::Arc;

use sessions_core::{SessionStore, Timestamp};
use sessions_sqlx::MySqlStore;
use sqlx::mysql::MySqlPoolOptions;

use crate::lab::Lab;
use crate::sql::{MINUTE, PATIENCE, entry, id, processes, scenarios, unique};

#[tokio::test]
async fn names_that_need_quoting() {
    let Some(lab) = Lab::given().await else { return };
    let database = unique("Web Sessions-");
    lab.sql(&format!("CREATE DATABASE `{database}`")).await;
    let here = unique("Order By ");
    // The catalogue takes the last three for one.
    let named = ["order", "user-1$", "SELECT", "seances", "séances", "Seances"].map(|table| (Some(&*database), table));
    for (database, table) in named.into_iter().chain([(None, &*here)]) {
        let builder = MySqlStore::builder().table(table).expect(table).no_purge();
        let builder = database.map_or(Ok(builder.clone()), |name| builder.database(name)).expect("a valid name");
        let store = builder.connect(&lab.url).await.expect("connect");
        store.migrate().await.expect("migrate");
        assert_eq!(store.purge_expired(10).await.expect("a table of its own"), 0);
        scenarios::whole_life(&store).await;
        store.stop().await.expect("stop");
    }
    let tables =
        format!("SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.tables WHERE table_schema = '{database}'");
    assert_eq!(lab.value::<i64>(&tables).await, 6);
    lab.sql(&format!("DROP TABLE `{here}`")).await;
    lab.sql(&format!("DROP DATABASE `{database}`")).await;
    lab.end().await;
}

#[tokio::test]
async fn g03_time_zones_of_server_and_sessions() {
    let Some(lab) = Lab::given().await else { return };
    let here: String = lab.value("SELECT @@global.time_zone").await;
    assert_eq!(here, "+05:45", "the server is to have a zone of its own");
    let mut stores = vec![lab.shared().await];
    for zone in ["-03:30", "+00:00"] {
        let set = format!("SET time_zone = '{zone}'");
        let pool = MySqlPoolOptions::new().max_connections(2).test_before_acquire(false).after_connect(
            move |connection, _| {
                let set = sqlx::AssertSqlSafe(set.clone());
                Box::pin(async move { sqlx::raw_sql(set).execute(connection).await.map(drop) })
            },
        );
        let pool = pool.connect(&lab.url).await.expect("a pool");
        stores.push(Arc::new(lab.builder().with_pool(pool)));
    }
    scenarios::time_zones_do_not_matter(&stores).await;
    for store in stores {
        store.stop().await.expect("stop");
    }
    lab.end().await;
}

#[tokio::test]
async fn g03_times_beyond_2038_in_milliseconds() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    scenarios::times_beyond_2038(&store).await;
    lab.sql("UPDATE {table} SET expires_at = 2214172799123").await;
    let there = store.load(&id(1)).await.expect("load").expect("live");
    assert_eq!(there.expires_at, Timestamp::from_millis(2_214_172_799_123));
    lab.sql("UPDATE {table} SET expires_at = 9223372036854775807").await;
    assert!(store.load(&id(1)).await.expect("load").is_some());
    lab.sql("UPDATE {table} SET expires_at = -5").await;
    assert!(store.load(&id(1)).await.expect("load").is_none());
    // The server's clock is right, to the millisecond, whatever its zone.
    store.create(&id(2), &entry(1, b"x"), MINUTE).await.expect("create");
    let wrong = "SELECT ABS(expires_at - 60000 - FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000)) < 30000 FROM {table} WHERE expires_at > 0";
    assert!(lab.value::<bool>(wrong).await);
    store.stop().await.expect("stop");
    lab.end().await;
}

#[tokio::test]
async fn g12_records_up_to_the_limit() {
    let Some(lab) = Lab::given().await else { return };
    let limit = 8 * 1024 * 1024;
    let store = lab.builder().max_record_bytes(limit).expect("the highest").connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    scenarios::records_up_to_the_limit(&store, limit).await;
    store.stop().await.expect("stop");
    lab.end().await;
}

#[tokio::test]
async fn g09_ten_thousand_ids_in_one_delete() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.shared().await;
    scenarios::ten_thousand_ids(Arc::clone(&store)).await;
    store.stop().await.expect("stop");
    lab.end().await;
}

#[tokio::test]
async fn g15_a_thousand_sessions_of_one_owner() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.shared().await;
    scenarios::a_thousand_sessions_of_one_owner(Arc::clone(&store)).await;
    store.stop().await.expect("stop");
    lab.end().await;
}

/// A process in the test below: sets up the table in several connections at once, and stores a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_sets_up() {
    let Some((number, words)) = processes::task() else { return };
    let [url, table] = &words[..] else { panic!("{words:?}") };
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let builder = MySqlStore::builder().table(table).expect("a valid name").no_purge().deadline(PATIENCE);
        let (builder, url) = (builder.expect("a valid deadline"), url.clone());
        tasks.spawn(async move {
            let store = builder.connections(2).expect("a valid number").connect(&url).await.expect("connect");
            store.migrate().await.expect("migrate");
            store.migrate().await.expect("migrate again");
            store.create(&id(10 * number + task), &entry(1, b"x"), MINUTE).await.expect("create");
            store.stop().await.expect("stop");
        });
    }
    tasks.join_all().await;
    processes::report(&[4]);
}

#[tokio::test]
async fn the_table_is_set_up_once_by_all() {
    let Some(lab) = Lab::given().await else { return };
    for _ in 0..3 {
        processes::run("environment::child_sets_up", 3, &[&lab.url, &lab.table]);
        assert_eq!(lab.value::<i64>("SELECT CAST(COUNT(*) AS SIGNED) FROM {table}").await, 12);
        lab.sql("DROP TABLE {table}").await;
    }
    lab.end().await;
}

/// The text for people with their own migrations makes the very table that `migrate` makes.
#[tokio::test]
async fn the_schema_as_text_is_the_schema() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().connect(&lab.url).await.expect("connect");
    lab.sql(&store.schema_sql()).await;
    lab.sql(&store.schema_sql()).await;
    store.migrate().await.expect("migrate");
    scenarios::whole_life(&store).await;
    store.stop().await.expect("stop");
    lab.end().await;
}
