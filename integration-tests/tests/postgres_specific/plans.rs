//! Every statement goes by an index, with few rows and with many, planned for its values and planned once for all.

use std::time::Duration;

use sessions_core::{Change, SessionId, SessionStore, Ttl};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, hex, owned, owner, version};

/// So many live sessions, and as many that have expired. Each fifth live one has an owner, of whom there are a thousand.
const ROWS: u64 = 20_000;

/// The id of a row, as [`fill`] makes it.
fn row(number: u64) -> SessionId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

async fn fill(lab: &Lab) {
    let ids: Vec<SessionId> = (0..2 * ROWS).map(row).collect();
    let ids: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
    let insert = "INSERT INTO {table} SELECT 1, clock_timestamp() + interval '1 second' * (CASE WHEN n <= 20000 THEN 1 ELSE -1 END) * \
        (600 + n % 3000), id, CASE WHEN n <= 20000 AND n % 5 = 0 THEN convert_to('user-' || n % 1000, 'UTF8') END, \
        decode(repeat('ab', 175), 'hex') FROM unnest($1::bytea[]) WITH ORDINALITY AS ids (id, n)";
    let insert = insert.replace("{table}", &format!("\"{}\"", lab.table));
    sqlx::query(AssertSqlSafe(insert)).bind(ids).execute(&lab.admin).await.expect("insert");
    lab.sql("ANALYZE {table}").await;
}

#[tokio::test]
async fn every_statement_goes_by_an_index() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    fill(&lab).await;
    let mut connection = PgConnection::connect(&lab.url).await.expect("connect");
    let mut seen = Vec::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        connection.execute(AssertSqlSafe(format!("SET plan_cache_mode = {mode}"))).await.expect("set");
        for (operation, text) in store.statements() {
            let indexes: &[&str] = match operation {
                "load" | "create" | "update" | "touch" | "delete" => &["pkey"],
                "owned_by" => &["owner"],
                "purge_expired" => &["expires_at", "pkey"],
                "is_set_up" | "migrate" => continue,
                other => panic!("an operation without a plan: {other}"),
            };
            let plan = plan(&mut connection, &text).await;
            for index in indexes {
                let index = format!("{}_{index}", lab.table);
                assert!(plan.contains(&index), "{operation}, {mode}: {text}\ndoes not use {index}\n{plan}");
            }
            assert!(!plan.contains("Seq Scan"), "{operation}, {mode}: {text}\n{plan}");
            seen.push(operation);
        }
    }
    assert_eq!(seen.len(), 2 * 13, "{seen:?}");
    let control = plan(&mut connection, &format!("SELECT id FROM \"{}\" WHERE version = $1", lab.table)).await;
    assert!(control.contains("Seq Scan"), "a control: {control}");
    store.stop().await.expect("stop");
    lab.end().await;
}

/// The plan of a statement, with values of the right types.
async fn plan(connection: &mut PgConnection, text: &str) -> String {
    let arrays = text.contains("unnest");
    let literal = |number: usize| -> String {
        let bytes = |number| format!("'\\x{}'::bytea", hex(row(number).as_bytes()));
        let all =
            |value: &dyn Fn(u64) -> String| format!("ARRAY[{}]", (0..64).map(value).collect::<Vec<_>>().join(", "));
        if text.contains(&format!("ANY (${number})")) {
            return all(&bytes);
        }
        match (number, arrays) {
            (1, true) => all(&bytes),
            (4, true) => all(&|_| "'\\xcd'::bytea".to_owned()),
            (_, true) => all(&|number| format!("{number}::bigint")),
            (1, false) if text.contains("LIMIT $1") || text.contains("version = $1") => "500".to_owned(),
            (1, false) if text.contains("owner = $1") => "'user-5'::bytea".to_owned(),
            (1, false) => bytes(1),
            (2, false) => "1".to_owned(),
            (3, false) => "60000".to_owned(),
            (4, false) if text.starts_with("INSERT") => "'user-5'::bytea".to_owned(),
            (4 | 6, false) => "'\\xcd'::bytea".to_owned(),
            (5, false) if text.contains("owner = $5") || text.starts_with("INSERT") => "'\\xcd'::bytea".to_owned(),
            (5, false) => "60000".to_owned(),
            _ => panic!("a parameter without a value: ${number} of {text}"),
        }
    };
    let count = (1..=6).take_while(|number| text.contains(&format!("${number}"))).count();
    let literals: Vec<String> = (1..=count).map(literal).collect();
    let types = if arrays { " (bytea[], bigint[], bigint[], bytea[], bigint[])" } else { "" };
    let types = if arrays && count == 4 { " (bytea[], bigint[], bigint[], bytea[])" } else { types };
    let prepare = format!("PREPARE planned{types} AS {text}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(prepare))).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE planned ({})", literals.join(", "));
    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(explain))).await;
    let rows = rows.unwrap_or_else(|error| panic!("{text}: {error}"));
    connection.execute("DEALLOCATE planned").await.expect("deallocate");
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

