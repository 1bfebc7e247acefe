//! What the server answers to a statement, and what an answer that comes too late or not at all means.

use std::time::Duration;

use sessions_core::{CreateOutcome, SessionStore, UpdateOutcome};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, version};

/// Lets the table refuse every insert with an error of the server's own.
#[tokio::test]
async fn what_the_server_says_decides_between_unavailable_and_indeterminate() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().deadline(Duration::from_secs(2)).expect("a valid deadline");
    let store = store.connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    for (number, indeterminate) in [
        (1021, false), // the disk is full
        (1114, false), // the table is full
        (1041, false), // out of memory
        (1317, false), // interrupted
        (1969, false), // took too long
        (1205, false), // a lock
        (1142, false), // no privilege
        (1290, false), // read-only
        (1213, false), // deadlock, tried again until the deadline is near
        (1644, false), // a trigger of the application
        (1030, true),  // the storage engine
        (1180, true),  // the commit
    ] {
        lab.sql(&format!(
            "CREATE OR REPLACE TRIGGER `{table}_raise` BEFORE INSERT ON {{table}} FOR EACH ROW \
             SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'raised'",
            table = lab.table
        ))
        .await;
        let error = store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect_err("raised");
        let said = (error.is_unavailable(), error.is_indeterminate());
        assert_eq!(said, (!indeterminate, indeterminate), "{number}: {error:?}");
        assert!(reason(&error).contains("raised"), "{number}: {error:?}");
        assert_eq!(store.load(&id(1)).await.expect("load"), None, "{number}");
    }
    lab.sql(&format!("DROP TRIGGER `{}_raise`", lab.table)).await;
    assert_eq!(store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    store.stop().await.expect("stop");
    lab.end().await;
}

/// The server gives up before the store does, and what it gave up on did not happen.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_by_the_server() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().deadline(Duration::from_secs(1)).expect("a valid deadline");
    let store = store.connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    let trigger = "CREATE TRIGGER {table}_sleep BEFORE INSERT ON {table} FOR EACH ROW SET @slept = SLEEP(600)";
    lab.sql(&trigger.replace("{table}_sleep", &format!("`{}_sleep`", lab.table))).await;
    let error = store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect_err("too long");
    assert!(error.is_unavailable() && reason(&error).contains("max_statement_time"), "{error:?}");
    lab.sql(&format!("DROP TRIGGER `{}_sleep`", lab.table)).await;
    assert_eq!(store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    store.stop().await.expect("stop");
    lab.end().await;
}

/// Every connection of the store is ended by an administrator, idle ones and one in the middle of a statement.
#[tokio::test]
async fn connections_that_are_ended_are_replaced() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (user, url) = lab.user().await;
    lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {user}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    for round in 0..5 {
        let key = id(round);
        store.create(&key, &entry(1, b"x"), MINUTE).await.expect("create");
        lab.end_connections(&user).await;
        assert!(store.load(&key).await.expect("load").is_some());
        lab.end_connections(&user).await;
        let update = store.update(&key, version(1), &entry(2, b"y"), KEEP).await;
        assert_eq!(update.expect("update"), UpdateOutcome::Written);
        lab.end_connections(&user).await;
        assert!(store.touch(&key, version(2), MINUTE).await.expect("touch"));
        lab.end_connections(&user).await;
        assert_eq!(store.delete(&[key]).await.expect("delete"), 1, "counted once");
        lab.end_connections(&user).await;
        // The server does not say that it has ended the connection: a create may be on its way, and is not repeated.
        let error = store.create(&key, &entry(1, b"x"), MINUTE).await.expect_err("nobody answers");
        assert!(error.is_indeterminate(), "{error:?}");
        assert_eq!(store.create(&key, &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    }

    // One that waits for a lock when it is ended.
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    let lock = format!("SELECT 1 FROM `{}` WHERE id = ? FOR UPDATE", lab.table);
    sqlx::query(sqlx::AssertSqlSafe(lock)).bind(&id(1).as_bytes()[..]).execute(&mut *foreign).await.expect("lock");
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.update(&id(1), version(1), &entry(2, b"y"), KEEP).await }
    });
    while lab.waiting("UPDATE").await == 0 {}
    lab.end_connections(&user).await;
    while lab.waiting("UPDATE").await == 0 {
        assert!(!waiting.is_finished(), "it does not wait for the lock again: {:?}", waiting.await);
    }
    foreign.rollback().await.expect("rollback");
    assert_eq!(waiting.await.expect("no panic").expect("update"), UpdateOutcome::Written);
    store.stop().await.expect("stop");
    lab.end().await;
}
