//! Dropping the operations of a store.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Ttl, UpdateOutcome, Version,
};

use super::cut::Place;
use super::load::Load;
use super::watched::{After, BEFORE, Found, Watched};
use super::whole::{HOUR, comes_to_rest, entry, id, is_usable};
use crate::behind::{Bench, Problem};

/// Drops every operation everywhere, and counts the places.
pub(crate) async fn drop_all(bench: &Bench, busy: bool) -> Result<u64, Problem> {
    let mut places = 0;
    for operation in Operation::ALL {
        let load = Load::start(&bench.store, busy);
        places += drop_everywhere(bench, operation).await.map_err(|problem| format!("{operation:?} {problem}"))?;
        load.stop().await?;
        comes_to_rest(bench).await.map_err(|problem| format!("{operation:?}: {problem}"))?;
    }
    Ok(places)
}

/// An operation of the contract on sessions in a certain state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Load,
    LoadAbsent,
    Create,
    CreateOwned,
    CreateOverLive,
    CreateOverExpired,
    UpdateKeep,
    UpdateExpiry,
    UpdateOwner,
    UpdateOwnerAndExpiry,
    UpdateToNoOwner,
    UpdateStale,
    UpdateAbsent,
    Touch,
    TouchStale,
    Delete,
    DeleteMany,
    DeleteAbsent,
    OwnedBy,
    Purge,
}

impl Operation {
    const ALL: [Self; 20] = [
        Self::Load,
        Self::LoadAbsent,
        Self::Create,
        Self::CreateOwned,
        Self::CreateOverLive,
        Self::CreateOverExpired,
        Self::UpdateKeep,
        Self::UpdateExpiry,
        Self::UpdateOwner,
        Self::UpdateOwnerAndExpiry,
        Self::UpdateToNoOwner,
        Self::UpdateStale,
        Self::UpdateAbsent,
        Self::Touch,
        Self::TouchStale,
        Self::Delete,
        Self::DeleteMany,
        Self::DeleteAbsent,
        Self::OwnedBy,
        Self::Purge,
    ];
}

/// One operation that is ready to run: with what it works on, and whether its answer is the right one.
struct Ready {
    watched: Vec<Watched>,
    future: Pin<Box<dyn Future<Output = Result<bool, StoreError>> + Send>>,
}

async fn drop_everywhere(bench: &Bench, operation: Operation) -> Result<u64, Problem> {
    let store = &bench.store;
    let (mut places, mut dropped) = (0, Vec::new());
    let mut next = Some(Place::FIRST);
    while let Some(place) = next {
        let Ready { watched, future } = ready(bench, operation).await?;
        let output = place.drop(future).await;
        places += 1;
        let completed = output.is_some();
        if !output.unwrap_or(Ok(true))? {
            return Err("gave a wrong answer".into());
        }
        is_usable(store).await.map_err(|problem| format!("{place}: {problem}"))?;
        for session in &watched {
            let found = session.find(store).await?;
            let expected = match (completed, place.is_before_everything()) {
                (true, _) if !matches!(session.after, After::Unchanged) => found == Found::After,
                (_, true) => found == Found::Before,
                _ => found != Found::Else,
            };
            if !expected {
                return Err(format!("{place}: completed {completed}, found {found:?}").into());
            }
        }
        dropped.push((place, watched));
        next = place.next(completed);
    }
    // What was dropped may have arrived a moment later. It has come to rest by now, and to the same two states.
    comes_to_rest(bench).await?;
    for (place, watched) in &dropped {
        for session in watched {
            let found = session.find(store).await?;
            if found == Found::Else || place.is_before_everything() && found != Found::Before {
                return Err(format!("{place}: found {found:?} when it had come to rest").into());
            }
            if !session.is_listed_rightly(store).await? {
                return Err(format!("{place}: its owners do not list what is theirs").into());
            }
        }
    }
    Ok(places)
}

