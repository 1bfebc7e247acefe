//! Random lives against the model, on every store that can live on virtual time.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

use std::time::{SystemTime, UNIX_EPOCH};

use sessions_conformance::reference::Reference;
use sessions_core::{ManualClock, SessionStore, Timestamp};
use sessions_memory::MemoryStore;
use sessions_proof::model;
use sessions_sqlx::SqliteStore;

const LIVES: u64 = 200;
const OPERATIONS: usize = 200;

/// A seed that is printed; `SESSIONS_PROOF_SEED` gives it again.
fn seed() -> u64 {
    let given = std::env::var("SESSIONS_PROOF_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()) << 20)
    });
    println!("SESSIONS_PROOF_SEED={seed}");
    seed
}

async fn lives<S: SessionStore>(lives: u64, store: impl AsyncFn(ManualClock) -> S) {
    let seed = seed();
    for number in 0..lives {
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let store = store(clock.clone()).await;
        if let Err(difference) = model::live(store, &clock, OPERATIONS, seed.wrapping_add(number)).await {
            panic!("{difference}");
        }
    }
    println!("{lives} lives of {OPERATIONS} operations, no difference");
}

#[tokio::test]
async fn random_lives_on_the_reference_store() {
    lives(LIVES, async |clock| Reference::new(clock)).await;
}

#[tokio::test]
async fn random_lives_on_the_memory_store() {
    lives(LIVES, async |clock| MemoryStore::builder().clock(clock).build().expect("valid settings")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_lives_on_sqlite() {
    lives(LIVES / 10, async |clock| {
        let store = SqliteStore::builder().clock(clock).connect("sqlite::memory:").await.expect("a database in memory");
        store.migrate().await.expect("an empty database");
        store
    })
    .await;
}
