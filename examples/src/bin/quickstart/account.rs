//! Signing in and out, and the list of one's sessions.

use std::time::Duration;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::response::{Html, Redirect};
use serde::Deserialize;
use sessions_tower::{Clock, Error, Key, Session, SessionId, SessionManager, SessionRejection, SystemClock, Timestamp};

use crate::{page, words};

/// Something to say once, on the next page.
pub(crate) const NOTICE: Key<String> = Key::new("notice");
/// How the visitor wants to be called.
const NAME: Key<String> = Key::new("name");
/// Which browser signed in, in words: it tells one line of the list from another.
const BROWSER: Key<String> = Key::new("browser");

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_NAME_CHARS: usize = 40;

/// Somebody who has signed in.
pub(crate) struct Visitor {
    pub(crate) name: String,
    pub(crate) sessions: Vec<Line>,
}

/// A line of the list of sessions. Ids and never tokens: an id opens nothing (ASVS 7.5.2).
pub(crate) struct Line {
    pub(crate) id: SessionId,
    pub(crate) browser: String,
    pub(crate) began: Option<Duration>,
    pub(crate) last_used: Option<Duration>,
    pub(crate) is_this: bool,
}

#[derive(Deserialize)]
pub(crate) struct SignIn {
    name: String,
    /// What a checkbox sends, or does not send.
    keep: Option<String>,
}

/// Signs in. A real application would check a password here; sessions do not care how.
pub(crate) async fn sign_in(
    session: Session,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Redirect, SessionRejection> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        session.insert(&NOTICE, &format!("A name has 1 to {MAX_NAME_CHARS} characters."))?;
        return Ok(front());
    }
    // Whoever was signed in here before leaves nothing to the next: no cart, no "keep me signed in".
    if session.owner().is_some() {
        session.destroy()?;
    }
    // This is the login. It replaces the token, so that whoever knew the old one is out (ASVS 7.2.4); what is in the
    // session stays, so that the cart comes along.
    session.set_owner(account_of(name))?;
    session.insert(&NAME, &name.to_owned())?;
    session.insert(&BROWSER, &words::browser(headers.get(USER_AGENT)))?;
    if form.keep.is_some() {
        // Kept in the record and sticky: no later request needs to know.
        session.set_persistent(true)?;
        session.set_lifetime(30 * DAY)?;
        session.set_idle_timeout(Some(14 * DAY))?;
    }
    Ok(front())
}

/// Ends this session. Its cookie goes with the response, and a copy of the cookie opens nothing from here on.
pub(crate) async fn sign_out(session: Session) -> Result<Redirect, SessionRejection> {
    session.destroy()?;
    Ok(Redirect::to("/signed-out"))
}

/// Where `sign_out` leads. It does not ask for the session, so that none begins here (ASVS 7.6.2).
pub(crate) async fn signed_out() -> Html<String> {
    page::message("You are signed out", "Your session is gone, from this browser and from the server.", "Start anew")
}

/// Ends all sessions of the visitor but this one (ASVS 7.4.3).
pub(crate) async fn sign_out_elsewhere(
    session: Session,
    State(manager): State<SessionManager>,
) -> Result<Redirect, SessionRejection> {
    if let Some(owner) = session.owner() {
        let ended = manager.delete_sessions_of(owner, session.id()).await?;
        session.insert(&NOTICE, &words::ended(ended))?;
    }
    Ok(front())
}

/// Ends one of the visitor's sessions (ASVS 7.5.2).
pub(crate) async fn end_session(
    session: Session,
    State(manager): State<SessionManager>,
    Path(id): Path<String>,
) -> Result<Redirect, SessionRejection> {
    let Ok(id) = id.parse::<SessionId>() else { return Ok(front()) };
    if session.id() == Some(id) {
        return sign_out(session).await;
    }
    // Ids are no secrets, so that knowing one permits nothing: it has to be a session of whoever asks.
    let Some(owner) = session.owner() else { return Ok(front()) };
    let is_mine = manager.get_session(&id).await?.is_some_and(|other| other.owner() == Some(owner));
    let ended = is_mine && manager.delete_session(&id).await?;
    session.insert(&NOTICE, &words::ended(ended.into()))?;
    Ok(front())
}

/// Who has signed in with this session, and where else; `None` for nobody.
pub(crate) async fn visitor(session: &Session, manager: &SessionManager) -> Result<Option<Visitor>, Error> {
    let (Some(owner), Some(name)) = (session.owner(), session.get(&NAME)?) else { return Ok(None) };
    let now = SystemClock.now();
    let ago = |time: Timestamp| now.since(time);
    let mut sessions = Vec::new();
    for other in manager.sessions_of(owner).await? {
        let Some(id) = other.id() else { continue };
        sessions.push(Line {
            id,
            browser: other.get(&BROWSER)?.unwrap_or_default(),
            began: other.created_at().map(ago),
            last_used: other.last_active().map(ago),
            is_this: session.id() == Some(id),
        });
    }
    // This one first, then the others, the one that was used last before those that were used earlier.
    sessions.sort_by_key(|line| (!line.is_this, line.last_used));
    Ok(Some(Visitor { name, sessions }))
}

/// The account's id, which the session is kept under. A real application has one in its table of users.
fn account_of(name: &str) -> String {
    name.to_lowercase()
}

fn front() -> Redirect {
    Redirect::to("/")
}
