//! What an application with forms needs besides sessions: protection against requests from other sites, and headers.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::page;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses changes that another site asks for. `SameSite=Lax` keeps the cookie from most of them; this holds for sibling
/// subdomains and for browsers without `SameSite` as well.
pub(crate) async fn same_origin_only(request: Request, next: Next) -> Response {
    if is_from_elsewhere(request.method(), request.headers()) {
        let page = page::message("Refused", "This request came from another site.", "Back");
        return (StatusCode::FORBIDDEN, page).into_response();
    }
    next.run(request).await
}

/// 1. Safe methods change nothing. 2. Where the browser says which site asks, that counts: this one, or the user's own
///    typing. 3. An older browser says the origin, which is to be this host. 4. What says neither is no browser, and has
///    nobody's cookies.
fn is_from_elsewhere(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host.as_bytes());
    host.is_none() || host != headers.get(HOST).map(HeaderValue::as_bytes)
}

/// No frames, nothing from elsewhere, no script but the one of [`page`]: this application needs none. And no cache keeps
/// anything: the session layer says so only where a cookie is set, for it does not know which pages are about somebody
/// (ASVS 14.3.2).
pub(crate) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; img-src data:; style-src 'unsafe-inline'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
