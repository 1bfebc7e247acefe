//! Faults of the owner index: G3, G15.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use sessions_core::{Clock, Timestamp};

use super::*;

/// What the index gives becomes something else.
pub(crate) struct Listed(pub(crate) fn(&mut Vec<SessionId>));

#[async_trait]
impl Fault for Listed {
    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let mut listed = store.owned_by(owner).await?;
        self.0(&mut listed);
        Ok(listed)
    }
}

/// A session that was updated is found no more.
#[derive(Default)]
pub(crate) struct ForgetsTheUpdated(Mutex<HashSet<SessionId>>);

#[async_trait]
impl Fault for ForgetsTheUpdated {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let outcome = store.update(id, expected, entry, change).await?;
        if outcome == UpdateOutcome::Written {
            self.0.lock().expect("no panic").insert(*id);
        }
        Ok(outcome)
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let listed = store.owned_by(owner).await?;
        let forgotten = self.0.lock().expect("no panic");
        Ok(listed.into_iter().filter(|id| !forgotten.contains(id)).collect())
    }
}

/// A session that was deleted stays listed.
#[derive(Default)]
pub(crate) struct KeepsTheDeleted(Mutex<Vec<(SessionId, Owner)>>);

#[async_trait]
impl Fault for KeepsTheDeleted {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        for id in ids {
            let owner = store.load(id).await?.and_then(|stored| stored.owner);
            self.0.lock().expect("no panic").extend(owner.map(|owner| (*id, owner)));
        }
        store.delete(ids).await
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let mut listed = store.owned_by(owner).await?;
        let deleted = self.0.lock().expect("no panic");
        listed.extend(deleted.iter().filter(|(_, other)| other == owner).map(|(id, _)| *id));
        Ok(listed)
    }
}

/// Expired sessions are listed.
pub(crate) struct ListsTheExpired;

#[async_trait]
impl Fault for ListsTheExpired {
    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        store.owned_by(owner).await?;
        let held = store.held();
        Ok(held.iter().filter(|(_, stored)| stored.owner.as_ref() == Some(owner)).map(|(id, _)| *id).collect())
    }
}

/// Owners are compared without case.
pub(crate) struct FoldsCase;

#[async_trait]
impl Fault for FoldsCase {
    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let folded = |owner: &Owner| owner.as_str().to_lowercase();
        let others = store.held().values().filter_map(|stored| stored.owner.clone()).collect::<HashSet<_>>();
        let mut listed = store.owned_by(owner).await?;
        for other in others.iter().filter(|other| *other != owner && folded(other) == folded(owner)) {
            listed.extend(store.owned_by(other).await?);
        }
        Ok(listed)
    }
}

/// A write that promises to leave the owner alone loses it.
pub(crate) struct NoReindexNoOwner;

#[async_trait]
impl Fault for NoReindexNoOwner {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let mut entry = entry.clone();
        entry.owner = entry.owner.filter(|_| change.reindex);
        store.update(id, expected, &entry, change).await
    }
}

/// The index of an owner ends with the deadline that was written to it last.
pub(crate) struct LastDeadlineWins {
    clock: ManualClock,
    deadlines: Mutex<HashMap<Owner, Timestamp>>,
}

impl LastDeadlineWins {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self { clock: clock.clone(), deadlines: Mutex::default() }
    }
}

#[async_trait]
impl Fault for LastDeadlineWins {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        if let Some(owner) = entry.owner.clone() {
            self.deadlines.lock().expect("no panic").insert(owner, entry.deadline);
        }
        store.create(id, entry, ttl).await
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let listed = store.owned_by(owner).await?;
        let deadline = self.deadlines.lock().expect("no panic").get(owner).copied();
        Ok(if deadline.is_some_and(|deadline| deadline <= self.clock.now()) { vec![] } else { listed })
    }
}

/// The index is written before the session, and stays as it is when the session's write loses.
#[derive(Default)]
pub(crate) struct IndexOfTheLoser(Mutex<HashMap<SessionId, Option<Owner>>>);

#[async_trait]
impl Fault for IndexOfTheLoser {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let outcome = store.update(id, expected, entry, change).await?;
        self.0.lock().expect("no panic").insert(*id, entry.owner.clone());
        Ok(outcome)
    }

    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        self.0.lock().expect("no panic").retain(|id, _| !ids.contains(id));
        store.delete(ids).await
    }

    async fn owned_by(&self, store: &Reference, owner: &Owner) -> Answer<Vec<SessionId>> {
        let updated = self.0.lock().expect("no panic").clone();
        let mut listed = store.owned_by(owner).await?;
        listed.retain(|id| updated.get(id).is_none_or(|other| other.as_ref() == Some(owner)));
        Ok(listed)
    }
}
