//! What a request may cost: allocations and store calls, exactly. No time is measured.
//!
//! A count that has risen is a regression, or has to be argued for where it is raised; one that has fallen is lowered here,
//! so that it stays so. Instructions are guarded by `cargo xtask bench --guard`.

use std::alloc::System;
use std::convert::Infallible;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::header::COOKIE;
use http::{HeaderValue, Request, Response};
use sessions_core::{
    Change, Clock, CookieChange, CreateOutcome, Entry, Key, Owner, Session, SessionId, SessionManager, SessionStore,
    StoreError, Stored, SystemClock, UpdateOutcome, Version,
};
use sessions_tower::{Error, SessionLayer, SessionSlot};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tower::{Service, service_fn};
use tower_layer::Layer;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is counted: the request, the store calls, and the allocations that the layer adds.
const BUDGET: [(Case, &[Call], usize); 11] = [
    (Case { name: "no cookie, not asked for", cookie: Cookie::No, job: Job::Nothing }, &[], 2),
    (Case { name: "no cookie, asked for", cookie: Cookie::No, job: Job::Look }, &[], 4),
    (Case { name: "malformed cookie", cookie: Cookie::Malformed, job: Job::Look }, &[], 4),
    (Case { name: "not asked for", cookie: Cookie::Live, job: Job::Nothing }, &[], 2),
    (Case { name: "read", cookie: Cookie::Live, job: Job::Read }, &[Call::Load], 5),
    (Case { name: "read one of many", cookie: Cookie::Large, job: Job::Read }, &[Call::Load], 5),
    (Case { name: "read, touch due", cookie: Cookie::TouchDue, job: Job::Read }, &[Call::Load, Call::Touch], 7),
    (Case { name: "read and write", cookie: Cookie::Live, job: Job::ReadWrite }, &[Call::Load, Call::Update], 11),
    (Case { name: "new session", cookie: Cookie::No, job: Job::Write }, &[Call::Create], 11),
    (Case { name: "login", cookie: Cookie::Live, job: Job::Login }, &[Call::Load, Call::Update], 14),
    (Case { name: "destroy", cookie: Cookie::Live, job: Job::Destroy }, &[Call::Load, Call::Delete], 10),
];

/// One test, because the allocator counts for the whole process.
#[test]
fn a_request_costs_what_it_says() {
    // The thread that has started this one allocates until it waits for it.
    std::thread::sleep(Duration::from_millis(100));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    what_is_added_is_seen(&runtime);
    let mut wrong = Vec::new();
    for (case, calls, allocations) in BUDGET {
        let measured = runtime.block_on(measure(case));
        let expected = Measured { calls: calls.to_vec(), allocations };
        if measured != expected {
            wrong.push(format!("{}: {measured:?}, but the budget is {expected:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The negative control: a store call more, and an allocation more.
fn what_is_added_is_seen(runtime: &tokio::runtime::Runtime) {
    let read = Case { name: "control", cookie: Cookie::Live, job: Job::Read };
    let [plain, loaded, allocated] =
        [Job::Read, Job::LoadTwice, Job::Allocate].map(|job| runtime.block_on(measure(Case { job, ..read })));
    assert_eq!(loaded.calls, [Call::Load, Call::Load]);
    assert_eq!(allocated, Measured { allocations: plain.allocations + 1, ..plain });
}

#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    cookie: Cookie,
    job: Job,
}

/// What the request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cookie {
    No,
    Malformed,
    /// Of a session with one number.
    Live,
    /// Of a session with eight texts besides, together 16 KiB.
    Large,
    /// Of a session whose idle window has to be moved.
    TouchDue,
}

/// What its handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Nothing,
    Look,
    Read,
    ReadWrite,
    Write,
    Login,
    Destroy,
    LoadTwice,
    Allocate,
}

#[derive(Debug, PartialEq, Eq)]
struct Measured {
    calls: Vec<Call>,
    allocations: usize,
}

/// The request's own, beyond those of the same request to the same handler without the layer.
async fn measure(case: Case) -> Measured {
    let shelf = Arc::new(Shelf::default());
    let mut builder = SessionManager::builder(Arc::clone(&shelf));
    if case.cookie == Cookie::TouchDue {
        builder = builder.idle_timeout(Duration::from_secs(60));
    }
    let manager = builder.build().expect("the settings are valid");
    let handler = service_fn(|request| handle(request, case.job, &shelf));
    let mut layered = SessionLayer::new(manager.clone()).layer(handler);
    let mut measured = Vec::new();
    for _ in 0..WARM_UP + REQUESTS {
        let cookie = prepare(case.cookie, &manager).await;
        shelf.calls().clear();
        let with = allocations(&mut layered, cookie.clone()).await;
        let calls = shelf.calls().clone();
        let without = allocations(&mut service_fn(async |_| Ok(Response::new(()))), cookie).await;
        measured.push(Measured { calls, allocations: with - without });
    }
    // The first requests fill what is filled once.
    let mut rest = measured.into_iter().skip(WARM_UP);
    let first = rest.next().expect("there are some");
    rest.for_each(|other| assert_eq!(other, first, "{}: every request costs the same", case.name));
    first
}

/// Makes the session that a request brings, and returns its cookie.
async fn prepare(cookie: Cookie, manager: &SessionManager) -> Option<HeaderValue> {
    match cookie {
        Cookie::No => return None,
        Cookie::Malformed => return Some(HeaderValue::from_static("__Host-session=malformed")),
        Cookie::Live | Cookie::Large | Cookie::TouchDue => {}
    }
    let session = manager.new_session();
    session.insert(&N, &1).expect("it is open");
    if cookie == Cookie::Large {
        (0..8).for_each(|n| session.insert(format!("text {n}"), &"x".repeat(2 << 10)).expect("it is open"));
    }
    let committed = manager.commit(&session).await.expect("the shelf takes it");
    let CookieChange::Set { token, .. } = committed.cookie else { panic!("a new session has a token") };
    HeaderValue::from_str(&format!("__Host-session={}", token.encode().as_str())).ok()
}

/// Those of one request with this cookie.
async fn allocations<S>(service: &mut S, cookie: Option<HeaderValue>) -> usize
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    let mut request = Request::new(());
    // There are always other extensions: it is not the layer that makes the map.
    request.extensions_mut().insert(Unit);
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie);
    }
    poll_fn(|context| service.poll_ready(context)).await.expect("it is always ready");
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    let response = service.call(request).await.expect("it always answers");
    let change = region.change();
    assert_eq!(response.status(), 200);
    change.allocations + change.reallocations
}

