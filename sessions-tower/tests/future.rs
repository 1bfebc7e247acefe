//! The life of a response future, polled by hand: who is sealed, what is committed, and what goes on without a client.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use http::header::COOKIE;
use http::{Request, Response, StatusCode};
use sessions_core::{
    Change, CookieChange, CreateOutcome, Entry, Owner, Session, SessionId, SessionManager, SessionStore, StoreError,
    Stored, Token, UpdateOutcome, Version,
};
use sessions_memory::MemoryStore;
use sessions_tower::{SessionLayer, SessionSlot};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, service_fn};

/// Writes wait while it is closed.
#[derive(Debug, Clone, Default)]
struct Gated {
    store: MemoryStore,
    gate: Arc<Mutex<Gate>>,
}

#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    waiting: Vec<Waker>,
}

impl Gated {
    fn close(&self) {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
    }

    fn open(&self) {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        gate.is_closed = false;
        gate.waiting.drain(..).for_each(Waker::wake);
    }

    async fn passed(&self) {
        let passed = poll_fn(|cx| {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            if !gate.is_closed {
                return Poll::Ready(());
            }
            gate.waiting.push(cx.waker().clone());
            Poll::Pending
        });
        passed.await;
    }
}

#[async_trait]
impl SessionStore for Gated {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.store.load(id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.passed().await;
        self.store.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        self.passed().await;
        self.store.update(id, expected, entry, change).await
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.store.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.store.delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.store.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.store.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.store.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.store.is_process_local()
    }
}

/// What a handler does once it has written `n = 2` over the stored 1.
#[derive(Debug, Clone, Copy)]
enum Then {
    Answers,
    Fails,
    Panics,
    Hangs,
}

/// A stored session, and what the handler of the one request has got hold of.
struct World {
    store: Gated,
    manager: SessionManager,
    token: Token,
    held: Arc<Mutex<Option<Session>>>,
}

type Answer = Result<Response<()>, &'static str>;

impl World {
    fn new() -> (Self, Runtime) {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let store = Gated::default();
        let manager = SessionManager::builder(store.clone()).build().expect("valid settings");
        let session = manager.new_session();
        session.insert("n", &1_u8).expect("it is open");
        let committed = runtime.block_on(manager.commit(&session)).expect("there is room");
        let CookieChange::Set { token, .. } = committed.cookie else { panic!("a new session has a token") };
        (Self { store, manager, token, held: Arc::default() }, runtime)
    }

    fn answering(&self, then: Then) -> Pin<Box<impl Future<Output = Answer> + use<>>> {
        let held = Arc::clone(&self.held);
        let handler = service_fn(move |request: Request<()>| {
            let held = Arc::clone(&held);
            async move {
                let slot: SessionSlot = SessionSlot::of(request.extensions()).expect("there is a layer");
                let session = slot.load().await.expect("it answers");
                session.insert("n", &2_u8).expect("it is open");
                *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
                match then {
                    Then::Answers => Ok(Response::new(())),
                    Then::Fails => Err("the handler says so"),
                    Then::Panics => panic!("the test says so"),
                    Then::Hangs => std::future::pending().await,
                }
            }
        });
        let cookie = format!("__Host-session={}", self.token.encode().as_str());
        let request = Request::builder().header(COOKIE, cookie).body(()).expect("a request");
        Box::pin(SessionLayer::new(self.manager.clone()).layer(handler).call(request))
    }

    fn is_sealed(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let session = held.as_ref().expect("the handler has got hold of it");
        session.insert("too", &"late").is_err_and(|error| error.is_sealed())
    }

    fn stored(&self, runtime: &Runtime) -> Option<u8> {
        let session = runtime.block_on(self.manager.load(&self.token)).expect("it answers").expect("it is live");
        session.get("n").expect("intact")
    }
}

fn polled<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn what_a_handler_has_written_that_does_not_answer_is_not_committed_and_its_session_is_sealed() {
    for then in [Then::Fails, Then::Panics, Then::Hangs] {
        let (world, runtime) = World::new();
        let mut answering = world.answering(then);
        let answer = catch_unwind(AssertUnwindSafe(|| polled(&mut answering)));
        match then {
            Then::Fails => assert!(matches!(answer, Ok(Poll::Ready(Err("the handler says so"))))),
            Then::Panics => assert!(answer.is_err()),
            Then::Hangs | Then::Answers => assert!(matches!(answer, Ok(Poll::Pending))),
        }
        assert!(!world.is_sealed(), "{then:?}");
        drop(answering);
        assert!(world.is_sealed(), "{then:?}");
        assert_eq!(world.stored(&runtime), Some(1), "{then:?}");
    }
}

#[test]
fn a_commit_that_waits_goes_on_where_it_was() {
    let (world, runtime) = World::new();
    let _on_it = runtime.enter();
    world.store.close();
    let mut answering = world.answering(Then::Answers);
    assert!(polled(&mut answering).is_pending() && polled(&mut answering).is_pending());
    assert_eq!(world.stored(&runtime), Some(1));
    world.store.open();
    assert!(matches!(polled(&mut answering), Poll::Ready(Ok(response)) if response.status() == StatusCode::OK));
    assert_eq!(world.stored(&runtime), Some(2));
}

#[test]
fn h09_a_commit_whose_client_goes_away_goes_on_without_it() {
    let (world, runtime) = World::new();
    world.store.close();
    {
        let _on_it = runtime.enter();
        let mut answering = world.answering(Then::Answers);
        assert!(polled(&mut answering).is_pending());
    }
    world.store.open();
    // One turn of the runtime, on which it was begun.
    runtime.block_on(tokio::task::yield_now());
    assert_eq!(world.stored(&runtime), Some(2));
}

/// There is nowhere for it to go on.
#[test]
fn h09_without_a_runtime_a_commit_goes_with_its_client() {
    let (world, runtime) = World::new();
    world.store.close();
    let mut answering = world.answering(Then::Answers);
    assert!(polled(&mut answering).is_pending());
    drop(answering);
    world.store.open();
    assert_eq!(world.stored(&runtime), Some(1));
}

#[test]
fn an_answer_is_given_once() {
    for waits in [false, true] {
        let (world, runtime) = World::new();
        if waits {
            world.store.close();
        }
        let mut answering = world.answering(Then::Answers);
        if waits {
            assert!(polled(&mut answering).is_pending());
            world.store.open();
        }
        assert!(polled(&mut answering).is_ready());
        assert!(catch_unwind(AssertUnwindSafe(|| polled(&mut answering))).is_err());
        assert_eq!(world.stored(&runtime), Some(2));
    }
}

#[test]
fn a_layer_around_its_like_answers_without_the_handler() {
    let (world, runtime) = World::new();
    let handler = service_fn(|_: Request<()>| async { Ok::<_, &str>(Response::new(())) });
    let layer = SessionLayer::new(world.manager.clone());
    let answer = runtime.block_on(layer.layer(layer.layer(handler)).call(Request::new(())));
    assert_eq!(answer.expect("a response").status(), StatusCode::INTERNAL_SERVER_ERROR);
}
