//! What the store says of each write while the server is killed under it is true: what was acknowledged is there, what is
//! called not applied is not (G11).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sessions_conformance::servers::Kind;
use sessions_core::{CreateOutcome, SessionId, SessionStore, StoreError, UpdateOutcome, Version};
use sessions_redis::RedisStore;
use tokio::task::JoinSet;

use crate::bench::{Bench, HOUR, MOVE, entry, id};

const ROUNDS: usize = 5;
const WRITERS: usize = 24;

/// What the store said of a write.
#[derive(Clone, Copy)]
enum Fate {
    Acknowledged,
    NotApplied,
    InDoubt,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_killed_server_makes_no_liar_of_the_store() {
    killed(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g11_a_killed_cluster_makes_no_liar_of_the_store() {
    killed(Kind::RedisCluster).await;
}

async fn killed(kind: Kind) {
    let Some(mut bench) = Bench::own(kind, &[]).await else { return };
    let mut seen = [0; 3];
    for round in 0..ROUNDS {
        let store = bench.store_within(Duration::from_secs(2)).await;
        let (turns, writers) = (Arc::new(AtomicUsize::new(0)), WRITERS + fastrand::usize(..WRITERS));
        let mut writing = JoinSet::new();
        for writer in 0..writers {
            let owner = (writer % 3 == 0).then(|| format!("owner {writer}"));
            writing.spawn(write(store.clone(), owner, Arc::clone(&turns)));
        }
        // Every writer is in the middle of its writes.
        while turns.load(Ordering::SeqCst) < writers * 20 {
            tokio::task::yield_now().await;
        }
        bench.kill().await;
        let written = writing.join_all().await;
        let server = bench.server.as_mut().expect("a server of its own");
        server.restart().await.unwrap_or_else(|error| panic!("{error}"));
        drop(store);

        let store = bench.store().await;
        for (id, version, fate) in written.into_iter().flatten() {
            let found = store.load(&id).await.expect("an answer").map(|stored| stored.version);
            if let Err(lie) = verdict(fate, version, found) {
                panic!("{kind}, round {round}: {lie}");
            }
            seen[fate as usize] += 1;
        }
    }
    let [acknowledged, not_applied, in_doubt] = seen;
    eprintln!("{kind}: {acknowledged} acknowledged, {not_applied} not applied, {in_doubt} in doubt");
    assert!(acknowledged > 0 && not_applied > 0, "{kind}: the kill came too early or too late");
}

/// Creates and updates until the server is gone; the last version of each session and what was said of it.
async fn write(store: RedisStore, owner: Option<String>, turns: Arc<AtomicUsize>) -> Vec<(SessionId, Version, Fate)> {
    let mut written = Vec::new();
    for turn in 0.. {
        let new = entry(b"new", owner.as_deref());
        let id = id();
        let fate = fate_of(store.create(&id, &new, HOUR).await.map(|outcome| outcome == CreateOutcome::Created));
        if !matches!(fate, Fate::Acknowledged) {
            written.push((id, new.version, fate));
            break;
        }
        let next = entry(b"next", owner.as_deref());
        let outcome = store.update(&id, new.version, &next, MOVE).await;
        let fate = fate_of(outcome.map(|outcome| outcome == UpdateOutcome::Written));
        let is_over = !matches!(fate, Fate::Acknowledged);
        written.push((id, next.version, fate));
        if is_over || turn > 100_000 {
            break;
        }
        turns.fetch_add(1, Ordering::SeqCst);
    }
    // One more, of which nothing reaches the server.
    let late = entry(b"late", None);
    let id = id();
    let fate = fate_of(store.create(&id, &late, HOUR).await.map(|outcome| outcome == CreateOutcome::Created));
    written.push((id, late.version, fate));
    written
}

fn fate_of(answer: Result<bool, StoreError>) -> Fate {
    match answer {
        Ok(applied) => {
            assert!(applied, "nobody else writes to this session");
            Fate::Acknowledged
        }
        Err(error) if error.is_unavailable() => Fate::NotApplied,
        Err(error) if error.is_indeterminate() => Fate::InDoubt,
        Err(error) => panic!("neither unavailable nor indeterminate: {error:?}"),
    }
}

/// What is wrong about a fate, given what was found afterwards.
fn verdict(fate: Fate, written: Version, found: Option<Version>) -> Result<(), &'static str> {
    match fate {
        Fate::Acknowledged if found != Some(written) => Err("acknowledged and lost"),
        Fate::NotApplied if found == Some(written) => Err("refused and applied"),
        _ => Ok(()),
    }
}

/// The control: what a store must not do is seen.
#[test]
fn lies_are_seen() {
    let [one, two] = [1, 2].map(Version::from_u64);
    assert!(verdict(Fate::Acknowledged, one, None).is_err());
    assert!(verdict(Fate::Acknowledged, one, Some(two)).is_err());
    assert!(verdict(Fate::NotApplied, one, Some(one)).is_err());
    assert!(verdict(Fate::Acknowledged, one, Some(one)).is_ok());
    assert!(verdict(Fate::NotApplied, one, None).is_ok());
    assert!(verdict(Fate::InDoubt, one, None).is_ok());
}
