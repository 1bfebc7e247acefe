//! What is said before the first session.

use std::time::Duration;

use sessions_conformance::servers::{Kind, Options, Server, is_left_out};
use sessions_core::SessionStore;
use sessions_sqlx::{Error, MySqlStore};

use crate::lab::Lab;
use crate::sql::{KEEP, MINUTE, entry, id, port_of, reason, unique, url_as, version};

async fn refused(url: &str) -> Error {
    MySqlStore::builder().no_purge().connect(url).await.expect_err("it cannot be used")
}

#[tokio::test]
async fn bad_urls_are_refused() {
    for url in [
        "",
        "localhost",
        "postgres://localhost/x",
        "sqlite:x",
        "mysql://localhost:port/x",
        "mysql://u@h/d?ssl-mode=odd",
    ] {
        let error = refused(url).await;
        assert!(error.is_invalid_url(), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn servers_that_refuse_us_say_why() {
    let Some(lab) = Lab::given().await else { return };
    let (user, url) = lab.user().await;
    let password = url.split([':', '@']).nth(2).expect("a password").to_owned();
    let nowhere = lab.url.replace(&format!(":{}/", port_of(&lab.url)), ":9/");
    for (url, words) in [
        (url_as(&url, &user, "wrong-password", None), "Access denied"),
        (url_as(&url, &unique("nobody"), &password, None), "Access denied"),
        (
            url_as(&lab.url, "sessions", lab.url.split([':', '@']).nth(2).expect("one"), Some("no_such_database")),
            "Unknown database",
        ),
        (url.clone(), "Access denied"),
        (nowhere, "refused"),
        (format!("{}?ssl-mode=required", lab.url), "TLS"),
    ] {
        let error = refused(&url).await;
        let text = format!("{error} {error:?}");
        assert!(error.is_connect() && error.to_string().contains(words), "{words}: {text}");
        assert!(!text.contains(&password) && !text.contains("wrong-password"), "G19: {text}");
    }
    lab.end().await;
}

/// One server that is old, has small packets and insists on TLS, as far as it says.
#[tokio::test]
async fn servers_that_do_not_suit_are_refused() {
    if is_left_out(Kind::MariaDb) {
        return;
    }
    let options = Options::from_env().expect("a source");
    let old = options.clone().argument("--version=10.4.34-MariaDB");
    let server = Server::start_with(Kind::MariaDb, &old).await.expect("a server of its own");
    let error = refused(server.url()).await;
    assert!(
        error.is_connect() && error.to_string().contains("MariaDB 10.5 or later is needed, this is 10.4"),
        "{error}"
    );
    drop(server);

    let small = options.argument("--max-allowed-packet=1M");
    let server = Server::start_with(Kind::MariaDb, &small).await.expect("a server of its own");
    let error = refused(server.url()).await;
    assert!(error.is_connect() && error.to_string().contains("max_allowed_packet"), "{error}");
    let lab = Lab::on(server.url()).await;
    let store =
        lab.builder().max_record_bytes(1_000_000).expect("a valid limit").connect(&lab.url).await.expect("fits");
    store.migrate().await.expect("migrate");
    store.create(&id(1), &entry(1, &vec![7; 1_000_000]), MINUTE).await.expect("create");
    assert_eq!(store.load(&id(1)).await.expect("load").expect("live").record.len(), 1_000_000);
    store.stop().await.expect("stop");

    // By itself, it does not commit.
    lab.sql("SET GLOBAL autocommit = OFF").await;
    let fitting = || lab.builder().max_record_bytes(1_000_000).expect("a valid limit");
    let store = fitting().connect(&lab.url).await.expect("connect");
    store.create(&id(2), &entry(1, b"x"), MINUTE).await.expect("create");
    let other = fitting().connect(&lab.url).await.expect("connect");
    assert!(other.load(&id(2)).await.expect("load").is_some(), "what was acknowledged is there for others");
    store.stop().await.expect("stop");
    other.stop().await.expect("stop");
    lab.sql("SET GLOBAL autocommit = ON").await;

    lab.sql("SET GLOBAL require_secure_transport = ON").await;
    let error = refused(&format!("{}?ssl-mode=disabled", lab.url)).await;
    // What MariaDB says to that is no more than this.
    assert!(error.is_connect() && error.to_string().contains("Access denied"), "{error}");
}

#[tokio::test]
async fn a_read_only_server_is_refused_when_connecting_and_unavailable_later() {
    if is_left_out(Kind::MariaDb) {
        return;
    }
    let server = Server::start(Kind::MariaDb).await.expect("a server of its own");
    let lab = Lab::on(server.url()).await;
    lab.store().await.stop().await.expect("stop");
    let (user, url) = lab.user().await;
    lab.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {{table}} TO {user}")).await;
    let store = lab.builder().connect(&url).await.expect("connect");
    store.create(&id(1), &entry(1, b"kept"), MINUTE).await.expect("create");

    lab.sql("SET GLOBAL read_only = ON").await;
    let error = refused(&url).await;
    assert!(error.is_connect() && error.to_string().contains("read-only"), "{error}");
    for outcome in [
        store.create(&id(2), &entry(1, b"x"), MINUTE).await.map(drop),
        store.update(&id(1), version(1), &entry(2, b"x"), KEEP).await.map(drop),
        store.touch(&id(1), version(1), MINUTE).await.map(drop),
        store.delete(&[id(1)]).await.map(drop),
    ] {
        let error = outcome.expect_err("read-only");
        assert!(error.is_unavailable() && reason(&error).contains("read-only"), "{error:?}");
    }
    assert_eq!(store.load(&id(1)).await.expect("it reads").expect("live").record, b"kept"[..]);
    lab.sql("SET GLOBAL read_only = OFF").await;
    assert!(store.touch(&id(1), version(1), MINUTE).await.expect("the primary is back"));

    // A session whose transactions are read-only, as a pool of the application may have.
    let read_only = sqlx::mysql::MySqlPoolOptions::new().max_connections(2).after_connect(|connection, _| {
        Box::pin(async move { sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY").execute(connection).await.map(drop) })
    });
    let pool = read_only.connect(&url).await.expect("a pool");
    let reader = lab.builder().deadline(Duration::from_secs(5)).expect("a valid deadline").with_pool(pool.clone());
    let error = reader.touch(&id(1), version(1), MINUTE).await.expect_err("read-only");
    assert!(error.is_unavailable() && reason(&error).contains("READ ONLY"), "{error:?}");
    reader.stop().await.expect("stop");
    assert!(!pool.is_closed(), "it is the application's");
    store.stop().await.expect("stop");
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
            assert!(error.is_unavailable() && reason(&error).contains("doesn't exist"), "{error:?}");
        }
        // It was not the connections' fault.
        store.migrate().await.expect("migrate");
        store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
        lab.sql("DROP TABLE {table}").await;
    }
    store.stop().await.expect("stop");
    lab.end().await;
}
