//! Faults of bytes and versions: G1, G7, G12.

use bytes::Bytes;

use super::*;

/// What is written becomes something else.
pub(crate) struct Written(pub(crate) fn(&mut Entry));

#[async_trait]
impl Fault for Written {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.create(id, &changed(entry, self.0), ttl).await
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        store.update(id, expected, &changed(entry, self.0), change).await
    }
}

/// Records have a column of 64 KiB.
pub(crate) fn truncated(entry: &mut Entry) {
    entry.record.truncate(0xffff);
}

/// Records over the limit are cut, and nobody is told.
pub(crate) fn cut_to_the_limit(entry: &mut Entry) {
    entry.record.truncate(Reference::RECORD_LIMIT);
}

/// Records are text.
pub(crate) fn lossy(entry: &mut Entry) {
    entry.record = String::from_utf8_lossy(&entry.record).into_owned().into();
}

/// Records end at a zero byte.
pub(crate) fn zero_terminated(entry: &mut Entry) {
    let end = entry.record.iter().position(|byte| *byte == 0).unwrap_or(entry.record.len());
    entry.record.truncate(end);
}

/// Owners have a column of 64 bytes.
pub(crate) fn short_owner(entry: &mut Entry) {
    let cut = |owner: &Owner| owner.as_str().chars().take(16).collect::<String>();
    if let Some(owner) = entry.owner.as_ref().filter(|owner| owner.as_str().len() > 64) {
        entry.owner = Owner::new(cut(owner)).ok();
    }
}

/// Versions are signed integers that end at the greatest.
pub(crate) fn signed_version(entry: &mut Entry) {
    entry.version = Version::from_u64(entry.version.as_u64().min(i64::MAX.unsigned_abs()));
}

/// An empty record is nothing.
pub(crate) struct EmptyIsAbsent;

#[async_trait]
impl Fault for EmptyIsAbsent {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        Ok(store.load(id).await?.filter(|stored| !stored.record.is_empty()))
    }
}

/// A write over the limit empties what is there, and then fails.
pub(crate) struct TooLargeDestroys;

#[async_trait]
impl Fault for TooLargeDestroys {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        if entry.record.len() > Reference::RECORD_LIMIT {
            store.create(id, &Entry { record: Bytes::new(), ..entry.clone() }, ttl).await?;
        }
        store.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        if entry.record.len() > Reference::RECORD_LIMIT
            && let Some(stored) = store.held().get_mut(id)
        {
            stored.record.clear();
        }
        store.update(id, expected, entry, change).await
    }
}

/// Versions are compared as floating-point numbers.
pub(crate) struct VersionsAreFloats;

#[async_trait]
impl Fault for VersionsAreFloats {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        #[allow(clippy::cast_precision_loss)]
        let equal = |current: &Stored| current.version.as_u64() as f64 == expected.as_u64() as f64;
        match store.load(id).await?.filter(equal) {
            Some(current) => store.update(id, current.version, entry, change).await,
            None => store.update(id, expected, entry, change).await,
        }
    }
}

/// A lower version does not replace a higher one.
pub(crate) struct VersionsMustRise;

#[async_trait]
impl Fault for VersionsMustRise {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        match store.load(id).await? {
            Some(current) if current.version > entry.version => Ok(UpdateOutcome::Conflict(current)),
            _ => store.update(id, expected, entry, change).await,
        }
    }
}

fn changed(entry: &Entry, change: fn(&mut Entry)) -> Entry {
    let mut entry = entry.clone();
    change(&mut entry);
    entry
}
