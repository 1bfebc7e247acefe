//! How much room a session takes in an SQLite file: the figures of the README.
#![cfg(feature = "sqlite")]

mod support;

use std::sync::Arc;

use sessions_core::SessionManager;
use sqlx::{AssertSqlSafe, SqlitePool};
use support::TempDir;

/// How many sessions are measured; the README's figures are those of 100 000.
const SESSIONS: i64 = 100_000;

/// A small session: a user id and a 32-character token. What it takes is held to a budget.
#[tokio::test]
async fn bytes_per_session() {
    for (owner, budget) in [(false, 260), (true, 300)] {
        let dir = TempDir::new();
        let store = Arc::new(support::open(&dir).await);
        let manager = SessionManager::builder(store).build().expect("default settings");
        let session = manager.new_session();
        session.insert("user_id", &4_711_u64).expect("insert");
        session.insert("csrf", &"0123456789abcdef0123456789abcdef").expect("insert");
        if owner {
            session.set_owner("user-4711").expect("a valid owner");
        }
        manager.commit(&session).await.expect("commit");
        let pool = SqlitePool::connect(&dir.url()).await.expect("a pool");
        // The same row under random ids, with owners of their own.
        let owners = if owner { "CAST('user-' || n AS BLOB)" } else { "NULL" };
        let fill = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {SESSIONS}) \
             INSERT INTO sessions SELECT randomblob(16), random(), expires_at + abs(random() % 86400000), {owners}, record \
             FROM numbers, (SELECT expires_at, record FROM sessions)"
        );
        sqlx::query(AssertSqlSafe(fill)).execute(&pool).await.expect("fill");
        let of_file = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes: i64 = sqlx::query_scalar(of_file).fetch_one(&pool).await.expect("the size");
        let record: i64 =
            sqlx::query_scalar("SELECT length(record) FROM sessions").fetch_one(&pool).await.expect("one");
        let a_session = bytes / SESSIONS;
        eprintln!("SQLite, record of {record} bytes, owner {owner}: {a_session} bytes a session");
        assert!(a_session <= budget, "more than {budget}");
        manager.stop().await.expect("stop");
    }
}
