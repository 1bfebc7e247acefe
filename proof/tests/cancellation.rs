//! Every cancellation point: operations, whole requests and commits are dropped at each of their awaits, on every store.
//!
//! `SESSIONS_PROOF_LONG=1` does it ten times as often.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::time::Duration;

use sessions_proof::behind::{Bench, Kind, Problem};
use sessions_proof::drops::controls::Control;
use sessions_proof::drops::everywhere;

async fn drop_everywhere(kind: Kind) -> Result<(), Problem> {
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    let rounds = if std::env::var_os("SESSIONS_PROOF_LONG").is_some() { 10 } else { 1 };
    let report = everywhere(&bench, rounds).await?;
    println!("proof: cancellation: store={kind:?}; {report}");
    bench.store.stop().await?;
    Ok(())
}

/// A transaction that somebody leaves open is seen, and so is its end.
async fn see_what_is_left_open(kind: Kind) -> Result<(), Problem> {
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    let left = bench.leave_open().await?.ok_or("this store has transactions")?;
    // Some servers tell of transactions with a delay.
    while bench.under_way().await? == 0 {
        tokio::task::yield_now().await;
    }
    bench.come_to_rest(Duration::ZERO).await.expect_err("it is open");
    drop(left);
    bench.come_to_rest(Duration::from_secs(30)).await?;
    println!("proof: cancellation: control: a transaction left open on {kind:?} is seen");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_control_is_caught() -> Result<(), Problem> {
    for control in Control::ALL {
        let caught = control.caught().await?.unwrap_or_else(|| panic!("{control:?} goes unnoticed"));
        println!("proof: cancellation: control: {control:?} is caught: {caught}");
    }
    Ok(())
}

macro_rules! on {
    ($($name:ident: $kind:ident;)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<(), Problem> {
            drop_everywhere(Kind::$kind).await
        }
    )* };
}

macro_rules! left_open_on {
    ($($name:ident: $kind:ident;)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<(), Problem> {
            see_what_is_left_open(Kind::$kind).await
        }
    )* };
}

on! {
    on_the_memory_store: Memory;
    on_sqlite: Sqlite;
}

left_open_on! {
    what_is_left_open_on_sqlite_is_seen: Sqlite;
}

#[cfg(feature = "servers")]
on! {
    on_redis: Redis;
    on_a_redis_cluster: RedisCluster;
    on_postgres: Postgres;
    on_mariadb: MariaDb;
}

#[cfg(feature = "servers")]
left_open_on! {
    what_is_left_open_on_postgres_is_seen: Postgres;
    what_is_left_open_on_mariadb_is_seen: MariaDb;
}