/// Sets up sessions for one try.
async fn ready(bench: &Bench, operation: Operation) -> Result<Ready, Problem> {
    let store = Arc::clone(&bench.store);
    let (alice, bob) = (owner("alice")?, owner("bob")?);
    let first = Entry { owner: Some(alice.clone()), ..entry() };
    let second = Entry { owner: Some(alice.clone()), ..entry() };
    let change = |ttl, reindex| Change { ttl, reindex };
    let update = async |second: Entry, ttl: Option<Duration>, reindex| {
        let change = change(ttl.map_or(Ttl::Keep, Ttl::After), reindex);
        update(&store, &first, second, ttl, change).await
    };
    match operation {
        Operation::Load => {
            let session = live(&store, &first, After::Unchanged).await?;
            let (id, before) = (session.id, session.before.clone());
            let future = async move { Ok(store.load(&id).await? == before) };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::LoadAbsent => {
            let session = absent();
            let id = session.id;
            let future = async move { Ok(store.load(&id).await?.is_none()) };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::Create => Ok(create(store, id(), entry())),
        Operation::CreateOwned => Ok(create(store, id(), first)),
        Operation::CreateOverExpired => Ok(create(Arc::clone(&store), expired(bench, &first).await?, second)),
        Operation::CreateOverLive => {
            let session = live(&store, &first, After::Unchanged).await?;
            let (id, before) = (session.id, session.before.clone());
            let future = async move {
                let outcome = store.create(&id, &second, HOUR).await?;
                Ok(before.is_some_and(|before| outcome == CreateOutcome::Exists(before)))
            };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::UpdateKeep => update(second, None, false).await,
        Operation::UpdateExpiry => update(second, Some(24 * HOUR), false).await,
        Operation::UpdateOwner => update(Entry { owner: Some(bob), ..second }, None, true).await,
        Operation::UpdateOwnerAndExpiry => update(Entry { owner: Some(bob), ..second }, Some(24 * HOUR), true).await,
        Operation::UpdateToNoOwner => update(Entry { owner: None, ..second }, None, true).await,
        Operation::UpdateStale => {
            let session = live(&store, &first, After::Unchanged).await?;
            let (id, before) = (session.id, session.before.clone());
            let future = async move {
                let outcome = store.update(&id, other(first.version), &second, change(Ttl::Keep, false)).await?;
                Ok(before.is_some_and(|before| outcome == UpdateOutcome::Conflict(before)))
            };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::UpdateAbsent => {
            let session = absent();
            let id = session.id;
            let future = async move {
                let outcome = store.update(&id, first.version, &second, change(Ttl::After(HOUR), true)).await?;
                Ok(outcome == UpdateOutcome::Absent)
            };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::Touch => touch(store, &first, first.version, true).await,
        Operation::TouchStale => touch(store, &first, other(first.version), false).await,
        Operation::Delete => delete(store, vec![live_id(&bench.store, &first).await?], 0).await,
        Operation::DeleteAbsent => delete(store, Vec::new(), 3).await,
        Operation::DeleteMany => {
            let ids =
                [live_id(&store, &first).await?, live_id(&store, &second).await?, live_id(&store, &entry()).await?];
            delete(store, ids.to_vec(), 2).await
        }
        Operation::OwnedBy => {
            let session = live(&store, &first, After::Unchanged).await?;
            let id = session.id;
            let future = async move { Ok(store.owned_by(&alice).await? == [id]) };
            Ok(Ready { watched: vec![session], future: Box::pin(future) })
        }
        Operation::Purge => {
            let watched = vec![live(&store, &first, After::Unchanged).await?, gone(expired(bench, &second).await?)];
            let future = async move { store.purge_expired(10).await.map(|_| true) };
            Ok(Ready { watched, future: Box::pin(future) })
        }
    }
}

fn create(store: Arc<dyn SessionStore>, id: SessionId, entry: Entry) -> Ready {
    let watched = vec![Watched { id, before: None, after: After::Holds(entry.clone(), Some(BEFORE)) }];
    let future = async move { Ok(store.create(&id, &entry, BEFORE).await? == CreateOutcome::Created) };
    Ready { watched, future: Box::pin(future) }
}

async fn update(
    store: &Arc<dyn SessionStore>,
    first: &Entry,
    second: Entry,
    ttl: Option<Duration>,
    change: Change,
) -> Result<Ready, Problem> {
    let session = live(store, first, After::Holds(second.clone(), ttl)).await?;
    let (store, id, expected) = (Arc::clone(store), session.id, first.version);
    let future = async move { Ok(store.update(&id, expected, &second, change).await? == UpdateOutcome::Written) };
    Ok(Ready { watched: vec![session], future: Box::pin(future) })
}

async fn touch(store: Arc<dyn SessionStore>, first: &Entry, expected: Version, moves: bool) -> Result<Ready, Problem> {
    let after = if moves { After::Touched(24 * HOUR) } else { After::Unchanged };
    let session = live(&store, first, after).await?;
    let id = session.id;
    let future = async move { Ok(store.touch(&id, expected, 24 * HOUR).await? == moves) };
    Ok(Ready { watched: vec![session], future: Box::pin(future) })
}

/// Deletes these, and as many that are absent.
async fn delete(store: Arc<dyn SessionStore>, live: Vec<SessionId>, absent: usize) -> Result<Ready, Problem> {
    let mut watched = Vec::new();
    for id in &live {
        watched.push(Watched { id: *id, before: store.load(id).await?, after: After::Gone });
    }
    let count = u64::try_from(live.len())?;
    let ids: Vec<_> = live.into_iter().chain((0..absent).map(|_| id())).collect();
    let future = async move { Ok(store.delete(&ids).await? == count) };
    Ok(Ready { watched, future: Box::pin(future) })
}

/// A session that is there.
async fn live(store: &Arc<dyn SessionStore>, entry: &Entry, after: After) -> Result<Watched, Problem> {
    let id = live_id(store, entry).await?;
    Ok(Watched { id, before: store.load(&id).await?, after })
}

async fn live_id(store: &Arc<dyn SessionStore>, entry: &Entry) -> Result<SessionId, Problem> {
    let id = id();
    store.create(&id, entry, BEFORE).await?;
    Ok(id)
}

/// An id whose session has expired.
async fn expired(bench: &Bench, entry: &Entry) -> Result<SessionId, Problem> {
    let id = id();
    bench.store.create(&id, entry, Duration::from_millis(1)).await?;
    bench.clock.advance(Duration::from_millis(1));
    while bench.store.load(&id).await?.is_some() {
        tokio::task::yield_now().await;
    }
    Ok(id)
}

fn absent() -> Watched {
    gone(id())
}

fn gone(id: SessionId) -> Watched {
    Watched { id, before: None, after: After::Unchanged }
}

/// An owner that no other session has.
fn owner(name: &str) -> Result<Owner, Problem> {
    Ok(Owner::new(format!("{name}-{:016x}", fastrand::u64(..)))?)
}

fn other(version: Version) -> Version {
    Version::from_u64(version.as_u64() ^ 1)
}
