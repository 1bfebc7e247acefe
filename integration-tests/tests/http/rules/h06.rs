//! H6: the removal cookie is sent only by the response whose request destroyed the session, and finds the cookie it removes.

use sessions_tower::{CookieConfig, SameSite};

use crate::http::bench::{Bench, id_of};
use crate::http::watched::Call::{Create, Delete, Load};

pub(crate) async fn h06_destroying_the_session_removes_its_cookie(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("login:alice").await;
    let token = browser.token();
    let answer = browser.get("/do/logout").await;
    let removal =
        "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(answer.cookies(), [removal]);
    assert_eq!(browser.cookie("__Host-session"), None);
    assert!(bench.stored(&token).await.is_none());
    assert_eq!(bench.events.count("session.destroyed"), 1);
}

/// A browser removes a cookie only if name, Domain and Path are those it was set with.
pub(crate) async fn h06_the_removal_has_every_attribute_of_the_original(bench: Bench) {
    let cookie = CookieConfig::builder()
        .name("__Secure-app")
        .domain("example.com")
        .path("/do")
        .same_site(SameSite::None)
        .partitioned(true)
        .http_only(false)
        .build()
        .expect("browsers accept it");
    let site = bench.serve(bench.app().layer(bench.layer().cookie(cookie))).await;
    let browser = site.browser();
    let set = browser.get("/do/insert:a=1").await;
    let removal = browser.get("/do/logout").await;
    let ([set], [removal]) = (&set.cookies()[..], &removal.cookies()[..]) else { panic!("one cookie each") };
    let attributes = &set["__Secure-app=".len() + 64..];
    assert_eq!(attributes, "; Path=/do; Domain=example.com; Secure; SameSite=None; Partitioned");
    let expected = format!("__Secure-app={attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(*removal, expected);
}

/// Somebody else ended the session: perhaps there is a new one in the browser by now.
pub(crate) async fn h06_a_second_logout_sends_no_removal(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("login:alice").await;
    let late = browser.start("/slow/logout");
    bench.gate.reached_by(1).await;
    browser.get("/do/logout").await;
    browser.get("/do/login:bob").await;
    let bobs = browser.token();
    bench.gate.admit(1);
    let answer = late.await.expect("it ends");
    assert!(answer.ok().is_empty() && answer.cookies().is_empty(), "{answer:?}");
    assert_eq!(browser.token(), bobs);
    assert_eq!(browser.get("/do/who").await.ok(), "bob");
}

pub(crate) async fn h06_there_is_nothing_to_remove_for_who_had_no_session(bench: Bench) {
    let site = bench.site().await;
    for path in ["/do/logout", "/do/insert:a=1+logout"] {
        let answer = site.get(path).await;
        assert!(answer.ok().is_empty() && answer.cookies().is_empty(), "{path}: {answer:?}");
    }
    assert_eq!(bench.store.calls(), []);
}

/// What is written after the destruction is a new session: one cookie, which replaces the old one.
pub(crate) async fn h06_a_session_that_follows_a_destroyed_one_is_new(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1+login:alice").await;
    let old = browser.token();
    bench.store.calls();
    let answer = browser.get("/do/logout+insert:flash=bye").await;
    assert_eq!(bench.store.calls(), [Load, Delete, Create]);
    assert_eq!(answer.cookies().len(), 1);
    assert_ne!(id_of(&browser.token()), id_of(&old));
    assert_eq!(browser.get("/do/keys").await.ok(), "flash");
    assert_eq!(browser.get("/do/who").await.ok(), "");
    assert!(bench.stored(&old).await.is_none());
}
