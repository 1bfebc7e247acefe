//! The least that a session can be: what every implementation does that keeps its sessions in moka, hashes its tokens and says
//! in its responses what a browser and a cache have to know. Nothing is merged, verified, encoded, expired by activity or
//! cleaned up. What ours costs more is what ours does more.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bench_kit::{Contender, Job, Runner, ServiceRunner, WithoutSessions, next_user, text};
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Request, Response};
use moka::sync::Cache;
use pin_project_lite::pin_project;
use sessions_core::{OsRandom, Random};
use sha2::{Digest, Sha256};
use tower::service_fn;
use tower_layer::Layer;
use tower_service::Service;

use crate::scan::value_of;

/// The sessions.
pub(crate) struct Bare(Sessions);

type Sessions = Cache<[u8; 24], Arc<Mutex<Stored>>>;

/// A token as the cookie has it: 24 characters that name the session, 40 that are the secret. Nothing is decoded.
#[derive(Debug, Clone, Copy)]
struct Token([u8; 64]);

impl Token {
    fn presented(headers: &HeaderMap) -> Option<Self> {
        let pairs = headers.get_all(COOKIE).iter().flat_map(|field| field.as_bytes().split(|&byte| byte == b';'));
        let value = pairs.filter_map(|pair| value_of(pair, NAME.as_bytes())).next()?;
        value.try_into().ok().map(Self)
    }

    fn generate() -> Self {
        let mut random = [0; 64];
        OsRandom.fill(&mut random[..48]).expect("the system has randomness");
        Self(std::array::from_fn(|at| ALPHABET[usize::from(random[at * 3 / 4] & 63)]))
    }

    fn id(&self) -> [u8; 24] {
        self.0[..24].try_into().expect("it has 24")
    }

    fn verifier(&self) -> [u8; 32] {
        Sha256::digest(&self.0[24..]).into()
    }

    /// The same session, with another secret.
    fn rotated(&self) -> Self {
        let mut token = Self::generate();
        token.0[..24].copy_from_slice(&self.0[..24]);
        token
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("it is in ASCII")
    }
}

#[derive(Debug)]
struct Stored {
    verifier: [u8; 32],
    values: Values,
}

/// Not encoded.
#[derive(Debug, Clone, Default)]
struct Values {
    number: Option<u64>,
    user: Option<String>,
    texts: Vec<String>,
}

impl Bare {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(2 << 20).time_to_live(Duration::from_secs(24 * 60 * 60)).build())
    }
}

impl Contender for Bare {
    async fn with(&self, job: Job) -> impl Runner {
        let inner = service_fn(move |request| application(request, job));
        ServiceRunner(BareLayer(self.0.clone()).layer(inner))
    }

    async fn without(&self) -> impl Runner {
        let job = black_box(Job::Nothing);
        ServiceRunner(WithoutSessions(service_fn(move |request| application(request, job))))
    }
}

async fn application(request: Request<()>, job: Job) -> Result<Response<()>, Infallible> {
    handle(&request, job);
    Ok(Response::new(()))
}

/// What a request knows of its session, shared by the handler and the layer.
struct Visit {
    sessions: Sessions,
    presented: Option<Token>,
    cookie: Mutex<Cookie>,
}

#[derive(Debug)]
enum Cookie {
    NotAsked,
    Keep,
    Set(Token),
    Remove,
}

fn handle(request: &Request<()>, job: Job) {
    if job == Job::Nothing {
        return;
    }
    let visit = request.extensions().get::<Arc<Visit>>().expect("there is a layer");
    let stored = visit.presented.as_ref().and_then(|token| {
        let stored = visit.sessions.get(&token.id())?;
        let is_its = locked(&stored).verifier == token.verifier();
        is_its.then_some(stored)
    });
    *locked(&visit.cookie) = match (job, stored) {
        (Job::Destroy, Some(_)) => {
            visit.sessions.invalidate(&visit.presented.expect("it opened the session").id());
            Cookie::Remove
        }
        (Job::Login, Some(stored)) => {
            let token = visit.presented.expect("it opened the session").rotated();
            let mut stored = locked(&stored);
            stored.values.user = Some("user-42".to_owned());
            stored.verifier = token.verifier();
            Cookie::Set(token)
        }
        (job, Some(stored)) => {
            perform(job, &mut locked(&stored).values);
            Cookie::Keep
        }
        (job, None) => {
            let mut values = Values::default();
            perform(job, &mut values);
            let token = Token::generate();
            let stored = Stored { verifier: token.verifier(), values };
            visit.sessions.insert(token.id(), Arc::new(Mutex::new(stored)));
            Cookie::Set(token)
        }
    };
}

fn perform(job: Job, values: &mut Values) {
    match job {
        Job::Nothing | Job::Login | Job::Destroy => {}
        Job::Read => assert!(values.number.expect("it is there") > 0),
        Job::Is(number) => assert_eq!(values.number, number),
        Job::ReadWrite => values.number = values.number.map(|number| number + 1),
        Job::Write => values.number = Some(1),
        Job::SignUp { .. } => {
            values.user = Some(next_user());
            values.texts = vec![text(1, 32)];
        }
        Job::Fill { texts, bytes } => {
            values.number = Some(1);
            values.texts = (0..texts).map(|number| text(number, bytes / texts)).collect();
        }
        Job::ReadText(bytes) => assert_eq!(values.texts[0].clone().len(), bytes),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The layer by itself: what requests that ask for no session pay at least.
#[derive(Clone)]
pub struct BareLayer(Sessions);

impl BareLayer {
    /// A cookie that it finds.
    pub const COOKIE: &str = "__Host-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
}

impl Default for BareLayer {
    fn default() -> Self {
        Self(Bare::new().0)
    }
}

impl<S> Layer<S> for BareLayer {
    type Service = BareService<S>;

    fn layer(&self, inner: S) -> BareService<S> {
        BareService { inner, sessions: self.0.clone() }
    }
}

#[derive(Clone)]
pub struct BareService<S> {
    inner: S,
    sessions: Sessions,
}

impl<S, A, B> Service<Request<A>> for BareService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let presented = Token::presented(request.headers());
        let cookie = Mutex::new(Cookie::NotAsked);
        let visit = Arc::new(Visit { sessions: self.sessions.clone(), presented, cookie });
        request.extensions_mut().insert(Arc::clone(&visit));
        Answering { inner: self.inner.call(request), visit }
    }
}

pin_project! {
    pub struct Answering<F> {
        #[pin]
        inner: F,
        visit: Arc<Visit>,
    }
}

impl<F: Future<Output = Result<Response<B>, E>>, B, E> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx));
        if let Ok(response) = &mut answer {
            let headers = response.headers_mut();
            let cookie = match &*locked(&this.visit.cookie) {
                Cookie::NotAsked => return Poll::Ready(answer),
                Cookie::Keep => None,
                Cookie::Set(token) => Some(format!("{NAME}={}{ATTRIBUTES}", token.as_str())),
                Cookie::Remove => Some(format!("{NAME}={ATTRIBUTES}; Max-Age=0")),
            };
            headers.insert(VARY, HeaderValue::from_static("cookie"));
            if let Some(cookie) = cookie {
                headers.insert(SET_COOKIE, HeaderValue::try_from(cookie).expect("it is in ASCII"));
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
        }
        Poll::Ready(answer)
    }
}

const NAME: &str = "__Host-session";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";
