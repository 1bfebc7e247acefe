//! Dropping commits and calling them again: one effect, wherever the first one was dropped.

use std::sync::Arc;

use sessions_core::{Committed, CookieChange, Outcome};

use super::cut::Place;
use super::load::Load;
use super::visit::{Act, Visit};
use super::whole::{comes_to_rest, is_usable};
use crate::behind::{Bench, Kind, Problem};

/// Drops every kind of commit everywhere and calls it again, and counts the places.
pub(crate) async fn drop_all(bench: &Bench, busy: bool) -> Result<u64, Problem> {
    let mut places = 0;
    for act in Act::ALL {
        let load = Load::start(&bench.store, busy);
        places += drop_everywhere(bench, act).await.map_err(|problem| format!("{act:?}, called again: {problem}"))?;
        load.stop().await?;
        comes_to_rest(bench).await.map_err(|problem| format!("{act:?}: {problem}"))?;
    }
    Ok(places)
}

async fn drop_everywhere(bench: &Bench, act: Act) -> Result<u64, Problem> {
    let manager = Arc::new(act.manager(bench)?);
    let (mut places, mut next) = (0, Some(Place::FIRST));
    while let Some(place) = next {
        let visit = Visit::begin(bench, act).await?;
        let session = manager.begin(visit.token.clone());
        manager.open(&session).await?;
        visit.change(&session)?;
        let first = place.drop(Box::pin(manager.commit(&session))).await.transpose()?;
        places += 1;
        let completed = first.is_some();
        let (committed, dropped) = match first {
            Some(committed) => (committed, 0),
            // Twice, to be sure that it goes on where it was.
            None => {
                match Place::FIRST.next(false).unwrap_or(Place::FIRST).drop(Box::pin(manager.commit(&session))).await {
                    Some(committed) => (committed?, 1),
                    None => (manager.commit(&session).await?, 2),
                }
            }
        };
        is_right(act, &committed).map_err(|problem| format!("{place}: {problem}"))?;
        if let CookieChange::Set { token, .. } = &committed.cookie {
            let opened = manager.load(token).await?.is_some_and(|session| !session.is_superseded());
            if !opened {
                return Err(format!("{place}: the token that it gave out opens nothing").into());
            }
        }
        let unheard = if may_arrive_late(bench.kind) { dropped } else { 0 };
        visit.judge(&manager, true, unheard).await.map_err(|problem| format!("{place}: {problem}"))?;
        is_usable(&bench.store).await.map_err(|problem| format!("{place}: {problem}"))?;
        next = place.next(completed);
    }
    Ok(places)
}

/// Whether a create can arrive after the deletion that follows it: where each may take a connection of its own to a server.
/// Redis has one connection, on which nothing overtakes; in this process a statement ends with its future.
fn may_arrive_late(kind: Kind) -> bool {
    match kind {
        #[cfg(feature = "servers")]
        Kind::Postgres | Kind::MariaDb => true,
        _ => false,
    }
}

/// Whether this is what the commit of an undisturbed request comes to.
fn is_right(act: Act, committed: &Committed) -> Result<(), Problem> {
    let Committed { outcome, cookie } = committed;
    let expected = match act {
        Act::New | Act::DestroyThenWrite => Outcome::Created,
        Act::Read => Outcome::Unchanged,
        Act::Touch => Outcome::Touched,
        Act::Write | Act::Count | Act::Login | Act::Rotate | Act::Renew => Outcome::Written,
        Act::Destroy => Outcome::Deleted,
    };
    if *outcome == expected && (*cookie != CookieChange::Keep) == act.sends_a_cookie() {
        Ok(())
    } else {
        Err(format!("it came to {outcome:?} with {cookie:?}").into())
    }
}
