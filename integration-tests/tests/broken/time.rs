//! Faults of expiry and `touch`: G1, G3, G8, G10.

use std::collections::HashMap;
use std::sync::Mutex;

use sessions_core::Timestamp;
use sessions_core::store::MAX_TTL;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// `load` gives what is held, expired or not.
pub(crate) struct LoadIgnoresExpiry;

#[async_trait]
impl Fault for LoadIgnoresExpiry {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        store.load(id).await?;
        let held = store.held();
        Ok(held.get(id).cloned())
    }
}

/// `update` writes on an expired session.
pub(crate) struct UpdateIgnoresExpiry;

#[async_trait]
impl Fault for UpdateIgnoresExpiry {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        revive(store, id, expected).await?;
        store.update(id, expected, entry, change).await
    }
}

/// `touch` revives an expired session.
pub(crate) struct TouchIgnoresExpiry;

#[async_trait]
impl Fault for TouchIgnoresExpiry {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        revive(store, id, expected).await?;
        store.touch(id, expected, ttl).await
    }
}

/// Every time to live is forever.
pub(crate) struct NothingExpires;

#[async_trait]
impl Fault for NothingExpires {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, _: Duration) -> Answer<CreateOutcome> {
        store.create(id, entry, MAX_TTL).await
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        store.update(id, expected, entry, Change { ttl: Ttl::After(MAX_TTL), ..change }).await
    }

    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, _: Duration) -> Answer<bool> {
        store.touch(id, expected, MAX_TTL).await
    }
}

/// A time to live that becomes another one, wherever one is given.
pub(crate) struct Ttls(pub(crate) fn(Duration) -> Duration);

#[async_trait]
impl Fault for Ttls {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.create(id, entry, (self.0)(ttl)).await
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let ttl = match change.ttl {
            Ttl::Keep => Ttl::Keep,
            Ttl::After(ttl) => Ttl::After((self.0)(ttl)),
        };
        store.update(id, expected, entry, Change { ttl, ..change }).await
    }

    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        store.touch(id, expected, (self.0)(ttl)).await
    }
}

/// Milliseconds are cut, not rounded up.
pub(crate) fn cut_to_milliseconds(ttl: Duration) -> Duration {
    u64::try_from(ttl.as_millis()).map_or(ttl, Duration::from_millis)
}

/// Zero is taken for "no time to live".
pub(crate) fn zero_is_forever(ttl: Duration) -> Duration {
    if ttl.is_zero() { MAX_TTL } else { ttl }
}

/// Some arithmetic overflows on the longest times.
pub(crate) fn long_ones_overflow(ttl: Duration) -> Duration {
    if ttl > MAX_TTL / 2 { Duration::ZERO } else { ttl }
}

/// Short times are cut in half.
pub(crate) fn short_ones_are_shorter(ttl: Duration) -> Duration {
    if ttl < Duration::from_secs(1) { ttl / 2 } else { ttl }
}

/// A write that is to leave the expiry alone starts the time anew.
pub(crate) struct KeepStartsAnew;

#[async_trait]
impl Fault for KeepStartsAnew {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        let ttl = match change.ttl {
            Ttl::Keep => HOUR,
            Ttl::After(ttl) => ttl,
        };
        store.update(id, expected, entry, Change { ttl: Ttl::After(ttl), ..change }).await
    }
}

/// `update` leaves the expiry alone, whatever is asked.
pub(crate) struct AfterIsKeep;

#[async_trait]
impl Fault for AfterIsKeep {
    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        store.update(id, expected, entry, Change { ttl: Ttl::Keep, ..change }).await
    }
}

/// `load` tells whole seconds.
pub(crate) struct ExpiryInSeconds;

#[async_trait]
impl Fault for ExpiryInSeconds {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let mut loaded = store.load(id).await?;
        if let Some(stored) = &mut loaded {
            stored.expires_at = Timestamp::from_millis(stored.expires_at.as_millis() / 1_000 * 1_000);
        }
        Ok(loaded)
    }
}

/// `touch` moves whatever version is there.
pub(crate) struct TouchIgnoresTheVersion;

