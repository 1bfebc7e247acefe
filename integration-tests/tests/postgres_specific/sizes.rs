//! How much room a session takes: the figures of the README.

use std::sync::Arc;

use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{hex, requests};

/// How many sessions are measured; the README's figures are those of 100 000.
const SESSIONS: i64 = 100_000;

/// A small session: a user id and a 32-character token. What it takes is held to a budget.
#[tokio::test]
async fn bytes_per_session() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.shared().await;
    let manager = requests::manager(Arc::clone(&store));
    for (owner, budget) in [(false, 310), (true, 380)] {
        let session = manager.new_session();
        session.insert("user_id", &4_711_u64).expect("insert");
        session.insert("csrf", &"0123456789abcdef0123456789abcdef").expect("insert");
        if owner {
            session.set_owner("user-4711").expect("a valid owner");
        }
        manager.commit(&session).await.expect("commit");
        let id = hex(session.id().expect("stored").as_bytes());
        let record: i32 = lab.value(&format!("SELECT octet_length(record) FROM {{table}} WHERE id = '\\x{id}'")).await;
        // The same row under random ids, with owners of their own.
        let fill = format!(
            "INSERT INTO {{table}} SELECT (random() * 9e18)::bigint, expires_at + random() * interval '1 day', \
             decode(md5(random()::text || n), 'hex'), convert_to('user-' || n, 'UTF8'), record \
             FROM {{table}}, generate_series(2, {SESSIONS}) AS n WHERE id = '\\x{id}'"
        );
        let fill = if owner { fill } else { fill.replace("convert_to('user-' || n, 'UTF8')", "NULL") };
        lab.sql(&fill).await;
        lab.sql("VACUUM (ANALYZE) {table}").await;
        assert_eq!(lab.value::<i64>("SELECT count(*) FROM {table}").await, SESSIONS);
        let size = |what: &str| format!("SELECT pg_{what}_size('{{table}}'::regclass)::bigint");
        let [table, indexes] = [lab.value::<i64>(&size("table")).await, lab.value::<i64>(&size("indexes")).await];
        let [table, indexes] = [table, indexes].map(|bytes| bytes / SESSIONS);
        eprintln!(
            "Postgres, record of {record} bytes, owner {owner}: table {table} + indexes {indexes} bytes a session"
        );
        assert!(table + indexes <= budget, "more than {budget}");

        lab.sql("TRUNCATE {table}").await;
    }
    store.stop().await.expect("stop");
    lab.end().await;
}
