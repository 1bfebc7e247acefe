//! A user who has what the README grants, and no more, can do everything; one who has less is told what is missing.

use sessions_core::SessionStore;

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, reason, scenarios, version};

/// The grants that the README documents.
const GRANTS: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO ";

#[tokio::test]
async fn the_documented_grants_are_enough() {
    let readme = include_str!("../../../sessions-sqlx/README.md");
    assert!(readme.contains(&GRANTS.replace("{table}", "app.sessions")), "the README documents other grants");
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (user, url) = lab.user().await;
    lab.sql(&format!("{GRANTS}{user}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    store.migrate().await.expect("where everything is there, nothing is created");
    scenarios::whole_life(&store).await;
    store.stop().await.expect("stop");
    lab.end().await;
}

#[tokio::test]
async fn too_few_privileges_are_unavailable_and_say_so() {
    let Some(lab) = Lab::given().await else { return };
    let admin = lab.store().await;
    admin.create(&id(1), &entry(1, b"kept"), MINUTE).await.expect("create");
    let (user, url) = lab.user().await;
    let error = lab.builder().connect(&url).await.expect_err("without any privilege there is no database for it");
    assert!(error.is_connect() && error.to_string().contains("denied"), "{error}");

    lab.sql(&format!("GRANT SELECT ON {{table}} TO {user}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    assert!(store.load(&id(1)).await.expect("it may read").is_some());
    let changes = [
        store.create(&id(2), &entry(1, b"x"), MINUTE).await.map(drop),
        store.update(&id(1), version(1), &entry(2, b"x"), KEEP).await.map(drop),
        store.touch(&id(1), version(1), MINUTE).await.map(drop),
        store.delete(&[id(1)]).await.map(drop),
        store.purge_expired(1).await.map(drop),
    ];
    for outcome in changes {
        let error = outcome.expect_err("it may not write");
        assert!(error.is_unavailable() && reason(&error).contains("denied"), "{error:?}");
    }
    assert_eq!(admin.load(&id(1)).await.expect("load").expect("live").record, b"kept"[..]);

    // A user who may not create tables, where there is none.
    let other = lab.builder().table(&crate::sql::unique("absent")).expect("a valid name");
    let error = other.connect(&url).await.expect("connect").migrate().await.expect_err("no privilege");
    assert!(error.is_schema() && error.to_string().contains("denied"), "{error}");
    admin.stop().await.expect("stop");
    store.stop().await.expect("stop");
    lab.end().await;
}