#[async_trait]
impl Fault for TouchIgnoresTheVersion {
    async fn touch(&self, store: &Reference, id: &SessionId, _: Version, ttl: Duration) -> Answer<bool> {
        match store.load(id).await? {
            Some(current) => store.touch(id, current.version, ttl).await,
            None => Ok(false),
        }
    }
}

/// `touch` looks at the version, and then moves.
pub(crate) struct CheckThenTouch;

#[async_trait]
impl Fault for CheckThenTouch {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        if store.load(id).await?.is_none_or(|current| current.version != expected) {
            return Ok(false);
        }
        pause().await;
        TouchIgnoresTheVersion.touch(store, id, expected, ttl).await
    }
}

/// `touch` never ends a session earlier.
pub(crate) struct TouchOnlyExtends;

#[async_trait]
impl Fault for TouchOnlyExtends {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let before = store.load(id).await?;
        let touched = store.touch(id, expected, ttl).await?;
        let mut held = store.held();
        if let (Some(stored), Some(before)) = (held.get_mut(id), before) {
            stored.expires_at = stored.expires_at.max(before.expires_at);
        }
        Ok(touched)
    }
}

/// `touch` never lets a session live longer, and does not say so.
pub(crate) struct TouchOnlyShortens;

#[async_trait]
impl Fault for TouchOnlyShortens {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let before = store.load(id).await?;
        let touched = store.touch(id, expected, ttl).await?;
        let mut held = store.held();
        if let (Some(stored), Some(before)) = (held.get_mut(id), before) {
            stored.expires_at = stored.expires_at.min(before.expires_at);
        }
        Ok(touched)
    }
}

/// `touch` writes the session anew, without its owner.
pub(crate) struct TouchDropsTheOwner;

#[async_trait]
impl Fault for TouchDropsTheOwner {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let touched = store.touch(id, expected, ttl).await?;
        if touched && let Some(stored) = store.held().get_mut(id) {
            stored.owner = None;
        }
        Ok(touched)
    }
}

/// A `touch` that comes after a delete creates the session again.
#[derive(Default)]
pub(crate) struct LateTouchRecreates(Mutex<HashMap<SessionId, Entry>>);

#[async_trait]
impl Fault for LateTouchRecreates {
    async fn delete(&self, store: &Reference, ids: &[SessionId]) -> Answer<u64> {
        for id in ids {
            if let Some(Stored { version, record, owner, .. }) = store.load(id).await? {
                let entry = Entry { version, record, owner, deadline: Timestamp::MAX };
                self.0.lock().expect("no panic").insert(*id, entry);
            }
        }
        store.delete(ids).await
    }

    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let dead = self.0.lock().expect("no panic").get(id).cloned();
        match dead {
            Some(entry) if entry.version == expected => {
                store.create(id, &entry, ttl).await?;
                Ok(true)
            }
            _ => store.touch(id, expected, ttl).await,
        }
    }
}

/// A `touch` that found a session writes it, even if it was deleted meanwhile.
pub(crate) struct LateTouchResurrects;

#[async_trait]
impl Fault for LateTouchResurrects {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let found = store.load(id).await?.filter(|current| current.version == expected);
        pause().await;
        let touched = store.touch(id, expected, ttl).await?;
        if let (false, Some(Stored { version, record, owner, .. })) = (touched, found) {
            let entry = Entry { version, record, owner, deadline: Timestamp::MAX };
            store.create(id, &entry, ttl).await?;
        }
        Ok(touched)
    }
}

/// A `touch` of nothing says that it moved something.
pub(crate) struct TouchAlwaysSucceeds;

#[async_trait]
impl Fault for TouchAlwaysSucceeds {
    async fn touch(&self, store: &Reference, id: &SessionId, expected: Version, ttl: Duration) -> Answer<bool> {
        let touched = store.touch(id, expected, ttl).await?;
        Ok(touched || store.load(id).await?.is_none())
    }
}

/// Lets a session that has expired live on, if it has the version.
async fn revive(store: &Reference, id: &SessionId, version: Version) -> Answer<()> {
    if store.load(id).await?.is_none()
        && let Some(stored) = store.held().get_mut(id).filter(|stored| stored.version == version)
    {
        stored.expires_at = Timestamp::MAX;
    }
    Ok(())
}
