//! The headers that the layer adds to a response. All others are untouched (H14).

use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

use crate::scan::trim;

/// Adds our `Set-Cookie`, and keeps the response out of caches, which would hand the cookie to others (H8, ASVS 14.3.2).
pub(crate) fn set_cookie(headers: &mut HeaderMap, cookie: HeaderValue) {
    headers.append(SET_COOKIE, cookie);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Takes the cookies of session layers, which are the sensitive ones, over to the response that goes out instead.
pub(crate) fn keep_session_cookies(from: &HeaderMap, to: &mut HeaderMap) {
    for cookie in from.get_all(SET_COOKIE).iter().filter(|cookie| cookie.is_sensitive()) {
        set_cookie(to, cookie.clone());
    }
}

/// Says that the response depends on the cookie, unless it says so already (H8).
pub(crate) fn vary_by_cookie(headers: &mut HeaderMap) {
    let said =
        headers.get_all(VARY).iter().flat_map(|field| field.as_bytes().split(|&byte| byte == b',')).any(|name| {
            let name = name.trim_ascii();
            name == b"*" || name.eq_ignore_ascii_case(b"cookie")
        });
    if !said {
        headers.append(VARY, HeaderValue::from_static("cookie"));
    }
}

/// Drops a `Set-Cookie` of our name that the handler has set by itself, and reports it: it would take the session's cookie
/// away (H12).
pub(crate) fn drop_foreign(headers: &mut HeaderMap, name: &str) {
    let is_ours = |cookie: &HeaderValue| poses_as(cookie.as_bytes(), name.as_bytes());
    if !headers.get_all(SET_COOKIE).iter().any(is_ours) {
        return;
    }
    tracing::warn!(target: "sessions", cookie = name, "cookie.set_by_handler");
    if let Entry::Occupied(cookies) = headers.entry(SET_COOKIE) {
        let (_, cookies) = cookies.remove_entry_mult();
        let others: Vec<_> = cookies.filter(|cookie| !is_ours(cookie)).collect();
        for cookie in others {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

/// Whether a browser would send this `Set-Cookie` back under `name`. It trims the name (RFC 6265bis §5.6), and sends a cookie
/// without one as its bare value.
fn poses_as(cookie: &[u8], name: &[u8]) -> bool {
    let pair = cookie.split(|&byte| byte == b';').next().unwrap_or_default();
    let named = |pair: &[u8]| pair.iter().position(|&byte| byte == b'=').map(|at| trim(&pair[..at]) == name);
    let bare = trim(pair).strip_prefix(b"=").unwrap_or_default();
    named(pair) == Some(true) || named(bare) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }
    fn all(headers: &HeaderMap, name: http::HeaderName) -> Vec<&str> {
        headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
    }

    #[test]
    fn h08_vary_is_added_once() {
        for (before, after) in [
            (&[][..], &["cookie"][..]),
            (&[(VARY, "Accept, Cookie")], &["Accept, Cookie"]),
            (&[(VARY, "*")], &["*"]),
            (&[(VARY, "accept"), (VARY, "cookies")], &["accept", "cookies", "cookie"]),
        ] {
            let mut headers = headers(before);
            vary_by_cookie(&mut headers);
            vary_by_cookie(&mut headers);
            assert_eq!(all(&headers, VARY), after);
        }
    }

    #[test]
    fn h12_a_handlers_cookie_of_our_name_is_dropped_and_others_stay() {
        let mut headers = headers(&[
            (SET_COOKIE, "a=1; Path=/"),
            (SET_COOKIE, " session=forged; Path=/"),
            (SET_COOKIE, "session2=x"),
            (SET_COOKIE, "b=session=y"),
            (SET_COOKIE, "session \t= spaced"),
            (SET_COOKIE, " = session=nameless"),
            (SET_COOKIE, "==session=x"),
            (SET_COOKIE, "session"),
            (SET_COOKIE, ""),
        ]);
        drop_foreign(&mut headers, "session");
        let others = ["a=1; Path=/", "session2=x", "b=session=y", "==session=x", "session", ""];
        assert_eq!(all(&headers, SET_COOKIE), others);
    }

    #[test]
    fn h08_our_cookie_makes_the_response_uncacheable() {
        let mut headers = headers(&[(CACHE_CONTROL, "public, max-age=60"), (SET_COOKIE, "a=1")]);
        set_cookie(&mut headers, HeaderValue::from_static("session=x"));
        assert_eq!(all(&headers, CACHE_CONTROL), ["no-store"]);
        assert_eq!(all(&headers, SET_COOKIE), ["a=1", "session=x"]);
    }
}
