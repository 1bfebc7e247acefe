//! Whether a store is whole: its pool, and the server behind it.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{Change, CreateOutcome, Entry, SessionId, SessionStore, Timestamp, Ttl, UpdateOutcome, Version};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::behind::{Bench, Problem};

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);

/// After so long something that should end is taken to hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than any pool here has connections.
const AT_ONCE: usize = 12;

/// Runs every kind of operation, more of them at once than there are connections.
pub(crate) async fn is_usable(store: &Arc<dyn SessionStore>) -> Result<(), Problem> {
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        tasks.spawn(cycle(Arc::clone(store)));
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    };
    match timeout(PATIENCE, all).await {
        Ok(outcome) => outcome.map_err(|problem: Problem| format!("the pool is not whole: {problem}").into()),
        Err(_) => Err("the pool is not whole: operations hang".into()),
    }
}

/// Waits until nothing is under way on the server.
pub(crate) async fn comes_to_rest(bench: &Bench) -> Result<(), Problem> {
    bench.come_to_rest(PATIENCE).await
}

/// One session's life.
pub(crate) async fn cycle(store: Arc<dyn SessionStore>) -> Result<(), Problem> {
    let (id, first, second) = (id(), entry(), entry());
    let keep = Change { ttl: Ttl::Keep, reindex: false };
    let steps = [
        store.create(&id, &first, HOUR).await? == CreateOutcome::Created,
        store.update(&id, first.version, &second, keep).await? == UpdateOutcome::Written,
        store.touch(&id, second.version, HOUR).await?,
        store.load(&id).await?.is_some_and(|stored| stored.record == second.record),
        store.delete(&[id]).await? == 1,
    ];
    match steps.iter().position(|right| !right) {
        None => Ok(()),
        Some(step) => Err(format!("step {step} of a session's life went wrong").into()),
    }
}

/// An id that nobody has used.
pub(crate) fn id() -> SessionId {
    SessionId::from_bytes(fastrand::u128(..).to_le_bytes())
}

/// Bytes that nobody else has written, without an owner.
pub(crate) fn entry() -> Entry {
    let version = Version::from_u64(fastrand::u64(..));
    let record: Vec<u8> = (0..fastrand::usize(40..400)).map(|_| fastrand::u8(..)).collect();
    Entry { version, record: record.into(), owner: None, deadline: Timestamp::MAX }
}
