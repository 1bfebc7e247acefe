//! Carries out a plan: the conflict loop, and the settling of writes that were never answered.

use std::ops::Deref;

use crate::clock::Timestamp;
use crate::commit::{Attempt, Committed, CookieChange, Outcome, Plan};
use crate::error::{Error, StoreError};
use crate::prepare::{self, New, Newer, Prepared, Step, Touch};
use crate::session::Session;
use crate::settings::Settings;
use crate::store::{CreateOutcome, SessionStore, Stored, UpdateOutcome, Version};
use crate::token::SessionId;

/// A bound on writes of one commit, for clocks that stand still: far above what its deadline admits.
const MAX_WRITES: u32 = 1_000;
/// A bound on writes that are not answered. A store that swallows so many in a row is not usable.
const MAX_UNANSWERED: u32 = 8;

const OUT_OF_TIME: &str = "the commit's deadline passed before an answer came";

/// One run of a commit. Whatever must survive its being dropped lives on the session: a later run takes it up there.
pub(crate) struct Execution<'a> {
    store: &'a dyn SessionStore,
    session: &'a Session,
    settings: &'a Settings,
    started: Timestamp,
    /// When the last write was sent.
    sent: Timestamp,
    writes: u32,
    unanswered: u32,
}

/// What became of an update.
enum Settled {
    /// It is stored, or was, under what others have written since. This is the cookie that goes with it.
    Landed(CookieChange),
    /// The session is absent.
    Gone,
    /// It has not landed, and nobody else has written: it may land yet.
    MayLand,
    /// What it was to replace is superseded: it can never land. This is there now.
    NeverLands(Box<Newer>),
}

impl<'a> Execution<'a> {
    /// The settings are the committing manager's, whoever has made the session: its limits hold for what is in its store.
    pub(crate) fn new(store: &'a dyn SessionStore, settings: &'a Settings, session: &'a Session) -> Self {
        let started = settings.clock.now();
        Self { store, session, settings, started, sent: started, writes: 0, unanswered: 0 }
    }

    pub(crate) async fn run(mut self, plan: Plan) -> Result<Committed, Error> {
        match plan {
            Plan::Nothing => Ok(Committed::quiet(Outcome::Unchanged)),
            Plan::Lost => Ok(Committed::quiet(Outcome::Lost)),
            Plan::Create => self.create().await,
            Plan::Update => match self.update().await? {
                Some(committed) => Ok(committed),
                None => self.check().await,
            },
            Plan::Check => self.check().await,
            Plan::Touch => Ok(self.touch().await),
            Plan::Delete => self.delete().await,
            Plan::DeleteThenCreate => {
                // What cannot be stored is refused while nothing is deleted yet.
                prepare::create(self.settings, self.session, self.started)?;
                self.delete().await?;
                self.create().await.map_err(after_a_write)
            }
        }
    }

    /// Until written, lost, or out of time; `None` if there is nothing to write after all. Retries at once: a conflict means
    /// that somebody else made progress.
    async fn update(&mut self) -> Result<Option<Committed>, Error> {
        let lost = Ok(Some(Committed::quiet(Outcome::Lost)));
        let Some(id) = self.session.state().loaded().map(|loaded| loaded.id) else { return lost };
        let mut newer = None;
        loop {
            let (sent, repeats) = match self.next_update(newer.as_deref())? {
                (Step::Write(prepared), repeats) => (Open::new(self.session, prepared), repeats),
                (Step::Nothing, _) if newer.is_none() => return Ok(None),
                (Step::Nothing, _) => return Ok(Some(Committed::quiet(Outcome::Unchanged))),
                (Step::Lost, _) => return lost,
            };
            // It stays open as long as it is not known what became of it.
            let settled = self.settled(id, &sent, repeats).await;
            if !settled.as_ref().map_or_else(Error::is_indeterminate, |settled| matches!(settled, Settled::MayLand)) {
                sent.close();
            }
            match settled? {
                Settled::Landed(cookie) => return Ok(Some(Committed { outcome: Outcome::Written, cookie })),
                Settled::Gone => return lost,
                Settled::MayLand => {}
                Settled::NeverLands(there) => newer = Some(there),
            }
        }
    }

    /// The update of what is there, and whether it was sent before: what was sent and not answered is repeated, not made
    /// anew, because it may yet land.
    fn next_update(&mut self, newer: Option<&Newer>) -> Result<(Step, bool), Error> {
        let now = self.next_write()?;
        let mut state = self.session.state();
        match state.attempt.update.take() {
            Some(prepared) => Ok((Step::Write(*prepared), true)),
            None => Ok((prepare::update(self.settings, self.session, state, newer, now)?, false)),
        }
    }

