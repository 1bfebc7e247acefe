//! H8: a response with our cookie stays out of caches, and one that was read from the session says that it depends on the cookie.

use axum::response::AppendHeaders;
use axum::routing::get;
use http::header::{CACHE_CONTROL, HeaderName, VARY};
use sessions_tower::Session;

use crate::http::app::act;
use crate::http::bench::Bench;

pub(crate) async fn h08_no_store_with_our_cookie_and_vary_when_read(bench: Bench) {
    let site = bench.site().await;
    let browser = site.browser();
    for (what, path, cookies, no_store, vary) in [
        ("not asked for", "/idle", 0, false, false),
        ("read by who has none", "/do/keys", 0, false, true),
        ("created", "/do/insert:a=1", 1, true, true),
        ("read", "/do/read:a", 0, false, true),
        ("written", "/do/insert:a=2", 0, false, true),
        ("rotated", "/do/rotate", 1, true, true),
        ("logged in", "/do/login:alice", 1, true, true),
        ("not asked for, with a cookie", "/idle", 0, false, false),
        ("destroyed", "/do/logout", 1, true, true),
    ] {
        let answer = browser.get(path).await;
        let expect = |on: bool, value: &'static str| if on { vec![value] } else { vec![] };
        assert_eq!(answer.cookies().len(), cookies, "{what}");
        assert_eq!(answer.all(CACHE_CONTROL), expect(no_store, "no-store"), "{what}");
        assert_eq!(answer.all(VARY), expect(vary, "cookie"), "{what}");
    }
}

pub(crate) async fn h08_the_handlers_own_caching_headers(bench: Bench) {
    let headers = |headers: &'static [(HeaderName, &'static str)], action: &'static str| {
        get(async move |session: Session| {
            act(&session, action).expect("it acts");
            AppendHeaders(headers.iter().cloned())
        })
    };
    let app = bench
        .app()
        .route("/public", headers(&[(CACHE_CONTROL, "public, max-age=60"), (CACHE_CONTROL, "s-maxage=60")], "keys"))
        .route("/created", headers(&[(CACHE_CONTROL, "public"), (CACHE_CONTROL, "s-maxage=60")], "insert:a=1"))
        .route("/accept", headers(&[(VARY, "accept")], "keys"))
        .route("/varies", headers(&[(VARY, "accept, Cookie")], "keys"))
        .route("/star", headers(&[(VARY, "*")], "keys"));
    let site = bench.serve(app.layer(bench.layer())).await;
    let public = site.get("/public").await;
    assert_eq!(public.all(CACHE_CONTROL), ["public, max-age=60", "s-maxage=60"], "its decision, with Vary");
    assert_eq!(public.all(VARY), ["cookie"]);
    assert_eq!(site.get("/created").await.all(CACHE_CONTROL), ["no-store"], "not with our cookie");
    assert_eq!(site.get("/accept").await.all(VARY), ["accept", "cookie"]);
    assert_eq!(site.get("/varies").await.all(VARY), ["accept, Cookie"]);
    assert_eq!(site.get("/star").await.all(VARY), ["*"]);
}

/// ASVS 14.2.1: the token is in the cookie and nowhere else.
pub(crate) async fn h08_the_token_is_only_in_the_cookie(bench: Bench) {
    let site = bench.site().await;
    let browser = site.browser();
    let answer = browser.get("/do/insert:a=1").await;
    let token = browser.token();
    let elsewhere = answer.headers.iter().filter(|(name, _)| *name != http::header::SET_COOKIE);
    assert_eq!(elsewhere.filter(|(_, value)| value.as_bytes().windows(64).any(|w| w == token.as_bytes())).count(), 0);
    assert!(!answer.body.contains(&token));
    let stored = bench.stored(&token).await.expect("it is stored");
    assert!(!stored.record.windows(32).any(|window| token.as_bytes().windows(32).any(|part| part == window)));
}
