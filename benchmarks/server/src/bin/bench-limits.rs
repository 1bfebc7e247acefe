//! What the clients can do by themselves, 64 operations in flight on one thread: `bench-limits NAME SECONDS`.
//!
//! `bench-limits size-BACKEND 0` says how many bytes a backend holds, `bench-limits create-postgres N` makes an empty database
//! `bench_N`, `drop-postgres N` takes it away. No application stores a session faster than its client stores bytes.

use std::cell::Cell;
use std::process::ExitCode;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool, postgres::PgPoolOptions};
use tokio::task::{JoinSet, LocalSet};

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, seconds] = &words[..] else { return ExitCode::from(2) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let seconds = Duration::from_secs_f64(seconds.parse().unwrap_or(1.0));
    let is_size = name.starts_with("size-");
    let result = LocalSet::new().block_on(&runtime, async {
        match name.as_str() {
            "create-postgres" => database(seconds.as_secs(), true).await,
            "drop-postgres" => database(seconds.as_secs(), false).await,
            _ if is_size => size(name).await,
            _ => run(name, seconds).await,
        }
    });
    match result {
        Ok(number) => {
            let unit = if is_size { "bytes" } else { "per_second" };
            println!("{}", serde_json::json!({ "name": name, unit: number.round() }));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-limits {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(name: &str, time: Duration) -> Result<f64, Error> {
    Ok(match name {
        "redis-get" | "redis-set" => {
            let connection = redis::Client::open(address("REDIS")?)?.get_multiplexed_async_connection().await?;
            let writes = name == "redis-set";
            set(connection.clone(), 0).await;
            let operation = move |number| {
                let connection = connection.clone();
                async move { if writes { set(connection, number).await } else { get(connection).await } }
            };
            in_flight(time, operation).await?
        }
        "postgres-select" | "postgres-update" => {
            let pool = postgres().await?;
            let writes = name == "postgres-update";
            let operation = move |number| {
                let pool = pool.clone();
                async move {
                    if writes { postgres_update(&pool, number).await } else { postgres_select(&pool, number).await }
                }
            };
            in_flight(time, operation).await?
        }
        "sqlite-select" | "sqlite-update" => {
            let writes = name == "sqlite-update";
            // Writers wait for one another anyway: better in the pool than in SQLite.
            let pool = sqlite(if writes { 1 } else { 4 }).await?;
            let operation = move |number| {
                let pool = pool.clone();
                async move { if writes { sqlite_update(&pool, number).await } else { sqlite_select(&pool, number).await } }
            };
            in_flight(time, operation).await?
        }
        "rusqlite-select" => rusqlite(time, "SELECT value FROM bare WHERE id = ?1 AND length(?2) > 0")?,
        "rusqlite-update" => rusqlite(time, "UPDATE bare SET value = ?2 WHERE id = ?1 RETURNING id")?,
        _ => return Err("no such limit".into()),
    })
}

/// The bytes that a backend holds: in memory, in tables with their indexes, in a file.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
async fn size(name: &str) -> Result<f64, Error> {
    Ok(match name {
        "size-redis" => {
            let mut connection = redis::Client::open(address("REDIS")?)?.get_multiplexed_async_connection().await?;
            let info: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await?;
            let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
            used.ok_or("no used_memory")?.trim().parse()?
        }
        "size-postgres" => {
            let sum = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_stat_user_tables";
            let pool = PgPool::connect(&address("POSTGRES")?).await?;
            sqlx::query_scalar::<_, i64>(sum).fetch_one(&pool).await? as f64
        }
        // What a replica receives and the disk takes.
        "size-wal" => {
            let position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
            let pool = PgPool::connect(&address("POSTGRES")?).await?;
            sqlx::query_scalar::<_, i64>(position).fetch_one(&pool).await? as f64
        }
        "size-sqlite" => {
            let connection = rusqlite::Connection::open(address("SQLITE")?)?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            std::fs::metadata(address("SQLITE")?)?.len() as f64
        }
        _ => return Err("no such size".into()),
    })
}

/// A database of Postgres that is empty, or is gone.
async fn database(number: u64, is_wanted: bool) -> Result<f64, Error> {
    let pool = PgPool::connect(&address("POSTGRES")?).await?;
    let statements =
        [format!("DROP DATABASE IF EXISTS bench_{number} WITH (FORCE)"), format!("CREATE DATABASE bench_{number}")];
    for statement in statements.into_iter().take(if is_wanted { 2 } else { 1 }) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
    }
    Ok(0.0)
}

/// Operations per second, 64 at a time.
async fn in_flight<F: Future<Output = ()> + 'static>(
    time: Duration,
    operation: impl Fn(u32) -> F + 'static,
) -> Result<f64, Error> {
    let (operation, count) = (Rc::new(operation), Rc::new(Cell::new(0_u32)));
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..64 {
        let (operation, count) = (Rc::clone(&operation), Rc::clone(&count));
        running.spawn_local(async move {
            while start.elapsed() < time {
                count.set(count.get() + 1);
                operation(count.get() % ROWS).await;
            }
        });
    }
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    Ok(f64::from(count.get()) / start.elapsed().as_secs_f64())
}

async fn get(mut connection: MultiplexedConnection) {
    let value: Vec<u8> = redis::cmd("GET").arg("limits:0").query_async(&mut connection).await.expect("redis works");
    assert_eq!(value.len(), VALUE.len());
}

async fn set(mut connection: MultiplexedConnection, number: u32) {
    let key = format!("limits:{number}");
    redis::cmd("SET").arg(key).arg(&VALUE[..]).exec_async(&mut connection).await.expect("redis works");
}

async fn postgres() -> Result<PgPool, Error> {
    let pool =
        PgPoolOptions::new().max_connections(10).test_before_acquire(false).connect(&address("POSTGRES")?).await?;
    sqlx::raw_sql(
        "DROP TABLE IF EXISTS limits;
         CREATE TABLE limits (id integer PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 70);
         INSERT INTO limits SELECT n, decode(repeat('07', 175), 'hex') FROM generate_series(0, 1023) n",
    )
    .execute(&pool)
    .await?;
    Ok(pool)
}

async fn postgres_select(pool: &PgPool, number: u32) {
    let select = sqlx::query_scalar("SELECT value FROM limits WHERE id = $1").bind(number.cast_signed());
    let value: Vec<u8> = select.fetch_one(pool).await.expect("postgres works");
    assert_eq!(value.len(), VALUE.len());
}

async fn postgres_update(pool: &PgPool, number: u32) {
    let update = sqlx::query("UPDATE limits SET value = $2 WHERE id = $1").bind(number.cast_signed()).bind(&VALUE[..]);
    assert_eq!(update.execute(pool).await.expect("postgres works").rows_affected(), 1);
}

async fn sqlite(connections: u32) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{}", address("SQLITE")?))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(connections).test_before_acquire(false);
    let pool = pool.connect_with(options).await?;
    sqlx::raw_sql(TABLE).execute(&pool).await?;
    Ok(pool)
}

async fn sqlite_select(pool: &SqlitePool, number: u32) {
    let select = sqlx::query_scalar("SELECT value FROM bare WHERE id = ?1").bind(number);
    let value: Vec<u8> = select.fetch_one(pool).await.expect("sqlite works");
    assert_eq!(value.len(), VALUE.len());
}

async fn sqlite_update(pool: &SqlitePool, number: u32) {
    let update = sqlx::query("UPDATE bare SET value = ?2 WHERE id = ?1").bind(number).bind(&VALUE[..]);
    assert_eq!(update.execute(pool).await.expect("sqlite works").rows_affected(), 1);
}

/// Without threads or futures.
fn rusqlite(time: Duration, statement: &str) -> Result<f64, Error> {
    let connection = rusqlite::Connection::open(address("SQLITE")?)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    connection.execute_batch(TABLE)?;
    let mut statement = connection.prepare(statement)?;
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        count += 1;
        let found = statement.query_row(rusqlite::params![count % ROWS, &VALUE[..]], |row| row.get_ref(0).map(|_| ()));
        found?;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, value BLOB NOT NULL);
    WITH RECURSIVE n(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 1023)
    INSERT OR IGNORE INTO bare SELECT n, zeroblob(175) FROM n;";

fn address(backend: &str) -> Result<String, Error> {
    std::env::var(format!("BENCH_{backend}")).map_err(|_| format!("BENCH_{backend} is not set").into())
}

const ROWS: u32 = 1_024;
/// As long as a small session.
const VALUE: [u8; 175] = [7; 175];
