//! Rows that somebody edited.

use std::sync::Arc;

use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, hex, id, owned, owner, reason, requests, version};

#[tokio::test]
async fn the_schema_refuses_what_is_not_a_session() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.store().await;
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    for edit in ["id = '\\x01'", "record = NULL", "version = NULL", "expires_at = NULL", "owner = ''"] {
        let edit = sqlx::AssertSqlSafe(format!("UPDATE \"{}\" SET {edit}", lab.table));
        sqlx::query(edit).execute(&lab.admin).await.expect_err("the schema forbids it");
    }
    store.stop().await.expect("stop");
    lab.end().await;
}

/// A table made by hand, without the checks of ours.
#[tokio::test]
async fn rows_that_somebody_edited_are_errors_and_stay() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().connect(&lab.url).await.expect("connect");
    lab.sql(
        "CREATE TABLE {table} (id bytea UNIQUE, version bigint, expires_at timestamptz, owner bytea, record bytea)",
    )
    .await;
    let edits = [
        "record = NULL",
        "version = NULL",
        "owner = '\\xff'",
        "owner = ''",
        "owner = convert_to(repeat('x', 256), 'UTF8')",
    ];
    for (number, edit) in (1..).zip(edits) {
        store.create(&id(number), &owned(1, b"kept", "alice"), MINUTE).await.expect("create");
        let key = hex(id(number).as_bytes());
        assert_eq!(lab.sql(&format!("UPDATE {{table}} SET {edit} WHERE id = '\\x{key}'")).await, 1);
        let error = store.load(&id(number)).await.expect_err("not a row of ours");
        assert!(error.is_unavailable(), "{edit}: {error:?}");
        assert!(reason(&error).contains("not one of this store"), "{edit}: {error:?}");
        assert!(!format!("{error:?}{error}").contains("kept"), "G19");
        let conflict = store.create(&id(number), &entry(2, b"x"), MINUTE).await;
        assert!(conflict.expect_err("not a row of ours").is_unavailable(), "{edit}");
    }
    // A good one that is asked for together with bad ones is not affected.
    store.create(&id(20), &entry(1, b"good"), MINUTE).await.expect("create");
    let mut loads = tokio::task::JoinSet::new();
    for number in [1, 2, 20, 3, 20] {
        let store = store.clone();
        loads.spawn(async move { (number, store.load(&id(number)).await) });
    }
    for (number, outcome) in loads.join_all().await {
        assert_eq!(outcome.is_ok(), number == 20, "{number}");
    }
    // A short id can be nobody's session, and makes the owner's list an error rather than a shorter list.
    lab.sql("INSERT INTO {table} VALUES ('\\x0102', 1, 'infinity', 'bob', '\\x00')").await;
    assert!(store.owned_by(&owner("bob")).await.expect_err("not a row of ours").is_unavailable());
    // Without an expiry nothing is live.
    lab.sql(&format!("UPDATE {{table}} SET expires_at = NULL WHERE id = '\\x{}'", hex(id(20).as_bytes()))).await;
    assert_eq!(store.load(&id(20)).await.expect("load"), None);
    assert_eq!(lab.value::<i64>("SELECT count(*) FROM {table}").await, 7, "nothing was deleted on the way");
    store.stop().await.expect("stop");
    lab.end().await;
}

/// Whole sessions of a manager: a flipped bit, a row under another id, and an owner that is not the record's.
#[tokio::test]
async fn edited_records_open_nothing() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.shared().await;
    let manager = requests::manager(Arc::clone(&store));
    let session = manager.new_session();
    session.set_owner("alice").expect("a valid owner");
    let token = requests::token(manager.commit(&session).await.expect("commit"));
    let key = session.id().expect("stored");

    lab.sql("UPDATE {table} SET owner = 'mallory'").await;
    assert!(manager.sessions_of("mallory").await.expect("list").is_empty(), "the record says whose it is");
    lab.sql("UPDATE {table} SET owner = 'alice'").await;
    assert_eq!(manager.sessions_of("alice").await.expect("list").len(), 1);
    assert!(manager.load(&token).await.expect("load").is_some());

    let (_, other) = requests::sign_in(&manager).await;
    let (key, other) = (hex(key.as_bytes()), hex(other.as_bytes()));
    let copy = format!(
        "UPDATE {{table}} SET record = (SELECT record FROM {{table}} WHERE id = '\\x{other}') WHERE id = '\\x{key}'"
    );
    assert_eq!(lab.sql(&copy).await, 1);
    assert!(manager.load(&token).await.expect("an event, not an error").is_none(), "a record of another row");
    let flip = "UPDATE {table} SET record = set_byte(record, 12, get_byte(record, 12) # 1)";
    lab.sql(flip).await;
    assert!(manager.load(&token).await.expect("an event, not an error").is_none(), "a flipped bit");
    assert_eq!(lab.value::<i64>("SELECT count(*) FROM {table}").await, 2, "nothing was deleted");
    let update = store.update(&id(5), version(1), &entry(2, b"x"), KEEP).await;
    update.expect("the store goes on");
    store.stop().await.expect("stop");
    lab.end().await;
}
