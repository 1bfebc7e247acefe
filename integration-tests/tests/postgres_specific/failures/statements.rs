//! What the server answers to a statement, and what an answer that comes too late or not at all means.

use std::time::Duration;

use sessions_core::{CreateOutcome, SessionStore, UpdateOutcome};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, version};

/// Lets the table refuse every insert with an SQLSTATE of the server's own.
async fn raise(lab: &Lab, state: &str, when: &str) {
    lab.sql(&format!(
        "CREATE OR REPLACE FUNCTION \"{table}_raise\"() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{state}'; END $$; {when}",
        table = lab.table
    ))
    .await;
}

fn at_once(lab: &Lab) -> String {
    format!(
        "DROP TRIGGER IF EXISTS raise ON {{table}}; CREATE TRIGGER raise BEFORE INSERT ON {{table}} \
         FOR EACH ROW EXECUTE FUNCTION \"{}_raise\"()",
        lab.table
    )
}

/// At the commit, after the server has said how many rows were written.
fn at_commit(lab: &Lab) -> String {
    format!(
        "DROP TRIGGER IF EXISTS raise ON {{table}}; CREATE CONSTRAINT TRIGGER raise AFTER INSERT ON {{table}} \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION \"{}_raise\"()",
        lab.table
    )
}

#[tokio::test]
async fn what_the_server_says_decides_between_unavailable_and_indeterminate() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().deadline(Duration::from_secs(2)).expect("a valid deadline");
    let store = store.connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    for when in [at_once(&lab), at_commit(&lab)] {
        for (state, indeterminate) in [
            ("53100", false), // the disk is full
            ("53200", false), // out of memory
            ("57014", false), // cancelled
            ("42501", false), // no privilege
            ("25006", false), // read-only
            ("40001", false), // serialization failure, tried again until the deadline is near
            ("P0001", false), // a trigger of the application
            ("58030", true),  // an I/O error
            ("40003", true),  // completion unknown
        ] {
            raise(&lab, state, &when).await;
            let error = store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect_err(state);
            assert_eq!(
                (error.is_unavailable(), error.is_indeterminate()),
                (!indeterminate, indeterminate),
                "{state}: {error:?}"
            );
            assert!(reason(&error).contains("raised"), "{state}: {error:?}");
            assert_eq!(store.load(&id(1)).await.expect("load"), None, "{state}");
        }
    }
    lab.sql("DROP TRIGGER raise ON {table}").await;
    assert_eq!(store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    store.stop().await.expect("stop");
    lab.sql(&format!("DROP FUNCTION \"{}_raise\"()", lab.table)).await;
    lab.end().await;
}

/// The server gives up before the store does, and what it gave up on did not happen.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_cancelled_by_the_server() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().deadline(Duration::from_secs(1)).expect("a valid deadline");
    let store = store.connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    lab.sql(&format!(
        "CREATE FUNCTION \"{table}_sleep\"() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; \
         CREATE TRIGGER sleep BEFORE INSERT ON {{table}} FOR EACH ROW EXECUTE FUNCTION \"{table}_sleep\"()",
        table = lab.table
    ))
    .await;
    let error = store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect_err("too long");
    assert!(error.is_unavailable() && reason(&error).contains("statement timeout"), "{error:?}");
    lab.sql("DROP TRIGGER sleep ON {table}").await;
    assert_eq!(store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    store.stop().await.expect("stop");
    lab.sql(&format!("DROP FUNCTION \"{}_sleep\"()", lab.table)).await;
    lab.end().await;
}

/// Every connection of the store is ended by an administrator, idle ones and one in the middle of a statement.
#[tokio::test]
async fn connections_that_are_ended_are_replaced() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (role, url) = lab.role().await;
    lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {role}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    for round in 0..5 {
        let key = id(round);
        store.create(&key, &entry(1, b"x"), MINUTE).await.expect("create");
        lab.sql(&end).await;
        assert!(store.load(&key).await.expect("load").is_some());
        lab.sql(&end).await;
        let update = store.update(&key, version(1), &entry(2, b"y"), KEEP).await;
        assert_eq!(update.expect("update"), UpdateOutcome::Written);
        lab.sql(&end).await;
        assert!(store.touch(&key, version(2), MINUTE).await.expect("touch"));
        lab.sql(&end).await;
        assert_eq!(store.delete(&[key]).await.expect("delete"), 1, "counted once");
        lab.sql(&end).await;
        assert_eq!(store.create(&key, &entry(1, b"x"), MINUTE).await.expect("create"), CreateOutcome::Created);
    }

    // Nothing is there to be counted: whether the first try has deleted it cannot be told.
    lab.sql(&end).await;
    let error = store.delete(&[id(99)]).await.expect_err("the answer to the first try was lost");
    assert!(error.is_indeterminate(), "{error:?}");
    assert_eq!(store.delete(&[id(99)]).await.expect("delete"), 0);

    // One that waits for a lock when it is ended.
    let mut foreign = lab.admin.begin().await.expect("a transaction");
    let lock = format!("SELECT 1 FROM \"{}\" WHERE id = $1 FOR UPDATE", lab.table);
    sqlx::query(sqlx::AssertSqlSafe(lock)).bind(&id(1).as_bytes()[..]).execute(&mut *foreign).await.expect("lock");
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.update(&id(1), version(1), &entry(2, b"y"), KEEP).await }
    });
    let waits = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND wait_event_type = 'Lock'");
    while lab.value::<i64>(&waits).await == 0 {}
    lab.sql(&format!("{end} AND wait_event_type = 'Lock'")).await;
    while lab.value::<i64>(&waits).await == 0 {
        assert!(!waiting.is_finished(), "it does not wait for the lock again: {:?}", waiting.await);
    }
    foreign.rollback().await.expect("rollback");
    assert_eq!(waiting.await.expect("no panic").expect("update"), UpdateOutcome::Written);
    store.stop().await.expect("stop");
    lab.end().await;
}

/// A session that the server ended because it was idle: it says so, and nothing is in doubt, not even the count of a deletion.
#[tokio::test]
async fn sessions_that_end_because_they_are_idle_are_replaced() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (role, url) = lab.role().await;
    lab.sql(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {role}; ALTER ROLE {role} SET idle_session_timeout = '200ms'"
    ))
    .await;
    let store = lab.builder().connect(&url).await.expect("connect");
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}'");
    for key in [id(99), id(1)] {
        while lab.value::<i64>(&sessions).await > 0 {}
        assert_eq!(store.delete(&[key]).await.expect("delete"), u64::from(key == id(1)));
        while lab.value::<i64>(&sessions).await > 0 {}
        assert_eq!(store.load(&id(1)).await.expect("load").is_some(), key != id(1));
    }
    store.stop().await.expect("stop");
    lab.end().await;
}