/// What the planner did and not what it says that it would do: the server counts the scans.
#[tokio::test]
async fn no_operation_of_the_store_scans_the_table() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    fill(&lab).await;
    let scans = "SELECT COALESCE(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables WHERE relid = '{table}'::regclass";
    store.stop().await.expect("stop");
    let before = settled(&lab, scans).await;

    let store = lab.store().await;
    // From the sixth time on, Postgres may plan a prepared statement once for all.
    for round in 0..10 {
        let (one, other) = (row(round), row(10_000 + round));
        store.load(&one).await.expect("load").expect("live");
        store.create(&row(ROWS + round), &owned(1, b"x", "alice"), MINUTE).await.expect("create");
        store.update(&one, version(1), &entry(2, b"x"), KEEP).await.expect("update");
        let after = Change { ttl: Ttl::After(MINUTE), reindex: false };
        store.update(&one, version(2), &entry(3, b"x"), after).await.expect("update");
        store.update(&one, version(3), &owned(4, b"x", "bob"), Change { reindex: true, ..KEEP }).await.expect("update");
        store
            .update(&one, version(4), &owned(5, b"x", "alice"), Change { reindex: true, ..after })
            .await
            .expect("update");
        assert!(store.touch(&one, version(5), MINUTE).await.expect("touch"));
        assert!(!store.owned_by(&owner("user-5")).await.expect("owned_by").is_empty());
        assert_eq!(store.purge_expired(500).await.expect("purge"), 500);
        assert_eq!(store.delete(&[other, row(11_000 + round)]).await.expect("delete"), 2);
        let many: Vec<SessionId> = (0..64).map(|n| row(12_000 + 64 * round + n)).collect();
        assert_eq!(store.delete(&many).await.expect("delete"), 64);
        // Those that wait at the same time share statements.
        let mut tasks = tokio::task::JoinSet::new();
        for number in 2_000..2_100 {
            let store = store.clone();
            tasks.spawn(async move {
                store.load(&row(number)).await.expect("load").expect("live");
                let change = if number % 2 == 0 { KEEP } else { after };
                store.update(&row(number), version(1 + round), &entry(2 + round, b"x"), change).await.expect("update");
            });
        }
        tasks.join_all().await;
    }
    store.stop().await.expect("stop");
    assert_eq!(settled(&lab, scans).await, before, "the table was scanned");
    lab.sql("SELECT pg_stat_force_next_flush(); SELECT count(version) FROM {table}").await;
    assert!(settled(&lab, scans).await > before, "a control");
    lab.end().await;
}

/// The value of a counter once the server has taken in what its connections counted: it does when they are idle, and when they end.
async fn settled(lab: &Lab, counter: &str) -> i64 {
    let mut last = -1;
    let mut times = 0;
    loop {
        // Forces what this connection has counted itself.
        lab.sql("SELECT pg_stat_force_next_flush()").await;
        let now: i64 = lab.value(counter).await;
        times = if now == last { times + 1 } else { 0 };
        last = now;
        if times == 3 {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
