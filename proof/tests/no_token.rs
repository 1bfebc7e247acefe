//! No token anywhere: a whole life of sessions on every store, and then a search of everything for every token.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use sessions_proof::behind::{Bench, Kind, Problem};
use sessions_proof::leaks::ears::Ears;
use sessions_proof::leaks::{search, unnoticed};

async fn no_token(kind: Kind) -> Result<(), Problem> {
    let ears = Ears::of_the_process();
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    println!("proof: no token: store={kind:?}; {}", search(&bench, &ears).await?);
    bench.store.stop().await?;
    Ok(())
}

async fn a_token_on_purpose(kind: Kind) -> Result<(), Problem> {
    let ears = Ears::of_the_process();
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    let unnoticed = unnoticed(&bench, &ears).await?;
    if unnoticed.is_empty() {
        println!("proof: no token: control: every token that was leaked on purpose beside {kind:?} is found");
        Ok(())
    } else {
        Err(format!("not found: {unnoticed:?}").into())
    }
}

macro_rules! on {
    ($($name:ident, $control:ident: $kind:ident;)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<(), Problem> {
            no_token(Kind::$kind).await
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $control() -> Result<(), Problem> {
            a_token_on_purpose(Kind::$kind).await
        }
    )* };
}

on! {
    memory, a_leak_in_memory_is_found: Memory;
    sqlite, a_leak_in_sqlite_is_found: Sqlite;
}

#[cfg(feature = "servers")]
on! {
    redis, a_leak_in_redis_is_found: Redis;
    redis_cluster, a_leak_in_a_redis_cluster_is_found: RedisCluster;
    postgres, a_leak_in_postgres_is_found: Postgres;
    mariadb, a_leak_in_mariadb_is_found: MariaDb;
}
