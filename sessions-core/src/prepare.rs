//! Makes the write of a commit, without I/O, from what a request changed and what it meets.

use std::sync::MutexGuard;
use std::time::Duration;

use bytes::Bytes;

use crate::access::access;
use crate::clock::Timestamp;
use crate::commit::{Attempt, CookieChange};
use crate::delta::Delta;
use crate::error::Error;
use crate::expiry::Overrides;
use crate::owner::Owner;
use crate::record::{self, Head, Previous, Recent, Record, Value};
use crate::session::{Credential, Loaded, OpenedBy, Session, State};
use crate::settings::Settings;
use crate::store::{Change, Entry, Stored, Ttl, Version};
use crate::token::{SessionId, Token};

/// What is stored now, as it was read since the request loaded its session: most often what somebody else has written.
#[derive(Debug, Clone)]
pub(crate) struct Newer {
    pub(crate) version: Version,
    pub(crate) record: Record,
    expires_at: Timestamp,
}

/// An update that is ready to be sent, and the cookie that goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// The version that it replaces.
    pub(crate) base: Version,
    pub(crate) entry: Entry,
    pub(crate) change: Change,
    pub(crate) cookie: CookieChange,
}

/// A new session that is ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) id: SessionId,
    pub(crate) entry: Entry,
    pub(crate) ttl: Duration,
    pub(crate) cookie: CookieChange,
}

/// A touch that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Touch {
    pub(crate) id: SessionId,
    /// The version that it keeps alive.
    pub(crate) version: Version,
    pub(crate) ttl: Duration,
}

/// What an update comes to on the base it meets.
pub(crate) enum Step {
    Write(Prepared),
    /// Only a renewal was wanted, and somebody else's serves.
    Nothing,
    /// What is over stays over, or a guarded key has changed.
    Lost,
}

impl Newer {
    pub(crate) fn parse(id: SessionId, stored: Stored) -> Result<Self, Error> {
        let Stored { version, record, expires_at, owner: _ } = stored;
        Ok(Self { version, record: Record::parse(id, record)?, expires_at })
    }
}

/// What a write is to replace: what somebody else has written, or the session as the request loaded it.
struct Base<'a> {
    version: Version,
    record: &'a Record,
    expires_at: Timestamp,
}

impl<'a> Base<'a> {
    fn of(loaded: &'a Loaded, newer: Option<&'a Newer>) -> Self {
        match newer {
            Some(Newer { version, record, expires_at }) => Self { version: *version, record, expires_at: *expires_at },
            None => Self { version: loaded.version, record: &loaded.record, expires_at: loaded.expires_at },
        }
    }
}

/// The update by what the request changed. `state` is the session's.
pub(crate) fn update<'a>(
    settings: &Settings,
    session: &'a Session,
    mut state: MutexGuard<'a, State>,
    newer: Option<&Newer>,
    now: Timestamp,
) -> Result<Step, Error> {
    let Some(loaded) = state.loaded() else { return Ok(Step::Lost) };
    if is_lost(&state, loaded, newer, now) {
        return Ok(Step::Lost);
    }
    let id = loaded.id;
    let mut again = None;
    if let Some(newer) = newer {
        // Without the lock: what runs again is the application's, and may use the session.
        let delta = state.delta.clone();
        drop(state);
        again = Some(delta.again(id, &newer.record)?);
        state = session.state();
    }

    let state = &mut *state;
    let Some(loaded) = state.loaded() else { return Ok(Step::Lost) };
    let issue = match state.credential {
        Credential::Keep => Issue::Nothing,
        Credential::Rotate => Issue::Strictly,
        Credential::Renew | Credential::RenewQuietly => renewal(loaded.opened_by, Base::of(loaded, newer).record, now),
    };
    if issue == Issue::Nothing && !state.has_changes() {
        return Ok(Step::Nothing);
    }
    if issue != Issue::Nothing {
        mint(&mut state.attempt, id, settings)?;
    }
    let version = state.attempt.version.take();
    write(settings, state, newer, again.as_ref(), issue, version, now)
}

/// The write itself.
///
/// Invariant: unless nothing is issued, the token is minted.
fn write(
    settings: &Settings,
    state: &State,
    newer: Option<&Newer>,
    again: Option<&Delta>,
    issue: Issue,
    version: Option<Version>,
    now: Timestamp,
) -> Result<Step, Error> {
    let Some(loaded) = state.loaded() else { return Ok(Step::Lost) };
    let base = Base::of(loaded, newer);
    let issued = state.attempt.token.as_ref().filter(|_| issue != Issue::Nothing);

    let head = base.record.head();
    let overrides = state.overrides_over(head.overrides);
    let limits = settings.limits.with(&overrides);
    let mut next = Head { overrides, recent: head.recent.push(base.version), ..head };
    next.previous = head.previous.filter(|previous| now < previous.grace_ends);
    if let Some(token) = issued {
        let verifier = token.verifier();
        let grace = limits.grace(settings.renew_grace);
        let previous = Previous { verifier: head.verifier, grace_ends: now.after(grace) };
        next = Head {
            issued_at: now,
            verifier,
            previous: (issue == Issue::Gracefully && !grace.is_zero()).then_some(previous),
            ..next
        };
    }
    if issued.is_some() || overrides.lifetime != head.overrides.lifetime {
        next.deadline = limits.deadline(head.created_at, next.issued_at);
    }

    let moves = next.deadline != head.deadline
        || overrides.idle_timeout != head.overrides.idle_timeout
        || limits.touch_due(base.expires_at, head.deadline, now);
    let stored_owner = base.record.owner().map(Owner::new).transpose()?;
    let owner = state.owner.clone().unwrap_or_else(|| stored_owner.clone());
    let change = Change {
        ttl: if moves { Ttl::After(limits.ttl(next.deadline, now).unwrap_or_default()) } else { Ttl::Keep },
        reindex: owner != stored_owner || next.deadline != head.deadline,
    };
    let merged = again.unwrap_or(&state.delta).merge(Some(base.record));
    let entry = entry(settings, loaded.id, &next, owner, &merged, version)?;
    let cookie = match (issued, &state.presented) {
        (Some(token), _) => set_cookie(token, &next, now),
        // Only the token that is current now: one in its grace would take the place of its successor.
        (None, Some(token))
            if cookie_moves(head.overrides, overrides)
                && loaded.opened_by == OpenedBy::Current
                && loaded.opened_with() == Some(head.verifier) =>
        {
            set_cookie(token, &next, now)
        }
        (None, _) => CookieChange::Keep,
    };
    Ok(Step::Write(Prepared { base: base.version, entry, change, cookie }))
}

