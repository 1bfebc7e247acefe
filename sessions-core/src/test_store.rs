//! A store that does what a test tells it: for this crate's own tests of commits.
//!
//! It keeps the contract, records every call, and answers each as scripted. A hook that runs before a call lets another
//! writer in, exactly there.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::{Clock, ManualClock, Timestamp};
use crate::error::StoreError;
use crate::owner::Owner;
use crate::store::{Change, CreateOutcome, Entry, SessionStore, Stored, Ttl, UpdateOutcome, Version, ttl_millis};
use crate::token::SessionId;

/// Clones are the same store (G14).
#[derive(Clone)]
pub(crate) struct TestStore {
    inner: Arc<Inner>,
    /// Whether the script is for others.
    plain: bool,
    process_local: bool,
}

struct Inner {
    clock: ManualClock,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    rows: Rows,
    seen: Vec<Seen>,
    script: HashMap<Call, VecDeque<Step>>,
    late: Vec<Late>,
    /// Decides where no script does.
    fate: Option<Fate>,
    /// Whether every call waits once before it is applied and once before it is answered.
    slow: bool,
    creates_twice: bool,
}

type Hook = Box<dyn FnOnce() + Send>;
type Fate = Box<dyn FnMut(Call) -> Answer + Send>;
type Late = Box<dyn FnOnce(&mut Rows, Timestamp) + Send>;

struct Step {
    hook: Option<Hook>,
    answer: Answer,
}

/// The method that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Load,
    Create,
    Update,
    Touch,
    Delete,
    OwnedBy,
    Purge,
    Stop,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is applied and answered.
    Given,
    /// Unavailable: surely not applied.
    Refused,
    /// Full: surely not applied.
    Full,
    /// Applied, and the answer lost on the way.
    Lost,
    /// Lost on the way to the store: never applied, and the caller cannot know.
    Swallowed,
    /// Not answered, and applied when the test calls [`TestStore::land`].
    Late,
}

/// A call with what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) call: Call,
    pub(crate) version: Option<Version>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) reindex: bool,
}

