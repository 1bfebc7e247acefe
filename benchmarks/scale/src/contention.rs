//! Many writers on one session: every one of them counts, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::json;
use sessions_core::{CookieChange, Key, SessionManager, Token};
use tokio::task::JoinSet;

use crate::Error;
use crate::counting::Counting;
use crate::quantiles::Quantiles;
use crate::stores::connect;

const N: Key<u64> = Key::new("n");

/// Prints a line for each number of writers. Each manager has a store of its own, as another process would have.
pub(crate) async fn run(store: &str, managers: usize, time: Duration, writers: &[u64]) -> Result<(), Error> {
    let calls = Arc::new(AtomicU64::new(0));
    // The memory store is this process's alone.
    let first = connect(store).await?;
    let mut all = Vec::new();
    for number in 0..managers {
        let inner = if number == 0 || store == "memory" { Arc::clone(&first) } else { connect(store).await? };
        all.push(SessionManager::builder(Counting::new(inner, Arc::clone(&calls))).build()?);
    }
    for &writers in writers {
        let session = all[0].new_session();
        session.insert(&N, &0)?;
        let CookieChange::Set { token, .. } = all[0].commit(&session).await?.cookie else {
            return Err("a new session has a token".into());
        };
        calls.store(0, Relaxed);
        let start = Instant::now();
        let mut running = JoinSet::new();
        for writer in 0..usize::try_from(writers)? {
            running.spawn(write(all[writer % managers].clone(), token.clone(), start + time));
        }
        let (mut quantiles, mut failed) = (Quantiles::default(), 0);
        while let Some(written) = running.join_next().await {
            let (more, failures) = written?;
            quantiles.append(more);
            failed += failures;
        }
        let elapsed = start.elapsed();
        let calls = calls.load(Relaxed);
        let commits = quantiles.len() as u64;
        let counted = all[0].load(&token).await?.ok_or("the session is gone")?.get(&N)?.unwrap_or(0);
        if counted != commits {
            return Err(format!("{commits} commits, but the counter says {counted}").into());
        }
        let mut line = quantiles.over(elapsed);
        line["writers"] = json!(writers);
        line["managers"] = json!(managers);
        line["failed"] = json!(failed);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let each = calls as f64 / commits.max(1) as f64;
        line["store_calls"] = json!((each * 100.0).round() / 100.0);
        println!("{line}");
    }
    Ok(())
}

/// Loads, counts and commits until the time is over. A commit that gave up has written nothing.
async fn write(manager: SessionManager, token: Token, end: Instant) -> (Quantiles, u64) {
    let (mut quantiles, mut failed) = (Quantiles::default(), 0);
    while Instant::now() < end {
        let begin = Instant::now();
        let written = async {
            let session = manager.load(&token).await?.expect("it is live");
            session.update(&N, |n| n.unwrap_or(0) + 1)?;
            manager.commit(&session).await
        };
        match written.await {
            Ok(_) => quantiles.push(begin.elapsed()),
            Err(error) if error.is_contended() => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (quantiles, failed)
}
