//! `auto_renew`: a session that is used does not end with its lifetime, and no request notices that its token was replaced.

use std::time::Duration;

use sessions_tower::SessionLayer;

use crate::http::app::noticing;
use crate::http::bench::{Bench, Site};
use crate::http::client::Browser;
use crate::http::watched::Call::{Load, Touch, Update};
use crate::http::watched::Fate;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(30);

/// A site that renews, and a visitor whose session has a minute left.
async fn late_in_the_day(bench: &Bench) -> (Site, Browser) {
    let site = bench.serve(bench.app().layer(bench.layer().auto_renew(true))).await;
    let browser = site.visitor("add").await;
    bench.clock.advance(DAY - MINUTE);
    bench.store.calls();
    (site, browser)
}

pub(crate) async fn renewal_comes_when_little_lifetime_is_left(bench: Bench) {
    let site = bench.serve(bench.app().layer(bench.layer().auto_renew(true))).await;
    let browser = site.visitor("add").await;
    bench.clock.advance(DAY - 2 * MINUTE);
    bench.store.calls();
    assert!(browser.get("/do/count").await.cookies().is_empty());
    assert_eq!(bench.store.calls(), [Load]);
    bench.clock.advance(Duration::from_millis(1));
    assert!(browser.get("/idle").await.cookies().is_empty(), "a request that does not ask renews nothing");
    assert_eq!(browser.get("/do/count").await.cookies().len(), 1);
    assert_eq!(bench.store.calls(), [Load, Update]);
    bench.clock.advance(DAY - MINUTE);
    assert_eq!(browser.get("/do/count").await.ok(), "1", "a day later");
}

pub(crate) async fn renewal_is_off_unless_asked_for(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("add").await;
    bench.clock.advance(DAY - MINUTE);
    assert!(browser.get("/do/add").await.cookies().is_empty());
    bench.clock.advance(MINUTE);
    assert_eq!(browser.get("/do/count").await.ok(), "0");
}

pub(crate) async fn renewal_rides_on_a_write_and_gives_way_to_what_the_handler_does(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    let old = browser.copy();
    assert_eq!(browser.get("/do/add").await.cookies().len(), 1);
    assert_eq!(bench.store.calls(), [Load, Update]);
    assert_eq!(old.get("/do/count").await.ok(), "2", "in its grace");

    let (_site, browser) = late_in_the_day(&bench).await;
    let old = browser.copy();
    assert_eq!(browser.get("/do/rotate").await.cookies().len(), 1);
    assert_eq!(old.get("/do/count").await.ok(), "0", "the handler's rotation is strict");

    let (_site, browser) = late_in_the_day(&bench).await;
    let answer = browser.get("/do/logout").await;
    assert!(answer.cookies()[0].contains("Max-Age=0") && answer.cookies().len() == 1, "{answer:?}");
}

pub(crate) async fn renewal_makes_one_token_for_overlapping_requests(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    let old = browser.copy();
    let requests: Vec<_> = (0..16).map(|_| old.start("/slow/add")).collect();
    bench.gate.reached_by(16).await;
    bench.gate.admit(16);
    let mut tokens = Vec::new();
    for request in requests {
        let answer = request.await.expect("it ends");
        assert_eq!(answer.status, 200);
        tokens.extend(answer.cookies().iter().map(ToString::to_string));
    }
    assert_eq!(tokens.len(), 1, "one new token");
    assert_eq!(old.get("/do/count").await.ok(), "17");
}

pub(crate) async fn renewal_leaves_the_old_token_its_grace(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    let old = browser.copy();
    browser.get("/do/count").await;
    assert_ne!(old.token(), browser.token());

    bench.clock.advance(GRACE - Duration::from_millis(1));
    let answer = old.get("/do/add").await;
    assert_eq!(answer.ok(), "2", "the old token reads and writes");
    assert!(answer.cookies().is_empty(), "and does not disturb the new one");
    assert_eq!(browser.get("/do/count").await.ok(), "2");

    bench.clock.advance(Duration::from_millis(1));
    let answer = old.get("/do/count").await;
    assert!(answer.ok() == "0" && answer.cookies().is_empty(), "{answer:?}");
    assert_eq!(browser.get("/do/count").await.ok(), "2");
}