    /// Sends one update, and finds out what became of it.
    async fn settled(&mut self, id: SessionId, sent: &Prepared, repeats: bool) -> Result<Settled, Error> {
        match self.store.update(&id, sent.base, &sent.entry, sent.change).await {
            Ok(UpdateOutcome::Written) => Ok(Settled::Landed(sent.cookie.clone())),
            Ok(UpdateOutcome::Absent) => Ok(Settled::Gone),
            Ok(UpdateOutcome::Conflict(stored)) => settle(id, stored, sent, repeats),
            Err(error) if error.is_indeterminate() => {
                self.count_unanswered(error)?;
                // A look that takes as long would end after the deadline. It can be taken up again.
                if self.is_late(self.settings.clock.now()) {
                    return Err(StoreError::indeterminate(OUT_OF_TIME).into());
                }
                match self.store.load(&id).await {
                    Ok(Some(stored)) => settle(id, stored, sent, true),
                    Ok(None) => Ok(Settled::Gone),
                    Err(error) => Err(StoreError::indeterminate(error).into()),
                }
            }
            // This one was surely not applied; an earlier copy of it may have been.
            Err(error) if repeats => Err(StoreError::indeterminate(error).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Each try is under an id and a token of its own: a create that was not answered may land at any later time, also when
    /// the session that it was to make is over. Where it lands, it makes a session whose token nobody has.
    async fn create(&mut self) -> Result<Committed, Error> {
        loop {
            let now = self.next_write()?;
            let sent = Open::new(self.session, prepare::create(self.settings, self.session, now)?);
            match self.store.create(&sent.id, &sent.entry, sent.ttl).await {
                Ok(CreateOutcome::Created) => return Ok(self.created(sent).await),
                // A store that has repeated it by itself.
                Ok(CreateOutcome::Exists(stored)) if stored.version == sent.entry.version => {
                    return Ok(self.created(sent).await);
                }
                // Somebody else's session under a random id of 128 bits: take another.
                Ok(CreateOutcome::Exists(_)) => {
                    sent.close();
                    self.session.state().attempt.token = None;
                }
                Err(error) if error.is_indeterminate() => {
                    drop(sent);
                    self.count_unanswered(error)?;
                }
                Err(error) => {
                    sent.close();
                    let is_in_doubt = !self.session.state().attempt.abandoned.is_empty();
                    return Err(if is_in_doubt { StoreError::indeterminate(error).into() } else { error.into() });
                }
            }
        }
    }

    /// What this commit had sent before and was not told of may have landed by now: so far it is cleared up here, unless
    /// that would take too long. What lands later ends by itself, with its lifetime.
    async fn created(&self, sent: Open<'_, New>) -> Committed {
        let abandoned = self.session.state().attempt.abandoned.clone();
        if !abandoned.is_empty() && !self.is_late(self.settings.clock.now()) {
            // Nobody waits for it, and nobody can open what is left.
            if let Err(error) = self.store.delete(&abandoned).await {
                tracing::warn!(target: "sessions", session = %sent.id, %error, "session.leftover");
            }
        }
        let New { id, cookie, .. } = sent.close();
        let attempt = &mut self.session.state().attempt;
        attempt.abandoned.clear();
        attempt.created = Some(id);
        Committed { outcome: Outcome::Created, cookie }
    }

    /// Whatever the version: a logout is not lost to a concurrent write. When the row was already gone, the cookie is left
    /// alone, because a login may have replaced it.
    async fn delete(&mut self) -> Result<Committed, Error> {
        let Some(id) = self.deletable() else { return Ok(Committed::quiet(Outcome::Deleted)) };
        loop {
            self.next_write()?;
            let repeats = std::mem::replace(&mut self.session.state().attempt.delete, true);
            match self.store.delete(&[id]).await {
                Ok(count) => {
                    self.session.state().attempt.deleted = true;
                    tracing::info!(target: "sessions", session = %id, "session.destroyed");
                    let cookie = if count > 0 || repeats { CookieChange::Remove } else { CookieChange::Keep };
                    return Ok(Committed { outcome: Outcome::Deleted, cookie });
                }
                Err(error) if error.is_indeterminate() => self.count_unanswered(error)?,
                Err(error) if repeats => return Err(StoreError::indeterminate(error).into()),
                Err(error) => {
                    self.session.state().attempt.delete = false;
                    return Err(error.into());
                }
            }
        }
    }

    /// The stored session, unless this commit has deleted it already.
    fn deletable(&self) -> Option<SessionId> {
        let state = self.session.state();
        state.loaded().filter(|_| !state.attempt.deleted).map(|loaded| loaded.id)
    }

    /// Nothing is to be written. If decisions were taken from what was read, looks whether they stand.
    async fn check(&self) -> Result<Committed, Error> {
        let Some((id, version)) = self.guarded() else { return Ok(self.touch().await) };
        let lost = Ok(Committed::quiet(Outcome::Lost));
        let Some(stored) = self.store.load(&id).await? else { return lost };
        if stored.version == version {
            return Ok(self.touch().await);
        }
        let stands = match Newer::parse(id, stored) {
            Ok(newer) => prepare::stands(self.session, &newer, self.settings.clock.now()),
            Err(error) if error.is_corrupt() => false,
            Err(error) => return Err(error),
        };
        if stands { Ok(Committed::quiet(Outcome::Unchanged)) } else { lost }
    }

    /// The stored session, if decisions were taken from it.
    fn guarded(&self) -> Option<(SessionId, Version)> {
        let state = self.session.state();
        state.loaded().filter(|_| !state.guards.is_empty()).map(|loaded| (loaded.id, loaded.version))
    }

    /// Housekeeping: the request has read its session, and whether its idle window moves does not decide about the
    /// response. A sibling that has written meanwhile has moved it.
    async fn touch(&self) -> Committed {
        let Some(Touch { id, version, ttl }) = prepare::touch(self.settings, self.session, self.settings.clock.now())
        else {
            return Committed::quiet(Outcome::Unchanged);
        };
        match self.store.touch(&id, version, ttl).await {
            Ok(true) => Committed::quiet(Outcome::Touched),
            Ok(false) => Committed::quiet(Outcome::Unchanged),
            Err(error) => {
                tracing::warn!(target: "sessions", session = %id, %error, "session.touch_failed");
                Committed::quiet(Outcome::Unchanged)
            }
        }
    }

    /// The time of the next write; an error when the commit has taken too long, or would if this write took as long as the
    /// last one: a store that does not answer keeps silent for its whole deadline each time.
    fn next_write(&mut self) -> Result<Timestamp, Error> {
        let now = if self.writes == 0 { self.started } else { self.settings.clock.now() };
        self.writes += 1;
        let is_late = self.is_late(now);
        self.sent = now;
        if !is_late && self.writes <= MAX_WRITES {
            return Ok(now);
        }
        let state = self.session.state();
        if state.attempt.update.is_some() || !state.attempt.abandoned.is_empty() || state.attempt.delete {
            Err(StoreError::indeterminate(OUT_OF_TIME).into())
        } else {
            Err(Error::contended())
        }
    }

    /// Whether a call that takes as long as the last one would end after the commit's deadline.
    fn is_late(&self, now: Timestamp) -> bool {
        let (elapsed, last) = (now.since(self.started), now.since(self.sent));
        elapsed >= self.settings.commit_deadline || elapsed + last > self.settings.commit_deadline
    }

    fn count_unanswered(&mut self, error: StoreError) -> Result<(), Error> {
        self.unanswered += 1;
        if self.unanswered >= MAX_UNANSWERED { Err(error.into()) } else { Ok(()) }
    }
}

/// A write that is under way. Unless it is closed, because its answer has come, it is left to the session when dropped, also
/// with the future that waits for it.
struct Open<'a, W: Unanswered> {
    session: &'a Session,
    write: Option<W>,
}

/// A write that was sent and not answered.
trait Unanswered {
    /// Tells whoever goes on with the commit.
    fn leave(self, attempt: &mut Attempt);
}

/// The very same update is repeated.
impl Unanswered for Prepared {
    fn leave(self, attempt: &mut Attempt) {
        attempt.update = Some(Box::new(self));
    }
}

/// The id is given up, and the token with it.
impl Unanswered for New {
    fn leave(self, attempt: &mut Attempt) {
        attempt.token = None;
        attempt.abandoned.push(self.id);
    }
}

impl<'a, W: Unanswered> Open<'a, W> {
    fn new(session: &'a Session, write: W) -> Self {
        Self { session, write: Some(write) }
    }

    fn close(mut self) -> W {
        self.write.take().expect("a write is closed once")
    }
}

impl<W: Unanswered> Deref for Open<'_, W> {
    type Target = W;

    fn deref(&self) -> &W {
        self.write.as_ref().expect("an open write is there until it is closed")
    }
}

impl<W: Unanswered> Drop for Open<'_, W> {
    fn drop(&mut self) {
        if let Some(write) = self.write.take() {
            write.leave(&mut self.session.state().attempt);
        }
    }
}