/// Whether the right to the session and all that is guarded are still as they were when it was loaded.
pub(crate) fn stands(session: &Session, newer: &Newer, now: Timestamp) -> bool {
    let state = session.state();
    state.loaded().is_some_and(|loaded| !is_lost(&state, loaded, Some(newer), now))
}

/// The first write of a new session. A token that an earlier try has made is kept.
pub(crate) fn create(settings: &Settings, session: &Session, now: Timestamp) -> Result<New, Error> {
    let state = &mut *session.state();
    let token = match &state.attempt.token {
        Some(token) => token.clone(),
        None => state.attempt.issue(Token::generate(&*settings.random)?).clone(),
    };
    let overrides = state.overrides_over(Overrides::default());
    let limits = settings.limits.with(&overrides);
    let head = Head {
        created_at: now,
        issued_at: now,
        deadline: limits.deadline(now, now),
        verifier: token.verifier(),
        previous: None,
        recent: Recent::default(),
        overrides,
    };
    let merged = state.delta.merge(None);
    let version = state.attempt.version.take();
    let entry = entry(settings, token.id(), &head, state.owner.clone().flatten(), &merged, version)?;
    Ok(New {
        id: token.id(),
        entry,
        ttl: limits.ttl(head.deadline, now).unwrap_or_default(),
        cookie: set_cookie(&token, &head, now),
    })
}

/// What a touch writes; `None` when none is due.
pub(crate) fn touch(settings: &Settings, session: &Session, now: Timestamp) -> Option<Touch> {
    let state = session.state();
    let Loaded { id, version, record, expires_at, opened_by: _ } = state.loaded()?;
    let (limits, deadline) = (settings.limits.with(&record.overrides()), record.deadline());
    let ttl = limits.ttl(deadline, now)?;
    limits.touch_due(*expires_at, deadline, now).then_some(Touch { id: *id, version: *version, ttl })
}

/// The cookie of a write that was found to have landed, under what others may have written since: a token that somebody
/// has replaced meanwhile is not sent, or it would take the place of theirs in the browser.
pub(crate) fn cookie_if_current(cookie: CookieChange, record: &Record) -> CookieChange {
    match cookie {
        CookieChange::Set { token, .. } if token.verifier() != record.verifier() => CookieChange::Keep,
        cookie => cookie,
    }
}

/// A token that is made once for a commit, however often it is tried.
fn mint(attempt: &mut Attempt, id: SessionId, settings: &Settings) -> Result<(), Error> {
    if attempt.token.is_none() {
        attempt.issue(Token::generate_for(id, &*settings.random)?);
    }
    Ok(())
}

/// Whether what is there is over for this request, or not what it has decided by.
fn is_lost(state: &State, loaded: &Loaded, newer: Option<&Newer>, now: Timestamp) -> bool {
    // At the record that was loaded only time can have ended it.
    let Some(Newer { record, .. }) = newer else { return loaded.record.deadline() <= now };
    let is_over = match loaded.opened_by {
        OpenedBy::Id => record.deadline() <= now,
        OpenedBy::Current | OpenedBy::Grace => {
            !loaded.opened_with().is_some_and(|verifier| access(record, &verifier, now).is_open())
        }
    };
    is_over || state.guards.iter().any(|key| loaded.record.raw_value(key) != record.raw_value(key))
}

/// Whether this write issues a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Issue {
    Nothing,
    Gracefully,
    Strictly,
}

/// What a renewal issues: nothing for a token in its grace, whose successor is there already, and nothing while a grace runs:
/// a sibling's renewal serves, and another would end it.
fn renewal(opened_by: OpenedBy, record: &Record, now: Timestamp) -> Issue {
    let grace_runs = record.previous().is_some_and(|previous| now < previous.grace_ends);
    if opened_by == OpenedBy::Grace || grace_runs { Issue::Nothing } else { Issue::Gracefully }
}

fn cookie_moves(before: Overrides, after: Overrides) -> bool {
    before.persistent != after.persistent || before.lifetime != after.lifetime
}

fn set_cookie(token: &Token, head: &Head, now: Timestamp) -> CookieChange {
    CookieChange::Set { token: token.clone(), persistent: head.overrides.persistent, max_age: head.deadline.since(now) }
}

fn entry(
    settings: &Settings,
    id: SessionId,
    head: &Head,
    owner: Option<Owner>,
    merged: &[(&[u8], Value<'_>)],
    version: Option<Version>,
) -> Result<Entry, Error> {
    let record = record::build(id, head, owner.as_ref(), merged, settings.max_record_bytes)?;
    let version = version.map_or_else(|| settings.versions.next(&*settings.random), Ok)?;
    Ok(Entry { version, record: Bytes::from(record), owner, deadline: head.deadline })
}
