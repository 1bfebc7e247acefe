//! The purge of many expired sessions while requests run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sessions_core::{Change, Clock, ManualClock, SystemClock, Ttl, UpdateOutcome};
use tokio::task::JoinSet;

use crate::Error;
use crate::quantiles::Quantiles;
use crate::stores::{DAY, Store, VERSION, connect, entry, fill, id, memory};

/// Prints one line.
pub(crate) async fn run(name: &str, expired: u64, time: Duration) -> Result<(), Error> {
    let store = &filled(name, expired).await?;
    let before = requests_for(store, time).await?;
    let (during, purged, elapsed) = requests_while_purging(store).await?;
    let after = requests_for(store, time).await?;
    if purged != expired {
        return Err(format!("{purged} of {expired} were purged").into());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_second = (purged as f64 / elapsed.as_secs_f64()).round();
    println!(
        "{}",
        json!({
            "expired": expired, "purged": purged, "seconds": elapsed.as_secs_f64(), "purged_per_second": per_second,
            "before": before, "during": during, "after": after,
        })
    );
    Ok(())
}

/// The live ones, and those that are expired by now.
async fn filled(name: &str, expired: u64) -> Result<Store, Error> {
    // Who creates a session in memory clears up beside it: there, all expire together when they are all there.
    if name == "memory" {
        let clock = ManualClock::at(SystemClock.now());
        let store: Store = Arc::new(memory(clock.clone())?);
        fill(&store, 0..LIVE, RECORD, DAY).await?;
        fill(&store, LIVE..LIVE + expired, RECORD, MINUTE).await?;
        clock.advance(2 * MINUTE);
        return Ok(store);
    }
    let store = connect(name).await?;
    fill(&store, 0..LIVE, RECORD, DAY).await?;
    fill(&store, LIVE..LIVE + expired, RECORD, Duration::from_millis(1)).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(store)
}

async fn requests_for(store: &Store, time: Duration) -> Result<Value, Error> {
    let over = Arc::new(AtomicBool::new(false));
    let running = requests(store, &over);
    let start = Instant::now();
    tokio::time::sleep(time).await;
    over.store(true, Relaxed);
    Ok(collect(running).await?.over(start.elapsed()))
}

async fn requests_while_purging(store: &Store) -> Result<(Value, u64, Duration), Error> {
    let over = Arc::new(AtomicBool::new(false));
    let running = requests(store, &over);
    let start = Instant::now();
    let purged = tokio::spawn(purge(Arc::clone(store))).await??;
    let elapsed = start.elapsed();
    over.store(true, Relaxed);
    let quantiles = collect(running).await?;
    Ok((quantiles.over(start.elapsed()), purged, elapsed))
}

/// As the stores do it by themselves: in batches, as long as these come back full.
async fn purge(store: Store) -> Result<u64, String> {
    let mut purged = 0;
    loop {
        let batch = store.purge_expired(BATCH).await.map_err(|error| error.to_string())?;
        purged += batch;
        if batch < u64::from(BATCH) {
            return Ok(purged);
        }
        tokio::task::yield_now().await;
    }
}

/// 16 callers that load and update in turn, as requests do.
fn requests(store: &Store, over: &Arc<AtomicBool>) -> JoinSet<Result<Quantiles, String>> {
    let mut running = JoinSet::new();
    for caller in 0..CALLERS {
        let (store, over) = (Arc::clone(store), Arc::clone(over));
        running.spawn(async move {
            let mut quantiles = Quantiles::default();
            let entry = entry(RECORD);
            let change = Change { ttl: Ttl::Keep, reindex: false };
            let mut number = caller;
            while !over.load(Relaxed) {
                let begin = Instant::now();
                let id = id(number);
                store.load(&id).await.map_err(|error| error.to_string())?.ok_or("a live session is gone")?;
                let updated = store.update(&id, VERSION, &entry, change).await.map_err(|error| error.to_string())?;
                if updated != UpdateOutcome::Written {
                    return Err("a live session is not as it was left".to_owned());
                }
                quantiles.push(begin.elapsed());
                number = (number + CALLERS) % LIVE;
                // The memory store answers at once: let the others run.
                tokio::task::yield_now().await;
            }
            Ok(quantiles)
        });
    }
    running
}

async fn collect(mut running: JoinSet<Result<Quantiles, String>>) -> Result<Quantiles, Error> {
    let mut all = Quantiles::default();
    while let Some(quantiles) = running.join_next().await {
        all.append(quantiles??);
    }
    Ok(all)
}

const MINUTE: Duration = Duration::from_secs(60);
const LIVE: u64 = 10_000;
const RECORD: usize = 175;
const CALLERS: u64 = 16;
const BATCH: u32 = 500;