impl TestStore {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self { inner: Arc::new(Inner { clock, inside: Mutex::default() }), plain: false, process_local: false }
    }

    /// The same store for everyone else: neither scripted nor recorded.
    pub(crate) fn plain(&self) -> Self {
        Self { plain: true, ..self.clone() }
    }

    /// The same store, which says that nobody else can reach it.
    pub(crate) fn process_local(&self) -> Self {
        Self { process_local: true, ..self.clone() }
    }

    /// The next call of this kind without a script gets this answer.
    pub(crate) fn answer(&self, call: Call, answer: Answer) {
        self.script(call, Step { hook: None, answer });
    }

    /// As `answer`, with something that happens before.
    pub(crate) fn before(&self, call: Call, answer: Answer, hook: impl FnOnce() + Send + 'static) {
        self.script(call, Step { hook: Some(Box::new(hook)), answer });
    }

    /// Every call of this kind gets this answer, as far as any test goes.
    pub(crate) fn always(&self, call: Call, answer: Answer) {
        (0..100).for_each(|_| self.answer(call, answer));
    }

    /// Calls without a script are answered as `fate` has it.
    pub(crate) fn fate(&self, fate: impl FnMut(Call) -> Answer + Send + 'static) {
        self.inside().fate = Some(Box::new(fate));
    }

    /// Ends every script.
    pub(crate) fn recover(&self) {
        let inside = &mut *self.inside();
        inside.script.clear();
        inside.fate = None;
    }

    /// Makes each call pend before it is applied and before it is answered.
    pub(crate) fn slow(&self, slow: bool) {
        self.inside().slow = slow;
    }

    /// Makes the store send each create twice, as after a connection that ended: the answer is that of the second.
    pub(crate) fn create_twice(&self) {
        self.inside().creates_twice = true;
    }

    /// Applies what was sent and never answered.
    pub(crate) fn land(&self) {
        let now = self.inner.clock.now();
        let inside = &mut *self.inside();
        for late in std::mem::take(&mut inside.late) {
            late(&mut inside.rows, now);
        }
    }

    /// The calls since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.seen().into_iter().map(|seen| seen.call).collect()
    }

    /// As `calls`, with their arguments.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.inside().seen)
    }

    /// What is live under an id, without a call.
    pub(crate) fn stored(&self, id: SessionId) -> Option<Stored> {
        self.inside().rows.live(&id, self.inner.clock.now()).cloned()
    }

    /// Everything that is live.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        let now = self.inner.clock.now();
        self.inside().rows.0.iter().filter(|(_, row)| row.expires_at > now).map(|(id, _)| *id).collect()
    }

    /// Changes what is stored behind everyone's back.
    pub(crate) fn tamper(&self, id: SessionId, change: impl FnOnce(&mut Stored)) {
        change(self.inside().rows.0.get_mut(&id).expect("the session is stored"));
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inner.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn script(&self, call: Call, step: Step) {
        self.inside().script.entry(call).or_default().push_back(step);
    }

    async fn call<T: Send>(
        &self,
        seen: Seen,
        apply: impl FnOnce(&mut Rows, Timestamp) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.plain {
            return self.apply(Answer::Given, apply);
        }
        self.pause().await;
        let step = {
            let inside = &mut *self.inside();
            let scripted = inside.script.get_mut(&seen.call).and_then(VecDeque::pop_front);
            let mut fate = || inside.fate.as_mut().map_or(Answer::Given, |fate| fate(seen.call));
            let step = scripted.unwrap_or_else(|| Step { hook: None, answer: fate() });
            inside.seen.push(seen);
            step
        };
        if let Some(hook) = step.hook {
            hook();
        }
        let result = self.apply(step.answer, apply);
        self.pause().await;
        result
    }

    fn apply<T>(
        &self,
        answer: Answer,
        apply: impl FnOnce(&mut Rows, Timestamp) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let now = self.inner.clock.now();
        let mut inside = self.inside();
        let unanswered = Err(StoreError::indeterminate("scripted"));
        match answer {
            Answer::Given => Ok(apply(&mut inside.rows, now)),
            Answer::Refused => Err(StoreError::unavailable("scripted")),
            Answer::Full => Err(StoreError::full()),
            Answer::Swallowed => unanswered,
            Answer::Lost => {
                apply(&mut inside.rows, now);
                unanswered
            }
            Answer::Late => {
                inside.late.push(Box::new(|rows, now| drop(apply(rows, now))));
                unanswered
            }
        }
    }

    async fn pause(&self) {
        let mut pends = self.inside().slow;
        std::future::poll_fn(|context| {
            if std::mem::take(&mut pends) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// The contract itself, on a map.
#[derive(Default)]
struct Rows(HashMap<SessionId, Stored>);

impl Rows {
    fn live(&self, id: &SessionId, now: Timestamp) -> Option<&Stored> {
        self.0.get(id).filter(|row| row.expires_at > now)
    }

    fn create(&mut self, id: SessionId, entry: Entry, ttl: Duration, now: Timestamp) -> CreateOutcome {
        if let Some(row) = self.live(&id, now) {
            return CreateOutcome::Exists(row.clone());
        }
        self.0.insert(id, row(entry, after(ttl, now)));
        CreateOutcome::Created
    }

    fn update(&mut self, id: SessionId, base: Version, entry: Entry, change: Change, now: Timestamp) -> UpdateOutcome {
        let Some(there) = self.live(&id, now) else { return UpdateOutcome::Absent };
        if there.version != base {
            return UpdateOutcome::Conflict(there.clone());
        }
        assert!(change.reindex || there.owner == entry.owner, "an owner changed without `reindex`");
        let expires_at = match change.ttl {
            Ttl::Keep => there.expires_at,
            Ttl::After(ttl) => after(ttl, now),
        };
        self.0.insert(id, row(entry, expires_at));
        UpdateOutcome::Written
    }

    fn touch(&mut self, id: SessionId, expected: Version, ttl: Duration, now: Timestamp) -> bool {
        match self.0.get_mut(&id).filter(|row| row.expires_at > now && row.version == expected) {
            Some(row) => {
                row.expires_at = after(ttl, now);
                true
            }
            None => false,
        }
    }

    fn delete(&mut self, ids: &[SessionId], now: Timestamp) -> u64 {
        let live = |row: &Stored| u64::from(row.expires_at > now);
        ids.iter().filter_map(|id| self.0.remove(id)).map(|row| live(&row)).sum()
    }

    fn owned_by(&self, owner: &Owner, now: Timestamp) -> Vec<SessionId> {
        let owned = |row: &Stored| row.expires_at > now && row.owner.as_ref() == Some(owner);
        self.0.iter().filter(|(_, row)| owned(row)).map(|(id, _)| *id).collect()
    }

    fn purge(&mut self, limit: u32, now: Timestamp) -> u64 {
        let expired = self.0.iter().filter(|(_, row)| row.expires_at <= now).map(|(id, _)| *id);
        let expired: Vec<_> = expired.take(limit as usize).collect();
        expired.iter().filter_map(|id| self.0.remove(id)).map(|_| 1).sum()
    }
}

fn row(entry: Entry, expires_at: Timestamp) -> Stored {
    let Entry { version, record, owner, deadline: _ } = entry;
    Stored { version, record, expires_at, owner }
}

fn after(ttl: Duration, now: Timestamp) -> Timestamp {
    now.after(Duration::from_millis(ttl_millis(ttl)))
}

const fn seen(call: Call) -> Seen {
    Seen { call, version: None, ttl: None, reindex: false }
}

#[async_trait]
impl SessionStore for TestStore {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        let id = *id;
        self.call(seen(Call::Load), move |rows, now| rows.live(&id, now).cloned()).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let (id, entry) = (*id, entry.clone());
        let seen = Seen { version: Some(entry.version), ttl: Some(Ttl::After(ttl)), ..seen(Call::Create) };
        let twice = self.inside().creates_twice;
        let create = move |rows: &mut Rows, now| {
            if twice {
                rows.create(id, entry.clone(), ttl, now);
            }
            rows.create(id, entry, ttl, now)
        };
        self.call(seen, create).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let (id, entry, Change { ttl, reindex }) = (*id, entry.clone(), change);
        let seen = Seen { call: Call::Update, version: Some(entry.version), ttl: Some(ttl), reindex };
        self.call(seen, move |rows, now| rows.update(id, expected, entry, change, now)).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let id = *id;
        let seen = Seen { ttl: Some(Ttl::After(ttl)), ..seen(Call::Touch) };
        self.call(seen, move |rows, now| rows.touch(id, expected, ttl, now)).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.call(seen(Call::Delete), move |rows, now| rows.delete(&ids, now)).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        let owner = owner.clone();
        self.call(seen(Call::OwnedBy), move |rows, now| rows.owned_by(&owner, now)).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.call(seen(Call::Purge), move |rows, now| rows.purge(limit, now)).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.call(seen(Call::Stop), |_, _| ()).await
    }

    fn is_process_local(&self) -> bool {
        self.process_local
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestStore")
    }
}
