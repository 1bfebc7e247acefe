//! Floods: clients that nobody knows, up to the bound of the store and beyond, and sessions of every size.
//!
//! `SESSIONS_PROOF_LONG=1` sends ten times as many requests. One test at a time: the memory in use is the process's.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::alloc::System;
use std::sync::{Arc, Mutex, PoisonError};

use sessions_memory::MemoryStore;
use sessions_proof::behind::{Bench, Kind, Problem};
use sessions_proof::flood::{Earlier, Handler, Sends, flood, left_nothing, sizes};
use sessions_sqlx::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn in_use() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated)
}

/// Runs a test while no other one runs.
fn alone(test: impl Future<Output = Result<(), Problem>>) -> Result<(), Problem> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(test)
}

fn requests() -> u64 {
    if std::env::var_os("SESSIONS_PROOF_LONG").is_some() { 1_000_000 } else { 100_000 }
}

async fn floods_leave_nothing(kind: Kind) -> Result<(), Problem> {
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    for sends in Sends::ALL {
        let tally = flood(&bench, sends, Handler::Reads, requests(), &in_use).await?;
        left_nothing(&bench, &tally, 0).await?;
        println!("proof: floods: store={kind:?}; client sends={sends:?}; {tally}; sessions left=0");
    }
    Ok(())
}

#[test]
fn floods_leave_nothing_in_memory() -> Result<(), Problem> {
    alone(floods_leave_nothing(Kind::Memory))
}

#[test]
fn floods_leave_nothing_in_sqlite() -> Result<(), Problem> {
    alone(floods_leave_nothing(Kind::Sqlite))
}

/// A handler that writes for everybody, and one that forgets to free something.
#[test]
fn a_flood_that_leaves_something_is_caught() -> Result<(), Problem> {
    alone(async {
        for handler in [Handler::Writes, Handler::Leaks] {
            let bench = Bench::open(Kind::Memory).await?.ok_or("no store")?;
            let tally = flood(&bench, Sends::UnknownTokens, handler, 10_000, &in_use).await?;
            let caught = left_nothing(&bench, &tally, 0).await.expect_err("something is left");
            println!("proof: floods: control: a handler that {handler:?} is caught: {caught}");
        }
        Ok(())
    })
}

#[test]
fn a_full_memory_store_refuses_newcomers_and_keeps_everybody() -> Result<(), Problem> {
    const BOUND: usize = 20_000;
    const EARLIER: usize = 1_000;
    alone(async {
        let bench = Bench::open(Kind::Memory).await?.ok_or("no store")?;
        let store = MemoryStore::builder().max_sessions(BOUND).build()?;
        let bench = bench.with_store(Arc::new(store.clone()));
        let earlier = Earlier::begin(Arc::new(store.clone()), EARLIER).await?;
        let tally = flood(&bench, Sends::Nothing, Handler::Writes, requests(), &in_use).await?;
        println!("proof: floods: store=Memory; bound={BOUND} sessions; {tally}");
        assert_eq!(store.usage().live, BOUND);
        assert_eq!((tally.served + tally.refused, tally.other), (tally.sent, 0));
        assert!(tally.refused > tally.sent / 2);
        assert_eq!(tally.cookies, tally.served, "who is refused gets no cookie");
        assert_eq!(earlier.missing().await?, 0);
        println!("proof: floods: {EARLIER} of {EARLIER} earlier sessions alive in the full memory store");
        Ok(())
    })
}

#[test]
fn a_full_sqlite_file_refuses_newcomers_and_keeps_everybody() -> Result<(), Problem> {
    const PAGES: usize = 150;
    const EARLIER: usize = 200;
    alone(async {
        let folder = tempfile::tempdir()?;
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("full.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("max_page_count", PAGES.to_string());
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        let store = SqliteStore::builder().no_purge().with_pool(pool);
        store.migrate().await?;
        let store: Arc<dyn sessions_core::SessionStore> = Arc::new(store);
        let earlier = Earlier::begin(Arc::clone(&store), EARLIER).await?;
        let bench = Bench::open(Kind::Sqlite).await?.ok_or("no store")?.with_store(store);
        let tally = flood(&bench, Sends::Nothing, Handler::Writes, requests() / 5, &in_use).await?;
        println!("proof: floods: store=Sqlite; bound={PAGES} pages; {tally}");
        assert_eq!((tally.served + tally.refused, tally.other), (tally.sent, 0));
        assert!(tally.refused > tally.sent / 2);
        assert_eq!(tally.cookies, tally.served, "who is refused gets no cookie");
        assert_eq!(earlier.missing().await?, 0);
        println!("proof: floods: {EARLIER} of {EARLIER} earlier sessions alive in the full SQLite file");
        Ok(())
    })
}

async fn sizes_on(kind: Kind) -> Result<(), Problem> {
    let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
    let sizes::Report { smallest, largest, many_keys } = sizes::all(&bench).await?;
    println!(
        "proof: floods: store={kind:?}; bytes without values={smallest}; bytes at the limit={largest}; one byte above=refused; \
         bytes with 10 000 keys={many_keys}"
    );
    Ok(())
}

macro_rules! sizes {
    ($($name:ident: $kind:ident;)*) => { $(
        #[test]
        fn $name() -> Result<(), Problem> {
            alone(sizes_on(Kind::$kind))
        }
    )* };
}

sizes! {
    sizes_in_memory: Memory;
    sizes_in_sqlite: Sqlite;
}

#[cfg(feature = "servers")]
sizes! {
    sizes_in_redis: Redis;
    sizes_in_a_redis_cluster: RedisCluster;
    sizes_in_postgres: Postgres;
    sizes_in_mariadb: MariaDb;
}
