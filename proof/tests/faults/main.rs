//! Faults under load: the quickstart as a process, its clients, and a server that is killed, frozen, cut off, slowed down.
//!
//! Each fault is judged by `sessions_proof::faults`, which knows what was promised, and is a row of the table in
//! `docs/proof.md`. `SESSIONS_PROOF_LONG=1` does everything five times, with more cuts and longer delays.
//!
//! Deadlines are measured by the clock on the wall, so that the machine must have nothing else to do: `cargo xtask proof` runs the
//! faults, one server after the other, and `cargo xtask test` the controls alone.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

mod app;
mod breaking;
mod client;
mod cluster;
mod hasty;
mod less;
mod load;
mod proxy;
mod record;
mod scene;

use breaking::{Stage, behind_proxy};
use cluster::Cluster;
use proxy::{Cut, Mode};
use scene::Scene;
use sessions_conformance::servers::{Kind, is_left_out};
use sessions_proof::faults::Finding;

/// Whether the faults of a server are not to be run now; it is said why.
fn is_left_to_the_proof(kind: Kind) -> bool {
    let is_proof = std::env::var_os("SESSIONS_PROOF").is_some();
    if !is_proof {
        println!("{kind:?}: left to `cargo xtask proof`");
    }
    !is_proof || is_left_out(kind)
}

/// Synced before it is answered.
const EVERY_WRITE_ON_DISK: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_keeps_everything() {
    if !is_left_to_the_proof(Kind::Redis) {
        Stage::set("Redis, appendfsync always", Kind::Redis, true, EVERY_WRITE_ON_DISK).await.every_fault().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    if !is_left_to_the_proof(Kind::Postgres) {
        Stage::set("Postgres", Kind::Postgres, true, &["-c", "fsync=on", "-c", "full_page_writes=on"])
            .await
            .every_fault()
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb() {
    if !is_left_to_the_proof(Kind::MariaDb) {
        Stage::set("MariaDB", Kind::MariaDb, true, &["--innodb-flush-log-at-trx-commit=1"]).await.every_fault().await;
    }
}

/// A network partition around one master of a Cluster, and the failover to its replica.
#[tokio::test(flavor = "multi_thread")]
async fn redis_cluster() {
    if is_left_to_the_proof(Kind::RedisCluster) {
        return;
    }
    let mut cluster = Cluster::start().await;
    // The replica is told after the client: what it has not heard of when it takes over is lost.
    let mut scene = Scene::of_quickstart("Redis Cluster", false, &cluster.url()).await;
    while cluster.keys_of_first().await < 2 {
        scene.come(&[1]).await;
    }
    let mut phase = scene.phase("partition of a master, failover", false).await;
    cluster.part();
    phase.broken();
    phase.record().a_refusal().await;
    cluster.failed_over().await;
    phase.whole();
    scene.finish(phase).await;

    let mut phase = scene.phase("the old master comes back", false).await;
    phase.broken();
    cluster.heal();
    cluster.rejoined().await;
    phase.whole();
    scene.finish(phase).await;
}

/// The negative control.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_answers_before_it_commits_is_caught() {
    if is_left_out(Kind::Redis) {
        return;
    }
    let (_server, proxy, url) = behind_proxy(Kind::Redis, EVERY_WRITE_ON_DISK).await;
    let mut scene = Scene::of("Redis", true, hasty::serve(&url).await);
    scene.come(&[1; 4]).await;
    let mut phase = scene.phase("cut before the request arrives", false).await;
    proxy.set(Mode::Cut(Cut::BeforeTheRequest, 4));
    phase.broken();
    proxy.cuts(40).await;
    proxy.set(Mode::Pass);
    phase.whole();
    let (figures, findings) = scene.conclude(phase).await.expect_err("acknowledged visits are gone");
    assert!(findings.iter().any(|finding| matches!(finding, Finding::Lost { .. })), "{findings:?}");
    let (lost, of) = (figures.lost, figures.acknowledged);
    println!(
        "proof: faults: control, an application that answers before it commits: caught, {lost} of {of} visits lost"
    );
}
