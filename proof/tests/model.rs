//! Random lives against the model: on virtual time on every store that can live on it, and without a time that passes on the
//! servers.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::time::{SystemTime, UNIX_EPOCH};

use sessions_conformance::reference::Reference;
use sessions_core::{ManualClock, SessionStore, Timestamp};
use sessions_memory::MemoryStore;
#[cfg(feature = "servers")]
use sessions_proof::behind::{Bench, Kind, Problem};
use sessions_proof::controls::Breakage;
use sessions_proof::model::{self, Time};
use sessions_sqlx::SqliteStore;

const LIVES: u64 = 200;
const OPERATIONS: usize = 200;

/// A seed that is printed; `SESSIONS_SEED` gives it again.
fn seed() -> u64 {
    let given = std::env::var("SESSIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()) << 20)
    });
    println!("SESSIONS_SEED={seed}");
    seed
}

/// Twenty times as many with `SESSIONS_PROOF_LONG=1`.
fn more() -> u64 {
    if std::env::var_os("SESSIONS_PROOF_LONG").is_some() { 20 } else { 1 }
}

async fn lives<S: SessionStore>(name: &str, lives: u64, store: impl AsyncFn(ManualClock) -> S) {
    let (seed, lives) = (seed(), lives * more());
    for number in 0..lives {
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let store = store(clock.clone()).await;
        if let Err(difference) = model::live(store, (&clock, Time::Passes), OPERATIONS, seed.wrapping_add(number)).await
        {
            panic!("{difference}");
        }
    }
    println!("proof: model: store={name}; lives={lives}; operations of each={OPERATIONS}; differences=0");
}

#[tokio::test]
async fn random_lives_on_the_reference_store() {
    lives("reference", LIVES, async |clock| Reference::new(clock)).await;
}

#[tokio::test]
async fn random_lives_on_the_memory_store() {
    lives("memory", LIVES, async |clock| MemoryStore::builder().clock(clock).build().expect("valid settings")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_lives_on_sqlite() {
    lives("SQLite", LIVES / 10, async |clock| {
        let store = SqliteStore::builder().clock(clock).connect("sqlite::memory:").await.expect("a database in memory");
        store.migrate().await.expect("an empty database");
        store
    })
    .await;
}

#[cfg(feature = "servers")]
async fn lives_on_a_server(kind: Kind) -> Result<(), Problem> {
    let (seed, lives) = (seed(), LIVES / 10 * more());
    for number in 0..lives {
        let Some(bench) = Bench::open(kind).await? else { return Ok(()) };
        let store = std::sync::Arc::clone(&bench.store);
        model::live(store, (&bench.clock, Time::StandsStill), OPERATIONS, seed.wrapping_add(number)).await?;
        bench.store.stop().await?;
    }
    println!("proof: model: store={kind:?}; lives={lives}; operations of each={OPERATIONS}; differences=0");
    Ok(())
}

#[cfg(feature = "servers")]
macro_rules! on_servers {
    ($($name:ident: $kind:ident;)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<(), Problem> {
            lives_on_a_server(Kind::$kind).await
        }
    )* };
}

#[cfg(feature = "servers")]
on_servers! {
    random_lives_on_redis: Redis;
    random_lives_on_a_redis_cluster: RedisCluster;
    random_lives_on_postgres: Postgres;
    random_lives_on_mariadb: MariaDb;
}

/// Nothing overlaps here, so that breaking `update` would go unnoticed: the interleavings are for that.
#[tokio::test]
async fn a_broken_store_is_told_from_the_model() {
    let seed = seed();
    let start = Timestamp::from_millis(1_700_000_000_000);
    let mut caught = (0, 0);
    for number in 0..LIVES {
        let seed = seed.wrapping_add(number);
        let clock = ManualClock::at(start);
        let forgetful = Breakage::ForgetsDeletes.wrap(Reference::new(clock.clone()));
        caught.0 += u64::from(model::live(forgetful, (&clock, Time::Passes), OPERATIONS, seed).await.is_err());
        let clock = ManualClock::at(start);
        let timeless = Reference::new(ManualClock::at(start));
        caught.1 += u64::from(model::live(timeless, (&clock, Time::Passes), OPERATIONS, seed).await.is_err());
    }
    println!("proof: model: control: a store that forgets deletions is caught in {} of {LIVES} lives", caught.0);
    println!("proof: model: control: a store whose clock stands still is caught in {} of {LIVES} lives", caught.1);
    assert!(caught.0 > 0 && caught.1 > 0);
}
