//! Locks of others, and deadlocks.

use std::time::Duration;

use sessions_core::{SessionStore, UpdateOutcome};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, version};

#[tokio::test]
async fn locks_are_waited_for_until_the_deadline_is_near() {
    let Some(lab) = Lab::given().await else { return };
    let patient = lab.store().await;
    // The server counts the wait for a lock in whole seconds.
    let hasty = lab.builder().deadline(Duration::from_millis(2_500)).expect("a valid deadline");
    let hasty = hasty.connect(&lab.url).await.expect("connect");
    patient.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    let lock = sqlx::AssertSqlSafe(format!("SELECT 1 FROM `{}` FOR UPDATE", lab.table));
    sqlx::query(lock).execute(&mut *foreign).await.expect("lock");

    let outcomes = [
        hasty.touch(&id(1), version(1), MINUTE).await.map(drop),
        hasty.delete(&[id(1)]).await.map(drop),
        hasty.update(&id(1), version(1), &entry(2, b"y"), KEEP).await.map(drop),
    ];
    for outcome in outcomes {
        let error = outcome.expect_err("locked");
        assert!(
            error.is_unavailable() && reason(&error).contains("Lock wait timeout"),
            "surely not applied: {error:?}"
        );
    }
    assert!(hasty.load(&id(1)).await.expect("readers do not wait").is_some());

    let waiting = tokio::spawn(async move {
        let outcome = patient.update(&id(1), version(1), &entry(2, b"y"), KEEP).await;
        (patient, outcome)
    });
    foreign.rollback().await.expect("rollback");
    let (patient, outcome) = waiting.await.expect("no panic");
    assert_eq!(outcome.expect("update"), UpdateOutcome::Written);

    // The whole table, as a migration would lock it: not even readers get through.
    let mut foreign = lab.admin.acquire().await.expect("a connection");
    let lock = sqlx::AssertSqlSafe(format!("LOCK TABLES `{}` WRITE", lab.table));
    sqlx::raw_sql(lock).execute(&mut *foreign).await.expect("lock");
    let error = hasty.load(&id(1)).await.expect_err("locked");
    assert!(error.is_unavailable(), "{error:?}");
    let error = hasty.touch(&id(1), version(2), MINUTE).await.expect_err("locked");
    assert!(error.is_unavailable() && reason(&error).contains("Lock wait timeout"), "{error:?}");
    sqlx::raw_sql("UNLOCK TABLES").execute(&mut *foreign).await.expect("unlock");
    drop(foreign);
    assert_eq!(hasty.load(&id(1)).await.expect("load").expect("live").version, version(2));
    patient.stop().await.expect("stop");
    hasty.stop().await.expect("stop");
    lab.end().await;
}

/// The store is the one that the server chooses to lose, and tries again: a second deletion that counts what the first one has not
/// deleted.
#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    for number in 1..=3 {
        store.create(&id(number), &entry(1, b"x"), MINUTE).await.expect("create");
    }
    // The server chooses the one that has changed less: this one has changed much.
    lab.sql("CREATE TABLE IF NOT EXISTS ballast (n INT)").await;
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    sqlx::query("INSERT INTO ballast SELECT seq FROM seq_1_to_1000").execute(&mut *foreign).await.expect("ballast");
    let lock = format!("SELECT 1 FROM `{}` WHERE id = ? FOR UPDATE", lab.table);
    let lock = |number| sqlx::query(sqlx::AssertSqlSafe(lock.clone())).bind(id(number).as_bytes().to_vec());
    lock(2).execute(&mut *foreign).await.expect("the second row");
    let deadlocks = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.global_status \
        WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'";
    let before: i64 = lab.value(deadlocks).await;
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete(&[id(1), id(2), id(3)]).await }
    });
    while lab.waiting("DELETE").await == 0 {}
    // It holds the first row and waits for the second. Now each waits for the other.
    lock(1).execute(&mut *foreign).await.expect("the first row: the store was rolled back");
    assert!(lab.value::<i64>(deadlocks).await > before);
    foreign.rollback().await.expect("rollback");
    assert_eq!(deleting.await.expect("no panic").expect("tried again"), 3);
    store.stop().await.expect("stop");
    lab.end().await;
}
