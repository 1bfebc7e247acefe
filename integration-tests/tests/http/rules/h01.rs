//! H1: a session nobody asks for costs no store call and no header; it is loaded once, when it is asked for.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use http::header::{CACHE_CONTROL, VARY};
use sessions_tower::{Session, SessionReader, SessionRejection, SessionSlot};

use crate::http::bench::Bench;
use crate::http::client::{COOKIE_NAME, plain, with_cookie};
use crate::http::watched::Call;

pub(crate) async fn h01_a_session_nobody_asks_for_costs_nothing(bench: Bench) {
    let site = bench.site().await;
    let known = site.visitor("insert:a=1").await.token();
    bench.store.calls();

    let unknown = "A".repeat(64);
    for cookie in [None, Some(known), Some(unknown), Some("malformed".to_owned())] {
        let request = match &cookie {
            Some(value) => with_cookie("/idle", format!("{COOKIE_NAME}={value}")),
            None => plain("/idle"),
        };
        let answer = site.send(request).await;
        assert_eq!(answer.ok(), "idle");
        assert_eq!(bench.store.calls(), [], "{cookie:?}");
        assert!(answer.cookies().is_empty(), "{answer:?}");
        assert!(answer.all(VARY).is_empty() && answer.all(CACHE_CONTROL).is_empty(), "{answer:?}");
    }
}

pub(crate) async fn h01_it_is_loaded_once_however_often_it_is_asked_for(bench: Bench) {
    let before = async |session: Session, request: Request, next: Next| -> Result<Response, SessionRejection> {
        session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
        Ok(next.run(request).await)
    };
    let handler = async |one: Session, reader: SessionReader, two: Option<Session>, slot: SessionSlot| {
        // At the same time, too.
        let (three, four) = tokio::join!(slot.load(), slot.load());
        let counts = [
            one.get::<u64>("count")?,
            reader.get("count")?,
            two.expect("it is stored").get("count")?,
            three?.get("count")?,
            four?.get("count")?,
        ];
        Ok::<_, SessionRejection>(format!("{counts:?}"))
    };
    let app = bench.app().merge(Router::new().route("/all", get(handler))).layer(from_fn(before)).layer(bench.layer());
    let site = bench.serve(app).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();

    // Every handle is the same session: each sees what the middleware has changed.
    assert_eq!(browser.get("/all").await.ok(), "[Some(2), Some(2), Some(2), Some(2), Some(2)]");
    assert_eq!(bench.store.calls(), [Call::Load, Call::Update]);
}

pub(crate) async fn h01_a_slot_is_loaded_when_the_handler_decides_so(bench: Bench) {
    let handler = async |slot: SessionSlot, request: Request| -> Result<String, SessionRejection> {
        if request.uri().query() != Some("load") {
            return Ok("not loaded".to_owned());
        }
        Ok(slot.load().await?.keys().join(","))
    };
    let site = bench.serve(bench.app().route("/maybe", get(handler)).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();

    assert_eq!(browser.get("/maybe").await.ok(), "not loaded");
    assert_eq!(bench.store.calls(), []);
    assert_eq!(browser.get("/maybe?load").await.ok(), "a");
    assert_eq!(bench.store.calls(), [Call::Load]);
}
