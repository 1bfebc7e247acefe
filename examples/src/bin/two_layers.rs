//! Two kinds of sessions in one application: visitors, and administrators with a cookie and rules of their own (H13).
//!
//!     cargo run -p sessions-examples --bin two_layers
//!
//! Each layer has a marker type, by which handlers say whose session they want, and a cookie of another name.
//!
//! **Two stores, or two namespaces of one** (a table, a key prefix). A token opens whatever session the store holds under
//! its id: with one namespace for both, a visitor could send the visitor's token in the administrator's cookie, and the
//! visitor's session would open as an administrator's.

use std::io::Write;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use sessions_memory::MemoryStore;
use sessions_tower::{CookieConfig, Key, SameSite, Session, SessionLayer, SessionManager, SessionRejection};
use tokio::net::TcpListener;

/// The marker of the administrators' layer. It is never built: only the type counts. Visitors have the default, `Main`.
enum Admin {}

const MINUTE: Duration = Duration::from_secs(60);
const VISITS: Key<u64> = Key::new("visits");

/// Visitors have a session from their first visit on.
async fn front(session: Session) -> Result<String, SessionRejection> {
    let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(format!("visit {visits}\n"))
}

/// A real application would check a password here.
async fn admin_sign_in(admin: Session<Admin>) -> Result<&'static str, SessionRejection> {
    admin.set_owner("root")?;
    Ok("signed in\n")
}

/// Both sessions in one handler: loaded, committed and answered with their cookies independently of each other.
async fn admin(admin: Session<Admin>, visitor: Session) -> Result<(StatusCode, String), SessionRejection> {
    if admin.owner().is_none() {
        return Ok((StatusCode::FORBIDDEN, "sign in first\n".to_owned()));
    }
    let visits = visitor.get(&VISITS)?.unwrap_or(0);
    Ok((StatusCode::OK, format!("administrator, with {visits} visits as a visitor\n")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());

    let visitors = SessionManager::builder(MemoryStore::new()).build()?;
    let admins =
        SessionManager::builder(MemoryStore::new()).lifetime(8 * 60 * MINUTE).idle_timeout(15 * MINUTE).build()?;
    let admin_cookie = CookieConfig::builder().name("__Host-admin").same_site(SameSite::Strict).build()?;

    let visitor_layer = SessionLayer::new(visitors.clone());
    let admin_layer = SessionLayer::new(admins.clone()).marker::<Admin>().cookie(admin_cookie);
    let admin_routes =
        Router::new().route("/", get(admin)).route("/sign-in", post(admin_sign_in)).layer(admin_layer.clone());
    let app = Router::new().route("/", get(front)).nest("/admin", admin_routes).layer(visitor_layer.clone());

    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "Open http://localhost:{}", listener.local_addr()?.port())?;
    axum::serve(listener, app).with_graceful_shutdown(async { _ = tokio::signal::ctrl_c().await }).await?;
    visitor_layer.drain().await;
    admin_layer.drain().await;
    visitors.stop().await?;
    admins.stop().await?;
    Ok(())
}
