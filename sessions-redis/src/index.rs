//! The index behind `owned_by`: one sorted set per owner, of ids, scored by the moment at which each was entered.
//!
//! An entry says where to look, never what is there: [`owned_by`](Index::owned_by) reads each session and keeps those that
//! are live and hold this owner now (G15). What must hold is therefore only this: **a live session with an owner is in the
//! index of that owner.**
//!
//! - A write that sets an owner enters the session first (`index_add.lua`) and is sent when that was answered. If it then
//!   fails, the index has an entry too many, which costs a read.
//! - A write that keeps owner and deadline (`reindex == false`) leaves the index alone.
//! - The set lives at least as long as its longest session may: until the record's deadline, and [`SLACK`] more.
//!
//! # Why trimming never takes a live session's entry
//!
//! Dead entries are removed when they are met: all of them by `owned_by`, and a few by each write that sets an owner, from a
//! random sample, so that an owner who signs in and out and never lists anything has no index that grows. The danger is an
//! entry that is not dead but *early*: its session is about to be written. Reading it finds nothing, as with a dead one.
//!
//! Two times, both measured by servers, keep them apart. The write that follows an entry carries a fence: its script refuses
//! to run later than [`FENCE`] after the entry. Trimming takes only entries that were at least [`GRACE`] old when the index
//! was read, which is before the session was looked at, and only if their score is still the one that was read.
//!
//! Suppose a trim removed the entry of a session that is live and has this owner. Take the last write that gave it this owner.
//! Its entry is older than it, and the removed entry is that one or a later one, since a new entry changes the score and a
//! changed score stops the trim. So the session was looked at more than `GRACE` after the entry, and `GRACE` > `FENCE`: the
//! write had happened, or never would. Looked at after it, the session was absent or somebody else's, so that a later write
//! made it this owner's again: not the last one, a contradiction. Nothing is assumed about how long a request, a paused process
//! or a stopped server holds a command up; only that the clocks of the nodes of a Cluster differ by less than `GRACE` - `FENCE`.

use redis::{Cmd, Value};
use sessions_core::{Owner, SessionId};

use crate::call::{Call, Effect};
use crate::failure::{Cause, Failure};
use crate::keys::Prefix;
use crate::script;
use crate::value::{Envelope, Malformed};

/// How long after its entry a write may still happen, in ms.
const FENCE: u64 = 5 * 60 * 1000;
/// How old an entry must be before it may be taken for dead, in ms.
const GRACE: u64 = 15 * 60 * 1000;
const _: () = assert!(GRACE > FENCE);
/// How much longer an index lives than its longest session may, in ms: a write may be held up by `FENCE`.
const SLACK: u64 = GRACE;
/// Up to this many entries an index is not sampled.
const SMALL: u64 = 16;
/// Four reads for each entry keep dead entries at a third of the live ones, whatever the rate.
const SAMPLE: u64 = 4;
/// Entries in one call of a script, so that no call holds the server up.
const BATCH: usize = 500;

/// A session's entry, and what is to be done after the write that it was made for.
pub(crate) struct Entered {
    /// The last moment for that write, in ms of the server's clock.
    pub(crate) fence: u64,
    sample: Vec<Member>,
}

/// The indexes of a namespace.
#[derive(Clone, Copy)]
pub(crate) struct Index<'a> {
    prefix: &'a Prefix,
}

impl<'a> Index<'a> {
    pub(crate) fn new(prefix: &'a Prefix) -> Self {
        Self { prefix }
    }

    /// Enters a session that may live for `ttl` ms from now, before the write that gives it this owner.
    pub(crate) async fn enter(
        &self,
        call: &Call<'_>,
        owner: &Owner,
        id: &SessionId,
        ttl: u64,
    ) -> Result<Entered, Failure> {
        let args = |cmd: &mut Cmd| {
            cmd.arg(id.as_bytes()).arg(ttl.saturating_add(SLACK)).arg(SMALL).arg(SAMPLE).arg(GRACE);
        };
        let answer = call.run(&script::INDEX_ADD, self.prefix.owner(owner), args, Effect::None).await?;
        let (now, sample) = parse(answer).ok_or_else(|| Cause::Unexpected.certain())?;
        Ok(Entered { fence: now + FENCE, sample })
    }

    /// Looks at the sample that came with an entry. The write is done: whatever goes wrong here is nobody's concern.
    pub(crate) async fn tend(&self, call: &Call<'_>, owner: &Owner, entered: Entered) {
        let Ok(found) = self.look_up(call, owner, &entered.sample).await else { return };
        let dead =
            entered.sample.iter().zip(found).filter(|(_, state)| *state == State::Dead).map(|(member, _)| member);
        self.trim(call, owner, dead).await;
    }

