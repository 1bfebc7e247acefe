//! H3: the commit comes before the head of the response. If it fails, the handler's response does not go out.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE, VARY};
use http::{HeaderName, StatusCode};
use sessions_tower::{Error, Session, SessionRejection, status_of};

use crate::http::bench::{Bench, Site};
use crate::http::client::{Answer, Browser, COOKIE_NAME};
use crate::http::gate::Gate;
use crate::http::watched::Call::{self, Create, Delete, Load, Update};
use crate::http::watched::Fate;

const OF_THE_HANDLER: HeaderName = HeaderName::from_static("x-handler");

pub(crate) async fn h03_the_head_waits_for_the_commit(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1").await;
    let commit = bench.store.park(Update);
    let waiting = browser.start("/do/insert:a=2");
    commit.reached_by(1).await;

    // The server goes on, and had every opportunity to send the head.
    assert_eq!(browser.get("/do/read:a").await.ok(), "1");
    assert!(!waiting.is_finished());
    commit.admit(1);
    assert_eq!(waiting.await.expect("it ends").ok(), "");
    assert_eq!(browser.get("/do/read:a").await.ok(), "2");
}

/// A site whose handler answers with a header, a cookie and a body of its own after it has written.
async fn talkative(bench: &Bench) -> Site {
    let write = async |session: Session| {
        session.insert("b", &"2")?;
        Ok::<_, SessionRejection>(([(OF_THE_HANDLER, "1"), (SET_COOKIE, "theme=dark")], "done"))
    };
    bench.serve(bench.app().route("/write", get(write)).layer(bench.layer())).await
}

/// What DESIGN.md says of the default answer to a failure.
fn assert_failed(answer: &Answer, status: StatusCode, what: &str) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_eq!(answer.body, "", "{what}");
    assert!(answer.cookies().is_empty(), "{what}: {answer:?}");
    assert!(answer.all(OF_THE_HANDLER).is_empty(), "{what}: {answer:?}");
    assert_eq!(answer.all(CACHE_CONTROL), ["no-store"], "{what}");
    let retry: &[&str] = if status == StatusCode::SERVICE_UNAVAILABLE { &["1"] } else { &[] };
    assert_eq!(answer.all(RETRY_AFTER), retry, "{what}");
}

pub(crate) async fn h03_a_commit_that_fails_replaces_the_response(bench: Bench) {
    let site = talkative(&bench).await;
    let browser = site.visitor("insert:a=1").await;
    assert_eq!(browser.get("/write").await.cookies(), ["theme=dark"]);
    browser.get("/do/remove:b").await;

    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    for (call, fate) in [(Load, Fate::Unavailable), (Load, Fate::Swallowed), (Update, Fate::Unavailable)] {
        let what = format!("{call:?} {fate:?}");
        bench.store.next(call, fate);
        assert_failed(&browser.get("/write").await, unavailable, &what);
        assert_eq!(browser.get("/do/keys").await.ok(), "a", "{what}");
    }
    for fate in [Fate::Unavailable, Fate::Full] {
        bench.store.next(Create, fate.clone());
        assert_failed(&site.get("/write").await, unavailable, &format!("create {fate:?}"));
    }
    assert_failed(&browser.get("/do/huge").await, StatusCode::INTERNAL_SERVER_ERROR, "one value over the limit");
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

pub(crate) async fn h03_a_store_that_swallows_every_write_is_unavailable(bench: Bench) {
    let site = talkative(&bench).await;
    let browser = site.visitor("insert:a=1").await;
    for _ in 0..8 {
        bench.store.next(Update, Fate::Swallowed);
    }
    assert_failed(&browser.get("/write").await, StatusCode::SERVICE_UNAVAILABLE, "swallowed");
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

pub(crate) async fn h03_a_write_whose_answer_is_lost_is_settled_and_made_once(bench: Bench) {
    let site = bench.site().await;
    let lose = |call| bench.store.next(call, Fate::AnswerLost);
    lose(Create);
    let browser = site.visitor("add").await;
    assert_eq!(bench.store.calls(), [Create, Create, Delete], "another one, and the first is cleared up");
    lose(Update);
    assert_eq!(browser.get("/do/add").await.ok(), "2");
    assert_eq!(bench.store.calls(), [Load, Update, Load]);
    assert_eq!(browser.get("/do/count").await.ok(), "2");

    lose(Update);
    let old = browser.copy();
    browser.get("/do/rotate").await;
    assert_ne!(browser.token(), old.token(), "the cookie of a write that has landed is sent");
    assert_eq!(browser.get("/do/count").await.ok(), "2");

    bench.store.calls();
    lose(Delete);
    let answer = browser.get("/do/logout").await;
    assert_eq!(bench.store.calls(), [Load, Delete, Delete]);
    assert_eq!(answer.cookies().len(), 1, "it was this request that destroyed the session: {answer:?}");
}

pub(crate) async fn h03_a_commit_that_meets_writers_until_its_deadline_is_contended(bench: Bench) {
    let site = talkative(&bench).await;
    let browser = site.visitor("insert:a=1").await;
    let commit = bench.store.park(Update);
    let late = browser.start("/write");
    commit.reached_by(1).await;
    browser.get("/do/insert:a=2").await;
    bench.clock.advance(Duration::from_secs(5));
    commit.admit(1);
    assert_failed(&late.await.expect("it ends"), StatusCode::SERVICE_UNAVAILABLE, "contended");
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

/// The hook of a site that says which error it got.
#[expect(clippy::needless_pass_by_value, reason = "it is a hook of the layer")]
fn explain(error: Error) -> Response {
    let kinds = [
        ("lost", error.is_lost()),
        ("unavailable", error.is_unavailable()),
        ("full", error.is_full()),
        ("too large", error.is_too_large()),
        ("decode", error.is_decode()),
    ];
    let kinds: Vec<_> = kinds.iter().filter(|(_, is)| *is).map(|(kind, _)| *kind).collect();
    (status_of(&error), [(VARY, "accept")], kinds.join(",")).into_response()
}

async fn explaining(bench: &Bench) -> (Site, Browser) {
    let site = bench.serve(bench.app().layer(bench.layer().on_error(explain))).await;
    let browser = site.visitor("insert:a=1").await;
    (site, browser)
}

pub(crate) async fn h03_the_hook_makes_the_answer(bench: Bench) {
    let (site, browser) = explaining(&bench).await;
    let failing = async |call: Call, fate: Fate, browser: &Browser, path: &str| {
        bench.store.next(call, fate);
        browser.get(path).await
    };
    let answer = failing(Load, Fate::Unavailable, &browser, "/do/keys").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (503, "unavailable"));
    let answer = failing(Create, Fate::Full, &site.browser(), "/do/add").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (503, "full"));
    let answer = browser.get("/do/huge").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, "too large"));

    let late = browser.start("/slow/add");
    bench.gate.reached_by(1).await;
    browser.get("/do/logout").await;
    bench.gate.admit(1);
    let answer = late.await.expect("it ends");
    assert_eq!((answer.status.as_u16(), &*answer.body), (409, "lost"));
    assert!(answer.cookies().is_empty());
}

