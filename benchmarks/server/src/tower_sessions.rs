//! tower-sessions, of the version that each store is made for.

use std::str::FromStr;

use axum::Router;
use tower_sessions_sqlx_store::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use tower_sessions_sqlx_store::sqlx::{PgPool, SqlitePool};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

use crate::{Error, address};

pub(crate) async fn app(store: &str) -> Result<Router, Error> {
    Ok(match store {
        "memory" => v0_15::app(::tower_sessions::MemoryStore::default()),
        "moka" => v0_14::app(tower_sessions_moka_store::MokaStore::new(None)),
        "redis" => {
            use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

            let pool = Pool::new(Config::from_url(&address::of("REDIS")?)?, None, None, None, 6)?;
            pool.connect();
            pool.wait_for_connect().await?;
            v0_14::app(tower_sessions_redis_store::RedisStore::new(pool))
        }
        "postgres" => {
            let store = PostgresStore::new(PgPool::connect(&address::of("POSTGRES")?).await?);
            store.migrate().await?;
            v0_14::app(store)
        }
        "sqlite" => {
            let store = SqliteStore::new(sqlite(&address::of("SQLITE")?).await?);
            store.migrate().await?;
            v0_14::app(store)
        }
        _ => return Err(format!("no store {store}").into()),
    })
}

/// As durable as ours, and with the journal that lets readers and a writer work at a time.
async fn sqlite(path: &str) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(&format!("sqlite:{path}"))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    Ok(SqlitePoolOptions::new().connect_with(options).await?)
}

macro_rules! application {
    ($name:ident, $krate:ident) => {
        mod $name {
            use axum::Router;
            use axum::routing::get;
            use $krate::{Session, SessionManagerLayer, SessionStore};

            pub(super) fn app(store: impl SessionStore + Clone) -> Router {
                Router::new()
                    .route("/untouched", get(async || "ok"))
                    .route("/read", get(read))
                    .route("/read_write", get(read_write))
                    .route("/new", get(new))
                    .route("/login", get(login))
                    .route("/destroy", get(destroy))
                    .route("/sign_up", get(sign_up))
                    .layer(SessionManagerLayer::new(store))
            }

            async fn read(session: Session) -> String {
                session.get::<u64>("n").await.expect("sessions work").unwrap_or(0).to_string()
            }

            async fn read_write(session: Session) -> String {
                let number = session.get::<u64>("n").await.expect("sessions work").unwrap_or(0) + 1;
                session.insert("n", number).await.expect("sessions work");
                number.to_string()
            }

            async fn new(session: Session) -> &'static str {
                session.insert("n", 1_u64).await.expect("sessions work");
                session.insert("text", bench_kit::text(1, 32)).await.expect("sessions work");
                "1"
            }

            async fn login(session: Session) -> &'static str {
                session.insert("user", bench_kit::next_user()).await.expect("sessions work");
                session.cycle_id().await.expect("sessions work");
                "ok"
            }

            async fn sign_up(session: Session) -> &'static str {
                session.insert("user", bench_kit::next_user()).await.expect("sessions work");
                session.insert("token", bench_kit::text(1, 32)).await.expect("sessions work");
                "ok"
            }

            async fn destroy(session: Session) -> &'static str {
                session.flush().await.expect("sessions work");
                "ok"
            }
        }
    };
}

application!(v0_14, tower_sessions_014);
application!(v0_15, tower_sessions);
