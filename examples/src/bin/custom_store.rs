//! An application on a store of one's own: `sessions_examples::custom_store`.
//!
//!     cargo run -p sessions-examples --bin custom_store
//!
//! Reload the page, stop the program, start it again: the counter goes on, from `custom_store.journal`.

use std::io::Write;

use axum::Router;
use axum::routing::get;
use sessions_examples::custom_store::FileStore;
use sessions_tower::{Key, Session, SessionLayer, SessionManager, SessionRejection};
use tokio::net::TcpListener;

const VISITS: Key<u64> = Key::new("visits");

async fn count(session: Session) -> Result<String, SessionRejection> {
    let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(format!("visit {visits}\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let path = arguments.next().unwrap_or_else(|| "custom_store.journal".to_owned());

    let manager = SessionManager::builder(FileStore::open(path)?).build()?;
    let layer = SessionLayer::new(manager.clone());
    let app = Router::new().route("/", get(count)).layer(layer.clone());

    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "Open http://localhost:{}", listener.local_addr()?.port())?;
    axum::serve(listener, app).with_graceful_shutdown(async { _ = tokio::signal::ctrl_c().await }).await?;
    layer.drain().await;
    manager.stop().await?;
    Ok(())
}
