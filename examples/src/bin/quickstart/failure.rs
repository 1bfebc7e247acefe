//! What the visitor sees when the session could not be loaded or committed.
//!
//! The layer calls [`answer`] in place of the handler's response, which does not go out: what it promised did not happen.

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use sessions_tower::{Error, status_of};

use crate::page;

/// A page for each kind of failure, with the status that the library suggests. It does not quote the error (ASVS 16.5.1).
#[expect(clippy::needless_pass_by_value, reason = "it is a hook of the layer")]
pub(crate) fn answer(error: Error) -> Response {
    let status = status_of(&error);
    let page = if error.is_lost() {
        page::message(
            "Your session has changed",
            "You signed in or out, or your session was ended elsewhere, while this page was under way. Nothing was changed.",
            "Go on",
        )
    } else if status == 503 {
        page::message(
            "One moment, please",
            "Your session cannot be reached just now. Nothing is lost; try again in a moment.",
            "Try again",
        )
    } else {
        page::message("That did not work", "Something is wrong on our side. Nothing was changed.", "Back")
    };
    let mut response = (status, page).into_response();
    if status == 503 {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