/// A failure after a part of the commit was applied: no longer one that says that nothing was.
fn after_a_write(error: Error) -> Error {
    if error.is_indeterminate() { error } else { StoreError::indeterminate(error).into() }
}

/// Judges an update by what is stored now. `open` says whether a copy of it may have been applied, or may yet be; if not, a
/// conflict was its answer.
///
/// Invariant: a record's recent versions are the last ones superseded, without a gap. So if the base is among them and the
/// update is not, then the update is not what superseded the base, and never will be.
fn settle(id: SessionId, stored: Stored, sent: &Prepared, open: bool) -> Result<Settled, Error> {
    let newer = match Newer::parse(id, stored) {
        Ok(newer) => newer,
        Err(error) if error.is_corrupt() => {
            tracing::error!(target: "sessions", session = %id, %error, "session.corrupt");
            return Ok(Settled::Gone);
        }
        Err(error) if open => return Err(StoreError::indeterminate(error).into()),
        Err(error) => return Err(error),
    };
    let recent = newer.record.recent();
    if newer.version == sent.entry.version || recent.contains(sent.entry.version) {
        Ok(Settled::Landed(prepare::cookie_if_current(sent.cookie.clone(), &newer.record)))
    } else if !open || recent.contains(sent.base) {
        Ok(Settled::NeverLands(Box::new(newer)))
    } else if newer.version == sent.base {
        Ok(Settled::MayLand)
    } else {
        Err(StoreError::indeterminate("too many have written since to tell whether this write landed").into())
    }
}
