//! What a request does to its session, and what is to be found afterwards.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{
    Clock, CookieChange, Error, Owner, Session, SessionId, SessionManager, SessionStore, Stored, SystemClock, Token,
};

use crate::behind::{Bench, Problem};

/// What the handler of a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Begins a session.
    New,
    /// Reads, with nothing due.
    Read,
    /// Reads, with a touch due.
    Touch,
    /// Writes a key.
    Write,
    /// Increments a counter.
    Count,
    /// Signs in: values, an owner and a new token.
    Login,
    /// Replaces the token.
    Rotate,
    /// Replaces the token, with a grace for the old one.
    Renew,
    /// Ends the session.
    Destroy,
    /// Ends it and begins another one.
    DestroyThenWrite,
}

impl Act {
    pub(crate) const ALL: [Self; 10] = [
        Self::New,
        Self::Read,
        Self::Touch,
        Self::Write,
        Self::Count,
        Self::Login,
        Self::Rotate,
        Self::Renew,
        Self::Destroy,
        Self::DestroyThenWrite,
    ];

    /// The manager of the request. Only where it matters do sessions have an idle timeout.
    pub(crate) fn manager(self, bench: &Bench) -> Result<SessionManager, Problem> {
        self.manager_with(bench, HOUR)
    }

    /// The manager that makes the session: its idle timeout is shorter, so that the request is due to touch.
    fn earlier_manager(self, bench: &Bench) -> Result<SessionManager, Problem> {
        self.manager_with(bench, HOUR / 2)
    }

    fn manager_with(self, bench: &Bench, idle_timeout: Duration) -> Result<SessionManager, Problem> {
        let builder = bench.builder();
        let builder = if self == Self::Touch { builder.idle_timeout(idle_timeout) } else { builder };
        Ok(builder.build()?)
    }

    /// Whether the response sets or removes the cookie.
    pub(crate) fn sends_a_cookie(self) -> bool {
        !matches!(self, Self::Read | Self::Touch | Self::Write | Self::Count)
    }
}

/// One request, on a session of its own.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    act: Act,
    /// What the client sends; `None` where the session is to begin.
    pub(crate) token: Option<Token>,
    /// Whose session it becomes, if it becomes somebody's. Nobody else's.
    owner: String,
    before: Option<(SessionId, Stored)>,
    store: Arc<dyn SessionStore>,
}

impl Visit {
    /// Sets up the session.
    pub(crate) async fn begin(bench: &Bench, act: Act) -> Result<Self, Problem> {
        let owner = format!("user-{:016x}", fastrand::u64(..));
        let store = bench.store.clone();
        // Stores on servers have clocks of their own, which go on.
        bench.clock.set(bench.clock.now().max(SystemClock.now()));
        let mut visit = Self { act, token: None, owner, before: None, store };
        if act == Act::New {
            return Ok(visit);
        }
        let manager = act.earlier_manager(bench)?;
        let session = manager.new_session();
        session.insert("old", &"kept")?;
        session.insert(COUNTER, &41_u64)?;
        let CookieChange::Set { token, .. } = manager.commit(&session).await?.cookie else {
            return Err("a new session has no token".into());
        };
        let stored = visit.store.load(&token.id()).await?.ok_or("a new session is not there")?;
        visit.before = Some((token.id(), stored));
        visit.token = Some(token);
        Ok(visit)
    }

    /// What the handler does.
    pub(crate) fn change(&self, session: &Session) -> Result<(), Error> {
        match self.act {
            Act::New | Act::Login => {
                session.insert("new", &"there")?;
                session.set_owner(&self.owner)
            }
            Act::Read | Act::Touch => session.get::<u64>(COUNTER).map(drop),
            Act::Write => session.insert("new", &"there"),
            Act::Count => session.update(COUNTER, |count: Option<u64>| count.unwrap_or(0) + 1).map(drop),
            Act::Rotate => session.rotate(),
            Act::Renew => session.renew(),
            Act::Destroy => session.destroy(),
            Act::DestroyThenWrite => {
                session.destroy()?;
                session.insert("new", &"there")?;
                session.set_owner(&self.owner)
            }
        }
    }

    /// Checks that everything has changed, or nothing.
    ///
    /// `unheard` creates were sent by commits that were dropped: one that arrives when it has been cleared up after leaves a session
    /// whose token nobody has. That it is whole is all that can be asked of it.
    pub(crate) async fn judge(&self, manager: &SessionManager, whole: bool, unheard: usize) -> Result<(), Problem> {
        let owned = self.store.owned_by(&Owner::new(&self.owner)?).await?;
        let expected = usize::from(whole && matches!(self.act, Act::New | Act::Login | Act::DestroyThenWrite));
        let left_over = if matches!(self.act, Act::New | Act::DestroyThenWrite) { unheard } else { 0 };
        if !(expected..=expected + left_over).contains(&owned.len()) {
            return Err(format!("{} sessions of the owner, not {expected}", owned.len()).into());
        }
        for id in &owned {
            let session = manager.get_session(id).await?.ok_or("the owner's session is not there")?;
            if session.get::<String>("new")?.as_deref() != Some("there") {
                return Err("the owner's session is not whole".into());
            }
        }
        let (Some((id, before)), Some(token)) = (&self.before, &self.token) else { return Ok(()) };
        let stored = self.store.load(id).await?;
        if !whole || self.act == Act::Read {
            return if stored.as_ref() == Some(before) { Ok(()) } else { Err("something has changed".into()) };
        }
        let Some(stored) = stored else {
            let ended = matches!(self.act, Act::Destroy | Act::DestroyThenWrite);
            return if ended { Ok(()) } else { Err("the session is gone".into()) };
        };
        self.judge_changed(manager, before, &stored, token).await
    }

    /// Checks what a request that was answered has made of its session.
    async fn judge_changed(
        &self,
        manager: &SessionManager,
        before: &Stored,
        stored: &Stored,
        token: &Token,
    ) -> Result<(), Problem> {
        let session = manager.get_session(&token.id()).await?.ok_or("the session is not there")?;
        let count = session.get::<u64>(COUNTER)?;
        let new = session.get::<String>("new")?;
        let opens = manager.load(token).await?.is_some_and(|session| !session.is_superseded());
        let moved = stored.expires_at > before.expires_at;
        let written = stored.version != before.version;
        let right = match self.act {
            Act::New | Act::Read | Act::Destroy | Act::DestroyThenWrite => false,
            Act::Touch => stored.record == before.record && !written && moved && opens,
            Act::Write => written && new.is_some() && count == Some(41) && opens,
            Act::Count => written && new.is_none() && count == Some(42) && opens,
            Act::Login => written && new.is_some() && count == Some(41) && !opens,
            Act::Rotate => written && new.is_none() && count == Some(41) && !opens,
            Act::Renew => written && new.is_none() && count == Some(41) && opens && stored.record != before.record,
        };
        let kept = session.get::<String>("old")?.as_deref() == Some("kept");
        if right && kept { Ok(()) } else { Err(format!("it has not become what {:?} makes of it", self.act).into()) }
    }
}

const COUNTER: &str = "counter";
const HOUR: Duration = Duration::from_secs(60 * 60);
