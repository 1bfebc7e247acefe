//! A server that goes away: between load and commit, while commits run, and without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessions_conformance::servers::Server;
use sessions_core::{Committed, Error, Key, Outcome, Session, SessionManager, SessionStore, Token};

use super::{PATIENCE, requests};

const COUNTER: Key<u64> = Key::new("counter");
const WRITERS: usize = 6;

/// What the request is told while the server is away: an error that says what may have happened, and never an empty session.
fn assert_typed(error: &Error) {
    assert!(error.is_unavailable() || error.is_indeterminate() || error.is_contended(), "{error:?}");
}

async fn counting(manager: &SessionManager, token: &Token) -> Session {
    let session = manager.load(token).await.expect("load").expect("a live session");
    session.update(&COUNTER, |number| number.unwrap_or(0) + 1).expect("open");
    session
}

async fn counter(manager: &SessionManager, token: &Token) -> u64 {
    let session = manager.load(token).await.expect("load").expect("a live session");
    session.get(&COUNTER).expect("a number").unwrap_or(0)
}

/// Commits again until it is known what became of it. `None`: so many others have written since that it cannot be known.
async fn commit_until_settled(manager: &SessionManager, session: &Session) -> Option<Committed> {
    let attempts = async {
        loop {
            match manager.commit(session).await {
                Ok(committed) => return Some(committed),
                Err(error) => {
                    assert_typed(&error);
                    let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    if error.is_indeterminate() && reason.contains("too many have written since") {
                        return None;
                    }
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, attempts).await.expect("the server is back")
}

async fn commit_for_sure(manager: &SessionManager, session: &Session) -> Committed {
    commit_until_settled(manager, session).await.expect("nobody else has written")
}

/// Every pooled connection is stale, and nobody notices: neither a write, nor a read, nor a logout and its count.
pub(crate) async fn restart_between_load_and_commit(server: &mut Server, store: Arc<dyn SessionStore>) {
    let manager = requests::manager(store);
    let (token, id) = requests::sign_in(&manager).await;
    let session = counting(&manager, &token).await;
    server.restart().await.expect("restart");
    assert_eq!(manager.commit(&session).await.expect("on a new connection").outcome, Outcome::Written);
    server.restart().await.expect("restart");
    assert_eq!(counter(&manager, &token).await, 1);
    server.restart().await.expect("restart");
    assert!(manager.delete_session(&id).await.expect("on a new connection"), "it was live, and is counted once");
    assert!(manager.load(&token).await.expect("load").is_none());
}

/// Down for a while: each request gets its answer within the deadline, and after the restart the first one is served.
pub(crate) async fn down_between_load_and_commit(server: &mut Server, store: Arc<dyn SessionStore>) {
    let manager = requests::manager(store);
    let (token, _) = requests::sign_in(&manager).await;
    let session = counting(&manager, &token).await;
    server.kill().await.expect("kill");
    let error = manager.load(&token).await.expect_err("an outage is no empty session");
    assert!(error.is_unavailable(), "{error:?}");
    assert_typed(&manager.commit(&session).await.expect_err("down"));
    let other = manager.new_session();
    other.insert("name", &"bob").expect("insert");
    assert_typed(&manager.commit(&other).await.expect_err("down"));
    assert_typed(&manager.purge_expired(10).await.expect_err("down"));

    server.restart().await.expect("restart");
    assert!(manager.load(&token).await.expect("the next request works").is_some());
    assert_eq!(commit_for_sure(&manager, &session).await.outcome, Outcome::Written);
    assert_eq!(commit_for_sure(&manager, &other).await.outcome, Outcome::Created);
    assert_eq!(counter(&manager, &token).await, 1);
}

/// A server that holds its connections and says nothing: a write is sent and not answered. It counts once, whenever it arrives.
pub(crate) async fn silence_while_committing(server: &mut Server, store: Arc<dyn SessionStore>) {
    let manager = requests::manager(store);
    let (token, _) = requests::sign_in(&manager).await;
    let session = counting(&manager, &token).await;
    server.pause().await.expect("pause");
    let error = manager.commit(&session).await.expect_err("no answer");
    assert!(error.is_indeterminate(), "the write was sent: {error:?}");
    server.resume().await.expect("resume");
    assert_eq!(commit_for_sure(&manager, &session).await.outcome, Outcome::Written);
    assert_eq!(counter(&manager, &token).await, 1, "once, and not twice");
}

/// Killed in the middle of many commits, again and again: what was answered is there, and nothing is there twice.
pub(crate) async fn killed_while_many_commit(server: &mut Server, store: Arc<dyn SessionStore>) {
    let manager = requests::manager(store);
    let (token, _) = requests::sign_in(&manager).await;
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let (manager, token, over) = (manager.clone(), token.clone(), Arc::clone(&over));
        writers.spawn(async move {
            let (mut done, mut unknown) = (0_u64, 0_u64);
            while !over.load(Ordering::SeqCst) {
                let session = match manager.load(&token).await {
                    Ok(session) => session.expect("an outage is no empty session"),
                    Err(error) => {
                        assert_typed(&error);
                        continue;
                    }
                };
                session.update(&COUNTER, |number| number.unwrap_or(0) + 1).expect("open");
                match commit_until_settled(&manager, &session).await {
                    Some(committed) => {
                        assert_eq!(committed.outcome, Outcome::Written);
                        done += 1;
                    }
                    None => unknown += 1,
                }
            }
            (done, unknown)
        });
    }
    let mut last = 0;
    for _ in 0..3 {
        // Under way again after each restart.
        let progress = async {
            loop {
                match manager.load(&token).await {
                    Ok(session) => {
                        let number = session.expect("live").get(&COUNTER).expect("a number").unwrap_or(0);
                        if number > last + 20 {
                            return number;
                        }
                    }
                    Err(error) => assert_typed(&error),
                }
            }
        };
        last = tokio::time::timeout(PATIENCE, progress).await.expect("the writers go on");
        server.kill().await.expect("kill");
        server.restart().await.expect("restart");
    }
    over.store(true, Ordering::SeqCst);
    let counts = writers.join_all().await;
    let [done, unknown] = [counts.iter().map(|count| count.0).sum::<u64>(), counts.iter().map(|count| count.1).sum()];
    let counted = counter(&manager, &token).await;
    assert!((done..=done + unknown).contains(&counted), "{counted} of {done} answered and {unknown} unknown commits");
    assert!(unknown <= 3 * WRITERS as u64, "a writer has one commit under way when the server dies");
}

/// Long enough for a server that works, short enough for a test of one that does not.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);
