//! Faults of bounds and of `stop`: G17, G18.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use super::*;

/// A cache: the newest 1 500 sessions stay.
#[derive(Default)]
pub(crate) struct EvictsTheOldest(Mutex<VecDeque<SessionId>>);

#[async_trait]
impl Fault for EvictsTheOldest {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let outcome = store.create(id, entry, ttl).await?;
        let mut order = self.0.lock().expect("no panic");
        order.push_back(*id);
        if order.len() > 1_500
            && let Some(oldest) = order.pop_front()
        {
            store.held().remove(&oldest);
        }
        Ok(outcome)
    }
}

/// A full store makes room.
pub(crate) struct FullEvicts;

#[async_trait]
impl Fault for FullEvicts {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        loop {
            match store.create(id, entry, ttl).await {
                Err(error) if error.is_full() => {
                    let victim = store.held().keys().next().copied();
                    victim.and_then(|victim| store.held().remove(&victim));
                }
                outcome => return outcome,
            }
        }
    }
}

/// Once it was full, a store refuses to write at all.
#[derive(Default)]
pub(crate) struct FullIsReadOnly(AtomicBool);

#[async_trait]
impl Fault for FullIsReadOnly {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let outcome = store.create(id, entry, ttl).await;
        self.0.store(outcome.as_ref().is_err_and(StoreError::is_full), Ordering::SeqCst);
        outcome
    }

    async fn update(
        &self,
        store: &Reference,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Answer<UpdateOutcome> {
        if self.0.load(Ordering::SeqCst) {
            return Err(StoreError::full());
        }
        store.update(id, expected, entry, change).await
    }
}

/// The bound counts what has expired.
#[derive(Default)]
pub(crate) struct CountsTheDead(AtomicUsize);

#[async_trait]
impl Fault for CountsTheDead {
    fn bounded(&self, store: Reference, sessions: usize) -> Reference {
        self.0.store(sessions, Ordering::SeqCst);
        store
    }

    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let bound = self.0.load(Ordering::SeqCst);
        if bound > 0 && store.held().len() >= bound && !store.held().contains_key(id) {
            return Err(StoreError::full());
        }
        store.create(id, entry, ttl).await
    }
}

/// The bound is looked at, and then the session is created.
#[derive(Default)]
pub(crate) struct CheckThenCreate(CountsTheDead);

#[async_trait]
impl Fault for CheckThenCreate {
    fn bounded(&self, store: Reference, sessions: usize) -> Reference {
        self.0.bounded(store, sessions)
    }

    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        let bound = self.0.0.load(Ordering::SeqCst);
        if bound > 0 && store.held().len() >= bound && store.load(id).await?.is_none() {
            store.purge_expired(u32::MAX).await?;
            if store.held().len() >= bound {
                return Err(StoreError::full());
            }
        }
        pause().await;
        store.create(id, entry, ttl).await
    }
}

/// A session that was refused takes its room along.
#[derive(Default)]
pub(crate) struct RefusedTakesRoom(AtomicUsize);

#[async_trait]
impl Fault for RefusedTakesRoom {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        if self.0.load(Ordering::SeqCst) > 0 {
            return Err(StoreError::full());
        }
        let outcome = store.create(id, entry, ttl).await;
        if outcome.as_ref().is_err_and(StoreError::is_full) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        outcome
    }
}

/// A stopped store goes on.
pub(crate) struct StopIgnored;

#[async_trait]
impl Fault for StopIgnored {
    async fn stop(&self, _: &Reference) -> Answer<()> {
        Ok(())
    }
}

/// A second stop is an error.
#[derive(Default)]
pub(crate) struct StopsOnce(AtomicBool);

#[async_trait]
impl Fault for StopsOnce {
    async fn stop(&self, store: &Reference) -> Answer<()> {
        if self.0.swap(true, Ordering::SeqCst) {
            return Err(StoreError::unavailable("the store was stopped"));
        }
        store.stop().await
    }
}

/// To stop is to forget.
pub(crate) struct StopForgets;

#[async_trait]
impl Fault for StopForgets {
    async fn stop(&self, store: &Reference) -> Answer<()> {
        store.held().clear();
        store.stop().await
    }
}

/// A stopped store says that it is full.
pub(crate) struct StoppedIsFull;

#[async_trait]
impl Fault for StoppedIsFull {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        match store.create(id, entry, ttl).await {
            Err(error) if error.is_unavailable() => Err(StoreError::full()),
            outcome => outcome,
        }
    }
}

/// What the store started in the background goes on until the store is dropped.
#[derive(Default)]
pub(crate) struct TaskGoesOn(Mutex<Option<JoinHandle<()>>>);

#[async_trait]
impl Fault for TaskGoesOn {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        self.0.lock().expect("no panic").get_or_insert_with(|| tokio::spawn(std::future::pending()));
        store.load(id).await
    }
}

impl Drop for TaskGoesOn {
    fn drop(&mut self) {
        if let Some(task) = self.0.lock().expect("no panic").take() {
            task.abort();
        }
    }
}
