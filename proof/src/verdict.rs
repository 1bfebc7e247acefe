//! Judges a run by the four promises.

use sessions_core::{Committed, CookieChange, Error, Outcome, Session, SessionId, Token};

use crate::gate::{Applied, Write, now};
use crate::request::{Act, COUNTER, Response, key_of};
use crate::run::Run;

/// More store calls than any request of a scenario may need: a load, and for every other request a conflict, for every
/// fault a settling.
const MAX_CALLS: usize = 16;

/// What a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A request was told that its key is stored, and it is not.
    LostKey(usize),
    /// A request was told that its change is not stored, and it is.
    UnsaidWrite(usize),
    /// The counter is not what the acknowledged increments make it.
    Counter {
        /// Increments that were acknowledged.
        acknowledged: u64,
        /// Increments of which nobody could say whether they were stored.
        unknown: u64,
        /// What the counter says.
        found: u64,
    },
    /// A session that was deleted was written again, or is there.
    Resurrected,
    /// A session is gone, and nobody ended it.
    Vanished,
    /// A request wrote with a token that a rotation had ended before.
    OldTokenWrote(usize),
    /// A request read a session that had ended, or with a token that had.
    OldTokenRead(usize),
    /// The token that a rotation ended opens the session.
    OldTokenOpens,
    /// A change was refused as lost, and nobody had ended the session or its token.
    LostForNothing(usize),
    /// An outcome that the request cannot have.
    Outcome(usize, String),
    /// A request made more store calls than it may.
    TooManyCalls(usize),
    /// The browser has a cookie that opens nothing, and no documented reason.
    DeadCookie,
}

/// Checks everything. Gives the number of orders of responses that end in a documented residue.
pub(crate) fn judge(run: &Run) -> Result<u64, Finding> {
    let facts = Facts::of(run);
    run.calls.iter().position(|calls| *calls > MAX_CALLS).map_or(Ok(()), |n| Err(Finding::TooManyCalls(n)))?;
    ended(run, &facts)?;
    tokens(run, &facts)?;
    contents(run, &facts)?;
    for number in 0..run.acts.len() {
        outcome(run, &facts, number)?;
    }
    cookies(run, &facts)
}

/// What happened, by the step at which it reached the store.
struct Facts {
    deleted_at: Option<usize>,
    rotated_at: Option<usize>,
    /// The session as it is at the end, if it is live.
    live: Option<Session>,
}

impl Facts {
    fn of(run: &Run) -> Self {
        let first = |wanted: &dyn Fn(&Applied) -> bool| run.log.iter().find(|applied| wanted(applied)).map(|a| a.at);
        let deletes = |write: &Write| matches!(write, Write::Delete(ids) if ids.contains(&run.id));
        let updates = |write: &Write| matches!(write, Write::Update(id, _) if *id == run.id);
        Self {
            deleted_at: first(&|a| deletes(&a.write)),
            rotated_at: first(&|a| updates(&a.write) && run.acts[a.request].rotates()),
            live: now(run.manager.get_session(&run.id)).expect("the store works"),
        }
    }
}

/// What is over stays over; what nobody ended is there.
fn ended(run: &Run, facts: &Facts) -> Result<(), Finding> {
    let over = [facts.deleted_at, run.expired_at].into_iter().flatten().min();
    let writes = |write: &Write| matches!(write, Write::Create(id) | Write::Update(id, _) if *id == run.id);
    if over.is_some_and(|over| run.log.iter().any(|a| a.at > over && writes(&a.write))) {
        return Err(Finding::Resurrected);
    }
    match (&facts.live, over) {
        (Some(_), Some(_)) => Err(Finding::Resurrected),
        (None, None) => Err(Finding::Vanished),
        _ => Ok(()),
    }
}

/// A strict rotation ends every earlier token, for readers and writers; so does the end of the session.
fn tokens(run: &Run, facts: &Facts) -> Result<(), Finding> {
    let over = [facts.deleted_at, facts.rotated_at, run.expired_at].into_iter().flatten().min();
    for (number, response) in run.responses.iter().enumerate() {
        let late = run.loaded_at[number].is_some_and(|loaded| over.is_some_and(|over| over < loaded));
        if response.saw && late {
            return Err(Finding::OldTokenRead(number));
        }
    }
    let Some(rotated_at) = facts.rotated_at else { return Ok(()) };
    let rotator = run.log.iter().find(|a| a.at == rotated_at).map(|a| a.request);
    for Applied { request, at, write } in &run.log {
        if *at > rotated_at && Some(*request) != rotator && matches!(write, Write::Update(id, _) if *id == run.id) {
            return Err(Finding::OldTokenWrote(*request));
        }
    }
    if opens(run, &run.token).is_some() { Err(Finding::OldTokenOpens) } else { Ok(()) }
}

