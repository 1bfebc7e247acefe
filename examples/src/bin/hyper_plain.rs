//! Sessions without axum: a tower service, served by hyper.
//!
//!     cargo run -p sessions-examples --bin hyper_plain
//!
//! A handler finds its session through `SessionSlot`, which loads nothing until it is asked to (H1).

use std::convert::Infallible;
use std::io::Write;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use sessions_memory::MemoryStore;
use sessions_tower::{DefaultErrors, Error, Key, Main, RespondToError, SessionLayer, SessionManager, SessionSlot};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

const VISITS: Key<u64> = Key::new("visits");

/// The routes. An error becomes a response here: as a service's error it would close the connection.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => count(&request).await,
        (&Method::POST, "/forget") => forget(&request).await,
        // Does not ask for the session: no store call, no header.
        _ => Ok(text(StatusCode::NOT_FOUND, "no such page\n")),
    };
    Ok(answered.unwrap_or_else(|error| DefaultErrors.respond(error)))
}

async fn count(request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    let session = slot(request)?.load().await?;
    let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
    Ok(text(StatusCode::OK, format!("visit {visits}\n")))
}

async fn forget(request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    slot(request)?.load().await?.destroy()?;
    Ok(text(StatusCode::OK, "forgotten\n"))
}

fn slot(request: &Request<Incoming>) -> Result<SessionSlot, Error> {
    SessionSlot::<Main>::of(request.extensions()).ok_or_else(|| Error::misconfigured("there is no SessionLayer"))
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());

    let manager = SessionManager::builder(MemoryStore::new()).build()?;
    let layer = SessionLayer::new(manager.clone());
    let service = ServiceBuilder::new().layer(layer.clone()).service(service_fn(answer));

    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "Open http://localhost:{}", listener.local_addr()?.port())?;
    let server = auto::Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = tokio::signal::ctrl_c() => break,
        };
        let connection =
            server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone())).into_owned();
        // A connection that fails is its client's affair.
        let connection = connections.watch(connection);
        tokio::spawn(async move { _ = connection.await });
    }

    // In this order: requests under way, commits whose clients have gone away, the store.
    connections.shutdown().await;
    layer.drain().await;
    manager.stop().await?;
    Ok(())
}