/// H8 and H12 hold for what the hook makes, too.
pub(crate) async fn h03_the_hooks_answer_keeps_the_rules(bench: Bench) {
    let hook = |error: Error| {
        let removal = format!("{COOKIE_NAME}=; Max-Age=0; Path=/; Secure");
        let cookies = [(SET_COOKIE, removal), (SET_COOKIE, "theme=dark".to_owned())];
        (status_of(&error), axum::response::AppendHeaders(cookies)).into_response()
    };
    let site = bench.serve(bench.app().layer(bench.layer().on_error(hook))).await;
    let browser = site.visitor("insert:a=1").await;
    let late = browser.start("/slow/add");
    bench.gate.reached_by(1).await;
    browser.get("/do/login:alice").await;
    let new = browser.token();
    bench.gate.admit(1);
    let answer = late.await.expect("it ends");
    assert_eq!(answer.status, 409);
    assert_eq!(answer.cookies(), ["theme=dark"], "it must not take away the cookie of the login");
    assert_eq!(answer.all(VARY), ["cookie"]);
    assert_eq!(browser.token(), new);
}

pub(crate) async fn h03_an_error_that_the_handler_returns_commits_nothing(bench: Bench) {
    let handler = async |session: Session| -> Result<&'static str, SessionRejection> {
        session.insert("b", &"2")?;
        session.get::<u64>("a")?;
        Ok("a number")
    };
    let site = bench.serve(bench.app().route("/number", get(handler)).layer(bench.layer().on_error(explain))).await;
    let browser = site.visitor("insert:a=1").await;
    let answer = browser.get("/number").await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (500, "decode"));
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

/// A handler that takes the rejection as a value answers by itself.
pub(crate) async fn h03_a_rejection_taken_as_a_value_is_the_handlers(bench: Bench) {
    let handler = async |session: Result<Session, SessionRejection>| match session {
        Ok(session) => session.keys().join(","),
        Err(rejection) => format!("sorry: {}", rejection.error().is_some_and(Error::is_unavailable)),
    };
    let site = bench.serve(bench.app().route("/sorry", get(handler)).layer(bench.layer().on_error(explain))).await;
    let browser = site.visitor("insert:a=1").await;
    assert_eq!(browser.get("/sorry").await.ok(), "a");
    bench.store.next(Load, Fate::Unavailable);
    assert_eq!(browser.get("/sorry").await.ok(), "sorry: true");
}

/// The store hangs until its deadline; meanwhile others are served.
pub(crate) async fn h03_a_store_that_hangs_holds_up_nobody_else(bench: Bench) {
    let site = talkative(&bench).await;
    let browser = site.visitor("insert:a=1").await;
    let deadline = Gate::closed();
    bench.store.next(Load, Fate::Hangs(deadline.clone()));
    let waiting = browser.start("/write");
    deadline.reached_by(1).await;
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
    assert_eq!(browser.get("/idle").await.ok(), "idle");
    deadline.admit(1);
    assert_failed(&waiting.await.expect("it ends"), StatusCode::SERVICE_UNAVAILABLE, "hung");
}

pub(crate) async fn h03_an_answer_that_comes_late_is_the_answer(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("add").await;
    for call in [Load, Update] {
        let late = Gate::closed();
        bench.store.next(call, Fate::AnswerParked(late.clone()));
        let waiting = browser.start("/do/add");
        late.reached_by(1).await;
        late.admit(1);
        assert_eq!(waiting.await.expect("it ends").status, 200);
    }
    assert_eq!(browser.get("/do/count").await.ok(), "3");
}
