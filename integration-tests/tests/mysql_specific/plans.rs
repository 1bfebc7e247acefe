//! Every statement goes by an index.

use sessions_core::{Change, SessionId, SessionStore, Ttl};
use sqlx::{AssertSqlSafe, Row};

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
    let now: i64 = lab.value("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000").await;
    let rows: Vec<String> = (0..2 * ROWS)
        .map(|number| {
            let seconds = 600 + i64::try_from(number % 3000).expect("small");
            let expires_at = now + if number < ROWS { seconds * 1000 } else { -seconds * 1000 };
            let owner =
                if number < ROWS && number % 5 == 0 { format!("'user-{}'", number % 1000) } else { "NULL".into() };
            format!("(X'{}', 1, {expires_at}, {owner}, REPEAT('x', 175))", hex(row(number).as_bytes()))
        })
        .collect();
    for rows in rows.chunks(2_000) {
        lab.sql(&format!("INSERT INTO {{table}} (id, version, expires_at, owner, record) VALUES {}", rows.join(",")))
            .await;
    }
    lab.sql("ANALYZE TABLE {table}").await;
}

#[tokio::test]
async fn every_statement_goes_by_an_index() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    fill(&lab).await;
    let mut seen = 0;
    for (operation, text) in store.statements() {
        let key = match operation {
            "load" | "update" | "touch" | "delete" => "PRIMARY",
            "create" if text.starts_with("UPDATE") => "PRIMARY",
            "owned_by" => "owner",
            "purge_expired" => "expires_at",
            // An insert has no plan.
            "create" | "is_set_up" | "migrate" => continue,
            other => panic!("an operation without a plan: {other}"),
        };
        let (access, used, rows) = plan(&lab, &text).await;
        assert_eq!(used.as_deref(), Some(key), "{operation}: {text}: {access}");
        assert!(["const", "eq_ref", "ref", "range"].contains(&&*access), "{operation}: {text}: {access}");
        // The purge has as many rows before it as have expired; its limit ends it.
        assert!(operation == "purge_expired" || rows <= 64, "{operation}: {text}: {rows} rows");
        seen += 1;
    }
    assert_eq!(seen, 12);
    let (access, used, _) = plan(&lab, &format!("SELECT id FROM `{}` WHERE version = ?", lab.table)).await;
    assert_eq!((&*access, used), ("ALL", None), "a control");
    store.stop().await.expect("stop");
    lab.end().await;
}

/// How the table is reached, by which key, and how many rows are looked at.
async fn plan(lab: &Lab, text: &str) -> (String, Option<String>, u64) {
    let mut number = 0;
    let mut parts = text.split('?');
    let mut explained = format!("EXPLAIN {}", parts.next().unwrap_or_default());
    for part in parts {
        let before = explained.trim_end();
        let value = if before.ends_with("id =") || before.contains("IN (") && before.ends_with(['(', ',']) {
            number += 1;
            format!("X'{}'", hex(row(number).as_bytes()))
        } else if before.ends_with("owner =") || before.ends_with("record =") {
            "'user-5'".to_owned()
        } else {
            "1".to_owned()
        };
        explained.push_str(&value);
        explained.push_str(part);
    }
    let rows = sqlx::raw_sql(AssertSqlSafe(explained.clone())).fetch_all(&lab.admin).await;
    let rows = rows.unwrap_or_else(|error| panic!("{explained}: {error}"));
    assert_eq!(rows.len(), 1, "{explained}");
    let number: Option<String> = rows[0].get("rows");
    (rows[0].get("type"), rows[0].get("key"), number.and_then(|number| number.parse().ok()).unwrap_or_default())
}

/// What the server did and not what it says that it would do: it counts the rows that it met without an index.
#[tokio::test]
async fn no_operation_of_the_store_scans_the_table() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    fill(&lab).await;
    let scanned = "SELECT CAST(COALESCE(SUM(COUNT_FETCH), 0) AS SIGNED) FROM \
        performance_schema.table_io_waits_summary_by_index_usage WHERE OBJECT_NAME = TRIM(BOTH '`' FROM '{table}') \
        AND INDEX_NAME IS NULL";
    let before: i64 = lab.value(scanned).await;
    for round in 0..5 {
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
        assert_eq!(store.delete(&[other, row(11_000 + round), row(99_999)]).await.expect("delete"), 2);
        let many: Vec<SessionId> = (0..600).map(|n| row(12_000 + 600 * round + n)).collect();
        assert_eq!(store.delete(&many).await.expect("delete"), 600);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 2_000..2_100 {
            let store = store.clone();
            tasks.spawn(async move { store.load(&row(number)).await.expect("load").expect("live") });
        }
        tasks.join_all().await;
    }
    assert_eq!(lab.value::<i64>(scanned).await, before, "the table was scanned");
    let _: i64 = lab.value("SELECT COUNT(*) FROM {table} WHERE version = 77").await;
    assert!(lab.value::<i64>(scanned).await > before, "a control");
    store.stop().await.expect("stop");
    lab.end().await;
}
