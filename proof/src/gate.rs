//! A store whose calls wait to be released, and can be made to fail in each of the ways that a store can.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is applied and answered.
    Answered,
    /// It is surely not applied, and says so.
    Refused,
    /// It is applied, and the answer is lost.
    Swallowed,
    /// No answer comes, and it is not applied yet; it may be later.
    Delayed,
}

/// A write that was applied to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The request that sent it.
    pub request: usize,
    /// The step of the run at which it was applied.
    pub at: usize,
    /// What it was.
    pub write: Write,
}

/// The kinds of applied writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A session was created.
    Create(SessionId),
    /// A session was replaced.
    Update(SessionId, Version),
    /// These sessions were deleted, if they were there.
    Delete(Vec<SessionId>),
}

/// A call whose effect has not arrived at the store.
#[derive(Debug, Clone)]
struct Late {
    request: usize,
    call: Call,
}

/// A call with everything it needs to be made later.
#[derive(Debug, Clone)]
enum Call {
    Create(SessionId, Entry, Duration),
    Update(SessionId, Version, Entry, Change),
    Touch(SessionId, Version, Duration),
    Delete(Vec<SessionId>),
    Read,
}

/// The store, seen by the requests.
#[derive(Debug, Clone)]
pub struct Gate {
    inner: Arc<dyn SessionStore>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Which request is being polled: the calls that come now are its.
    polled: usize,
    /// The step of the run that goes on now.
    step: usize,
    waiting: Vec<Option<&'static str>>,
    /// The call that each request waits at.
    parked: Vec<Option<Call>>,
    fates: Vec<Option<Fate>>,
    calls: Vec<usize>,
    late: VecDeque<Late>,
    log: Vec<Applied>,
}

impl Gate {
    /// A gate before a store, for so many requests.
    pub fn new(inner: Arc<dyn SessionStore>, requests: usize) -> Self {
        let state = State {
            waiting: vec![None; requests],
            parked: vec![None; requests],
            fates: vec![None; requests],
            calls: vec![0; requests],
            ..State::default()
        };
        Self { inner, state: Arc::new(Mutex::new(state)) }
    }

    /// Says which request is polled next.
    pub fn poll_as(&self, request: usize) {
        self.state().polled = request;
    }

    /// Says which step of the run comes next.
    pub fn begin_step(&self, step: usize) {
        self.state().step = step;
    }

    /// The call that a request waits at, if it does.
    #[must_use]
    pub fn waiting(&self, request: usize) -> Option<&'static str> {
        self.state().waiting[request]
    }

    /// Lets a request's call go on.
    pub fn release(&self, request: usize, fate: Fate) {
        self.state().fates[request] = Some(fate);
    }

    /// Forgets the call that a request waits at, because its future is dropped. `sent` says whether the call is on its way
    /// all the same, to arrive later.
    pub fn abandon(&self, request: usize, sent: bool) {
        let mut state = self.state();
        state.waiting[request] = None;
        if let Some(call) = state.parked[request].take().filter(|call| sent && !matches!(call, Call::Read)) {
            state.late.push_back(Late { request, call });
        }
    }

    /// How many delayed calls have not arrived.
    #[must_use]
    pub fn late(&self) -> usize {
        self.state().late.len()
    }

    /// Lets a delayed call arrive at the store now.
    pub fn arrive(&self, at: usize) {
        let Some(Late { request, call }) = self.state().late.remove(at) else { return };
        // The inner store answers at once: it has no reason to wait.
        let _ = now(self.apply(request, call));
    }

    /// How many store calls a request has made.
    #[must_use]
    pub fn calls(&self, request: usize) -> usize {
        self.state().calls[request]
    }

    /// The writes that were applied, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Applied> {
        self.state().log.clone()
    }

    /// Waits at a step that is no store call, such as the passing of time.
    pub async fn step(&self, name: &'static str) {
        self.park(name, Call::Read).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the fate of a call of the polled request.
    async fn park(&self, name: &'static str, call: Call) -> (usize, Fate) {
        let request = {
            let mut state = self.state();
            let request = state.polled;
            (state.waiting[request], state.parked[request]) = (Some(name), Some(call));
            state.calls[request] += 1;
            request
        };
        std::future::poll_fn(|_| {
            let mut state = self.state();
            match state.fates[request].take() {
                Some(fate) => {
                    (state.waiting[request], state.parked[request]) = (None, None);
                    Poll::Ready((request, fate))
                }
                None => Poll::Pending,
            }
        })
        .await
    }

    async fn pass<T>(
        &self,
        name: &'static str,
        call: Call,
        answer: impl AsyncFnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (request, fate) = self.park(name, call.clone()).await;
        match fate {
            Fate::Refused => return Err(StoreError::unavailable("refused")),
            Fate::Delayed => {
                self.state().late.push_back(Late { request, call });
                return Err(StoreError::indeterminate("delayed"));
            }
            Fate::Answered | Fate::Swallowed => {}
        }
        let answer = answer().await;
        if fate == Fate::Swallowed { Err(StoreError::indeterminate("the answer was lost")) } else { answer }
    }

    fn record(&self, request: usize, write: Write) {
        let mut state = self.state();
        let at = state.step;
        state.log.push(Applied { request, at, write });
    }

    async fn apply(&self, request: usize, call: Call) -> Result<(), StoreError> {
        match call {
            Call::Create(id, entry, ttl) => self.create_as(request, &id, &entry, ttl).await.map(drop),
            Call::Update(id, expected, entry, change) => {
                self.update_as(request, &id, expected, &entry, change).await.map(drop)
            }
            Call::Touch(id, expected, ttl) => self.inner.touch(&id, expected, ttl).await.map(drop),
            Call::Delete(ids) => self.delete_as(request, &ids).await.map(drop),
            Call::Read => Ok(()),
        }
    }

    async fn create_as(
        &self,
        request: usize,
        id: &SessionId,
        entry: &Entry,
        ttl: Duration,
    ) -> Result<CreateOutcome, StoreError> {
        let answer = self.inner.create(id, entry, ttl).await?;
        if answer == CreateOutcome::Created {
            self.record(request, Write::Create(*id));
        }
        Ok(answer)
    }

    async fn update_as(
        &self,
        request: usize,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let answer = self.inner.update(id, expected, entry, change).await?;
        if answer == UpdateOutcome::Written {
            self.record(request, Write::Update(*id, entry.version));
        }
        Ok(answer)
    }

    async fn delete_as(&self, request: usize, ids: &[SessionId]) -> Result<u64, StoreError> {
        let count = self.inner.delete(ids).await?;
        self.record(request, Write::Delete(ids.to_vec()));
        Ok(count)
    }

    fn polled(&self) -> usize {
        self.state().polled
    }
}

#[async_trait]
impl SessionStore for Gate {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.pass("load", Call::Read, async || self.inner.load(id).await).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let call = Call::Create(*id, entry.clone(), ttl);
        self.pass("create", call, async || self.create_as(self.polled(), id, entry, ttl).await).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let call = Call::Update(*id, expected, entry.clone(), change);
        self.pass("update", call, async || self.update_as(self.polled(), id, expected, entry, change).await).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.pass("touch", Call::Touch(*id, expected, ttl), async || self.inner.touch(id, expected, ttl).await).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.pass("delete", Call::Delete(ids.to_vec()), async || self.delete_as(self.polled(), ids).await).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.pass("owned_by", Call::Read, async || self.inner.owned_by(owner).await).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.inner.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.inner.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.inner.is_process_local()
    }
}

/// The result of a future that has nothing to wait for.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a store behind the gate answers at once"),
    }
}
