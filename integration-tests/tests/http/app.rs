//! An application whose handlers do what the path says.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use sessions_tower::{Error, Session, SessionRejection};

use super::gate::{Gate, Gone};

/// - `/idle` does not ask for the session.
/// - `/do/ACTION` loads it and acts.
/// - `/slow/ACTION` loads it, waits at the gate, and then acts.
pub(crate) fn app(gate: Gate) -> Router {
    let slow = async |State(gate): State<Gate>, session: Session, Path(action): Path<String>| {
        gate.pass().await;
        act(&session, &action).map_err(SessionRejection::from)
    };
    let now =
        async |session: Session, Path(action): Path<String>| act(&session, &action).map_err(SessionRejection::from);
    Router::new()
        .route("/idle", get(async || "idle"))
        .route("/do/{action}", get(now))
        .route("/slow/{action}", get(slow))
        .with_state(gate)
}

/// Outside of everything: a request whose future is gone has arrived at the gate.
pub(crate) fn noticing(app: Router) -> (Router, Gate) {
    let gone = Gate::closed();
    let gate = gone.clone();
    let notice = move |request: Request, next: Next| {
        let gone = Gone(gate.clone());
        async move {
            let _gone = gone;
            next.run(request).await
        }
    };
    (app.layer(from_fn(notice)), gone)
}

/// One action, or several with `+` between them. The answer is what the last one read.
pub(crate) fn act(session: &Session, actions: &str) -> Result<String, Error> {
    let mut answer = String::new();
    for action in actions.split('+') {
        answer = act_once(session, action)?;
    }
    Ok(answer)
}

fn act_once(session: &Session, action: &str) -> Result<String, Error> {
    let (verb, argument) = action.split_once(':').unwrap_or((action, ""));
    match verb {
        "insert" => {
            let (key, value) = argument.split_once('=').expect("insert:KEY=VALUE");
            session.insert(key.to_owned(), &value)?;
        }
        "remove" => session.remove(argument)?,
        "add" => return Ok(session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?.to_string()),
        "count" => return Ok(session.get::<u64>("count")?.unwrap_or(0).to_string()),
        "read" => return Ok(session.get::<String>(argument.to_owned())?.unwrap_or_default()),
        "keys" => return Ok(session.keys().join(",")),
        "login" => session.set_owner(argument)?,
        "who" => return Ok(session.owner().map_or_else(String::new, |owner| owner.as_str().to_owned())),
        "logout" => session.destroy()?,
        "rotate" => session.rotate()?,
        "renew" => session.renew()?,
        "clear" => session.clear()?,
        "persist" => session.set_persistent(true)?,
        "forget" => session.set_persistent(false)?,
        "once" => session.require_unchanged(argument)?,
        "huge" => session.insert("huge", &"x".repeat(300 * 1024))?,
        other => panic!("no such action: {other}"),
    }
    Ok(String::new())
}
