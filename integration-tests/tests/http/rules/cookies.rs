//! What the browser is told to keep, and for how long.

use std::time::Duration;

use axum::routing::get;
use sessions_tower::{CookieConfig, Session, SessionRejection};

use crate::http::bench::Bench;
use crate::http::client::Answer;

/// What follows the token.
fn attributes(answer: &Answer) -> String {
    let [cookie] = answer.cookies()[..] else { panic!("one cookie: {answer:?}") };
    cookie.split_once(';').map(|(_, attributes)| attributes.to_owned()).unwrap_or_default()
}

/// ASVS 3.3.1 to 3.3.5; NIST SP 800-63B-4 §5.1.1.
pub(crate) async fn cookies_by_default_end_with_the_browser(bench: Bench) {
    let site = bench.site().await;
    let answer = site.get("/do/insert:a=1").await;
    assert!(answer.cookies()[0].starts_with("__Host-session="));
    assert_eq!(attributes(&answer), " Path=/; Secure; HttpOnly; SameSite=Lax");
}

/// "Keep me signed in": the session says so, and says so again with each new token.
pub(crate) async fn cookies_a_session_may_be_persistent(bench: Bench) {
    let remember = async |session: Session| -> Result<(), SessionRejection> {
        session.set_owner("alice")?;
        session.set_persistent(true)?;
        Ok(session.set_lifetime(Duration::from_secs(30 * 24 * 60 * 60))?)
    };
    let site = bench.serve(bench.app().route("/remember", get(remember)).layer(bench.layer())).await;
    let browser = site.browser();
    let age = |answer: &Answer| attributes(answer).split_once("Max-Age=").map(|(_, age)| age.to_owned());
    assert_eq!(age(&browser.get("/remember").await).as_deref(), Some("2592000"));
    bench.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(browser.get("/do/who").await.ok(), "alice", "a day is the default");
    assert_eq!(age(&browser.get("/do/rotate").await).as_deref(), Some("2592000"), "it starts anew");
    assert_eq!(age(&browser.get("/do/forget").await), None, "the same token, until the browser closes");
    assert_eq!(browser.get("/do/who").await.ok(), "alice");
    bench.clock.advance(Duration::from_secs(100));
    assert_eq!(age(&browser.get("/do/persist").await).as_deref(), Some("2591900"), "what is left");
}

/// The configuration decides for sessions that do not.
pub(crate) async fn cookies_may_be_persistent_by_configuration(bench: Bench) {
    let cookie = CookieConfig::builder().persistent(true).build().expect("browsers accept it");
    let site = bench.serve(bench.app().layer(bench.layer().cookie(cookie))).await;
    let answer = site.get("/do/insert:a=1").await;
    assert_eq!(attributes(&answer), " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=86400");
    assert!(!attributes(&site.get("/do/forget+insert:a=1").await).contains("Max-Age"));
}

/// A cookie of no age would be a removal.
pub(crate) async fn cookies_of_a_session_that_ends_within_the_second_are_no_removal(bench: Bench) {
    let manager = bench.builder().lifetime(Duration::from_millis(500)).build().expect("valid settings");
    let cookie = CookieConfig::builder().persistent(true).build().expect("browsers accept it");
    let layer = sessions_tower::SessionLayer::new(manager).cookie(cookie);
    let site = bench.serve(bench.app().layer(layer)).await;
    assert!(attributes(&site.get("/do/insert:a=1").await).ends_with("; Max-Age=1"));
}