    /// The live sessions that hold this owner now.
    pub(crate) async fn owned_by(&self, call: &Call<'_>, owner: &Owner) -> Result<Vec<SessionId>, Failure> {
        let answer = call.run(&script::INDEX_READ, self.prefix.owner(owner), |_| {}, Effect::None).await?;
        let (now, members) = parse(answer).ok_or_else(|| Cause::Unexpected.certain())?;
        let found = self.look_up(call, owner, &members).await?;

        let mut live = Vec::with_capacity(members.len());
        let mut dead = Vec::new();
        for (member, state) in members.iter().zip(found) {
            match state {
                State::Live => live.push(member.id),
                State::Dead if member.entered_at < now.saturating_sub(GRACE) => dead.push(member),
                State::Dead | State::Unknown => {}
            }
        }
        self.trim(call, owner, dead.into_iter()).await;
        Ok(live)
    }

    /// Reads the envelopes of these sessions, not their records.
    async fn look_up(&self, call: &Call<'_>, owner: &Owner, members: &[Member]) -> Result<Vec<State>, Failure> {
        let cmds: Vec<_> = members
            .iter()
            .map(|member| {
                let mut cmd = redis::cmd("GETRANGE");
                cmd.arg(self.prefix.session(&member.id)).arg(0).arg(Envelope::MAX - 1);
                cmd
            })
            .collect();
        let answers = call.send_all(&cmds, Effect::None).await?;
        members.iter().zip(answers).map(|(member, answer)| State::of(owner, &member.id, answer)).collect()
    }

    /// Best effort: an entry that stays is met again.
    async fn trim(&self, call: &Call<'_>, owner: &Owner, dead: impl Iterator<Item = &Member>) {
        let dead: Vec<_> = dead.collect();
        let key = self.prefix.owner(owner);
        for batch in dead.chunks(BATCH) {
            let args = |cmd: &mut Cmd| {
                for member in batch {
                    cmd.arg(member.id.as_bytes()).arg(&member.score);
                }
            };
            if let Err(failure) = call.run(&script::INDEX_TRIM, key, args, Effect::None).await {
                tracing::debug!(error = %failure, "an owner's index could not be trimmed");
                return;
            }
        }
    }
}

/// An entry as it was read.
struct Member {
    id: SessionId,
    entered_at: u64,
    /// The score as the server spells it, to be compared as text.
    score: Vec<u8>,
}

/// What an entry leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    /// Absent, or another owner's.
    Dead,
    /// Not a session: it opens for nobody, but it is not ours to judge.
    Unknown,
}

impl State {
    fn of(owner: &Owner, id: &SessionId, answer: Result<Value, Cause>) -> Result<Self, Failure> {
        let bytes = match answer {
            Ok(Value::BulkString(bytes)) => bytes,
            Ok(_) => return Err(Cause::Unexpected.certain()),
            Err(Cause::Answered(code)) if code == "WRONGTYPE" => return Ok(Self::Unknown),
            Err(cause) => return Err(cause.certain()),
        };
        if bytes.is_empty() {
            return Ok(Self::Dead);
        }
        match Envelope::parse(id, &bytes) {
            Ok(envelope) if envelope.owner.as_ref() == Some(owner) => Ok(Self::Live),
            Ok(_) => Ok(Self::Dead),
            // It may be this owner's: "log out everywhere" must not pass over it in silence.
            Err(newer @ Malformed::NewerFormat(_)) => Err(Cause::Malformed(newer).certain()),
            Err(Malformed::NotOurs | Malformed::Damaged) => Ok(Self::Unknown),
        }
    }
}

/// The moment of the answer, then ids and scores. What is not an id of ours is passed over.
fn parse(answer: Value) -> Option<(u64, Vec<Member>)> {
    let Value::Array(parts) = answer else { return None };
    let mut parts = parts.into_iter();
    let Some(Value::Int(now)) = parts.next() else { return None };
    let mut members = Vec::with_capacity(parts.len() / 2);
    while let (Some(id), Some(score)) = (parts.next(), parts.next()) {
        let (Value::BulkString(id), Value::BulkString(score)) = (id, score) else { return None };
        let Ok(id) = id.try_into() else { continue };
        let Some(entered_at) = std::str::from_utf8(&score).ok().and_then(|score| score.parse().ok()) else { continue };
        members.push(Member { id: SessionId::from_bytes(id), entered_at, score });
    }
    Some((u64::try_from(now).ok()?, members))
}

#[cfg(test)]
mod tests;
