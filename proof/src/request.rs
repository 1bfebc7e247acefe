//! What a request does between its two store calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sessions_core::{Committed, Error, ManualClock, Session, SessionManager, Token};

use crate::gate::Gate;

/// The owner of the session that every scenario begins with.
pub const OWNER: &str = "alice";
/// The counter that [`Act::Counter`] increments.
pub const COUNTER: &str = "counter";

/// A kind of request on one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Reads.
    Read,
    /// Writes a key of its own.
    WriteKey,
    /// Increments the counter through `update`.
    Counter,
    /// Reads, when a touch is due.
    Touch,
    /// Rotates strictly.
    Rotate,
    /// Renews gracefully.
    Renew,
    /// Logs in as the same owner: a rotation.
    SetOwner,
    /// Logs out.
    Destroy,
    /// Logs out and begins anew.
    DestroyThenWrite,
    /// No request: the session's time runs out.
    Expire,
    /// "Sign out everywhere", by administration.
    DeleteByOwner,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::WriteKey,
        Self::Counter,
        Self::Touch,
        Self::Rotate,
        Self::Renew,
        Self::SetOwner,
        Self::Destroy,
        Self::DestroyThenWrite,
        Self::Expire,
        Self::DeleteByOwner,
    ];

    /// Whether it ends every earlier token.
    #[must_use]
    pub const fn rotates(self) -> bool {
        matches!(self, Self::Rotate | Self::SetOwner)
    }
}

/// What a request came to.
#[derive(Debug)]
pub struct Response {
    /// Whether the session was there when it was loaded, with its data.
    pub saw: bool,
    /// What the handler and the commit came to; `None` for acts that are no session request.
    pub result: Result<Option<Committed>, Error>,
}

/// The key that a request writes.
#[must_use]
pub fn key_of(request: usize) -> String {
    format!("key {request}")
}

/// Longer than every session of a scenario lives.
pub const PAST_EVERY_EXPIRY: Duration = Duration::from_secs(1_000_000);

/// The session of a request and whether it was there, for a commit that is taken up again after its future was dropped.
pub(crate) type Handle = Arc<Mutex<Option<(Session, bool)>>>;

/// Goes on with the commit of a request whose future was dropped, if it had got so far.
pub(crate) async fn resume(manager: SessionManager, handle: Handle) -> Response {
    let begun = handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match begun {
        Some((session, saw)) => Response { saw, result: manager.commit(&session).await.map(Some) },
        None => Response { saw: false, result: Ok(None) },
    }
}

/// Runs a request as an adapter would: open, handler, commit.
pub(crate) async fn serve(
    act: Act,
    number: usize,
    manager: SessionManager,
    gate: Gate,
    clock: ManualClock,
    token: Token,
    handle: Handle,
) -> Response {
    match act {
        Act::Expire => {
            gate.step("expire").await;
            clock.advance(PAST_EVERY_EXPIRY);
            return Response { saw: false, result: Ok(None) };
        }
        Act::DeleteByOwner => {
            let result = manager.delete_sessions_of(OWNER, None).await;
            return Response { saw: false, result: result.map(|_| None) };
        }
        _ => {}
    }
    let session = manager.begin(Some(token));
    if let Err(error) = manager.open(&session).await {
        return Response { saw: false, result: Err(error) };
    }
    let saw = session.contains(COUNTER);
    *handle.lock().unwrap_or_else(PoisonError::into_inner) = Some((session.clone(), saw));
    let result = match change(act, number, &session) {
        Ok(()) => manager.commit(&session).await.map(Some),
        Err(error) => Err(error),
    };
    Response { saw, result }
}

fn change(act: Act, number: usize, session: &Session) -> Result<(), Error> {
    match act {
        Act::Read | Act::Touch | Act::Expire | Act::DeleteByOwner => session.get::<u64>(COUNTER).map(drop),
        Act::WriteKey => session.insert(key_of(number), &true),
        Act::Counter => session.update(COUNTER, |n: Option<u64>| n.unwrap_or(0) + 1).map(drop),
        Act::Rotate => session.rotate(),
        Act::Renew => session.renew(),
        Act::SetOwner => session.set_owner(OWNER),
        Act::Destroy => session.destroy(),
        Act::DestroyThenWrite => session.destroy().and_then(|()| session.insert(key_of(number), &true)),
    }
}
