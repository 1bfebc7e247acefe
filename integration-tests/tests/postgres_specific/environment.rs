//! Names, time zones, sizes, times and set-up.

use std::sync::Arc;

use sessions_core::{SessionStore, Timestamp};
use sessions_sqlx::PostgresStore;
use sqlx::postgres::PgPoolOptions;

use crate::lab::Lab;
use crate::sql::{MINUTE, PATIENCE, entry, id, processes, scenarios, unique};

#[tokio::test]
async fn names_that_need_quoting() {
    let Some(lab) = Lab::given().await else { return };
    let schema = unique("Web Sessions-");
    lab.sql(&format!("CREATE SCHEMA \"{schema}\"")).await;
    let in_search_path = unique("Order By ");
    let named = ["order", "Séances 1", "user-1$", "SELECT"].map(|table| (Some(&*schema), table));
    for (schema, table) in named.into_iter().chain([(None, &*in_search_path)]) {
        let builder = PostgresStore::builder().table(table).expect(table).no_purge();
        let builder = schema.map_or(Ok(builder.clone()), |schema| builder.schema(schema)).expect("a valid schema");
        let store = builder.connect(&lab.url).await.expect("connect");
        store.migrate().await.expect("migrate");
        scenarios::whole_life(&store).await;
        store.stop().await.expect("stop");
        if schema.is_none() {
            lab.sql(&format!("DROP TABLE \"{table}\"")).await;
        }
    }
    lab.sql(&format!("DROP SCHEMA \"{schema}\" CASCADE")).await;
    lab.end().await;
}

#[tokio::test]
async fn g03_time_zones_of_server_and_sessions() {
    let Some(lab) = Lab::given().await else { return };
    // The client asks for UTC on each connection, whatever the server's own zone; a pool of the application may have any.
    let mut stores = vec![lab.shared().await];
    for zone in ["Asia/Kathmandu", "America/St_Johns"] {
        let set = format!("SET TIME ZONE '{zone}'");
        let pool =
            PgPoolOptions::new().max_connections(2).test_before_acquire(false).after_connect(move |connection, _| {
                let set = sqlx::AssertSqlSafe(set.clone());
                Box::pin(async move { sqlx::raw_sql(set).execute(connection).await.map(drop) })
            });
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
    lab.sql("UPDATE {table} SET expires_at = '2040-02-29 23:59:59.123+00'").await;
    let there = store.load(&id(1)).await.expect("load").expect("live");
    assert_eq!(there.expires_at, Timestamp::from_millis(2_214_172_799_123));
    // Somebody has set it to "never": it is, and nothing overflows.
    lab.sql("UPDATE {table} SET expires_at = 'infinity'").await;
    assert!(store.load(&id(1)).await.expect("load").is_some());
    lab.sql("UPDATE {table} SET expires_at = '-infinity'").await;
    assert!(store.load(&id(1)).await.expect("load").is_none());
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
        let builder = PostgresStore::builder().table(table).expect("a valid name").no_purge().deadline(PATIENCE);
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
        assert_eq!(lab.value::<i64>("SELECT count(*) FROM {table}").await, 12);
        let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = '{table}'::regclass AND indisvalid";
        assert_eq!(lab.value::<i64>(indexes).await, 3);
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
    let before: i64 = lab.value("SELECT '{table}'::regclass::oid::bigint").await;
    store.migrate().await.expect("migrate");
    assert_eq!(lab.value::<i64>("SELECT '{table}'::regclass::oid::bigint").await, before);
    scenarios::whole_life(&store).await;
    store.stop().await.expect("stop");
    lab.end().await;
}

/// The two options that trade durability for speed do what they say, and nothing else does.
#[tokio::test]
async fn durability_is_given_up_only_where_asked() {
    let Some(lab) = Lab::given().await else { return };
    let persistence = "SELECT relpersistence::text FROM pg_class WHERE oid = '{table}'::regclass";
    lab.store().await.stop().await.expect("stop");
    assert_eq!(lab.value::<String>(persistence).await, "p");
    // An existing table stays what it is.
    for expected in ["p", "u"] {
        let store = lab.builder().unlogged().relaxed_durability().connect(&lab.url).await.expect("connect");
        store.migrate().await.expect("migrate");
        assert_eq!(lab.value::<String>(persistence).await, expected);
        scenarios::whole_life(&store).await;
        store.stop().await.expect("stop");
        lab.sql("DROP TABLE {table}").await;
    }
    lab.end().await;
}
