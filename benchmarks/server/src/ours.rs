//! Ours.

use axum::Router;
use axum::routing::get;
use sessions_memory::MemoryStore;
use sessions_redis::RedisStore;
use sessions_sqlx::{PostgresStore, SqliteStore};
use sessions_tower::{Key, Session, SessionLayer, SessionManager, SessionManagerBuilder, SessionRejection};

use crate::{Error, address};

const N: Key<u64> = Key::new("n");

pub(crate) async fn app(store: &str) -> Result<Router, Error> {
    Ok(Router::new()
        .route("/untouched", get(async || "ok"))
        .route("/read", get(read))
        .route("/read_write", get(read_write))
        .route("/new", get(new))
        .route("/login", get(login))
        .route("/destroy", get(destroy))
        .route("/sign_up", get(sign_up))
        .route("/sign_up_owned", get(sign_up_owned))
        .layer(SessionLayer::new(manager(store).await?.build()?)))
}

async fn manager(store: &str) -> Result<SessionManagerBuilder, Error> {
    Ok(match store {
        "memory" => SessionManager::builder(MemoryStore::builder().max_sessions(4 << 20).max_bytes(4 << 30).build()?),
        "redis" => SessionManager::builder(RedisStore::connect(&address::of("REDIS")?).await?),
        "postgres" => {
            let store = PostgresStore::connect(&address::of("POSTGRES")?).await?;
            store.migrate().await?;
            SessionManager::builder(store)
        }
        "sqlite" => {
            let store = SqliteStore::connect(&format!("sqlite:{}", address::of("SQLITE")?)).await?;
            store.migrate().await?;
            SessionManager::builder(store)
        }
        _ => return Err(format!("no store {store}").into()),
    })
}

type Answer = Result<String, SessionRejection>;

async fn read(session: Session) -> Answer {
    Ok(session.get(&N)?.unwrap_or(0).to_string())
}

async fn read_write(session: Session) -> Answer {
    let number = session.get(&N)?.unwrap_or(0) + 1;
    session.insert(&N, &number)?;
    Ok(number.to_string())
}

async fn new(session: Session) -> Answer {
    session.insert(&N, &1)?;
    session.insert("text", &bench_kit::text(1, 32))?;
    Ok("1".to_owned())
}

async fn login(session: Session) -> Answer {
    let user = bench_kit::next_user();
    session.set_owner(&*user)?;
    session.insert("user", &user)?;
    Ok("ok".to_owned())
}

async fn destroy(session: Session) -> Answer {
    session.destroy()?;
    Ok("ok".to_owned())
}

async fn sign_up(session: Session) -> Answer {
    session.insert("user", &bench_kit::next_user())?;
    session.insert("token", &bench_kit::text(1, 32))?;
    Ok("ok".to_owned())
}

async fn sign_up_owned(session: Session) -> Answer {
    session.set_owner(bench_kit::next_user())?;
    session.insert("token", &bench_kit::text(1, 32))?;
    Ok("ok".to_owned())
}
