//! The service: what happens to a request on its way in.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use sessions_core::Session;
use tower_service::Service;

use crate::future::{Layered, ResponseFuture};
use crate::layer::Config;
use crate::respond::{DefaultErrors, RespondToError};
use crate::scan::{Presented, scan};
use crate::slot::{Main, Slots};

/// The service that [`SessionLayer`](crate::SessionLayer) makes.
pub struct SessionService<S, M = Main, E = DefaultErrors> {
    inner: S,
    config: Arc<Config>,
    errors: E,
    marker: PhantomData<fn() -> M>,
}

impl<S, M, E> SessionService<S, M, E> {
    pub(crate) fn new(inner: S, config: Arc<Config>, errors: E) -> Self {
        Self { inner, config, errors, marker: PhantomData }
    }
}

impl<S, M, E, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S, M, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    M: 'static,
    E: RespondToError<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    /// No store call, and no header: the session waits to be asked for (H1).
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let session = begin(&self.config, &request);
        let marker = TypeId::of::<M>();
        let pushed = Slots::push(request.extensions_mut(), marker, &self.config, &session);
        let (config, errors) = (Arc::clone(&self.config), self.errors.clone());
        let layered = Layered { config, marker, session, errors };
        match pushed {
            Ok(()) => ResponseFuture::new(self.inner.call(request), layered),
            Err(error) => ResponseFuture::refused(error, layered),
        }
    }
}

/// What cannot be a token of ours reaches no store and makes no session (H5).
fn begin<B>(config: &Config, request: &Request<B>) -> Session {
    let presented = match scan(request.headers(), config.cookie.name()) {
        Presented::Nothing => None,
        Presented::Token(token) => Some(token),
        Presented::Malformed => {
            tracing::warn!(target: "sessions", cookie = config.cookie.name(), "cookie.malformed");
            None
        }
        Presented::Ambiguous => {
            tracing::warn!(target: "sessions", cookie = config.cookie.name(), "cookie.ambiguous");
            None
        }
    };
    config.manager.begin(presented)
}

impl<S: Clone, M, E: Clone> Clone for SessionService<S, M, E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            config: Arc::clone(&self.config),
            errors: self.errors.clone(),
            marker: PhantomData,
        }
    }
}

impl<S: fmt::Debug, M, E> fmt::Debug for SessionService<S, M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
