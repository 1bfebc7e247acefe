//! What is said before the first session.

use std::time::Duration;

use sessions_core::SessionStore;
use sessions_sqlx::{Error, PostgresStore};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, port_of, reason, unique, url_as, version};

async fn refused(url: &str) -> Error {
    PostgresStore::builder().no_purge().connect(url).await.expect_err("it cannot be used")
}

#[tokio::test]
async fn bad_urls_are_refused() {
    for url in [
        "",
        "localhost",
        "mysql://localhost/x",
        "sqlite:x",
        "postgres://localhost:port/x",
        "postgres://u@h/d?sslmode=odd",
    ] {
        let error = refused(url).await;
        assert!(error.is_invalid_url(), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn servers_that_refuse_us_say_why() {
    let Some(lab) = Lab::given().await else { return };
    let (role, url) = lab.role().await;
    let password = url.split([':', '@']).nth(2).expect("a password").to_owned();
    let nowhere = lab.url.replace(&format!(":{}/", port_of(&lab.url)), ":9/");
    for (url, words) in [
        (url_as(&url, &role, "wrong-password", None), "password authentication failed"),
        (url_as(&url, &unique("nobody"), &password, None), "password authentication failed"),
        (url_as(&url, &role, &password, Some("no_such_database")), "does not exist"),
        (nowhere, "refused"),
        (format!("{url}?sslmode=require"), "TLS"),
    ] {
        let error = refused(&url).await;
        let text = format!("{error} {error:?}");
        assert!(error.is_connect() && error.to_string().contains(words), "{words}: {text}");
        assert!(!text.contains(&password) && !text.contains("wrong-password"), "G19: {text}");
    }
    lab.end().await;
}

/// The other way round: the server insists on TLS, or on none.
#[tokio::test]
async fn a_server_that_wants_tls_and_a_client_that_does_not() {
    use sessions_conformance::servers::{Kind, Server, is_left_out};
    if is_left_out(Kind::Postgres) {
        return;
    }
    let server = Server::start(Kind::Postgres).await.expect("a server of its own");
    let lab = Lab::on(server.url()).await;
    let store = lab.builder().deadline(Duration::from_secs(2)).expect("a valid deadline");
    let store = store.connect(&lab.url).await.expect("connect");
    store.migrate().await.expect("migrate");
    store.create(&id(1), &entry(1, b"kept"), MINUTE).await.expect("create");
    let file: String = lab.value("SELECT current_setting('hba_file')").await;
    let rules = |line: &str| format!("COPY (SELECT '{line}') TO '{file}'; SELECT pg_reload_conf()");
    lab.sql(&rules("hostssl all all all scram-sha-256")).await;
    let error = refused(&format!("{}?sslmode=disable", lab.url)).await;
    assert!(error.is_connect() && error.to_string().contains("no encryption"), "{error}");
    // Connections that are there go on; a store that has to make a new one is told.
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sessions'")
        .execute(&lab.admin)
        .await
        .expect("terminate");
    let error = store.update(&id(1), version(1), &entry(2, b"x"), KEEP).await.expect_err("no connection");
    assert!(error.is_unavailable() || error.is_indeterminate(), "{error:?}");
    let error = store.load(&id(1)).await.expect_err("no connection");
    assert!(error.is_unavailable() && reason(&error).contains("no encryption"), "{error:?}");
    lab.sql(&rules("host all all all scram-sha-256")).await;
    let there = loop {
        // The server reads its rules when it comes to it.
        if let Ok(there) = store.load(&id(1)).await {
            break there.expect("live");
        }
    };
    assert_eq!(there.record, b"kept"[..]);
    store.stop().await.expect("stop");
    lab.end().await;
}

#[tokio::test]
async fn a_read_only_server_is_refused_when_connecting_and_unavailable_later() {
    let Some(lab) = Lab::given().await else { return };
    lab.store().await.stop().await.expect("stop");
    let (role, url) = lab.role().await;
    lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {role}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    store.create(&id(1), &entry(1, b"kept"), MINUTE).await.expect("create");

    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    lab.sql(&format!("ALTER ROLE {role} SET default_transaction_read_only = on; {end}")).await;
    let error = refused(&url).await;
    assert!(error.is_connect() && error.to_string().contains("read-only"), "{error}");
    // The first one met a connection that broke and then a server that refused: the latter does not vouch for the former.
    let change = store.update(&id(1), version(1), &entry(2, b"x"), KEEP).await.expect_err("read-only");
    assert!(change.is_indeterminate(), "{change:?}");
    for outcome in
        [store.create(&id(2), &entry(1, b"x"), MINUTE).await.map(drop), store.delete(&[id(1)]).await.map(drop)]
    {
        let error = outcome.expect_err("read-only");
        assert!(error.is_unavailable() && reason(&error).contains("read-only transaction"), "{error:?}");
    }
    assert_eq!(store.load(&id(1)).await.expect("it reads").expect("live").record, b"kept"[..]);

    // After the failover the same store works: it leaves connections to a server that cannot write.
    lab.sql(&format!("ALTER ROLE {role} RESET default_transaction_read_only")).await;
    assert!(store.touch(&id(1), version(1), MINUTE).await.expect("the primary is back"));
    store.stop().await.expect("stop");
    lab.end().await;
}

/// There is no old server to be had: this one says that it is.
#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let Some(lab) = Lab::given().await else { return };
    let (role, url) = lab.role().await;
    let schema = unique("old");
    lab.sql(&format!(
        "CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {role}; \
         CREATE FUNCTION {schema}.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT CASE $1 \
         WHEN 'server_version_num' THEN '110022' ELSE pg_catalog.current_setting($1) END $$; \
         ALTER ROLE {role} SET search_path = {schema}, pg_catalog"
    ))
    .await;
    let error = refused(&url).await;
    assert!(error.is_connect() && error.to_string().contains("Postgres 12 or later is needed, this is 11"), "{error}");
    lab.sql(&format!("DROP SCHEMA {schema} CASCADE")).await;
    lab.end().await;
}

#[tokio::test]
async fn a_missing_table_is_unavailable_and_says_so() {
    let Some(lab) = Lab::given().await else { return };
    let store = lab.builder().connect(&lab.url).await.expect("connect");
    for _ in 0..2 {
        let errors = [
            store.create(&id(1), &entry(1, b"x"), MINUTE).await.map(drop),
            store.load(&id(1)).await.map(drop),
            store.delete(&[id(1)]).await.map(drop),
        ];
        for outcome in errors {
            let error = outcome.expect_err("there is no table");
            assert!(error.is_unavailable() && reason(&error).contains("does not exist"), "{error:?}");
        }
        // It was not the connections' fault.
        store.migrate().await.expect("migrate");
        store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
        lab.sql("DROP TABLE {table}").await;
    }
    store.stop().await.expect("stop");
    lab.end().await;
}