#[derive(Clone)]
struct Unit;

async fn handle(request: Request<()>, job: Job, shelf: &Shelf) -> Result<Response<()>, Infallible> {
    if job != Job::Nothing {
        let slot: SessionSlot = SessionSlot::of(request.extensions()).expect("there is a layer");
        let session = slot.load().await.expect("the shelf answers");
        work(&session, job, shelf).await.expect("sessions work");
    }
    Ok(Response::new(()))
}

async fn work(session: &Session, job: Job, shelf: &Shelf) -> Result<(), Error> {
    match job {
        Job::Nothing => {}
        Job::Look => assert!(session.is_new()),
        Job::Write => session.insert(&N, &1)?,
        Job::Destroy => session.destroy()?,
        Job::Read | Job::ReadWrite | Job::LoadTwice | Job::Allocate => {
            let number = session.get(&N)?.expect("it is there");
            if job == Job::ReadWrite {
                session.insert(&N, &(number + 1))?;
            } else if job == Job::LoadTwice {
                shelf.load(&session.id().expect("it is stored")).await?;
            } else if job == Job::Allocate {
                drop(black_box(Box::new(number)));
            }
        }
        Job::Login => {
            session.set_owner("user-42")?;
            session.insert(&USER, &"user-42".to_owned())?;
        }
    }
    Ok(())
}

const N: Key<u64> = Key::new("n");
const USER: Key<String> = Key::new("user");
const WARM_UP: usize = 3;
const REQUESTS: usize = 10;

/// A call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Load,
    Create,
    Update,
    Touch,
    Delete,
    Other,
}

/// A store for one session, which allocates nothing but the futures that the trait asks for.
#[derive(Debug, Default)]
struct Shelf {
    session: Mutex<Option<(SessionId, Stored)>>,
    calls: Mutex<Vec<Call>>,
}

impl Shelf {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, call: Call) -> MutexGuard<'_, Option<(SessionId, Stored)>> {
        let mut calls = self.calls();
        // The room was made by the first requests.
        calls.push(call);
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As it is when half of its time is over.
fn stored(entry: &Entry, ttl: Duration) -> Stored {
    let Entry { version, record, owner, deadline: _ } = entry.clone();
    Stored { version, record, owner, expires_at: SystemClock.now().after(ttl / 2) }
}

#[async_trait]
impl SessionStore for Shelf {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        let session = self.called(Call::Load);
        Ok(session.as_ref().filter(|(there, _)| there == id).map(|(_, stored)| stored.clone()))
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        *self.called(Call::Create) = Some((*id, stored(entry, ttl)));
        Ok(CreateOutcome::Created)
    }

    async fn update(&self, id: &SessionId, _: Version, entry: &Entry, _: Change) -> Result<UpdateOutcome, StoreError> {
        *self.called(Call::Update) = Some((*id, stored(entry, Duration::from_secs(60))));
        Ok(UpdateOutcome::Written)
    }

    async fn touch(&self, _: &SessionId, _: Version, _: Duration) -> Result<bool, StoreError> {
        Ok(self.called(Call::Touch).is_some())
    }

    async fn delete(&self, _: &[SessionId]) -> Result<u64, StoreError> {
        Ok(self.called(Call::Delete).take().map_or(0, |_| 1))
    }

    async fn owned_by(&self, _: &Owner) -> Result<Vec<SessionId>, StoreError> {
        drop(self.called(Call::Other));
        Ok(Vec::new())
    }

    async fn purge_expired(&self, _: u32) -> Result<u64, StoreError> {
        drop(self.called(Call::Other));
        Ok(0)
    }

    async fn stop(&self) -> Result<(), StoreError> {
        drop(self.called(Call::Other));
        Ok(())
    }
}
