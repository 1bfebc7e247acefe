//! H4: after the commit the handle is sealed, and writing to it is an error. So it is after a request that came to nothing.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sessions_tower::{Error, Session, SessionRejection, SessionSlot};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::http::app::act;
use crate::http::bench::Bench;
use crate::http::gate::Gate;
use crate::http::watched::Call::{Create, Load, Update};
use crate::http::watched::Fate;

/// A route whose handler acts, and leaves the session with the test.
fn leaking(path: &str) -> (Router, UnboundedReceiver<Session>) {
    let (sender, leaked) = unbounded_channel();
    let handler = async move |session: Session, Path(action): Path<String>| {
        sender.send(session.clone()).expect("the test listens");
        act(&session, &action).map_err(SessionRejection::from)
    };
    (Router::new().route(path, get(handler)), leaked)
}

#[track_caller]
fn assert_sealed(session: &Session, what: &str) {
    let is_sealed = |result: Result<(), Error>| result.is_err_and(|error| error.is_sealed());
    assert!(is_sealed(session.insert("late", &1)), "{what}");
    assert!(is_sealed(session.remove("a")), "{what}");
    assert!(is_sealed(session.update("count", |n: Option<u64>| n.unwrap_or(0)).map(drop)), "{what}");
    assert!(is_sealed(session.rotate()), "{what}");
    assert!(is_sealed(session.set_owner("mallory")), "{what}");
    assert!(is_sealed(session.destroy()), "{what}");
}

pub(crate) async fn h04_a_handle_is_sealed_by_its_commit_whatever_that_comes_to(bench: Bench) {
    let (route, mut leaked) = leaking("/leak/{action}");
    let site = bench.serve(bench.app().merge(route).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    let mut next = async || leaked.recv().await.expect("the handler has sent it");

    for (what, path, fails) in [
        ("read", "/leak/read:a", None),
        ("written", "/leak/insert:a=1", None),
        ("written, in vain", "/leak/insert:a=2", Some(Update)),
        ("destroyed", "/leak/logout", None),
        ("new and empty", "/leak/keys", None),
        ("created, in vain", "/leak/insert:a=1", Some(Create)),
        ("created", "/leak/insert:a=1", None),
    ] {
        if let Some(call) = fails {
            bench.store.next(call, Fate::Unavailable);
        }
        let answer = browser.get(path).await;
        assert_eq!(answer.status, if fails.is_some() { 503 } else { 200 }, "{what}");
        assert_sealed(&next().await, what);
    }
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

pub(crate) async fn h04_reading_goes_on_after_the_commit(bench: Bench) {
    let (route, mut leaked) = leaking("/leak/{action}");
    let site = bench.serve(route.layer(bench.layer())).await;
    site.get("/leak/insert:a=1").await;
    let session = leaked.recv().await.expect("the handler has sent it");
    assert_eq!(session.get::<String>("a").expect("it reads").as_deref(), Some("1"), "for a stream's body, say");
    assert!(session.id().is_some());
}

pub(crate) async fn h04_a_task_that_writes_after_the_response_gets_an_error(bench: Bench) {
    let (sender, mut results) = unbounded_channel();
    let gate = Gate::closed();
    let handler = {
        let gate = gate.clone();
        async move |session: Session| {
            tokio::spawn(async move {
                gate.pass().await;
                sender.send(session.insert("late", &"1")).expect("the test listens");
            });
            "later"
        }
    };
    let site = bench.serve(bench.app().route("/spawn", get(handler)).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    assert_eq!(browser.get("/spawn").await.ok(), "later");
    gate.admit(1);
    let error = results.recv().await.expect("the task has ended").expect_err("too late");
    assert!(error.is_sealed());
    assert!(error.to_string().contains("before the response"), "it says what to do: {error}");
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

pub(crate) async fn h04_a_slot_that_nobody_loaded_is_sealed_too(bench: Bench) {
    let (sender, mut slots): (UnboundedSender<SessionSlot>, _) = unbounded_channel();
    let handler = async move |slot: SessionSlot| sender.send(slot).map_or("not sent", |()| "kept");
    let site = bench.serve(bench.app().route("/keep", get(handler)).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    bench.store.calls();
    assert_eq!(browser.get("/keep").await.ok(), "kept");
    let slot = slots.recv().await.expect("the handler has sent it");
    assert!(slot.load().await.expect_err("too late").is_sealed());
    assert_eq!(bench.store.calls(), []);
}

pub(crate) async fn h04_a_load_that_comes_late_does_not_open_a_sealed_session(bench: Bench) {
    let (sender, mut results) = unbounded_channel();
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1").await;
    let load = bench.store.park(Load);
    let handler = {
        let load = load.clone();
        async move |slot: SessionSlot| {
            tokio::spawn(async move { sender.send(slot.load().await.map(drop)) });
            load.reached_by(1).await;
            "later"
        }
    };
    let app = bench.app().route("/spawn", get(handler)).layer(bench.layer());
    let slow = bench.serve(app).await;
    let answer = slow.send(browser.request("/spawn")).await;
    assert_eq!(answer.ok(), "later");
    load.admit(1);
    assert!(results.recv().await.expect("the task has ended").expect_err("too late").is_sealed());
}
