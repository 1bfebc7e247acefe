//! Many writers on one SQLite file: tasks, pools and processes. Nobody is told that the database is locked, nothing is
//! lost, and a future that is dropped anywhere leaves all or nothing behind.
#![cfg(feature = "sqlite")]

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::Duration;

use sessions_core::{Change, Entry, SessionId, SessionStore, Ttl, UpdateOutcome, Version};
use sessions_sqlx::SqliteStore;
use support::{MINUTE, TempDir, entry, id, owned};

const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };

/// Adds `rounds` to the number in the record of `id`, by compare-and-swap. Versions are drawn from `writer`'s own range.
async fn count_up(store: &SqliteStore, id: SessionId, writer: u64, rounds: u64) {
    for round in 1..=rounds {
        loop {
            let there = store.load(&id).await.expect("load").expect("it is live");
            let number = u64::from_be_bytes(there.record[..].try_into().expect("eight bytes"));
            let next = entry((writer << 32) | round, &(number + 1).to_be_bytes());
            match store.update(&id, there.version, &next, KEEP).await.expect("never locked") {
                UpdateOutcome::Written => break,
                UpdateOutcome::Conflict(_) => {}
                UpdateOutcome::Absent => panic!("the session is gone"),
            }
        }
    }
}

async fn number(store: &SqliteStore, id: SessionId) -> u64 {
    let there = store.load(&id).await.expect("load").expect("it is live");
    u64::from_be_bytes(there.record[..].try_into().expect("eight bytes"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g05_pools_on_one_file_lose_no_update() {
    let dir = TempDir::new();
    let first = support::open(&dir).await;
    first.create(&id(1), &entry(1, &0u64.to_be_bytes()), MINUTE).await.expect("create");
    let mut writers = tokio::task::JoinSet::new();
    for pool in 0..4 {
        let store = support::open(&dir).await;
        for task in 0..4 {
            let store = store.clone();
            writers.spawn(async move { count_up(&store, id(1), 1 + pool * 4 + task, 10).await });
        }
    }
    while let Some(writer) = writers.join_next().await {
        writer.expect("no writer failed");
    }
    assert_eq!(number(&first, id(1)).await, 4 * 4 * 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g04_racing_creates_have_one_winner() {
    let dir = TempDir::new();
    let stores = [support::open(&dir).await, support::open(&dir).await];
    for round in 0..20 {
        let mut racers = tokio::task::JoinSet::new();
        for racer in 0..8u64 {
            let store = stores[usize::from(racer % 2 == 0)].clone();
            racers.spawn(async move { store.create(&id(round), &entry(racer, b""), MINUTE).await.expect("create") });
        }
        let outcomes = racers.join_all().await;
        let winners = outcomes.iter().filter(|outcome| **outcome == sessions_core::CreateOutcome::Created).count();
        assert_eq!(winners, 1, "round {round}: {outcomes:?}");
    }
}

/// Many sessions written at the same time share statements; each gets its own answer.
#[tokio::test]
async fn g05_shared_statements_answer_each_writer_alone() {
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    for n in 0..100 {
        store.create(&id(n), &owned(1, b"before", "alice"), MINUTE).await.expect("create");
    }
    store.delete(&[id(7), id(70)]).await.expect("delete");
    for change in [KEEP, Change { ttl: Ttl::After(2 * MINUTE), ..KEEP }, Change { reindex: true, ..KEEP }] {
        let mut writers = tokio::task::JoinSet::new();
        for n in 0..100 {
            let store = store.clone();
            // Every third one expects a version that is not there.
            let expected = if n % 3 == 0 { 999 } else { 1 };
            let next = owned(1, format!("record {n}").as_bytes(), "bob");
            writers.spawn(async move { (n, store.update(&id(n), Version::from_u64(expected), &next, change).await) });
        }
        while let Some(outcome) = writers.join_next().await {
            let (n, outcome) = outcome.expect("no panic");
            match outcome.expect("update") {
                UpdateOutcome::Absent => assert!(n == 7 || n == 70, "{n}"),
                UpdateOutcome::Conflict(there) => assert_eq!((n % 3, &there.record[..]), (0, &b"before"[..])),
                UpdateOutcome::Written => assert_ne!(n % 3, 0, "{n}"),
            }
        }
        for n in (0..100).filter(|n| ![7, 70].contains(n)) {
            let there = store.load(&id(n)).await.expect("load").expect("live");
            let expected = if n % 3 == 0 { "before".to_owned() } else { format!("record {n}") };
            assert_eq!(there.record, expected.as_bytes());
            let owner = if n % 3 != 0 && change.reindex { "bob" } else { "alice" };
            assert_eq!(there.owner, Some(support::owner(owner)), "{n}");
        }
    }
}

#[tokio::test]
async fn g01_loads_at_the_same_time_get_their_own_sessions() {
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    for n in 0..100 {
        store.create(&id(n), &entry(n, &n.to_be_bytes()), MINUTE).await.expect("create");
    }
    let mut readers = tokio::task::JoinSet::new();
    for n in 0..400 {
        let (store, n) = (store.clone(), n % 120);
        readers.spawn(async move { (n, store.load(&id(n)).await.expect("load")) });
    }
    while let Some(answer) = readers.join_next().await {
        match answer.expect("no panic") {
            (n @ 0..100, Some(there)) => assert_eq!(there.record, n.to_be_bytes()[..]),
            (100.., None) => {}
            (n, answer) => panic!("{n}: {answer:?}"),
        }
    }
}

/// Drops futures after each number of polls and at each stage of the statement behind them, and shows that the store works on.
#[tokio::test]
async fn g11_dropped_futures_leave_all_or_nothing() {
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    let mut completed = 0;
    for round in 0..60 {
        let (polls, yields) = (round % 3, round / 3);
        let id = id(round);
        store.create(&id, &owned(1, b"before", "alice"), MINUTE).await.expect("create");
        let next = owned(2, b"after", "bob");
        let change = Change { ttl: Ttl::After(2 * MINUTE), reindex: true };
        if drop_after(polls, yields, store.update(&id, Version::from_u64(1), &next, change)).await {
            completed += 1;
        }
        drop_after(polls, yields, store.touch(&id, Version::from_u64(1), MINUTE)).await;
        drop_after(polls, yields, store.load(&id)).await;
        drop_after(polls, yields, store.owned_by(&support::owner("alice"))).await;
        drop_after(polls, yields, store.delete(&[support::id(1_000 + round)])).await;
        let there = store.load(&id).await.expect("the store works").expect("live");
        let whole = match there.version.as_u64() {
            1 => (&b"before"[..], "alice"),
            _ => (&b"after"[..], "bob"),
        };
        assert_eq!((&there.record[..], there.owner), (whole.0, Some(support::owner(whole.1))));
    }
    assert!(completed > 0, "a control: some updates ran to their end");
}

/// Polls `polls` times, as the future asks for it, lets others run `yields` times, and drops it; whether it was ready.
async fn drop_after<T>(polls: u64, yields: u64, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    let ready = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    for _ in 0..yields {
        tokio::task::yield_now().await;
    }
    ready
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_schema_is_set_up_once_by_all() {
    for _ in 0..5 {
        let dir = TempDir::new();
        let mut setups = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let url = dir.url();
            setups.spawn(async move {
                let store = SqliteStore::builder().no_purge().connect(&url).await.expect("connect");
                store.migrate().await.expect("migrate");
                store.migrate().await.expect("migrate again");
                store
            });
        }
        for (n, store) in setups.join_all().await.iter().enumerate() {
            store.create(&id(n as u64), &entry(1, b"x"), MINUTE).await.expect("create");
        }
    }
}

const CHILD_FILE: &str = "SESSIONS_SQLX_TEST_FILE";
const CHILD_NUMBER: &str = "SESSIONS_SQLX_TEST_NUMBER";
const CHILDREN: u64 = 3;
const ROUNDS: u64 = 60;

/// The part of a process in the test below: sets up the file, then counts up two shared sessions and writes its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_process() {
    let (Ok(url), Ok(number)) = (std::env::var(CHILD_FILE), std::env::var(CHILD_NUMBER)) else {
        return;
    };
    let number: u64 = number.parse().expect("a number");
    let store = SqliteStore::builder().no_purge().connect(&url).await.expect("connect");
    store.migrate().await.expect("migrate");
    for shared in [1, 2] {
        let _ = store.create(&id(shared), &entry(1, &0u64.to_be_bytes()), MINUTE).await.expect("create");
    }
    let mut tasks = tokio::task::JoinSet::new();
    for shared in [1, 2] {
        let store = store.clone();
        tasks.spawn(async move { count_up(&store, id(shared), number * 10 + shared, ROUNDS).await });
    }
    for own in 0..ROUNDS {
        let id = id(1_000 * number + own);
        let first: Entry = owned(1, b"own", "alice");
        store.create(&id, &first, MINUTE).await.expect("create");
        assert!(store.touch(&id, first.version, 2 * MINUTE).await.expect("touch"));
        if own % 2 == 0 {
            assert_eq!(store.delete(&[id]).await.expect("delete"), 1);
        }
    }
    tasks.join_all().await;
    store.stop().await.expect("stop");
}

#[tokio::test]
async fn g05_processes_on_one_file_lose_nothing() {
    let dir = TempDir::new();
    let this = std::env::current_exe().expect("this test's binary");
    let children: Vec<_> = (1..=CHILDREN)
        .map(|number| {
            Command::new(&this)
                .args(["--exact", "child_process", "--nocapture"])
                .env(CHILD_FILE, dir.url())
                .env(CHILD_NUMBER, number.to_string())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("a process of this test's binary")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("the process ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let store = support::open(&dir).await;
    assert_eq!(number(&store, id(1)).await, CHILDREN * ROUNDS);
    assert_eq!(number(&store, id(2)).await, CHILDREN * ROUNDS);
    let owned = store.owned_by(&support::owner("alice")).await.expect("owned_by");
    assert_eq!(owned.len() as u64, CHILDREN * ROUNDS / 2);
}

/// A connection of somebody else holds the write lock for a while: writers wait, readers do not.
#[tokio::test]
async fn a_foreign_lock_is_waited_for_until_the_deadline() {
    let dir = TempDir::new();
    let patient = support::open(&dir).await;
    let hasty = SqliteStore::builder()
        .no_purge()
        .deadline(Duration::from_millis(80))
        .expect("a valid deadline")
        .connect(&dir.url())
        .await
        .expect("connect");
    patient.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");

    let pool = sqlx::SqlitePool::connect(&dir.url()).await.expect("a foreign connection");
    let mut foreign = pool.begin_with("BEGIN IMMEDIATE").await.expect("its transaction");
    let error = hasty.touch(&id(1), Version::from_u64(1), MINUTE).await.expect_err("the lock is held");
    assert!(error.is_unavailable(), "busy is surely not applied: {error:?}");
    assert!(hasty.load(&id(1)).await.expect("readers do not wait").is_some());

    let waiting = tokio::spawn(async move { patient.touch(&id(1), Version::from_u64(1), MINUTE).await });
    sqlx::query("CREATE TABLE other (x)").execute(&mut *foreign).await.expect("it writes");
    foreign.commit().await.expect("it commits");
    assert!(waiting.await.expect("no panic").expect("touch"));
}
