//! Whole requests through a manager: what each of them costs on the server, and what a server that goes away does to them.

use std::sync::Arc;

use sessions_core::{
    Clock, Committed, CookieChange, Outcome, SessionId, SessionManager, SessionStore, SystemClock, Token,
};

use super::MINUTE;

/// A manager on a store.
pub(crate) fn manager(store: Arc<dyn SessionStore>) -> SessionManager {
    SessionManager::builder(store).build().expect("default settings")
}

/// The token that a commit gave out.
pub(crate) fn token(committed: Committed) -> Token {
    match committed.cookie {
        CookieChange::Set { token, .. } => token,
        other => panic!("no new token: {other:?}"),
    }
}

/// Stores a session with one value in it.
pub(crate) async fn sign_in(manager: &SessionManager) -> (Token, SessionId) {
    let session = manager.new_session();
    session.insert("name", &"alice").expect("insert");
    let token = token(manager.commit(&session).await.expect("commit"));
    (token, session.id().expect("stored"))
}

/// The commands of each row of the table "Store round trips per request". `commands` says how many there were since it was asked
/// last. Where two writers meet, a store in SQL needs one more than store calls: it reads what is there when an update wrote
/// nothing.
pub(crate) async fn requests_cost_what_the_table_says(
    store: Arc<dyn SessionStore>,
    mut commands: impl FnMut() -> usize,
) {
    let manager = manager(Arc::clone(&store));
    let (token, _) = sign_in(&manager).await;
    commands();

    let session = manager.begin(None);
    manager.open(&session).await.expect("open");
    assert_eq!(manager.commit(&session).await.expect("commit").outcome, Outcome::Unchanged);
    assert_eq!(commands(), 0, "no cookie, session not written");

    manager.commit(&manager.begin(Some(token.clone()))).await.expect("commit");
    assert_eq!(commands(), 0, "cookie, session not asked for");

    let session = manager.begin(Token::parse(b"not a token"));
    manager.open(&session).await.expect("open");
    manager.commit(&session).await.expect("commit");
    assert_eq!(commands(), 0, "malformed cookie");

    let load = async || manager.load(&token).await.expect("load").expect("a live session");
    let session = load().await;
    assert_eq!(session.get::<String>("name").expect("a text").as_deref(), Some("alice"));
    assert_eq!(manager.commit(&session).await.expect("commit").outcome, Outcome::Unchanged);
    assert_eq!(commands(), 1, "read only");

    let always = SessionManager::builder(Arc::clone(&store)).idle_timeout(MINUTE).touch_fraction(0);
    let always = always.build().expect("valid settings");
    let (idle, _) = sign_in(&always).await;
    commands();
    let session = always.load(&idle).await.expect("load").expect("a live session");
    // Due from the next millisecond on.
    while SystemClock.now().as_millis() + 60_000 <= session.expires_at().expect("stored").as_millis() {}
    assert_eq!(always.commit(&session).await.expect("commit").outcome, Outcome::Touched);
    assert_eq!(commands(), 2, "read only, touch due");

    let session = manager.new_session();
    session.insert("cart", &3).expect("insert");
    assert_eq!(manager.commit(&session).await.expect("commit").outcome, Outcome::Created);
    assert_eq!(commands(), 1, "new session with data");

    let session = load().await;
    session.insert("cart", &4).expect("insert");
    assert_eq!(manager.commit(&session).await.expect("commit").outcome, Outcome::Written);
    assert_eq!(commands(), 2, "write");

    let (one, other) = (load().await, load().await);
    one.insert("one", &1).expect("insert");
    other.insert("other", &2).expect("insert");
    manager.commit(&one).await.expect("commit");
    assert_eq!(commands(), 3, "two loads, one update");
    assert_eq!(manager.commit(&other).await.expect("commit").outcome, Outcome::Written);
    assert_eq!(
        commands() + 1,
        4,
        "write that meets a concurrent writer: three store calls, the second of two statements"
    );
    let both = load().await;
    assert!(both.contains("one") && both.contains("other"), "nothing is lost");
    commands();

    let session = load().await;
    session.set_owner("user-42").expect("a valid owner");
    session.insert("role", &"admin").expect("insert");
    let committed = manager.commit(&session).await.expect("commit");
    assert_eq!(commands(), 2, "login: write, owner and rotation together");
    let token = self::token(committed);

    let session = manager.load(&token).await.expect("load").expect("a live session");
    session.destroy().expect("open");
    let committed = manager.commit(&session).await.expect("commit");
    assert!(matches!(committed.cookie, CookieChange::Remove), "{committed:?}");
    assert_eq!(commands(), 2, "destroy");
}
