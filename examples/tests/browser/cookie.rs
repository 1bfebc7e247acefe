//! The cookie as the browser keeps it, which is not always as the server wrote it.

use serde_json::{Value, json};

use crate::Site;

const DAY: f64 = 86_400.0;

#[tokio::test]
async fn asvs_3_3_the_browser_keeps_the_cookie_with_every_attribute() {
    let Some(site) = Site::start().await else { return };
    let browser = site.browser().await;
    let before = browser.cookie().await;
    assert_eq!(before["name"], "__Host-session");
    assert_eq!(before["httpOnly"], true);
    assert_eq!(before["secure"], true);
    assert_eq!(before["sameSite"], "Lax");
    assert_eq!(before["path"], "/");
    // One that was set with a Domain would begin with a dot, and be sent to subdomains.
    assert_eq!(before["domain"], "localhost");
    assert_eq!(before["partitionKey"], Value::Null);
    assert_eq!((&before["session"], &before["expires"]), (&json!(true), &json!(-1)), "it goes with the browser");
    assert_eq!(value(&before).len(), 64);
    assert_eq!(browser.script("return document.cookie").await, "", "scripts do not see it");

    browser.sign_in("Ada", false).await;
    let after = browser.cookie().await;
    assert_ne!(value(&after), value(&before), "ASVS 7.2.4");
    let same = |cookie: &Value| {
        let mut cookie = cookie.clone();
        cookie["value"].take();
        cookie
    };
    assert_eq!(same(&after), same(&before), "nothing but the token changes");
}

#[tokio::test]
async fn keep_me_signed_in_outlives_the_browser_and_no_other_session_does() {
    let Some(site) = Site::start().await else { return };
    let (kept, other) = (site.browser().await, site.signed_in("Grace").await);
    kept.sign_in("Ada", true).await;
    let cookie = kept.cookie().await;
    assert_eq!(cookie["session"], false);
    let now = kept.script("return Date.now() / 1000").await.as_f64().expect("a number");
    let days = (cookie["expires"].as_f64().expect("a number") - now) / DAY;
    assert!((29.5..30.5).contains(&days), "it is kept for 30 days, not {days}");
    for name in ["httpOnly", "secure"] {
        assert_eq!(cookie[name], true, "{name}");
    }

    let (kept, other) = (kept.close().await, other.close().await);
    let (kept, other) = (site.driver.browser_of(kept).await, site.driver.browser_of(other).await);
    assert_eq!(value(&kept.cookie().await), value(&cookie));
    assert_eq!(other.cookies().await, Vec::<Value>::new());
    kept.go(&site.address).await;
    kept.see_text("visitor", "Ada").await;
    other.go(&site.address).await;
    other.see_heading("Hello, stranger!").await;
}

/// The negative control: where the attributes are others, this is seen.
#[tokio::test]
async fn the_cookie_for_development_is_seen_to_be_weaker() {
    let Some(site) = Site::start_with(&["--insecure-cookie"]).await else { return };
    let cookie = site.browser().await.cookie().await;
    assert_eq!((&cookie["name"], &cookie["secure"]), (&json!("session"), &json!(false)));
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Lax")));
}

fn value(cookie: &Value) -> &str {
    cookie["value"].as_str().expect("text")
}
