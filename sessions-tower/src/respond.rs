//! What the client gets when the session could not be committed or loaded.

use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use sessions_core::Error;

/// Builds the response that takes the handler's place when its session could not be loaded or committed (H3).
///
/// Implemented by [`DefaultErrors`], and by closures `Fn(Error) -> Response<B>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how to answer with a body `{B}` when a session fails",
    note = "the default needs `{B}: Default`; give another with `SessionLayer::on_error(|error| …)`"
)]
pub trait RespondToError<B>: Clone {
    /// The response for an error. It must not quote the error to the client (ASVS 16.5.1).
    fn respond(&self, error: Error) -> Response<B>;
}

/// Answers with [`status_of`] and an empty body, `Retry-After` with a 503, and `Cache-Control: no-store`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultErrors;

impl<B: Default> RespondToError<B> for DefaultErrors {
    fn respond(&self, error: Error) -> Response<B> {
        let mut response = Response::new(B::default());
        let status = status_of(&error);
        *response.status_mut() = status;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl<B, F: Fn(Error) -> Response<B> + Clone> RespondToError<B> for F {
    fn respond(&self, error: Error) -> Response<B> {
        self(error)
    }
}

/// The status for an error: 409 when the session was [lost](Error::is_lost), 503 when trying again may help (the store is
/// unavailable, did not answer or is full, the session is contended, a newer version wrote the record), else 500.
///
/// ```
/// use sessions_tower::{Error, status_of};
///
/// assert_eq!(status_of(&Error::lost()), 409);
/// ```
#[must_use]
pub fn status_of(error: &Error) -> StatusCode {
    if error.is_lost() {
        StatusCode::CONFLICT
    } else if error.is_unavailable()
        || error.is_indeterminate()
        || error.is_full()
        || error.is_contended()
        || error.is_newer_format()
    {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}
