//! `axum_session`.

use std::fmt::Debug;
use std::str::FromStr;

use axum::Router;
use axum::routing::get;
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use axum_session_redispool::SessionRedisPool;
use axum_session_sqlx::{SessionPgPool, SessionSqlitePool};
use redis_pool::RedisPool;
use sqlx::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{Error, address};

pub(crate) async fn app(store: &str) -> Result<Router, Error> {
    match store {
        "memory" => with(None::<SessionNullPool>).await,
        "redis" => {
            let client = redis::Client::open(address::of("REDIS")?)?;
            with(Some(SessionRedisPool::from(RedisPool::from(client)))).await
        }
        "postgres" => with(Some(SessionPgPool::from(PgPool::connect(&address::of("POSTGRES")?).await?))).await,
        "sqlite" => {
            let options = SqliteConnectOptions::from_str(&format!("sqlite:{}", address::of("SQLITE")?))?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            with(Some(SessionSqlitePool::from(SqlitePoolOptions::new().connect_with(options).await?))).await
        }
        _ => Err(format!("no store {store}").into()),
    }
}

async fn with<P>(pool: Option<P>) -> Result<Router, Error>
where
    P: DatabasePool + Clone + Debug + Send + Sync + 'static,
{
    let config = SessionConfig::default().with_table_name("axum_session");
    let store = SessionStore::<P>::new(pool, config).await?;
    Ok(Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read::<P>))
        .route("/read_write", get(read_write::<P>))
        .route("/new", get(new::<P>))
        .route("/login", get(login::<P>))
        .route("/destroy", get(destroy::<P>))
        .route("/sign_up", get(sign_up::<P>))
        .layer(SessionLayer::new(store)))
}

trait Pool: DatabasePool + Clone + Debug + Send + Sync + 'static {}

impl<P: DatabasePool + Clone + Debug + Send + Sync + 'static> Pool for P {}

async fn read<P: Pool>(session: Session<P>) -> String {
    session.get::<u64>("n").unwrap_or(0).to_string()
}

async fn read_write<P: Pool>(session: Session<P>) -> String {
    let number = session.get::<u64>("n").unwrap_or(0) + 1;
    session.set("n", number);
    number.to_string()
}

async fn new<P: Pool>(session: Session<P>) -> &'static str {
    session.set("n", 1_u64);
    session.set("text", bench_kit::text(1, 32));
    "1"
}

async fn login<P: Pool>(session: Session<P>) -> &'static str {
    session.set("user", bench_kit::next_user());
    session.renew();
    "ok"
}

async fn destroy<P: Pool>(session: Session<P>) -> &'static str {
    session.destroy();
    "ok"
}

async fn sign_up<P: Pool>(session: Session<P>) -> &'static str {
    session.set("user", bench_kit::next_user());
    session.set("token", bench_kit::text(1, 32));
    "ok"
}