/// Keys and counter are what the answers said.
fn contents(run: &Run, facts: &Facts) -> Result<(), Finding> {
    let Some(live) = &facts.live else { return Ok(()) };
    let (mut acknowledged, mut unknown) = (0, 0);
    for (number, (act, response)) in run.acts.iter().zip(&run.responses).enumerate() {
        let said = said(response);
        match act {
            Act::Counter if response.saw => {
                acknowledged += u64::from(said == Said::Stored);
                unknown += u64::from(said == Said::Unknown);
            }
            Act::WriteKey if response.saw => {
                let stored = live.contains(key_of(number));
                if said == Said::Stored && !stored {
                    return Err(Finding::LostKey(number));
                }
                if said == Said::NotStored && stored {
                    return Err(Finding::UnsaidWrite(number));
                }
            }
            _ => {}
        }
    }
    let found = live.get::<u64>(COUNTER).ok().flatten().unwrap_or(0);
    if (acknowledged..=acknowledged + unknown).contains(&found) {
        Ok(())
    } else {
        Err(Finding::Counter { acknowledged, unknown, found })
    }
}

#[derive(PartialEq, Eq)]
enum Said {
    Stored,
    NotStored,
    Unknown,
}

fn said(response: &Response) -> Said {
    match &response.result {
        Ok(Some(Committed { outcome: Outcome::Lost | Outcome::Unchanged, .. })) => Said::NotStored,
        Ok(_) => Said::Stored,
        Err(error) if error.is_indeterminate() => Said::Unknown,
        Err(_) => Said::NotStored,
    }
}

/// Each outcome is one that its request can have, and a loss has a reason.
fn outcome(run: &Run, facts: &Facts, number: usize) -> Result<(), Finding> {
    let (act, response) = (run.acts[number], &run.responses[number]);
    let Ok(Some(Committed { outcome, cookie })) = &response.result else { return Ok(()) };
    let reason = facts.deleted_at.is_some() || facts.rotated_at.is_some() || run.expired_at.is_some();
    if *outcome == Outcome::Lost && !reason {
        return Err(Finding::LostForNothing(number));
    }
    let fits = match (act, response.saw) {
        (Act::Read | Act::Touch, _) => matches!(outcome, Outcome::Unchanged | Outcome::Touched),
        (Act::WriteKey | Act::Counter | Act::SetOwner | Act::Rotate, true) => {
            matches!(outcome, Outcome::Written | Outcome::Lost)
        }
        (Act::Renew, true) => {
            matches!(outcome, Outcome::Written | Outcome::Lost | Outcome::Unchanged | Outcome::Touched)
        }
        (Act::Destroy, true) => *outcome == Outcome::Deleted,
        (Act::DestroyThenWrite, true) => *outcome == Outcome::Created,
        // A new session, or a superseded one.
        (_, false) => matches!(outcome, Outcome::Created | Outcome::Unchanged | Outcome::Lost),
        (Act::Expire | Act::DeleteByOwner, true) => false,
    };
    let silent = *outcome != Outcome::Lost || *cookie == CookieChange::Keep;
    if fits && silent { Ok(()) } else { Err(Finding::Outcome(number, format!("{outcome:?} {act:?}"))) }
}

/// Whatever the order in which the responses reach the browser, its cookie opens the session, unless that has ended.
///
/// The documented residues are counted, not failed: responses with different cookies that race each other, and a rotation
/// whose response is an error.
fn cookies(run: &Run, facts: &Facts) -> Result<u64, Finding> {
    let changes: Vec<&CookieChange> = run
        .responses
        .iter()
        .filter_map(|response| response.result.as_ref().ok()?.as_ref())
        .map(|committed| &committed.cookie)
        .filter(|cookie| **cookie != CookieChange::Keep)
        .collect();
    let unheard = run.acts.iter().zip(&run.responses).any(|(act, response)| {
        let issues = act.rotates() || matches!(act, Act::Renew);
        issues && response.result.as_ref().err().is_some_and(Error::is_indeterminate)
    });
    let finals: Vec<Option<&Token>> = match changes.len() {
        0 => vec![Some(&run.token)],
        // The last response decides: every change is the last one in some order.
        _ => changes
            .iter()
            .map(|change| match change {
                CookieChange::Set { token, .. } => Some(token),
                CookieChange::Keep | CookieChange::Remove => None,
            })
            .collect(),
    };
    let expected = facts.live.is_some();
    let good = |token: &Option<&Token>| token.is_some_and(|token| opens(run, token).is_some());
    let dead = finals.iter().filter(|token| expected && !good(token)).count();
    if dead == 0 {
        return Ok(0);
    }
    // Racing responses: the one whose write came last has a cookie that works.
    let raced = finals.len() > 1 && finals.iter().any(good);
    if unheard || raced { Ok(u64::try_from(dead).unwrap_or(u64::MAX)) } else { Err(Finding::DeadCookie) }
}

/// The session that a token opens at the end.
fn opens(run: &Run, token: &Token) -> Option<SessionId> {
    let session = now(run.manager.load(token)).expect("the store works")?;
    (!session.is_superseded()).then(|| session.id()).flatten()
}
