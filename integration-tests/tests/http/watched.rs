//! A store whose calls are counted, and fail or wait when the test says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

use super::gate::Gate;

/// A call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Create,
    Update,
    Touch,
    Delete,
    OwnedBy,
    PurgeExpired,
    Stop,
}

/// What becomes of a call.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It is answered.
    Answered,
    /// Surely not applied.
    Unavailable,
    /// Refused for want of room.
    Full,
    /// Not applied, and not answered.
    Swallowed,
    /// Applied, and not answered.
    AnswerLost,
    /// Waits at the gate before it is applied.
    Parked(Gate),
    /// Is applied, and its answer waits at the gate.
    AnswerParked(Gate),
    /// Hangs until the test opens the gate: then the store's deadline has passed.
    Hangs(Gate),
}

/// A store under watch. A clone is the same store, under the same watch.
#[derive(Debug, Clone)]
pub(crate) struct Watched<S> {
    store: S,
    watch: Arc<Mutex<Watch>>,
}

#[derive(Debug)]
struct Watch {
    calls: Vec<Call>,
    next: Vec<(Call, Fate)>,
    otherwise: Fate,
}

impl<S> Watched<S> {
    pub(crate) fn new(store: S) -> Self {
        let watch = Watch { calls: Vec::new(), next: Vec::new(), otherwise: Fate::Answered };
        Self { store, watch: Arc::new(Mutex::new(watch)) }
    }

    /// The store itself, whose calls nobody counts.
    pub(crate) fn unwatched(&self) -> &S {
        &self.store
    }

    /// The calls since the last time, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.watch().calls)
    }

    /// What becomes of the next call of this kind, or of the one after those whose fate is decided already.
    pub(crate) fn next(&self, call: Call, fate: Fate) {
        self.watch().next.push((call, fate));
    }

    /// The next call of this kind waits at this gate before it is applied.
    pub(crate) fn park(&self, call: Call) -> Gate {
        let gate = Gate::closed();
        self.next(call, Fate::Parked(gate.clone()));
        gate
    }

    /// What becomes of every other call, until told otherwise.
    pub(crate) fn otherwise(&self, fate: Fate) {
        self.watch().otherwise = fate;
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, call: Call) -> Fate {
        let mut watch = self.watch();
        watch.calls.push(call);
        match watch.next.iter().position(|(next, _)| *next == call) {
            Some(at) => watch.next.remove(at).1,
            None => watch.otherwise.clone(),
        }
    }

    async fn call<T>(
        &self,
        call: Call,
        operation: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.fate(call) {
            Fate::Answered => operation.await,
            Fate::Unavailable => Err(StoreError::unavailable("the test says so")),
            Fate::Full => Err(StoreError::full()),
            Fate::Swallowed => Err(StoreError::indeterminate("the test says so")),
            Fate::AnswerLost => match operation.await {
                Ok(_) => Err(StoreError::indeterminate("the test says so")),
                Err(error) => Err(error),
            },
            Fate::Parked(gate) => {
                gate.pass().await;
                operation.await
            }
            Fate::AnswerParked(gate) => {
                let answer = operation.await;
                gate.pass().await;
                answer
            }
            Fate::Hangs(gate) => {
                gate.pass().await;
                Err(StoreError::indeterminate("the deadline passed"))
            }
        }
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for Watched<S> {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.call(Call::Load, self.store.load(id)).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.call(Call::Create, self.store.create(id, entry, ttl)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.call(Call::Update, self.store.update(id, expected, entry, change)).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.call(Call::Touch, self.store.touch(id, expected, ttl)).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.call(Call::Delete, self.store.delete(ids)).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.call(Call::OwnedBy, self.store.owned_by(owner)).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.call(Call::PurgeExpired, self.store.purge_expired(limit)).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.call(Call::Stop, self.store.stop()).await
    }

    fn is_process_local(&self) -> bool {
        self.store.is_process_local()
    }
}
