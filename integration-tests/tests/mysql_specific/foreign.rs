//! Rows that somebody edited.

use std::sync::Arc;

use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{MINUTE, entry, hex, id, owned, owner, reason, requests};

/// A table made by hand, without the types of ours.
#[tokio::test]
async fn rows_that_somebody_edited_are_errors_and_stay() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().connect(&lab.url).await.expect("connect");
    lab.sql(
        "CREATE TABLE {table} (id VARBINARY(16) UNIQUE, version BIGINT UNSIGNED, expires_at BIGINT, \
         owner VARBINARY(300), record MEDIUMBLOB)",
    )
    .await;
    let edits = ["record = NULL", "version = NULL", "owner = X'FF'", "owner = ''", "owner = REPEAT('x', 256)"];
    for (number, edit) in (1..).zip(edits) {
        store.create(&id(number), &owned(1, b"kept", "alice"), MINUTE).await.expect("create");
        let key = hex(id(number).as_bytes());
        assert_eq!(lab.sql(&format!("UPDATE {{table}} SET {edit} WHERE id = X'{key}'")).await, 1);
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
    lab.sql("INSERT INTO {table} VALUES (X'0102', 1, 9000000000000, 'bob', X'00')").await;
    assert!(store.owned_by(&owner("bob")).await.expect_err("not a row of ours").is_unavailable());
    // Without an expiry nothing is live.
    lab.sql(&format!("UPDATE {{table}} SET expires_at = NULL WHERE id = X'{}'", hex(id(20).as_bytes()))).await;
    assert_eq!(store.load(&id(20)).await.expect("load"), None);
    let rows: i64 = lab.value("SELECT CAST(COUNT(*) AS SIGNED) FROM {table}").await;
    assert_eq!(rows, 7, "nothing was deleted on the way");
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
        "UPDATE {{table}} AS one JOIN {{table}} AS other ON other.id = X'{other}' SET one.record = other.record \
         WHERE one.id = X'{key}'"
    );
    assert_eq!(lab.sql(&copy).await, 1);
    assert!(manager.load(&token).await.expect("an event, not an error").is_none(), "a record of another row");
    lab.sql("UPDATE {table} SET record = INSERT(record, 13, 1, CHAR(ASCII(SUBSTR(record, 13, 1)) ^ 1))").await;
    assert!(manager.load(&token).await.expect("an event, not an error").is_none(), "a flipped bit");
    assert_eq!(lab.value::<i64>("SELECT CAST(COUNT(*) AS SIGNED) FROM {table}").await, 2, "nothing was deleted");
    store.stop().await.expect("stop");
    lab.end().await;
}
