//! Locks of others, and deadlocks.

use std::time::Duration;

use sessions_core::{SessionStore, UpdateOutcome};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, version};

#[tokio::test]
async fn locks_are_waited_for_until_the_deadline_is_near() {
    let Some(lab) = Lab::given().await else { return };
    let patient = lab.store().await;
    let hasty = lab.builder().deadline(Duration::from_millis(500)).expect("a valid deadline");
    let hasty = hasty.connect(&lab.url).await.expect("connect");
    patient.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    let lock = sqlx::AssertSqlSafe(format!("SELECT 1 FROM \"{}\" FOR UPDATE", lab.table));
    sqlx::query(lock).execute(&mut *foreign).await.expect("lock");

    let outcomes = [
        hasty.touch(&id(1), version(1), MINUTE).await.map(drop),
        hasty.delete(&[id(1)]).await.map(drop),
        hasty.update(&id(1), version(1), &entry(2, b"y"), KEEP).await.map(drop),
    ];
    for outcome in outcomes {
        let error = outcome.expect_err("locked");
        assert!(error.is_unavailable() && reason(&error).contains("lock timeout"), "surely not applied: {error:?}");
    }
    assert!(hasty.load(&id(1)).await.expect("readers do not wait").is_some());
    assert_eq!(hasty.purge_expired(10).await.expect("nothing has expired"), 0);

    let waiting = tokio::spawn(async move {
        let outcome = patient.update(&id(1), version(1), &entry(2, b"y"), KEEP).await;
        (patient, outcome)
    });
    foreign.rollback().await.expect("rollback");
    let (patient, outcome) = waiting.await.expect("no panic");
    assert_eq!(outcome.expect("update"), UpdateOutcome::Written);

    // The whole table, as a migration would lock it: not even readers get through.
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    let lock = sqlx::AssertSqlSafe(format!("LOCK TABLE \"{}\" IN ACCESS EXCLUSIVE MODE", lab.table));
    sqlx::query(lock).execute(&mut *foreign).await.expect("lock");
    let error = hasty.load(&id(1)).await.expect_err("locked");
    assert!(error.is_unavailable() && reason(&error).contains("lock timeout"), "{error:?}");
    foreign.rollback().await.expect("rollback");
    assert_eq!(hasty.load(&id(1)).await.expect("load").expect("live").version, version(2));
    patient.stop().await.expect("stop");
    hasty.stop().await.expect("stop");
    lab.end().await;
}

/// The store is the one that the server chooses to lose, and tries again.
#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (role, url) = lab.role().await;
    // The other one does not look for deadlocks before long, so that it does not find this one first.
    lab.sql(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {role}; ALTER ROLE {role} SET deadlock_timeout = '3s'"
    ))
    .await;
    let store = lab.builder().connect(&url).await.expect("connect");
    for number in [1, 2] {
        store.create(&id(number), &entry(1, b"x"), MINUTE).await.expect("create");
    }
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    sqlx::query("SET LOCAL deadlock_timeout = '60s'").execute(&mut *foreign).await.expect("set");
    let lock = format!("SELECT 1 FROM \"{}\" WHERE id = $1 FOR UPDATE", lab.table);
    let lock = |number| sqlx::query(sqlx::AssertSqlSafe(lock.clone())).bind(id(number).as_bytes().to_vec());
    lock(2).execute(&mut *foreign).await.expect("the second row");
    let deleting = tokio::spawn({
        let store = store.clone();
        async move { store.delete(&[id(1), id(2)]).await }
    });
    let waits = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND wait_event_type = 'Lock'");
    while lab.value::<i64>(&waits).await == 0 {}
    // It holds the first row and waits for the second. Now each waits for the other; that this one succeeds means that the store
    // was rolled back.
    lock(1).execute(&mut *foreign).await.expect("the first row");
    foreign.rollback().await.expect("rollback");
    assert_eq!(deleting.await.expect("no panic").expect("tried again"), 2);
    store.stop().await.expect("stop");
    lab.end().await;
}
