//! The layer: what an application configures.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use sessions_core::SessionManager;
use tower_layer::Layer;

use crate::cookie::CookieConfig;
use crate::drain::Detached;
use crate::respond::DefaultErrors;
use crate::service::SessionService;
use crate::slot::Main;

/// Gives every request behind it a session: [`Session`](crate::Session) in axum handlers,
/// [`SessionSlot`](crate::SessionSlot) in any tower service.
///
/// ```
/// use sessions_memory::MemoryStore;
/// use sessions_tower::{SessionLayer, SessionManager};
///
/// let manager = SessionManager::builder(MemoryStore::new()).build()?;
/// let sessions = SessionLayer::new(manager);
/// # let _ = tower_layer::Layer::layer(&sessions, ());
/// # Ok::<(), sessions_tower::Error>(())
/// ```
pub struct SessionLayer<M = Main, E = DefaultErrors> {
    config: Arc<Config>,
    errors: E,
    marker: PhantomData<fn() -> M>,
}

/// What the layer and its services share.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) manager: SessionManager,
    pub(crate) cookie: CookieConfig,
    pub(crate) commit_when: Option<CommitWhen>,
    pub(crate) touch_on_every_request: bool,
    pub(crate) auto_renew: bool,
    pub(crate) detached: Detached,
}

pub(crate) type CommitWhen = Arc<dyn Fn(StatusCode, &HeaderMap) -> bool + Send + Sync>;

impl SessionLayer {
    /// A layer with the default cookie.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        let config = Config {
            manager,
            cookie: CookieConfig::default(),
            commit_when: None,
            touch_on_every_request: false,
            auto_renew: false,
            detached: Detached::default(),
        };
        Self { config: Arc::new(config), errors: DefaultErrors, marker: PhantomData }
    }
}

impl<M, E> SessionLayer<M, E> {
    /// The cookie. Default [`CookieConfig::default`].
    #[must_use]
    pub fn cookie(self, cookie: CookieConfig) -> Self {
        self.configure(|config| config.cookie = cookie)
    }

    /// Marks the layer, for a second one in an application: its sessions are extracted as `Session<M>` (H13).
    #[must_use]
    pub fn marker<N>(self) -> SessionLayer<N, E> {
        SessionLayer { config: self.config, errors: self.errors, marker: PhantomData }
    }

    /// What the client gets when its session could not be loaded or committed, in place of the handler's response.
    ///
    /// Default [`DefaultErrors`]. A hook lifts that one's bound on the body.
    ///
    /// ```
    /// # use sessions_memory::MemoryStore;
    /// # use sessions_tower::{SessionLayer, SessionManager, status_of};
    /// # let manager = SessionManager::builder(MemoryStore::new()).build()?;
    /// let sessions = SessionLayer::new(manager).on_error(|error: sessions_tower::Error| {
    ///     let page = if error.is_lost() { "You were signed out meanwhile." } else { "Please try again." };
    ///     http::Response::builder().status(status_of(&error)).body(page.to_owned()).expect("a response")
    /// });
    /// # let _ = sessions;
    /// # Ok::<(), sessions_tower::Error>(())
    /// ```
    #[must_use]
    pub fn on_error<F>(self, errors: F) -> SessionLayer<M, F> {
        SessionLayer { config: self.config, errors, marker: PhantomData }
    }

    /// Decides by the handler's response whether its changes are committed (H10). Default: always, 4xx and 5xx too; a panic
    /// never commits. It is not called for a request that has not asked for its session, unless that is to be
    /// [touched](Self::touch_on_every_request).
    #[must_use]
    pub fn commit_when(self, commit: impl Fn(StatusCode, &HeaderMap) -> bool + Send + Sync + 'static) -> Self {
        self.configure(|config| config.commit_when = Some(Arc::new(commit)))
    }

    /// Whether a request counts as activity although its handler does not ask for the session. Default false, because
    /// it makes every request with a cookie cost a store call.
    #[must_use]
    pub fn touch_on_every_request(self, touch: bool) -> Self {
        self.configure(|config| config.touch_on_every_request = touch)
    }

    /// Whether a session that [should be rotated](sessions_core::Session::should_rotate) is renewed by the layer when a
    /// request uses it. Default false: without it a session ends with its lifetime. Set the manager's
    /// [`absolute_timeout`](sessions_core::SessionManagerBuilder::absolute_timeout) too.
    #[must_use]
    pub fn auto_renew(self, renew: bool) -> Self {
        self.configure(|config| config.auto_renew = renew)
    }

    /// Waits for the commits whose clients have gone away (H9). Call it at shutdown, after the server has stopped and
    /// before [`SessionManager::stop`].
    pub async fn drain(&self) {
        self.config.detached.drained().await;
    }

    fn configure(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S, M, E: Clone> Layer<S> for SessionLayer<M, E> {
    type Service = SessionService<S, M, E>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, Arc::clone(&self.config), self.errors.clone())
    }
}

impl<M, E: Clone> Clone for SessionLayer<M, E> {
    fn clone(&self) -> Self {
        Self { config: Arc::clone(&self.config), errors: self.errors.clone(), marker: PhantomData }
    }
}

impl<M, E> fmt::Debug for SessionLayer<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("manager", &self.config.manager)
            .field("cookie", &self.config.cookie)
            .field("touch_on_every_request", &self.config.touch_on_every_request)
            .field("auto_renew", &self.config.auto_renew)
            .finish_non_exhaustive()
    }
}
