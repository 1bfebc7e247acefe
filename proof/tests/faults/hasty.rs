//! The negative control: an application like the quickstart that answers before its commit is stored.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};
use sessions_redis::RedisStore;
use sessions_tower::{Key, Session, SessionLayer, SessionManager, SessionRejection};
use tokio::net::TcpListener;

const VISITS: Key<u64> = Key::new("visits");

/// Serves on a free port, as long as the runtime lives.
pub(crate) async fn serve(url: &str) -> SocketAddr {
    let store = Hasty(RedisStore::connect(url).await.expect("a server"));
    let manager = SessionManager::builder(store).build().expect("valid settings");
    let router = Router::new()
        .route("/", get(front))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(async || "signed out"))
        .layer(SessionLayer::new(manager));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn front(session: Session) -> Result<String, SessionRejection> {
    let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(format!(r#"<output id="visits">{visits}</output>"#))
}

async fn sign_out(session: Session) -> Result<Redirect, SessionRejection> {
    session.destroy()?;
    Ok(Redirect::to("/signed-out"))
}

/// Says that it has written when it has only begun to.
#[derive(Debug, Clone)]
struct Hasty(RedisStore);

#[async_trait]
impl SessionStore for Hasty {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.0.load(id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.0.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let (store, id, entry) = (self.0.clone(), *id, entry.clone());
        tokio::spawn(async move { store.update(&id, expected, &entry, change).await });
        Ok(UpdateOutcome::Written)
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.0.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.0.delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.0.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.0.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.0.stop().await
    }
}
