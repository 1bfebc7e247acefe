//! Responses that stay open beside sessions: server-sent events and a WebSocket.
//!
//!     cargo run -p sessions-examples --bin sse
//!
//! Open the page twice and press the button: both count. The session of the request that opens a stream is committed before the
//! stream begins, and its handle is sealed from then on (H3, H4). A stream that goes on reading therefore asks the
//! manager by id, which also tells it when the session is over: what is over stays over, for streams too.

use std::convert::Infallible;
use std::io::Write;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use futures_util::{Stream, StreamExt, stream};
use sessions_memory::MemoryStore;
use sessions_tower::{Key, Session, SessionId, SessionLayer, SessionManager, SessionReader, SessionRejection};
use tokio::net::TcpListener;
use tokio::sync::watch;

const COUNT: Key<u64> = Key::new("count");
/// How often a stream looks at its session although nothing happened here: another process may have ended it.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct App {
    manager: SessionManager,
    /// Says that some session may have changed. Each stream then looks at its own.
    changes: watch::Sender<()>,
}

async fn page(session: Session) -> Result<Html<String>, SessionRejection> {
    let count = session.update(&COUNT, |count| count.unwrap_or(0))?;
    Ok(Html(PAGE.replace("COUNT", &count.to_string())))
}

/// The streams hear of it when this request's commit is done, not before: the change is announced by [`announce`].
async fn press(session: Session) -> Result<StatusCode, SessionRejection> {
    session.update(&COUNT, |count| count.unwrap_or(0) + 1)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_out(session: Session) -> Result<StatusCode, SessionRejection> {
    session.destroy()?;
    Ok(StatusCode::NO_CONTENT)
}

async fn events(session: SessionReader, State(app): State<App>) -> Response {
    let Some(id) = session.id() else { return StatusCode::FORBIDDEN.into_response() };
    let events = counts(app, id).map(|count| Ok::<_, Infallible>(Event::default().data(count.to_string())));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// `SameSite=Lax` keeps the cookie from sockets that other sites open; the check of the origin is for sibling subdomains.
async fn socket(
    session: SessionReader,
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    match session.id() {
        Some(id) if is_same_origin(&headers) => upgrade.on_upgrade(move |socket| feed(socket, app, id)),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn feed(mut socket: WebSocket, app: App, id: SessionId) {
    let mut counts = std::pin::pin!(counts(app, id));
    loop {
        tokio::select! {
            count = counts.next() => match count {
                Some(count) if socket.send(Message::text(count.to_string())).await.is_ok() => {}
                _ => break,
            },
            received = socket.recv() => if !matches!(received, Some(Ok(_))) { break },
        }
    }
    // The session is over, or the client has gone, in which case nobody hears this.
    let _ = socket.send(Message::Close(None)).await;
}

/// The session's count, now and after each change, until the session ends.
fn counts(app: App, id: SessionId) -> impl Stream<Item = u64> {
    let mut changes = app.changes.subscribe();
    changes.mark_changed();
    stream::unfold((app.manager, changes, None), move |(manager, mut changes, mut last)| async move {
        loop {
            // Elapsed is as good a reason to look as a change is. An error means that the program ends.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK_AGAIN, changes.changed()).await {
                return None;
            }
            let count = match manager.get_session(&id).await {
                Ok(Some(session)) => session.get(&COUNT).ok()?.unwrap_or(0),
                Ok(None) => return None,
                // An outage is not an end.
                Err(_) => continue,
            };
            if last.replace(count) != Some(count) {
                return Some((count, (manager, changes, last)));
            }
        }
    })
}

/// Tells the streams of changes. It stands around the session layer, so that it runs after the commit.
async fn announce(State(app): State<App>, request: Request, next: Next) -> Response {
    let changes = !request.method().is_safe();
    let response = next.run(request).await;
    if changes {
        app.changes.send_replace(());
    }
    response
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
    host.is_some() && host == headers.get(HOST).map(HeaderValue::as_bytes)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());

    let manager = SessionManager::builder(MemoryStore::new()).build()?;
    let layer = SessionLayer::new(manager.clone());
    let app = App { manager: manager.clone(), changes: watch::Sender::new(()) };
    let router = Router::new()
        .route("/", get(page))
        .route("/press", post(press))
        .route("/sign-out", post(sign_out))
        .route("/events", get(events))
        .route("/socket", get(socket))
        .layer(layer.clone())
        .layer(from_fn_with_state(app.clone(), announce))
        .with_state(app);

    let listener = TcpListener::bind(listen).await?;
    writeln!(std::io::stdout(), "Open http://localhost:{}", listener.local_addr()?.port())?;
    // Streams end when their clients go, and a program that waited for that would not stop: Ctrl-C ends them.
    tokio::select! {
        served = serve(listener, router) => served?,
        _ = tokio::signal::ctrl_c() => {}
    }
    layer.drain().await;
    manager.stop().await?;
    Ok(())
}

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Streams</title>
<p>Pressed <output id="count">COUNT</output> times, in all tabs of this browser.</p>
<button onclick="fetch('/press', {method: 'POST'})">Press</button>
<button onclick="fetch('/sign-out', {method: 'POST'})">End the session</button>
<script>
  const show = text => document.getElementById("count").textContent = text;
  new EventSource("/events").onmessage = event => show(event.data);
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket");
  socket.onclose = () => show("no more");
</script>
"#;
