//! H9: a dropped request commits nothing; a commit that has begun is finished, whatever becomes of the client.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::get;
use sessions_tower::{Session, SessionLayer};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;

use crate::http::app::noticing;
use crate::http::bench::{Bench, Site};
use crate::http::client::{Answer, Browser, with_cookie};
use crate::http::gate::Gate;
use crate::http::watched::Call::{self, Create, Load, Update};
use crate::http::watched::Fate;

/// The client goes away.
async fn disconnect(client: JoinHandle<Answer>, gone: &Gate) {
    client.abort();
    gone.reached_by(1).await;
}

pub(crate) async fn h09_a_client_that_leaves_before_the_answer_has_changed_nothing(bench: Bench) {
    let (sender, mut leaked) = unbounded_channel();
    let stay = Gate::closed();
    let handler = {
        let stay = stay.clone();
        async move |session: Session| {
            session.insert("half", &"done").expect("it is open");
            sender.send(session.clone()).expect("the test listens");
            stay.pass().await;
        }
    };
    let (app, gone) = noticing(bench.app().route("/stay", get(handler)).layer(bench.layer()));
    let site = bench.serve(app).await;
    let browser = site.visitor("insert:a=1").await;
    gone.reached_by(1).await;
    bench.store.calls();

    let client = browser.start("/stay");
    stay.reached_by(1).await;
    disconnect(client, &gone).await;
    assert_eq!(bench.store.calls(), [Load]);
    let session = leaked.recv().await.expect("the handler has sent it");
    assert!(session.insert("late", &1).expect_err("nobody would commit it").is_sealed());
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

pub(crate) async fn h09_a_client_that_leaves_during_the_load_has_changed_nothing(bench: Bench) {
    let (app, gone) = noticing(bench.app().layer(bench.layer()));
    let site = bench.serve(app).await;
    let browser = site.visitor("insert:a=1").await;
    gone.reached_by(1).await;
    bench.store.calls();

    let load = bench.store.park(Load);
    let client = browser.start("/do/insert:b=1");
    load.reached_by(1).await;
    disconnect(client, &gone).await;
    assert_eq!(bench.store.calls(), [Load]);
    assert_eq!(browser.get("/do/keys").await.ok(), "a");
}

/// A site, a visitor, and what tells when a request is gone.
async fn visited(bench: &Bench, layer: &SessionLayer) -> (Site, Browser, Gate) {
    let (app, gone) = noticing(bench.app().layer(layer.clone()));
    let site = bench.serve(app).await;
    let browser = site.visitor("add").await;
    gone.reached_by(1).await;
    (site, browser, gone)
}

/// Whether a future is still waiting.
async fn waits<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    let mut future = future;
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

pub(crate) async fn h09_a_commit_is_finished_though_the_client_leaves(bench: Bench) {
    let layer = bench.layer();
    let (_site, browser, gone) = visited(&bench, &layer).await;
    layer.drain().await;

    let commit = bench.store.park(Update);
    let client = browser.start("/do/add+insert:b=1");
    commit.reached_by(1).await;
    disconnect(client, &gone).await;
    {
        let mut drained = pin!(layer.drain());
        assert!(waits(drained.as_mut()).await);
        commit.admit(1);
        drained.await;
    }
    assert_eq!(browser.get("/do/count").await.ok(), "2");
    assert_eq!(browser.get("/do/keys").await.ok(), "b,count");
}

/// It takes the same care: what meets a concurrent writer is applied to what is there.
pub(crate) async fn h09_a_commit_without_its_client_loses_nothing_either(bench: Bench) {
    let layer = bench.layer();
    let (_site, browser, gone) = visited(&bench, &layer).await;
    let commit = bench.store.park(Update);
    let client = browser.start("/do/add+insert:b=1");
    commit.reached_by(1).await;
    disconnect(client, &gone).await;
    assert_eq!(browser.get("/do/add+insert:c=1").await.status, 200);
    commit.admit(1);
    layer.drain().await;
    assert_eq!(browser.get("/do/count").await.ok(), "3");
    assert_eq!(browser.get("/do/keys").await.ok(), "b,c,count");
}

/// No half of a rotation: the old token is over, and who has not got the new one signs in again.
pub(crate) async fn h09_a_rotation_whose_client_leaves_is_whole(bench: Bench) {
    let layer = bench.layer();
    let (_site, browser, gone) = visited(&bench, &layer).await;
    let before = bench.stored(&browser.token()).await.expect("it is stored");
    let commit = bench.store.park(Update);
    let client = browser.start("/do/login:alice");
    commit.reached_by(1).await;
    disconnect(client, &gone).await;
    commit.admit(1);
    layer.drain().await;
    assert_ne!(bench.stored(&browser.token()).await.expect("it is stored").version, before.version);
    assert_eq!(browser.get("/do/count+who").await.ok(), "", "it fails safe");
    assert_eq!(browser.get("/do/add").await.status, StatusCode::CONFLICT);
}

pub(crate) async fn h09_a_client_that_leaves_after_the_commit_has_changed_everything(bench: Bench) {
    let layer = bench.layer();
    let (_site, browser, gone) = visited(&bench, &layer).await;
    let late = Gate::closed();
    bench.store.next(Update, Fate::AnswerParked(late.clone()));
    let client = browser.start("/do/add");
    late.reached_by(1).await;
    disconnect(client, &gone).await;
    late.admit(1);
    layer.drain().await;
    assert_eq!(browser.get("/do/count").await.ok(), "2");
    assert_eq!(bench.store.calls().iter().filter(|call| **call == Update).count(), 1);
}

/// What a timeout around the layer does to a slow store: the client gets the timeout, the store gets the commit.
pub(crate) async fn h09_a_timeout_around_the_layer_does_not_cut_a_commit(bench: Bench) {
    let (layer, timeout) = (bench.layer(), Gate::closed());
    let fires = timeout.clone();
    let impatient = move |request: Request, next: Next| {
        let fires = fires.clone();
        async move {
            tokio::select! {
                response = next.run(request) => response,
                () = fires.pass() => StatusCode::GATEWAY_TIMEOUT.into_response(),
            }
        }
    };
    let site = bench.serve(bench.app().layer(layer.clone()).layer(from_fn(impatient))).await;
    let browser = site.browser();
    for call in [Create, Update] {
        let commit: Gate = bench.store.park(call);
        let request = browser.start("/do/add");
        commit.reached_by(1).await;
        timeout.admit(1);
        let answer = request.await.expect("it ends");
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
        assert!(answer.cookies().is_empty());
        commit.admit(1);
        layer.drain().await;
        if call == Create {
            // Nobody knows the token of the session that was made.
            assert_eq!(browser.get("/do/add").await.ok(), "1");
        }
    }
    assert_eq!(browser.get("/do/count").await.ok(), "2");
}

/// A commit that fails with nobody there to tell is an event.
pub(crate) async fn h09_a_failure_without_a_client_is_an_event(bench: Bench) {
    let layer = bench.layer();
    let (_site, browser, gone) = visited(&bench, &layer).await;
    let deadline = Gate::closed();
    bench.store.next(Update, Fate::Hangs(deadline.clone()));
    let client = browser.start("/do/add");
    deadline.reached_by(1).await;
    disconnect(client, &gone).await;
    bench.store.otherwise(Fate::Unavailable);
    deadline.admit(1);
    layer.drain().await;
    assert_eq!(bench.events.count("session.commit_failed_after_disconnect"), 1);
    bench.store.otherwise(Fate::Answered);
    assert_eq!(browser.get("/do/count").await.ok(), "1");
}

/// At shutdown: commits first, then the store.
pub(crate) async fn h09_drain_then_stop_loses_nothing(bench: Bench) {
    let layer = bench.layer();
    let (site, browser, gone) = visited(&bench, &layer).await;
    let commits: Vec<(Gate, JoinHandle<Answer>)> = ["/do/insert:a=1", "/do/insert:b=1", "/do/insert:c=1"]
        .map(|path| (bench.store.park(Update), browser.start(path)))
        .into();
    for (commit, _) in &commits {
        commit.reached_by(1).await;
    }
    for (_, client) in &commits {
        client.abort();
    }
    gone.reached_by(3).await;
    drop(site);
    for (commit, _) in &commits {
        commit.admit(1);
    }
    layer.drain().await;
    let calls: Vec<Call> = bench.store.calls();
    let token = browser.token();
    assert!(calls.iter().filter(|call| **call == Update).count() >= 3);
    let site = bench.site().await;
    let answer = site.send(with_cookie("/do/keys", format!("__Host-session={token}"))).await;
    assert_eq!(answer.ok(), "a,b,c,count");
}