/// A request in the old token's grace commits after the grace is over: the token that opened it is over, too.
pub(crate) async fn renewal_a_slow_request_outlives_the_grace_of_its_token(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    let old = browser.copy();
    let late = old.start("/slow/add");
    bench.gate.reached_by(1).await;
    browser.get("/do/count").await;
    bench.clock.advance(GRACE);
    bench.gate.admit(1);
    let answer = late.await.expect("it ends");
    assert_eq!(answer.status, 409);
    assert!(answer.cookies().is_empty());
    assert_eq!(browser.get("/do/count").await.ok(), "1");
}

/// Housekeeping: a renewal that cannot be made fails nothing, and is tried again by the next request.
pub(crate) async fn renewal_that_fails_fails_nothing(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    bench.store.next(Update, Fate::Unavailable);
    let answer = browser.get("/do/count").await;
    assert!(answer.ok() == "1" && answer.cookies().is_empty(), "{answer:?}");
    assert_eq!(bench.events.count("session.renewal_failed"), 1);
    assert_eq!(browser.get("/do/count").await.cookies().len(), 1);
}

/// One that was made and not answered is found.
pub(crate) async fn renewal_whose_answer_is_lost_is_found(bench: Bench) {
    let (_site, browser) = late_in_the_day(&bench).await;
    bench.store.next(Update, Fate::AnswerLost);
    assert_eq!(browser.get("/do/count").await.cookies().len(), 1);
    bench.clock.advance(GRACE);
    assert_eq!(browser.get("/do/count").await.ok(), "1");
}

/// With `touch_on_every_request` a request that does not ask renews, too.
pub(crate) async fn renewal_on_every_request(bench: Bench) {
    let manager = bench.builder().idle_timeout(DAY / 2).build().expect("valid settings");
    let layer = SessionLayer::new(manager).touch_on_every_request(true).auto_renew(true);
    let site = bench.serve(bench.app().layer(layer)).await;
    let browser = site.visitor("add").await;
    for _ in 0..2 {
        bench.clock.advance(DAY / 3);
        browser.get("/idle").await;
    }
    bench.clock.advance(DAY / 3 - MINUTE);
    bench.store.calls();
    let answer = browser.get("/idle").await;
    assert_eq!(bench.store.calls(), [Load, Update]);
    assert_eq!(answer.cookies().len(), 1);
    assert_eq!(answer.all(http::header::CACHE_CONTROL), ["no-store"]);
    bench.clock.advance(DAY / 3);
    assert_eq!(browser.get("/do/count").await.ok(), "1");
    assert_eq!(bench.store.calls(), [Load, Touch]);
}

/// The client that leaves during its renewal does not take the session with it.
pub(crate) async fn renewal_whose_client_leaves_can_be_used_in_its_grace(bench: Bench) {
    let layer = bench.layer().auto_renew(true);
    let (app, gone) = noticing(bench.app().layer(layer.clone()));
    let site = bench.serve(app).await;
    let browser = site.visitor("add").await;
    gone.reached_by(1).await;
    bench.clock.advance(DAY - MINUTE);
    let commit = bench.store.park(Update);
    let client = browser.start("/do/count");
    commit.reached_by(1).await;
    client.abort();
    gone.reached_by(1).await;
    commit.admit(1);
    layer.drain().await;
    assert_eq!(browser.get("/do/add").await.ok(), "2", "the old token, in its grace");
    bench.clock.advance(GRACE);
    assert_eq!(browser.get("/do/count").await.ok(), "0", "it fails safe");
}
