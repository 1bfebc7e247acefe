//! In the process: a server of its own on a port of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use sessions_core::SessionStore;
use sessions_proof::history::process::Voice;
use sessions_tower::{Error, Session, SessionLayer, SessionManager, SessionRejection};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Where slow requests wait until the test admits them. Their arrival is told to it.
#[derive(Clone)]
pub(crate) struct Gate {
    voice: Voice,
    admitted: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn closed(voice: Voice) -> Self {
        Self { voice, admitted: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn admit(&self, many: usize) {
        self.admitted.add_permits(many);
    }

    async fn pass(&self, session: &Session) {
        self.voice.say(if session.is_new() { "arrived without a session" } else { "arrived" });
        self.admitted.acquire().await.expect("a gate stays").forget();
    }
}

/// - `/do/ACTION` loads the session and acts.
/// - `/slow/ACTION` loads it, waits at the gate, and then acts.
pub(crate) async fn serve(store: Arc<dyn SessionStore>, gate: Gate) -> SocketAddr {
    let slow = async |State(gate): State<Gate>, session: Session, Path(action): Path<String>| {
        gate.pass(&session).await;
        act(&session, &action).map_err(SessionRejection::from)
    };
    let now =
        async |session: Session, Path(action): Path<String>| act(&session, &action).map_err(SessionRejection::from);
    // A commit may meet 63 others, on a busy machine.
    let manager = SessionManager::builder(store).commit_deadline(Duration::from_secs(60));
    let layer = SessionLayer::new(manager.build().expect("valid settings"));
    let app = Router::new().route("/do/{action}", get(now)).route("/slow/{action}", get(slow));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    tokio::spawn(async move { axum::serve(listener, app.with_state(gate).layer(layer)).await });
    address
}

/// One action, or several with `+` between them. The answer is what the last one read.
fn act(session: &Session, actions: &str) -> Result<String, Error> {
    actions.split('+').try_fold(String::new(), |_, action| {
        let (verb, argument) = action.split_once(':').unwrap_or((action, ""));
        match verb {
            "insert" => session.insert(argument.to_owned(), &true)?,
            "add" => return Ok(session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?.to_string()),
            "count" => return Ok(session.get::<u64>("count")?.unwrap_or(0).to_string()),
            "keys" => return Ok(session.keys().join(",")),
            "who" => return Ok(session.owner().map_or_else(String::new, |owner| owner.as_str().to_owned())),
            "login" => session.set_owner(argument)?,
            "logout" => session.destroy()?,
            "rotate" => session.rotate()?,
            "renew" => session.renew()?,
            "clear" => session.clear()?,
            "persist" => session.set_persistent(true)?,
            "idle" => session.set_idle_timeout(Some(Duration::from_millis(argument.parse().expect("milliseconds"))))?,
            other => panic!("no such action: {other}"),
        }
        Ok(String::new())
    })
}
