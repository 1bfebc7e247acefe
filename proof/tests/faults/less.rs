//! Servers that acknowledge what they may lose: what that is, when they are killed.

use http::Method;
use sessions_conformance::servers::{Kind, is_left_out};
use sessions_proof::faults::{Answer, Cookie};

use crate::breaking::Stage;
use crate::client::Client;
use crate::load::Visitor;

/// A log that is written before the answer and synced later: the death of the process loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn redis_that_syncs_every_second() {
    killed("Redis, appendfsync everysec", Kind::Redis, true, &["--appendfsync", "everysec"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_that_answers_before_it_writes() {
    killed("Postgres, synchronous_commit off", Kind::Postgres, false, &["-c", "synchronous_commit=off"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_that_writes_every_second() {
    let arguments = ["--innodb-flush-log-at-trx-commit=0"];
    killed("MariaDB, innodb_flush_log_at_trx_commit 0", Kind::MariaDb, false, &arguments).await;
}

async fn killed(name: &str, kind: Kind, keeps: bool, arguments: &[&str]) {
    if !is_left_out(kind) {
        Stage::set(name, kind, keeps, arguments).await.kill().await;
    }
}

/// Snapshots and no log: everything since the last one is lost, sign-outs too.
#[tokio::test(flavor = "multi_thread")]
async fn redis_that_keeps_snapshots() {
    if is_left_out(Kind::Redis) {
        return;
    }
    let mut stage = Stage::set("Redis, snapshots only", Kind::Redis, false, &["--appendonly", "no"]).await;
    let address = stage.scene.address;
    let leaver = Visitor::come(address, 1).await;
    let client = redis::Client::open(stage.server.url()).expect("a valid URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
    redis::cmd("SAVE").exec_async(&mut connection).await.expect("a snapshot");

    let token = leaver.known.jar.token();
    let seen = Client::of(address).ask(Method::POST, "/sign-out", Some(&token)).await;
    assert_eq!((seen.answer, seen.cookie), (Answer::Page(None), Cookie::Cleared));
    let figures = stage.kill().await;
    assert!(figures.lost > 0, "there is nothing to lose what came after the snapshot");
    let seen = Client::of(address).ask(Method::GET, "/", Some(&token)).await;
    assert_eq!(seen.answer, Answer::Page(Some(2)), "the session that was signed out of is back");
    println!(
        "proof: faults: a session that was signed out of after the last snapshot: back after kill -9, as documented"
    );
}
