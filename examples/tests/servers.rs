//! The quickstart on each server, by URL: what works, and what it says when it cannot.

mod support;

use sessions_conformance::servers::{Kind, given};
use support::{Program, refused, signed_in};

/// What stands before the host in a URL of ours.
const NOBODY: &str = "nobody:hunter2";

#[tokio::test]
async fn sessions_outlive_the_quickstart_on_every_server() {
    for url in Kind::ALL.into_iter().filter_map(url_of) {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Program::quickstart(&url, folder.path()).await;
        let mut client = signed_in(program.address, "Ada of the servers").await;
        assert_eq!(client.get("/").await.number_of(r#"id="visits""#), 2);
        program.stop().await;

        let program = Program::quickstart(&url, folder.path()).await;
        let mut client = client.at(program.address);
        let page = client.get("/").await;
        assert_eq!(page.text_of(r#"id="visitor""#), Some("Ada of the servers"));
        assert_eq!(page.number_of(r#"id="visits""#), 3);
        let mut thief = client.clone();
        client.submit("/sign-out", &[]).await;
        assert_eq!(thief.get("/").await.text_of(r#"id="visitor""#), None);
        program.stop().await;
    }
}

#[tokio::test]
async fn where_the_store_is_is_said_without_the_password() {
    for url in Kind::ALL.into_iter().filter_map(url_of) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut program = Program::quickstart(&url, folder.path()).await;
        let (scheme, _, host) = parts(&url);
        assert_eq!(program.next_line().await, format!("Sessions are kept in {scheme}://{host}. Ctrl-C stops."));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_one_line_and_code_1() {
    for kind in Kind::ALL {
        let Some(url) = url_of(kind) else { continue };
        let says = match kind {
            Kind::Redis | Kind::RedisCluster => "wrong user or password",
            Kind::Postgres => "password authentication failed",
            _ => "Access denied",
        };
        let (scheme, login, host) = parts(&url);
        let (user, _) = login.split_once(':').expect("user and password");
        for login in [format!("{user}:hunter2"), NOBODY.to_owned()] {
            refused(1, &["--store", &format!("{scheme}://{login}@{host}")], says).await;
        }
    }
}

#[tokio::test]
async fn a_wrong_database_is_one_line_and_code_1() {
    for (kind, database, says) in [
        (Kind::Redis, "9999", "database number"),
        (Kind::Postgres, "no_such_shop", "does not exist"),
        (Kind::MariaDb, "no_such_shop", "Unknown database"),
    ] {
        let Some(url) = url_of(kind) else { continue };
        let (scheme, login, host) = parts(&url);
        let host = host.split('/').next().expect("a host");
        refused(1, &["--store", &format!("{scheme}://{login}@{host}/{database}")], says).await;
    }
    let Some(url) = given(Kind::MariaDb) else { return };
    let (url, _) = url.rsplit_once('/').expect("a database");
    refused(1, &["--store", url], "No database selected").await;
}

#[tokio::test]
async fn a_server_of_another_kind_is_one_line_and_code_1() {
    let (redis, postgres) = (given(Kind::Redis), given(Kind::Postgres));
    if let Some(redis) = redis {
        let (_, login, host) = parts(&redis);
        refused(1, &["--store", &format!("redis+cluster://{login}@{host}")], "whether it is a Cluster").await;
        refused(1, &["--store", &format!("postgres://{login}@{host}/shop")], "cannot keep sessions in").await;
    }
    if let Some(postgres) = postgres {
        let (_, login, host) = parts(&postgres);
        let host = host.split('/').next().expect("a host");
        refused(1, &["--store", &format!("redis://{login}@{host}")], "cannot keep sessions in").await;
        refused(1, &["--store", &format!("mysql://{login}@{host}/shop")], "cannot keep sessions in").await;
    }
}

/// It may work, on a Cluster of one node, so it is a warning.
#[tokio::test]
async fn a_node_of_a_cluster_in_place_of_a_server_is_warned_of() {
    let Some(url) = given(Kind::RedisCluster) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let shell = ["-c", "exec \"$0\" \"$@\" 2>warnings", env!("CARGO_BIN_EXE_quickstart")];
    let arguments = [&shell[..], &["--listen", "127.0.0.1:0", "--store", &url]].concat();
    let program = Program::start("sh", &arguments, folder.path()).await;
    let warnings = std::fs::read_to_string(folder.path().join("warnings")).expect("it was started");
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    assert!(warnings.contains("connect with a redis+cluster:// URL"), "{warnings}");
    program.stop().await;
}

/// The URL of a server as the quickstart takes it; `None` when the server was left out on purpose.
fn url_of(kind: Kind) -> Option<String> {
    let url = given(kind)?;
    Some(if kind == Kind::RedisCluster { url.replacen("redis://", "redis+cluster://", 1) } else { url })
}

/// The scheme, the user with the password, and the rest.
fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (login, host) = rest.rsplit_once('@').expect("a user");
    (scheme, login, host)
}
