//! The `Cookie` fields of a request: what the layer makes of them, against a literal reading.
//!
//! The layer's parser is private. What it found shows in what the layer does: nothing, an event, or one load of one id, which opens
//! the session if and only if the whole token is the right one.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::header::COOKIE;
use http::{HeaderValue, Request, Response};
use sessions_conformance::reference::Reference;
use sessions_core::{
    Change, CreateOutcome, Entry, ManualClock, Owner, SessionId, SessionManager, SessionStore, StoreError, Stored,
    UpdateOutcome, Version,
};
use sessions_tower::{CookieConfig, Main, SessionLayer, SessionService, SessionSlot};
use tower::{Layer, Service};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};

use super::literal::{Reading, base64url, by_grammar, h07};
use super::samples::{MADE_AT, Sample, samples};
use crate::gate::now;

/// The name of the cookie: short, so that small strings hold it.
const NAME: &str = "s";

/// Throws the fields between line feeds at the layer, and compares.
///
/// # Panics
///
/// When the layer reads something else than the grammar says.
pub fn throw(bytes: &[u8]) {
    thread_local!(static LAYER: RefCell<Observed> = RefCell::new(Observed::new()));
    // Fields that no HTTP library would hand on are not the layer's to read.
    let fields: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'\n').filter(|field| HeaderValue::from_bytes(field).is_ok()).collect();
    let expected = h07(&fields, NAME.as_bytes());
    if let Some(by_grammar) = by_grammar(&fields, NAME.as_bytes()) {
        assert_eq!(expected, by_grammar, "the rule and the grammar");
    }
    LAYER.with_borrow_mut(|layer| layer.assert_reads(&fields, &expected));
}

/// Whether a token is presented.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    let fields: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    matches!(h07(&fields, NAME.as_bytes()), Reading::Token(_))
}

/// The texts of two tokens, of which the first opens a session.
#[must_use]
pub fn tokens() -> [String; 2] {
    thread_local!(static TOKEN: String = samples()[0].token.encode().as_str().to_owned());
    let good = TOKEN.with(String::clone);
    // The same id with another secret: only the whole token opens.
    let other = format!("{}{}", &good[..63], if good.ends_with('A') { 'B' } else { 'A' });
    [good, other]
}

/// A layer whose steps are watched.
struct Observed {
    service: SessionService<Handler, Main>,
    store: Spy,
    said: Arc<Mutex<Vec<&'static str>>>,
    good: String,
}

/// Asks for the session and says whether it was opened.
#[derive(Clone)]
struct Handler;

impl Service<Request<()>> for Handler {
    type Response = Response<bool>;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<bool>, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
        Box::pin(async move { Ok(Response::new(!slot.load().await.expect("the store works").is_new())) })
    }
}

impl Observed {
    fn new() -> Self {
        let clock = ManualClock::at(MADE_AT);
        let inner = Reference::new(clock.clone());
        let Sample { token, bytes, owner, .. } = samples().swap_remove(0);
        let entry = Entry { version: Version::from_u64(1), record: bytes, owner, deadline: MADE_AT };
        now(inner.create(&token.id(), &entry, Duration::from_secs(60))).expect("there is room");
        let store = Spy { inner, loads: Arc::default() };
        let manager = SessionManager::builder(store.clone()).clock(clock).build().expect("the defaults are valid");
        let cookie = CookieConfig::builder().name(NAME).build().expect("a valid name");
        let service = SessionLayer::new(manager).cookie(cookie).layer(Handler);
        Self { service, store, said: Arc::default(), good: tokens()[0].clone() }
    }

    fn assert_reads(&mut self, fields: &[&[u8]], expected: &Reading) {
        let mut request = Request::new(());
        for field in fields {
            request.headers_mut().append(COOKIE, HeaderValue::from_bytes(field).expect("looked at before"));
        }
        let ear = Ear(Arc::clone(&self.said));
        let response = tracing::subscriber::with_default(ear, || now(self.service.call(request)));
        let response = response.unwrap_or_else(|never| match never {});
        let loads = std::mem::take(&mut *self.store.loads.lock().unwrap_or_else(PoisonError::into_inner));
        let said = std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner));

        assert_eq!(response.headers().get("set-cookie"), None, "a request that only reads gets no cookie");
        let events: &[&str] = match expected {
            Reading::Malformed => &["cookie.malformed"],
            Reading::Ambiguous => &["cookie.ambiguous"],
            Reading::Nothing | Reading::Token(_) => &[],
        };
        assert_eq!(said, events, "for {expected:?}");
        let (id, opens) = match expected {
            Reading::Token(text) => {
                (base64url(text, 48).map(|bytes| bytes[..16].to_vec()), *text == self.good.as_bytes())
            }
            _ => (None, false),
        };
        let loaded: Vec<_> = loads.iter().map(|id| id.as_bytes().to_vec()).collect();
        assert_eq!(loaded, Vec::from_iter(id), "for {expected:?}");
        assert_eq!(*response.body(), opens, "for {expected:?}");
    }
}

/// Hears the layer's words about cookies.
struct Ear(Arc<Mutex<Vec<&'static str>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sessions"
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::Id {
        tracing::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::Id, _: &tracing::Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Message(Option<&'static str>);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    let said = format!("{value:?}");
                    self.0 = ["cookie.malformed", "cookie.ambiguous"].into_iter().find(|known| *known == said);
                }
            }
        }
        let mut message = Message(None);
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(message.0);
    }

    fn enter(&self, _: &tracing::Id) {}

    fn exit(&self, _: &tracing::Id) {}
}

/// Remembers what is loaded.
#[derive(Debug, Clone)]
struct Spy {
    inner: Reference,
    loads: Arc<Mutex<Vec<SessionId>>>,
}

#[async_trait]
impl SessionStore for Spy {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner).push(*id);
        self.inner.load(id).await
    }

    async fn create(&self, _: &SessionId, _: &Entry, _: Duration) -> Result<CreateOutcome, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn update(&self, _: &SessionId, _: Version, _: &Entry, _: Change) -> Result<UpdateOutcome, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn touch(&self, _: &SessionId, _: Version, _: Duration) -> Result<bool, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn delete(&self, _: &[SessionId]) -> Result<u64, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn owned_by(&self, _: &Owner) -> Result<Vec<SessionId>, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn purge_expired(&self, _: u32) -> Result<u64, StoreError> {
        Err(StoreError::unavailable("nobody writes here"))
    }

    async fn stop(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
