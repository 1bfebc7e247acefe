//! H11: with the store down, those who do not need it are served. An outage is never an empty session.

use axum::routing::get;
use http::StatusCode;
use http::header::RETRY_AFTER;
use sessions_tower::{Session, SessionLayer, SessionReader};

use crate::http::bench::Bench;
use crate::http::watched::Call::{Create, Load, Touch, Update};
use crate::http::watched::Fate;

pub(crate) async fn h11_an_outage_is_not_an_empty_session(bench: Bench) {
    let who = async |session: Option<Session>| if session.is_some() { "somebody" } else { "nobody" };
    let reader = async |session: Option<SessionReader>| if session.is_some() { "somebody" } else { "nobody" };
    let app = bench.app().route("/who", get(who)).route("/reader", get(reader));
    let site = bench.serve(app.layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;

    for outage in [Fate::Unavailable, Fate::Swallowed] {
        bench.store.otherwise(outage.clone());
        bench.store.calls();
        for path in ["/idle", "/do/keys", "/who", "/reader"] {
            assert_eq!(site.get(path).await.status, 200, "without a cookie: {path}");
        }
        assert_eq!(browser.get("/idle").await.ok(), "idle", "with a cookie, not asked for");
        assert_eq!(bench.store.calls(), []);
        for path in ["/do/keys", "/do/insert:a=2", "/do/logout", "/who", "/reader"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path} {outage:?}");
            assert_eq!(answer.all(RETRY_AFTER), ["1"]);
            assert_eq!(answer.body, "");
            assert!(answer.cookies().is_empty(), "{path}: {answer:?}");
            assert_eq!(bench.store.calls(), [Load], "{path}");
        }
        bench.store.otherwise(Fate::Answered);
        assert_eq!(browser.get("/do/read:a").await.ok(), "1", "as if nothing had been");
        assert_eq!(browser.get("/who").await.ok(), "somebody");
    }
}

pub(crate) async fn h11_a_full_store_refuses_newcomers_and_serves_the_rest(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.next(Create, Fate::Full);
    let refused = site.get("/do/insert:a=1").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.cookies().is_empty() && refused.all(RETRY_AFTER) == ["1"], "{refused:?}");
    assert_eq!(site.get("/do/keys").await.ok(), "");
    assert_eq!(browser.get("/do/add").await.ok(), "1");
    assert_eq!(browser.get("/do/keys").await.ok(), "a,count");
}

/// A touch is not something that the handler did.
pub(crate) async fn h11_a_touch_that_fails_fails_nothing(bench: Bench) {
    let idle_timeout = std::time::Duration::from_secs(1600);
    let manager = bench.builder().idle_timeout(idle_timeout).build().expect("valid settings");
    let site = bench.serve(bench.app().layer(SessionLayer::new(manager))).await;
    let browser = site.visitor("insert:a=1").await;
    for fate in [Fate::Unavailable, Fate::Swallowed, Fate::AnswerLost] {
        bench.clock.advance(idle_timeout / 8);
        bench.store.next(Touch, fate);
        assert_eq!(browser.get("/do/read:a").await.ok(), "1");
    }
    assert_eq!(bench.events.count("session.touch_failed"), 3);
}

/// With `touch_on_every_request` the layer asks by itself. The handler did not, and must not notice.
pub(crate) async fn h11_touching_on_every_request_notices_no_outage(bench: Bench) {
    let idle_timeout = std::time::Duration::from_secs(1600);
    let manager = bench.builder().idle_timeout(idle_timeout).build().expect("valid settings");
    let site = bench.serve(bench.app().layer(SessionLayer::new(manager).touch_on_every_request(true))).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();

    assert_eq!(browser.get("/idle").await.ok(), "idle");
    assert_eq!(bench.store.calls(), [Load], "no touch is due yet");
    bench.clock.advance(idle_timeout / 8);
    let touched = browser.get("/idle").await;
    assert_eq!(bench.store.calls(), [Load, Touch]);
    assert!(touched.all(http::header::VARY).is_empty(), "the answer does not depend on the session: {touched:?}");
    assert_eq!(site.get("/idle").await.ok(), "idle");
    assert_eq!(bench.store.calls(), [], "without a cookie there is nothing to touch");

    bench.store.otherwise(Fate::Unavailable);
    assert_eq!(browser.get("/idle").await.ok(), "idle");
    bench.store.otherwise(Fate::Answered);

    // Used every quarter of the window, it outlives the window.
    for _ in 0..8 {
        bench.clock.advance(idle_timeout / 4);
        assert_eq!(browser.get("/idle").await.ok(), "idle");
    }
    assert_eq!(browser.get("/do/read:a").await.ok(), "1");
}

/// Overlapping requests while the store comes and goes: each answer is the truth.
pub(crate) async fn h11_what_is_answered_during_a_flapping_outage_is_true(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("add").await;
    let mut counted = 1u64;
    for round in 0..24 {
        let fate = [Fate::Unavailable, Fate::Swallowed, Fate::AnswerLost, Fate::Answered][round % 4].clone();
        bench.store.next(if round % 3 == 0 { Load } else { Update }, fate);
        let answer = browser.get("/do/add").await;
        if answer.status == 200 {
            counted += 1;
        } else {
            assert_eq!(answer.status, 503);
        }
        assert_eq!(browser.get("/do/count").await.ok(), counted.to_string(), "round {round}");
    }
}
