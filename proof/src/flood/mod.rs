//! Floods of clients that nobody knows: they leave no session, get no cookie, and cost no memory that stays.

pub mod sizes;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use http::header::{COOKIE, RETRY_AFTER, SET_COOKIE};
use http::{Request, Response, StatusCode};
use sessions_core::{CookieChange, SessionManager, SessionStore, Token};
use sessions_tower::{Main, SessionLayer, SessionSlot, status_of};
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt, service_fn};

use crate::behind::{Bench, Problem};

/// What the clients of a flood send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// No cookie.
    Nothing,
    /// Tokens that nobody gave out, another one each time.
    UnknownTokens,
    /// Our cookie with a value that is no token, or with two of them.
    Malformed,
}

/// What the handler does with a request of a flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// It asks for the session, and reads.
    Reads,
    /// It writes to whatever session it gets.
    Writes,
    /// It reads, and forgets to free something: a negative control.
    Leaks,
}

/// What a flood came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub sent: u64,
    /// Answered by the handler.
    pub served: u64,
    /// Refused with a 503, a `Retry-After` and nothing else.
    pub refused: u64,
    /// Answered in any other way.
    pub other: u64,
    /// Responses with a `Set-Cookie`.
    pub cookies: u64,
    /// By how many bytes the memory in use had grown at most, between any two batches.
    pub peak: usize,
    /// By how many it had grown at the end.
    pub kept: usize,
}

impl Sends {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nothing, Self::UnknownTokens, Self::Malformed];

    fn cookie(self) -> Option<String> {
        let token =
            || -> String { (0..64).map(|_| if fastrand::bool() { fastrand::alphanumeric() } else { '-' }).collect() };
        match self {
            Self::Nothing => None,
            Self::UnknownTokens => Some(format!("__Host-session={}", token())),
            Self::Malformed if fastrand::bool() => Some(format!("__Host-session={}; __Host-session=x", token())),
            Self::Malformed => Some(format!("theme=dark; __Host-session={}", &token()[fastrand::usize(1..64)..])),
        }
    }
}

/// Sends so many requests through the layer, some at once. `in_use` tells how many bytes the process uses.
///
/// # Errors
///
/// When a request ends in a panic.
pub async fn flood(
    bench: &Bench,
    sends: Sends,
    handler: Handler,
    requests: u64,
    in_use: &(dyn Fn() -> usize + Sync),
) -> Result<Tally, Problem> {
    let layer = SessionLayer::new(bench.builder().build()?);
    // What is made once, is made before: connections, prepared statements, the runtime's own.
    batch(&layer, sends, handler, AT_ONCE * 4, &mut Tally::default()).await?;
    let before = in_use();
    let mut tally = Tally::default();
    while tally.sent < requests {
        batch(&layer, sends, handler, AT_ONCE.min(requests - tally.sent), &mut tally).await?;
        tally.kept = in_use().saturating_sub(before);
        tally.peak = tally.peak.max(tally.kept);
    }
    Ok(tally)
}

/// Checks that a flood has left nothing: no session beyond `sessions`, no cookie, no memory.
///
/// # Errors
///
/// What it has left.
pub async fn left_nothing(bench: &Bench, tally: &Tally, sessions: u64) -> Result<(), Problem> {
    let Tally { sent, served, cookies, peak, kept: _, refused: _, other: _ } = *tally;
    let count = bench.count().await?;
    if count != sessions {
        return Err(format!("{count} sessions at rest, not {sessions}").into());
    }
    if served != sent || cookies != 0 {
        return Err(format!("{served} of {sent} served, {cookies} cookies").into());
    }
    if peak > FLAT {
        return Err(format!("{peak} bytes more in use than before").into());
    }
    Ok(())
}

async fn batch(
    layer: &SessionLayer,
    sends: Sends,
    handler: Handler,
    requests: u64,
    tally: &mut Tally,
) -> Result<(), Problem> {
    let mut tasks = JoinSet::new();
    for _ in 0..requests {
        let layer = layer.clone();
        tasks.spawn(async move { request(&layer, sends.cookie(), handler).await });
    }
    while let Some(ended) = tasks.join_next().await {
        let response = ended?;
        let headers = response.headers();
        let refused = response.status() == StatusCode::SERVICE_UNAVAILABLE
            && headers.contains_key(RETRY_AFTER)
            && response.body().is_empty();
        tally.sent += 1;
        tally.served += u64::from(response.status() == StatusCode::OK);
        tally.refused += u64::from(refused);
        tally.other += u64::from(!refused && response.status() != StatusCode::OK);
        tally.cookies += u64::from(headers.contains_key(SET_COOKIE));
    }
    Ok(())
}

/// One request through the layer.
pub(crate) async fn request(layer: &SessionLayer, cookie: Option<String>, handler: Handler) -> Response<String> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, cookie.parse().expect("visible ASCII"));
    }
    let service = service_fn(async |request: Request<()>| {
        let slot = SessionSlot::<Main>::of(request.extensions()).expect("inside of the layer");
        let session = match slot.load().await {
            Ok(session) => session,
            Err(error) => {
                return Ok(Response::builder().status(status_of(&error)).body(String::new()).expect("a status"));
            }
        };
        match handler {
            Handler::Reads => drop(session.get::<String>(VALUE)),
            Handler::Writes => session.insert(VALUE, &"there").expect("it is open"),
            Handler::Leaks => std::mem::forget(session),
        }
        Ok::<_, Infallible>(Response::new("the handler's".to_owned()))
    });
    layer.layer(service).oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Sessions that were there before a flood.
#[derive(Debug)]
pub struct Earlier {
    manager: SessionManager,
    tokens: Vec<Token>,
}

impl Earlier {
    /// Begins so many sessions.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn begin(store: Arc<dyn SessionStore>, many: usize) -> Result<Self, Problem> {
        let manager = SessionManager::builder(store).build()?;
        let mut tokens = Vec::with_capacity(many);
        for number in 0..many {
            let session = manager.new_session();
            session.insert(VALUE, &number.to_string())?;
            match manager.commit(&session).await?.cookie {
                CookieChange::Set { token, .. } => tokens.push(token),
                CookieChange::Keep | CookieChange::Remove => return Err("a new session has no token".into()),
            }
        }
        Ok(Self { manager, tokens })
    }

    /// How many of them are not as they were.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn missing(&self) -> Result<usize, Problem> {
        let mut missing = 0;
        for (number, token) in self.tokens.iter().enumerate() {
            let value = match self.manager.load(token).await? {
                Some(session) => session.get::<String>(VALUE)?,
                None => None,
            };
            missing += usize::from(value != Some(number.to_string()));
        }
        Ok(missing)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, served, refused, other, cookies, peak, kept } = self;
        write!(
            f,
            "requests={sent}; served={served}; refused with a 503={refused}; other answers={other}; Set-Cookie={cookies}; bytes \
             kept={kept}; bytes kept at most={peak}"
        )
    }
}

/// How many requests are under way at once.
const AT_ONCE: u64 = 64;

/// By how much the memory in use may grow in a whole flood: what the runtime and the drivers keep for themselves. A flood that left
/// a single byte for each request would be seen.
const FLAT: usize = 64 * 1024;

const VALUE: &str = "value";
