//! Faults of `create` and `update`: G4, G5, G6, G8.

use super::*;

/// `update` writes whatever is there, and whether or not anything is.
pub(crate) struct Upsert;

#[async_trait]
impl Fault for Upsert {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        _: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        overwrite(store, id, entry, change, true).await
    }
}

/// `update` writes whatever version is there.
pub(crate) struct LastWriterWins;

#[async_trait]
impl Fault for LastWriterWins {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        _: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        overwrite(store, id, entry, change, false).await
    }
}

/// `update` looks at the version, and then writes.
pub(crate) struct CheckThenWrite;

#[async_trait]
impl Fault for CheckThenWrite {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        match store.load(id).await? {
            Some(current) if current.version == expected => {
                pause().await;
                overwrite(store, id, entry, change, false).await
            }
            _ => store.update(id, expected, entry, change).await,
        }
    }
}

/// A conflict is said, and the entry is written all the same.
pub(crate) struct ConflictWrites;

#[async_trait]
impl Fault for ConflictWrites {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let outcome = store.update(id, expected, entry, change).await?;
        if matches!(outcome, UpdateOutcome::Conflict(_)) {
            overwrite(store, id, entry, change, false).await?;
        }
        Ok(outcome)
    }
}

/// A conflict moves the expiry of what is there.
pub(crate) struct ConflictMovesTheExpiry;

#[async_trait]
impl Fault for ConflictMovesTheExpiry {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let outcome = store.update(id, expected, entry, change).await?;
        if let (UpdateOutcome::Conflict(current), Ttl::After(ttl)) = (&outcome, change.ttl) {
            store.touch(id, current.version, ttl).await?;
        }
        Ok(outcome)
    }
}

/// A conflict returns something else than what is there.
pub(crate) struct ConflictReturnsNoBytes;

#[async_trait]
impl Fault for ConflictReturnsNoBytes {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let mut outcome = store.update(id, expected, entry, change).await?;
        if let UpdateOutcome::Conflict(current) = &mut outcome {
            current.record.clear();
        }
        Ok(outcome)
    }
}

/// An `update` that finds nothing creates.
pub(crate) struct UpdateCreates;

#[async_trait]
impl Fault for UpdateCreates {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        match store.update(id, expected, entry, change).await? {
            UpdateOutcome::Absent => overwrite(store, id, entry, change, true).await,
            outcome => Ok(outcome),
        }
    }
}

/// An `update` that found a session writes it, even if it was deleted meanwhile.
pub(crate) struct LateUpdateResurrects;

#[async_trait]
impl Fault for LateUpdateResurrects {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let found = store.load(id).await?.is_some_and(|current| current.version == expected);
        pause().await;
        match store.update(id, expected, entry, change).await? {
            UpdateOutcome::Absent if found => overwrite(store, id, entry, change, true).await,
            outcome => Ok(outcome),
        }
    }
}

/// `create` replaces what is there.
pub(crate) struct CreateOverwrites;

#[async_trait]
impl Fault for CreateOverwrites {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let change = Change { ttl: Ttl::After(ttl), reindex: true };
        overwrite(store, id, entry, change, true).await?;
        Ok(CreateOutcome::Created)
    }
}

/// `create` looks whether the id is taken, and then writes.
pub(crate) struct CheckThenCreate;

#[async_trait]
impl Fault for CheckThenCreate {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        if let Some(current) = store.load(id).await? {
            return Ok(CreateOutcome::Exists(current));
        }
        pause().await;
        CreateOverwrites.create(store, id, entry, ttl).await
    }
}

/// `create` says that it created when it did not.
pub(crate) struct CreateAlwaysSucceeds;

#[async_trait]
impl Fault for CreateAlwaysSucceeds {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.create(id, entry, ttl).await?;
        Ok(CreateOutcome::Created)
    }
}

/// `create` lets an expired session keep its id.
pub(crate) struct CreateSparesTheDead;

#[async_trait]
impl Fault for CreateSparesTheDead {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.load(id).await?;
        let held = store.held().get(id).cloned();
        match held {
            Some(current) => Ok(CreateOutcome::Exists(current)),
            None => store.create(id, entry, ttl).await,
        }
    }
}
