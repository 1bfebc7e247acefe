//! The runner of tower services, and the layer that all of them are compared with.

use std::future::poll_fn;
use std::task::{Context, Poll};

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use tower_service::Service;

use crate::runner::{Runner, cookie_of};

/// Calls a tower service.
#[derive(Debug)]
pub struct ServiceRunner<S>(pub S);

impl<S, B> Runner for ServiceRunner<S>
where
    S: Service<Request<()>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
{
    type Response = Response<B>;

    async fn request(&mut self, cookie: Option<&HeaderValue>) -> Response<B> {
        let mut request = Request::new(());
        if let Some(cookie) = cookie {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        poll_fn(|cx| self.0.poll_ready(cx)).await.expect("it is always ready");
        self.0.call(request).await.expect("it always answers")
    }

    fn cookie(response: &Response<B>) -> Option<HeaderValue> {
        cookie_of(response.headers().get_all(SET_COOKIE).iter().map(HeaderValue::as_bytes))
    }
}

/// In place of a session layer: puts a unit value into the request's extensions.
#[derive(Debug, Clone)]
pub struct WithoutSessions<S>(pub S);

#[derive(Clone)]
struct Unit;

impl<S: Service<Request<B>>, B> Service<Request<B>> for WithoutSessions<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(Unit);
        self.0.call(request)
    }
}
