//! Sessions for axum applications and for every other tower stack.
//!
//! ```
//! use axum::{Router, routing::get};
//! use sessions_memory::MemoryStore;
//! use sessions_tower::{Key, Session, SessionLayer, SessionManager, SessionRejection};
//!
//! const VISITS: Key<u64> = Key::new("visits");
//!
//! async fn index(session: Session) -> Result<String, SessionRejection> {
//!     let visits = session.update(&VISITS, |visits| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("visit {visits}"))
//! }
//!
//! let manager = SessionManager::builder(MemoryStore::new()).build()?;
//! let app: Router = Router::new().route("/", get(index)).layer(SessionLayer::new(manager));
//! # Ok::<(), sessions_tower::Error>(())
//! ```
//!
//! What a session can do is in [`sessions_core::Session`], to which the extractor dereferences; the guide is in
//! [`sessions_core::guide`]: life of a request, choosing a store, login done right, expiry, concurrency, testing.
//!
//! # What the layer does
//!
//! | when | what |
//! |---|---|
//! | a request comes | reads the cookie; no store call. What cannot be a token counts as no cookie |
//! | a handler asks: [`Session`], [`SessionReader`], [`SessionSlot::load`] | one load, shared by all who ask during this request |
//! | the handler has answered | one commit, before the head of the response is sent: compressed, streamed or empty, its body comes after |
//! | there is a new token | `Set-Cookie` and `Cache-Control: no-store` |
//! | the session was destroyed | `Set-Cookie` that removes the cookie |
//! | the commit fails, or the session was [lost](sessions_core::Error::is_lost) | an error response in place of the handler's, whose promises did not come true |
//! | nobody asked | nothing: no store call, no header |
//!
//! The status of the response does not decide: a 404 commits as a 200 does. [`commit_when`](SessionLayer::commit_when) can. A panic commits
//! nothing, nor does a request that the client gave up before its handler answered. A commit that has begun is finished although
//! the client has gone; [`drain`](SessionLayer::drain) waits for such commits at shutdown.
//!
//! # Handlers
//!
//! ```
//! use sessions_tower::{Key, Session, SessionReader, SessionRejection};
//!
//! const NAME: Key<String> = Key::new("name");
//!
//! // Reads. It has no method that writes.
//! async fn greet(session: SessionReader) -> Result<String, SessionRejection> {
//!     Ok(session.get(&NAME)?.map_or("Who are you?".to_owned(), |name| format!("Hello, {name}")))
//! }
//!
//! // `None` for a client without a session.
//! async fn banner(session: Option<SessionReader>) -> &'static str {
//!     if session.is_some() { "Welcome back" } else { "Welcome" }
//! }
//!
//! // The login. `set_owner` replaces the token: whoever knew the old one is out.
//! async fn login(session: Session) -> Result<(), SessionRejection> {
//!     session.set_owner("user-42")?;
//!     session.insert(&NAME, &"Alice".to_owned())?;
//!     Ok(())
//! }
//!
//! // The logout.
//! async fn logout(session: Session) -> Result<(), SessionRejection> {
//!     Ok(session.destroy()?)
//! }
//! # let _ = axum::Router::<()>::new()
//! #     .route("/", axum::routing::get(greet).post(login).delete(logout).put(banner));
//! ```
//!
//! `?` turns an [`Error`] into a [`SessionRejection`], which the [error hook](SessionLayer::on_error) answers; then nothing that
//! the handler changed is committed. It is what a handler returns: `Error` by itself is no response. Without a layer around it an
//! extractor is a 500 that says so.
//!
//! Lists of a user's sessions, and their ends, are the manager's: give the router a clone of it, `.with_state(manager.clone())`, and
//! a handler takes `State<SessionManager>`, or [`SessionSlot::manager`] where there is no axum.
//!
//! # The cookie
//!
//! By default `__Host-session`, `Path=/; Secure; HttpOnly; SameSite=Lax`, and it ends with the browser; [`CookieConfig`] has the
//! options, and refuses combinations that browsers would. "Keep me signed in" is a property of a session, not of the
//! cookie: [`set_persistent`](sessions_core::Session::set_persistent) with
//! [`set_lifetime`](sessions_core::Session::set_lifetime) in the login. On `http://localhost` the default works in Chromium
//! and Firefox; Safari wants [`CookieConfig::insecure_development`].
//!
//! # When a session fails
//!
//! By default an empty response: 409 for a session that was signed out, rotated or expired while the request ran, and for a write
//! with a token that a login or rotation of the last 30 seconds has replaced, which is taken for a request that was sent before it
//! ([`is_superseded`](sessions_core::Session::is_superseded)); 503 with `Retry-After` for a store that cannot be reached or is full, 500 for the rest; see [`status_of`]. The client never sees the
//! error's text; it goes to `tracing`, target `sessions`. An outage removes no cookie. An own page:
//!
//! ```
//! # use sessions_memory::MemoryStore;
//! use axum::response::{Html, IntoResponse, Response};
//! use sessions_tower::{Error, SessionLayer, SessionManager, status_of};
//!
//! fn sorry(error: Error) -> Response {
//!     (status_of(&error), Html("<h1>One moment, please</h1>")).into_response()
//! }
//!
//! # let manager = SessionManager::builder(MemoryStore::new()).build()?;
//! let layer = SessionLayer::new(manager).on_error(sorry);
//! # let _: axum::Router = axum::Router::new().layer(layer);
//! # Ok::<(), Error>(())
//! ```
//!
//! # Testing handlers
//!
//! A function of [`sessions_core::Session`] needs neither layer nor store: `Session::detached()` makes one. A whole
//! application runs in memory, and time is an argument:
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, routing::get};
//! use http::{Request, header::{COOKIE, SET_COOKIE}};
//! use sessions_memory::MemoryStore;
//! use sessions_tower::{Clock, ManualClock, Session, SessionLayer, SessionManager, SessionRejection, SystemClock};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::at(SystemClock.now());
//! let store = MemoryStore::builder().clock(clock.clone()).build()?;
//! let manager = SessionManager::builder(store).clock(clock.clone()).build()?;
//! let visit = async |session: Session| -> Result<String, SessionRejection> {
//!     Ok(session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?.to_string())
//! };
//! let app: Router = Router::new().route("/", get(visit)).layer(SessionLayer::new(manager));
//!
//! let first = app.clone().oneshot(Request::get("/").body(Body::empty())?).await?;
//! let cookie = first.headers()[SET_COOKIE].to_str()?.split(';').next().unwrap_or_default();
//! let again = || Request::get("/").header(COOKIE, cookie).body(Body::empty());
//! let second = app.clone().oneshot(again()?).await?;
//! assert!(second.headers().get(SET_COOKIE).is_none(), "the token stays the same");
//!
//! clock.advance(Duration::from_secs(24 * 60 * 60));
//! let late = app.oneshot(again()?).await?;
//! assert!(late.headers().get(SET_COOKIE).is_some(), "a day is the default lifetime: a new session");
//! # Ok(())
//! # }
//! ```
//!
//! # Without axum
//!
//! The layer is a `tower::Layer` for any service of `http::Request<B>` and `http::Response<C>`; a handler takes its session from a
//! [`SessionSlot`] in the request's extensions. Turn the feature `axum` off, and only `http`, `tower-layer`, `tower-service` and
//! tokio's task handle are left. The error hook must know how to make a `C`: the default one needs `C: Default`.
//!
//! # Two layers
//!
//! An application may have sessions of two kinds, such as users and staff: each layer with a cookie name and a
//! [marker](SessionLayer::marker) of its own, extracted as `Session<Staff>`. A name or a marker that is used twice around one
//! handler is an error on the first request, with a 500 and the reason in the log.
//!
//! ```
//! # use sessions_memory::MemoryStore;
//! use axum::{Router, routing::get};
//! use sessions_tower::{CookieConfig, Session, SessionLayer, SessionManager};
//!
//! enum Staff {}
//!
//! async fn page(user: Session, staff: Session<Staff>) {}
//!
//! # let (users, staff) = (
//! #     SessionManager::builder(MemoryStore::new()).build()?,
//! #     SessionManager::builder(MemoryStore::new()).build()?,
//! # );
//! let app: Router = Router::new()
//!     .route("/", get(page))
//!     .layer(SessionLayer::new(users))
//!     .layer(SessionLayer::new(staff).marker::<Staff>().cookie(CookieConfig::builder().name("__Host-staff").build()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where it stands among other layers
//!
//! What catches panics, sets timeouts or traces belongs around this layer; what compresses may stand on either side. A timeout
//! around it that fires during a commit answers the client at once, and the commit goes on. A server-sent stream or a WebSocket is
//! a body: it begins after the commit, when the session's handle is sealed. A task in it that needs the session later loads it
//! by [id](sessions_core::SessionManager::get_session).
//!
//! # Shutdown
//!
//! In this order: stop the server, [`drain`](SessionLayer::drain) the layer, [stop](sessions_core::SessionManager::stop) the manager.
//!
//! # The rules
//!
//! They have tests with their number, over HTTP.
//!
//! - **H1** A session that nobody asks for costs no store call and no header. It is loaded once a request, when it is asked for.
//! - **H2** At most one load a request and, unless another writer comes between, one write.
//! - **H3** The commit comes before the head of the response. If it fails, the handler's response does not go out.
//! - **H4** Afterwards the handle is sealed: writing to it is an error.
//! - **H5** A malformed token is no session and no store call. An unknown one is no session and no `Set-Cookie`. A corrupt record is an
//!   event and no session; one of a newer format is a 503, and stays as it is.
//! - **H6** A removal is sent only by the response whose request has destroyed the session, with every attribute of the original.
//! - **H7** Cookies are read byte by byte: nothing is decoded, only spaces and tabs are trimmed, all `Cookie` fields count. Equal
//!   duplicates are one; different values of our name are an event and no session.
//! - **H8** `Cache-Control: no-store` goes with our `Set-Cookie`, `Vary: Cookie` with a session that was read.
//! - **H9** A dropped request commits nothing; a commit that has begun is finished although the client goes away.
//! - **H10** The status does not decide; [`commit_when`](SessionLayer::commit_when) can. A panic commits nothing.
//! - **H11** An outage is never an empty session, and nothing to requests that do not need theirs.
//! - **H12** A `Set-Cookie` of our name by a handler is dropped, and is an event.
//! - **H13** Two layers keep two sessions, and do not disturb each other.
//! - **H14** Every other header, the body and an upgrade are as without the layer.
//!
//! # Features
//!
//! `axum` (default): the extractors, through `axum-core`.

mod cookie;
mod drain;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod future;
mod headers;
mod layer;
mod respond;
mod scan;
mod service;
mod slot;

pub use cookie::{CookieConfig, CookieConfigBuilder, CookieConfigError, SameSite};
#[cfg(feature = "axum")]
pub use extract::{Session, SessionReader, SessionRejection};
pub use future::ResponseFuture;
pub use layer::SessionLayer;
pub use respond::{DefaultErrors, RespondToError, status_of};
pub use service::SessionService;
pub use slot::{Main, SessionSlot};

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// What an application names from the core.
pub use sessions_core::{
    Clock, Encoder, Error, Key, ManualClock, MessagePack, Owner, Record, SessionId, SessionManager,
    SessionManagerBuilder, SessionStatus, SessionStore, StoreError, SystemClock, Timestamp, Token,
};
