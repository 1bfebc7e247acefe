//! H10: the status does not decide; `commit_when` may; a panic commits nothing.

use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use sessions_tower::{Session, SessionRejection};
use tokio::sync::mpsc::unbounded_channel;

use crate::http::bench::Bench;
use crate::http::client::try_send;
use crate::http::watched::Call::{Load, Update};

/// Writes the key, and answers with the status.
async fn answer(session: Session, Path((status, key)): Path<(u16, String)>) -> Result<StatusCode, SessionRejection> {
    session.insert(key, &1)?;
    Ok(StatusCode::from_u16(status).expect("a status"))
}

pub(crate) async fn h10_the_status_does_not_decide(bench: Bench) {
    let site = bench.serve(bench.app().route("/{status}/{key}", get(answer)).layer(bench.layer())).await;
    let browser = site.browser();
    for status in [404, 500, 303, 204, 401, 503] {
        let answer = browser.get(&format!("/{status}/k{status}")).await;
        assert_eq!(answer.status.as_u16(), status);
    }
    assert_eq!(browser.get("/do/keys").await.ok(), "k204,k303,k401,k404,k500,k503");
}

pub(crate) async fn h10_commit_when_decides_by_status_and_headers(bench: Bench) {
    let when = |status: StatusCode, headers: &HeaderMap| status.is_success() && !headers.contains_key("x-dry-run");
    let dry = async |session: Session| {
        session.insert("dry", &1)?;
        Ok::<_, SessionRejection>([("x-dry-run", "1")])
    };
    let app = bench.app().route("/{status}/{key}", get(answer)).route("/dry", get(dry));
    let site = bench.serve(app.layer(bench.layer().commit_when(when))).await;

    let browser = site.browser();
    assert!(browser.get("/500/never").await.cookies().is_empty());
    assert!(browser.get("/dry").await.cookies().is_empty());
    assert_eq!(bench.store.calls(), [], "nothing is created");
    browser.get("/200/kept").await;
    bench.store.calls();
    assert_eq!(browser.get("/404/never").await.status, 404);
    assert_eq!(browser.get("/dry").await.status, 200);
    assert_eq!(bench.store.calls(), [Load, Load]);
    assert_eq!(browser.get("/do/keys").await.ok(), "kept");
}

/// Writes, leaves the session with the test, and panics.
fn panicking() -> (axum::routing::MethodRouter, tokio::sync::mpsc::UnboundedReceiver<Session>) {
    let (sender, leaked) = unbounded_channel();
    let handler = async move |session: Session| -> &'static str {
        session.insert("half", &"done").expect("it is open");
        session.rotate().expect("it is open");
        sender.send(session.clone()).expect("the test listens");
        panic!("as this test wants it");
    };
    (get(handler), leaked)
}

pub(crate) async fn h10_a_panic_commits_nothing(bench: Bench) {
    let (panicking, mut leaked) = panicking();
    let site = bench.serve(bench.app().route("/panic", panicking).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();
    try_send(site.address, browser.request("/panic")).await.expect_err("the connection is closed");
    assert_eq!(bench.store.calls(), [Load]);
    let session = leaked.recv().await.expect("the handler has sent it");
    // The connection is closed while the request is being dropped, perhaps before its session is.
    let is_open = || !session.insert("late", &1).is_err_and(|error| error.is_sealed());
    while is_open() {
        tokio::task::yield_now().await;
    }
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

/// Who catches panics does so around the layer.
pub(crate) async fn h10_a_panic_that_is_caught_around_the_layer_commits_nothing(bench: Bench) {
    let (panicking, _leaked) = panicking();
    let catch = async |request: Request, next: Next| -> Response {
        tokio::spawn(next.run(request)).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    };
    let app = bench.app().route("/panic", panicking).layer(bench.layer()).layer(from_fn(catch));
    let site = bench.serve(app).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();
    let answer = browser.get("/panic").await;
    assert_eq!(answer.status, 500);
    assert!(answer.cookies().is_empty());
    assert_eq!(bench.store.calls(), [Load]);
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

/// A closure of `update` that panics when the commit runs it again: the commit ends, and nothing of it is written.
pub(crate) async fn h10_a_closure_that_panics_in_the_commit_leaves_nothing_behind(bench: Bench) {
    let handler = async |session: Session| {
        let picky = |count: Option<u64>| if count == Some(2) { panic!("as this test wants it") } else { 100 };
        session.insert("half", &"done")?;
        session.update("count", picky)?;
        Ok::<_, SessionRejection>(())
    };
    let layer = bench.layer();
    let site = bench.serve(bench.app().route("/picky", get(handler)).layer(layer.clone())).await;
    let browser = site.visitor("add").await;
    let commit = bench.store.park(Update);
    let (address, request) = (site.address, browser.request("/picky"));
    let client = tokio::spawn(async move { try_send(address, request).await });
    commit.reached_by(1).await;
    browser.get("/do/add").await;
    commit.admit(1);
    client.await.expect("it ends").expect_err("the connection is closed");
    layer.drain().await;
    assert_eq!(browser.get("/do/keys").await.ok(), "count");
    assert_eq!(browser.get("/do/add").await.ok(), "3");
}
