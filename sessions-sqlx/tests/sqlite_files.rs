//! What can be wrong with a file, a URL, a table or a row: each has one clear error, and loses nothing.
#![cfg(feature = "sqlite")]

mod support;

use std::time::Duration;

use sessions_core::{Change, ManualClock, SessionStore, StoreError, Timestamp, Ttl, UpdateOutcome, Version};
use sessions_sqlx::{Error, SqliteStore};
use sqlx::SqlitePool;
use support::{MINUTE, TempDir, entry, id, owned, owner};

const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };

async fn refused(url: &str) -> Error {
    SqliteStore::builder().no_purge().connect(url).await.expect_err(url)
}

#[tokio::test]
async fn bad_urls_are_refused() {
    let urls =
        ["", "sessions.db", "postgres://localhost/x", "sqlite:", "sqlite://", "sqlite:x?mode=ro", "sqlite:x?mode=odd"];
    for url in urls {
        let error = refused(url).await;
        assert!(error.is_invalid_url(), "{url}: {error:?}");
    }
    assert_eq!(
        refused("x").await.to_string(),
        "not a URL of this database: error with configuration: it begins with `sqlite:`"
    );
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused() {
    let dir = TempDir::new();
    let missing = format!("sqlite:{}/no/such/directory/sessions.db", dir.path().display());
    assert!(refused(&missing).await.is_connect());
    assert!(refused(&format!("{}?mode=rw", dir.url())).await.is_connect(), "a file that is not to be created");
    assert!(refused(&format!("sqlite:{}", dir.path().display())).await.is_connect(), "a directory");

    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to have a header. ".repeat(20)).expect("write");
    let error = refused(&format!("sqlite:{}", text.display())).await;
    assert!(error.is_connect() && error.to_string().contains("not a database"), "{error}");
    assert!(std::fs::read_to_string(&text).expect("it is still there").starts_with("not a database, but"));
}

/// Permissions do not bind the superuser, whom tests often run as; a header that says so makes a file read-only for everyone.
#[tokio::test]
async fn a_file_that_is_not_writable_is_refused() {
    const WRITE_VERSION: usize = 18;
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    store.stop().await.expect("stop");
    let file = dir.path().join("sessions.db");
    let mut bytes = std::fs::read(&file).expect("the file");
    assert_eq!(std::mem::replace(&mut bytes[WRITE_VERSION], 9), 2, "it is in WAL mode");
    std::fs::write(&file, &bytes).expect("write");
    let error = refused(&dir.url()).await;
    assert!(error.is_connect() && error.to_string().contains("readonly"), "{error}");
    assert!(std::fs::read(&file).expect("the file") == bytes, "it is left as it was");
}

#[tokio::test]
async fn a_missing_table_is_unavailable_and_says_so() {
    let dir = TempDir::new();
    let store = SqliteStore::builder().no_purge().connect(&dir.url()).await.expect("connect");
    let error = store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect_err("there is no table");
    assert!(error.is_unavailable());
    assert!(source(&error).contains("no such table: sessions"), "{error:?}");
    // It was not the connection's fault.
    store.migrate().await.expect("migrate");
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
}

#[tokio::test]
async fn in_memory_databases_are_separate() {
    let stores = [0, 1].map(|_| SqliteStore::builder().no_purge());
    let [first, second] = stores.map(|builder| builder.connect("sqlite::memory:"));
    let (first, second) = (first.await.expect("connect"), second.await.expect("connect"));
    first.migrate().await.expect("migrate");
    second.migrate().await.expect("migrate");
    first.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    assert!(first.load(&id(1)).await.expect("load").is_some());
    assert!(second.load(&id(1)).await.expect("load").is_none());

    // One connection serves both lanes.
    let mut tasks = tokio::task::JoinSet::new();
    for n in 10..200 {
        let store = first.clone();
        tasks.spawn(async move {
            store.create(&id(n), &entry(1, b"x"), MINUTE).await.expect("create");
            store.load(&id(n)).await.expect("load").expect("live");
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn g13_tables_of_one_file_do_not_see_each_other() {
    let dir = TempDir::new();
    let mut stores = Vec::new();
    for table in ["sessions", "order", "Admin Sessions", "séances-1"] {
        let builder = SqliteStore::builder().no_purge().table(table).expect(table);
        let store = builder.connect(&dir.url()).await.expect("connect");
        store.migrate().await.expect("migrate");
        assert!(store.schema_sql().contains(&format!("\"{table}\"")));
        stores.push(store);
    }
    stores[1].create(&id(1), &owned(1, b"x", "alice"), MINUTE).await.expect("create");
    for other in [&stores[0], &stores[2], &stores[3]] {
        assert!(other.load(&id(1)).await.expect("load").is_none());
        assert_eq!(other.owned_by(&owner("alice")).await.expect("owned_by"), []);
        assert_eq!(other.delete(&[id(1)]).await.expect("delete"), 0);
    }
    assert!(stores[1].load(&id(1)).await.expect("load").is_some());
}

#[tokio::test]
async fn a_pool_of_the_application_is_used_and_left_open() {
    let dir = TempDir::new();
    drop(support::open(&dir).await);
    let pool = SqlitePool::connect(&dir.url()).await.expect("a pool");
    let store = SqliteStore::builder().no_purge().with_pool(pool.clone());
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    store.stop().await.expect("stop");
    assert!(store.load(&id(1)).await.expect_err("stopped").is_unavailable());
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&pool).await.expect("it is open");
    assert_eq!(rows, 1);
}

/// A table made by hand, without the checks of ours, and what somebody may have put into it.
#[tokio::test]
async fn rows_that_somebody_edited_are_errors_and_stay() {
    let dir = TempDir::new();
    let store = SqliteStore::builder().no_purge().connect(&dir.url()).await.expect("connect");
    let pool = SqlitePool::connect(&dir.url()).await.expect("a pool");
    let table = "CREATE TABLE sessions (id BLOB PRIMARY KEY, version, expires_at, owner, record)";
    sqlx::query(table).execute(&pool).await.expect("a table without checks");
    let far = 9_000_000_000_000_i64;
    for (number, edit) in [
        (1, "record = NULL"),
        (2, "version = 'seven'"),
        (3, "expires_at = 'never'"),
        (4, "owner = X'FF'"),
        (5, "owner = X''"),
        (6, "version = NULL"),
    ] {
        store.create(&id(number), &owned(1, b"kept", "alice"), MINUTE).await.expect("create");
        let edit = format!("UPDATE sessions SET {edit} WHERE id = ?1");
        let edit = sqlx::query(sqlx::AssertSqlSafe(edit)).bind(&id(number).as_bytes()[..]);
        edit.execute(&pool).await.expect("the edit");
        let error = store.load(&id(number)).await.expect_err("not a row of ours");
        assert!(error.is_unavailable(), "{number}: {error:?}");
        assert!(source(&error).contains("not one of this store"), "{error:?}");
        assert!(!format!("{error:?}{error}").contains("kept"), "G19");
    }
    // A good one asked for together with the bad ones is not affected.
    store.create(&id(20), &entry(1, b"good"), MINUTE).await.expect("create");
    let mut loads = tokio::task::JoinSet::new();
    for number in [1, 2, 20, 3, 20] {
        let store = store.clone();
        loads.spawn(async move { (number, store.load(&id(number)).await) });
    }
    for (number, outcome) in loads.join_all().await {
        assert_eq!(outcome.is_ok(), number == 20, "{number}");
    }
    // A short id can be nobody's session, and makes the owner's list an error rather than a shorter list.
    let short = sqlx::query("INSERT INTO sessions VALUES (X'0102', 1, ?1, X'626F62', X'00')").bind(far);
    short.execute(&pool).await.expect("insert");
    assert!(store.owned_by(&owner("bob")).await.expect_err("not a row of ours").is_unavailable());
    // A time before 1970 is in the past: such a row is expired, not foreign.
    sqlx::query("UPDATE sessions SET expires_at = -5 WHERE id = ?1")
        .bind(&id(20).as_bytes()[..])
        .execute(&pool)
        .await
        .expect("the edit");
    assert!(store.load(&id(20)).await.expect("load").is_none());

    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&pool).await.expect("count");
    assert_eq!(rows, 8, "nothing was deleted on the way");
}

/// Our own schema refuses such edits.
#[tokio::test]
async fn the_schema_refuses_what_is_not_a_session() {
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    let pool = SqlitePool::connect(&dir.url()).await.expect("a pool");
    for edit in ["id = X'01'", "record = NULL", "expires_at = -1", "version = 'x'", "owner = X''", "record = 'text'"] {
        let edit = format!("UPDATE sessions SET {edit}");
        sqlx::query(sqlx::AssertSqlSafe(edit)).execute(&pool).await.expect_err("the schema forbids it");
    }
}

#[tokio::test]
async fn g12_a_record_at_the_limit_fits_and_one_over_it_does_not() {
    let dir = TempDir::new();
    let limit = 8 * 1024 * 1024;
    let builder = SqliteStore::builder().no_purge().max_record_bytes(limit).expect("the highest limit");
    let store = builder.connect(&dir.url()).await.expect("connect");
    store.migrate().await.expect("migrate");
    let full: Vec<u8> = (0..=250).cycle().take(limit).collect();
    store.create(&id(1), &entry(1, &full), MINUTE).await.expect("create");
    assert!(store.load(&id(1)).await.expect("load").expect("live").record == full);

    let over = entry(2, &vec![0; limit + 1]);
    let error = store.update(&id(1), Version::from_u64(1), &over, KEEP).await.expect_err("over the limit");
    assert!(error.is_too_large(), "{error:?}");
    assert!(store.create(&id(2), &over, MINUTE).await.expect_err("over the limit").is_too_large());
    assert_eq!(store.load(&id(1)).await.expect("load").expect("live").version, Version::from_u64(1));
}

#[tokio::test]
async fn g09_ten_thousand_ids_are_one_delete() {
    let dir = TempDir::new();
    let store = support::open(&dir).await;
    for n in 0..300 {
        store.create(&id(n), &entry(1, b"x"), MINUTE).await.expect("create");
    }
    let ids: Vec<_> = (200..10_200).chain(250..260).map(id).collect();
    assert_eq!(store.delete(&ids).await.expect("delete"), 100);
    assert_eq!(store.delete(&ids).await.expect("delete"), 0);
    assert!(store.load(&id(199)).await.expect("load").is_some());
    assert!(store.load(&id(200)).await.expect("load").is_none());
}

#[tokio::test]
async fn g16_the_purge_is_bounded_and_spares_the_living() {
    let dir = TempDir::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_000));
    let store = support::open_at(&dir, clock.clone()).await;
    for n in 0..10 {
        store.create(&id(n), &entry(1, b"x"), MINUTE * if n < 7 { 1 } else { 3 }).await.expect("create");
    }
    assert_eq!(store.purge_expired(100).await.expect("purge"), 0);
    clock.advance(MINUTE);
    assert_eq!(store.purge_expired(0).await.expect("purge"), 0);
    assert_eq!(store.purge_expired(4).await.expect("purge"), 4);
    assert_eq!(store.purge_expired(100).await.expect("purge"), 3);
    assert_eq!(store.purge_expired(100).await.expect("purge"), 0);
    assert!(store.load(&id(7)).await.expect("load").is_some());
}

/// The file's clock is the process's clock. Wherever it jumps, nothing overflows, and what was deleted stays deleted.
#[tokio::test]
async fn clocks_may_jump() {
    let dir = TempDir::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
    let store = support::open_at(&dir, clock.clone()).await;
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    store.create(&id(2), &entry(1, b"x"), MINUTE).await.expect("create");

    clock.advance(2 * MINUTE);
    assert_eq!(store.delete(&[id(1)]).await.expect("delete"), 0, "it had expired");
    clock.set(Timestamp::from_millis(1_000_000));
    assert!(store.load(&id(1)).await.expect("load").is_none(), "deleted stays deleted");
    assert!(store.load(&id(2)).await.expect("load").is_some());

    clock.set(Timestamp::MAX);
    assert!(store.load(&id(2)).await.expect("load").is_none());
    let (id, next) = (id(2), entry(2, b"y"));
    let update = store.update(&id, Version::from_u64(1), &next, KEEP).await;
    assert_eq!(update.expect("update"), UpdateOutcome::Absent);
    clock.set(Timestamp::from_millis(0));
    assert!(store.touch(&id, Version::from_u64(1), Duration::MAX).await.expect("touch"));
    assert_eq!(store.purge_expired(10).await.expect("purge"), 0);
}

#[tokio::test]
async fn g18_the_purge_task_deletes_and_ends_on_stop() {
    let dir = TempDir::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_000));
    let builder = SqliteStore::builder().clock(clock.clone()).purge_interval(Duration::from_millis(100));
    let store = builder.expect("a valid interval").connect(&dir.url()).await.expect("connect");
    // Its first rounds meet no table: an error, which it survives.
    store.migrate().await.expect("migrate");
    store.create(&id(1), &entry(1, b"x"), MINUTE).await.expect("create");
    clock.advance(2 * MINUTE);
    let pool = SqlitePool::connect(&dir.url()).await.expect("a pool");
    let count = || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sessions").fetch_one(&pool);
    let purged = async { while count().await.expect("count") > 0 {} };
    tokio::time::timeout(MINUTE, purged).await.expect("the purge task deletes what has expired");
    store.stop().await.expect("stop");
    store.stop().await.expect("stop again");
    assert!(store.purge_expired(1).await.expect_err("stopped").is_unavailable());
}

#[test]
fn g19_debug_shows_settings_only() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dir = TempDir::new();
    let store = runtime.block_on(support::open(&dir));
    let text = format!("{store:?}");
    assert!(text.contains("sessions") && !text.contains("sessions.db"), "{text}");
}

fn source(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}
