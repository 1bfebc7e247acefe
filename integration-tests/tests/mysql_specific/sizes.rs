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
    for (owner, budget) in [(false, 480), (true, 510)] {
        let session = manager.new_session();
        session.insert("user_id", &4_711_u64).expect("insert");
        session.insert("csrf", &"0123456789abcdef0123456789abcdef").expect("insert");
        if owner {
            session.set_owner("user-4711").expect("a valid owner");
        }
        manager.commit(&session).await.expect("commit");
        let id = hex(session.id().expect("stored").as_bytes());
        let record: i64 =
            lab.value(&format!("SELECT CAST(LENGTH(record) AS SIGNED) FROM {{table}} WHERE id = X'{id}'")).await;
        // The same row under random ids, with owners of their own, in the order in which they come.
        let owners = if owner { "CONCAT('user-', seq)" } else { "NULL" };
        lab.sql(&format!(
            "INSERT INTO {{table}} SELECT UNHEX(MD5(CONCAT(RAND(), seq))), FLOOR(RAND() * 9e18), \
             expires_at + FLOOR(RAND() * 86400000), {owners}, record \
             FROM seq_2_to_{SESSIONS} JOIN (SELECT * FROM {{table}} WHERE id = X'{id}') AS one"
        ))
        .await;
        lab.sql("ANALYZE TABLE {table}").await;
        assert_eq!(lab.value::<i64>("SELECT CAST(COUNT(*) AS SIGNED) FROM {table}").await, SESSIONS);
        let size = |pages: &str| {
            format!(
                "SELECT CAST(stat_value * @@innodb_page_size AS SIGNED) FROM mysql.innodb_index_stats \
                 WHERE table_name = TRIM(BOTH '`' FROM '{{table}}') AND stat_name = 'size' AND index_name = '{pages}'"
            )
        };
        let mut bytes = [0; 3];
        for (bytes, index) in bytes.iter_mut().zip(["PRIMARY", "expires_at", "owner"]) {
            *bytes = lab.value::<i64>(&size(index)).await / SESSIONS;
        }
        let [rows, expiry_index, owner_index] = bytes;
        eprintln!(
            "MariaDB, record of {record} bytes, owner {owner}: rows {rows} + indexes {} bytes a session",
            expiry_index + owner_index
        );
        assert!(rows + expiry_index + owner_index <= budget, "more than {budget}");
        lab.sql("TRUNCATE {table}").await;
    }
    store.stop().await.expect("stop");
    lab.end().await;
}
