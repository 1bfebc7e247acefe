//! A small application: a counter in a session.

use sessions_core::{CookieChange, Error, Key, Outcome, SessionManager, SessionStore, Token};

pub(crate) const VISITS: Key<u64> = Key::new("visits");

pub(crate) fn manager(store: impl SessionStore) -> SessionManager {
    SessionManager::builder(store).build().expect("the defaults are valid")
}

/// A new session with no visit yet.
pub(crate) async fn arrive(manager: &SessionManager) -> Token {
    let session = manager.new_session();
    session.insert(&VISITS, &0).expect("open");
    let committed = manager.commit(&session).await.expect("it is stored");
    match committed.cookie {
        CookieChange::Set { token, .. } => token,
        other => panic!("no token for a new session: {other:?}"),
    }
}

/// One request: reads the session and counts the visit.
pub(crate) async fn visit(manager: &SessionManager, token: &Token) -> Result<Outcome, Error> {
    let Some(session) = manager.load(token).await? else { return Ok(Outcome::Lost) };
    session.update(&VISITS, |visits| visits.unwrap_or_default() + 1)?;
    Ok(manager.commit(&session).await?.outcome)
}

/// How many visits the session has; `None` when it is over.
pub(crate) async fn visits(manager: &SessionManager, token: &Token) -> Option<u64> {
    let session = manager.load(token).await.expect("an answer")?;
    session.get(&VISITS).expect("a number")
}
