//! What an operation costs among many sessions, and with large records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sessions_core::{Change, Ttl, UpdateOutcome};
use tokio::task::JoinSet;

use crate::Error;
use crate::quantiles::Quantiles;
use crate::stores::{DAY, Store, VERSION, entry, fill, id};

/// What is measured.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Load,
    Update,
    Touch,
}

/// Prints a line for each count, in rising order.
pub(crate) async fn run(store: &Store, bytes: usize, time: Duration, counts: &[u64]) -> Result<(), Error> {
    let mut filled = 0;
    for &count in counts {
        let start = Instant::now();
        fill(store, filled..count, bytes, DAY).await?;
        let created = count - filled;
        let filling = start.elapsed();
        filled = count;
        let mut line = json!({ "sessions": count, "record_bytes": bytes });
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = (created as f64 / filling.as_secs_f64()).round();
        line["create"] = json!({ "many_per_second": per_second });
        for (name, operation) in [("load", Operation::Load), ("update", Operation::Update), ("touch", Operation::Touch)]
        {
            let alone = at_a_time(store, operation, 1, count, bytes, time).await?;
            let many = at_a_time(store, operation, 64, count, bytes, time).await?;
            line[name] = json!({ "alone": alone, "64_at_a_time": many });
        }
        println!("{line}");
    }
    Ok(())
}

async fn at_a_time(
    store: &Store,
    operation: Operation,
    callers: u64,
    count: u64,
    bytes: usize,
    time: Duration,
) -> Result<serde_json::Value, Error> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for caller in 0..callers {
        let store = Arc::clone(store);
        running.spawn(async move {
            let mut quantiles = Quantiles::default();
            // Distinct for each caller, spread over all sessions.
            let mut number = caller * (count / callers).max(1);
            let entry = entry(bytes);
            while start.elapsed() < time {
                number = (number + 7_919) % count;
                let begin = Instant::now();
                perform(&store, operation, number, &entry).await?;
                quantiles.push(begin.elapsed());
            }
            Ok::<_, String>(quantiles)
        });
    }
    let mut all = Quantiles::default();
    while let Some(quantiles) = running.join_next().await {
        all.append(quantiles??);
    }
    Ok(all.over(start.elapsed()))
}

async fn perform(store: &Store, operation: Operation, number: u64, entry: &sessions_core::Entry) -> Result<(), String> {
    let id = id(number);
    let done = match operation {
        Operation::Load => store.load(&id).await.map(|stored| stored.is_some()),
        Operation::Touch => store.touch(&id, VERSION, DAY).await,
        Operation::Update => {
            let change = Change { ttl: Ttl::Keep, reindex: false };
            store.update(&id, VERSION, entry, change).await.map(|outcome| outcome == UpdateOutcome::Written)
        }
    };
    match done {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("session {number} is not as it was left")),
        Err(error) => Err(error.to_string()),
    }
}
