//! axum without sessions; and handlers that do by themselves what a session at least costs.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::routing::get;
use bench_ours::BareLayer;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::{Error, address};

pub(crate) async fn app(store: &str) -> Result<Router, Error> {
    match store {
        "none" => Ok(["/untouched", "/read", "/read_write", "/new", "/login", "/destroy"]
            .into_iter()
            .fold(Router::new(), |router, path| router.route(path, get(async || "ok")))),
        // What every session costs that is not asked for: a layer, and a cookie that comes along and is found.
        "blocks" => Ok(Router::new()
            .route("/untouched", get(async || "ok"))
            .route("/new", get(async || ([(SET_COOKIE, BareLayer::COOKIE)], "ok")))
            .layer(BareLayer::default())),
        "redis" | "redis-compared" => {
            let client = redis::Client::open(address::of("REDIS")?)?;
            // As ours have it on a runtime of one thread.
            let config = AsyncConnectionConfig::new().set_pipeline_buffer_size(16);
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            redis::cmd("SET").arg(KEY).arg(&VALUE[..]).exec_async(&mut connection).await?;
            let script = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection).await?;
            let _ = SCRIPT_ID.set(script);
            let write = if store == "redis" { get(redis_read_write) } else { get(redis_read_compare_write) };
            Ok(Router::new()
                .route("/untouched", get(async || "ok"))
                .route("/read", get(redis_read))
                .route("/read_write", write)
                .with_state(connection))
        }
        "postgres" => {
            let pool = PgPoolOptions::new().test_before_acquire(false).connect(&address::of("POSTGRES")?).await?;
            for statement in [
                "CREATE TABLE IF NOT EXISTS bare (id bytea PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 70)",
                "INSERT INTO bare SELECT sha256(n::text::bytea), sha256(n::text::bytea) FROM generate_series(1, 1000) n
                 ON CONFLICT DO NOTHING",
            ] {
                sqlx::query(statement).execute(&pool).await?;
            }
            Ok(Router::new()
                .route("/untouched", get(async || "ok"))
                .route("/read", get(postgres_read))
                .route("/read_write", get(postgres_read_write))
                .with_state(pool))
        }
        _ => Err(format!("no store {store}").into()),
    }
}

const KEY: &str = "bench:bare";
/// As long as a small session.
const VALUE: [u8; 175] = [7; 175];

async fn redis_read(State(mut connection): State<MultiplexedConnection>) -> String {
    let value: Vec<u8> = redis::cmd("GET").arg(KEY).query_async(&mut connection).await.expect("redis works");
    value.len().to_string()
}

async fn redis_read_write(State(mut connection): State<MultiplexedConnection>) -> String {
    let value: Vec<u8> = redis::cmd("GET").arg(KEY).query_async(&mut connection).await.expect("redis works");
    redis::cmd("SET").arg(KEY).arg(&VALUE[..]).exec_async(&mut connection).await.expect("redis works");
    value.len().to_string()
}

/// Writes if what is there begins as it did when it was read: what it takes that no write is lost.
async fn redis_read_compare_write(State(mut connection): State<MultiplexedConnection>) -> String {
    let value: Vec<u8> = redis::cmd("GET").arg(KEY).query_async(&mut connection).await.expect("redis works");
    let mut swap = redis::cmd("EVALSHA");
    swap.arg(SCRIPT_ID.get()).arg(1).arg(KEY).arg(&value[..8]).arg(&VALUE[..]);
    let is_written: bool = swap.query_async(&mut connection).await.expect("redis works");
    assert!(is_written, "nobody writes anything else");
    value.len().to_string()
}

static SCRIPT_ID: OnceLock<String> = OnceLock::new();
const SCRIPT: &str = "if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1";

async fn postgres_read(State(pool): State<PgPool>) -> String {
    select(&pool).await.to_string()
}

async fn postgres_read_write(State(pool): State<PgPool>) -> String {
    let length = select(&pool).await;
    let update = "UPDATE bare SET value = $2 WHERE id = sha256($1::text::bytea)";
    let update = sqlx::query(update).bind(next()).bind(&VALUE[..]);
    update.execute(&pool).await.expect("postgres works");
    length.to_string()
}

async fn select(pool: &PgPool) -> usize {
    let select = sqlx::query_scalar("SELECT value FROM bare WHERE id = sha256($1::text::bytea)").bind(next());
    select.fetch_one(pool).await.map_or(0, |value: Vec<u8>| value.len())
}

/// The rows in turn.
fn next() -> i32 {
    use std::sync::atomic::{AtomicI32, Ordering};

    static NEXT: AtomicI32 = AtomicI32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) % 1_000 + 1
}
