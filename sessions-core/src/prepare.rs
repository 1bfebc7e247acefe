//! Makes the write of a commit, without I/O, from what a request changed and what it meets.

use std::sync::MutexGuard;
use std::time::Duration;

use bytes::Bytes;

use crate::access::access;
use crate::clock::Timestamp;
use crate::commit::{Attempt, CookieChange};
use crate::error::Error;
use crate::expiry::Overrides;
use crate::owner::Owner;
use crate::record::{self, Head, Previous, Recent, Record, Value};
use crate::session::{Credential, Loaded, OpenedBy, Session, State};
use crate::settings::Settings;
use crate::store::{Change, Entry, Stored, Ttl, Version};
use crate::token::{SessionId, Token};

/// Whether the record that a write replaces is the one that the request had loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meets {
    Loaded,
    Newer,
}

/// What a write is to replace.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) id: SessionId,
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

impl Base {
    /// The session as the request loaded it.
    pub(crate) fn loaded(session: &Session) -> Option<Self> {
        let state = session.state();
        let Loaded { id, version, record, expires_at, opened_by: _ } = state.loaded()?;
        Some(Self { id: *id, version: *version, record: record.clone(), expires_at: *expires_at })
    }

    /// The session as it is stored now.
    pub(crate) fn stored(id: SessionId, stored: Stored) -> Result<Self, Error> {
        let Stored { version, record, expires_at, owner: _ } = stored;
        Ok(Self { id, version, record: Record::parse(id, record)?, expires_at })
    }
}

/// The update of `base` by what the request changed. `state` is the session's.
pub(crate) fn update<'a>(
    settings: &Settings,
    session: &'a Session,
    mut state: MutexGuard<'a, State>,
    base: &Base,
    meets: Meets,
    now: Timestamp,
) -> Result<Step, Error> {
    let Some(loaded) = state.loaded() else { return Ok(Step::Lost) };
    if is_over(loaded, &base.record, meets, now) || guard_broken(&state, loaded, base, meets) {
        return Ok(Step::Lost);
    }
    let (opened_by, opened_with) = (loaded.opened_by, loaded.opened_with());
    let mut again = None;
    if meets == Meets::Newer {
        // Without the lock: what runs again is the application's, and may use the session.
        let delta = state.delta.clone();
        drop(state);
        again = Some(delta.again(base.id, &base.record)?);
        state = session.state();
    }

    let state = &mut *state;
    let head = base.record.head();
    let overrides = state.overrides_over(head.overrides);
    let issue = match state.credential {
        Credential::Keep => Issue::Nothing,
        Credential::Rotate => Issue::Strictly,
        Credential::Renew | Credential::RenewQuietly => renewal(opened_by, &base.record, now),
    };
    if issue == Issue::Nothing && !state.has_changes() {
        return Ok(Step::Nothing);
    }
    let limits = settings.limits.with(&overrides);
    let mut next = Head { overrides, recent: head.recent.push(base.version), ..head };
    next.previous = head.previous.filter(|previous| now < previous.grace_ends);
    if issue != Issue::Nothing {
        let verifier = minted(&mut state.attempt, base.id, settings)?.verifier();
        let grace = limits.grace(settings.renew_grace);
        let previous = Previous { verifier: head.verifier, grace_ends: now.after(grace) };
        next = Head {
            issued_at: now,
            verifier,
            previous: (issue == Issue::Gracefully && !grace.is_zero()).then_some(previous),
            ..next
        };
    }
    if issue != Issue::Nothing || overrides.lifetime != head.overrides.lifetime {
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
    let merged = again.as_ref().unwrap_or(&state.delta).merge(Some(&base.record));
    let version = state.attempt.version.take();
    let entry = entry(settings, base.id, &next, owner, &merged, version)?;
    let cookie = match issue {
        // Only the token that is current now: one in its grace would take the place of its successor.
        Issue::Nothing if cookie_moves(head.overrides, overrides) => match (opened_by, &state.presented) {
            (OpenedBy::Current, Some(token)) if opened_with == Some(head.verifier) => set_cookie(token, &next, now),
            _ => CookieChange::Keep,
        },
        Issue::Nothing => CookieChange::Keep,
        Issue::Gracefully | Issue::Strictly => {
            state.attempt.token.as_ref().map_or(CookieChange::Keep, |token| set_cookie(token, &next, now))
        }
    };
    Ok(Step::Write(Prepared { base: base.version, entry, change, cookie }))
}

/// Whether the right to the session and all that is guarded are still as they were when it was loaded.
pub(crate) fn stands(session: &Session, newer: &Base, now: Timestamp) -> bool {
    let state = session.state();
    let is_lost = |loaded: &Loaded| {
        is_over(loaded, &newer.record, Meets::Newer, now) || guard_broken(&state, loaded, newer, Meets::Newer)
    };
    !state.loaded().is_none_or(is_lost)
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
fn minted<'a>(attempt: &'a mut Attempt, id: SessionId, settings: &Settings) -> Result<&'a Token, Error> {
    match attempt.token {
        Some(ref token) => Ok(token),
        None => Ok(attempt.issue(Token::generate_for(id, &*settings.random)?)),
    }
}

/// Whether the session, or the right to it, has ended. At the record that was loaded only time can have ended it.
fn is_over(loaded: &Loaded, record: &Record, meets: Meets, now: Timestamp) -> bool {
    if meets == Meets::Loaded || loaded.opened_by == OpenedBy::Id {
        return record.deadline() <= now;
    }
    !loaded.opened_with().is_some_and(|verifier| access(record, &verifier, now).is_open())
}

fn guard_broken(state: &State, loaded: &Loaded, base: &Base, meets: Meets) -> bool {
    let changed = |key: &String| loaded.record.raw_value(key) != base.record.raw_value(key);
    meets == Meets::Newer && state.guards.iter().any(changed)
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
