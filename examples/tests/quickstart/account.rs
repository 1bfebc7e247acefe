//! Signing in and out, and the list of sessions.

use hyper::StatusCode;

use crate::support::Client;
use crate::{signed_in, start};

#[tokio::test]
async fn asvs_7_2_4_signing_in_replaces_the_token_and_ends_the_old_one() {
    let (program, mut client, _folder) = start().await;
    client.get("/").await;
    let mut thief = client.clone();
    let before = client.token().expect("a cookie").to_owned();

    let page = client.submit("/sign-in", &[("name", "Ada")]).await;
    assert_eq!(page.text_of(r#"id="visitor""#), Some("Ada"));
    let after = client.token().expect("a cookie");
    assert_ne!(after, before);
    assert_eq!(after[..21], before[..21], "the session's id stays");

    let stale = thief.get("/").await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert_eq!(stale.set_cookies(), Vec::<&str>::new(), "it cannot disturb the new cookie");
    assert!(stale.body.contains("Your session has changed"), "{}", stale.body);
    assert_eq!(client.get("/").await.text_of(r#"id="visitor""#), Some("Ada"), "the new one works");
    program.stop().await;
}

#[tokio::test]
async fn visits_are_counted() {
    let (program, mut client, _folder) = start().await;
    for visit in 1..=3 {
        assert_eq!(client.get("/").await.number_of(r#"id="visits""#), visit);
    }
    let mut other = Client::new(program.address);
    assert_eq!(other.get("/").await.number_of(r#"id="visits""#), 1, "another browser has its own");
}

#[tokio::test]
async fn asvs_7_4_1_signing_out_leaves_nothing() {
    let (program, _, _folder) = start().await;
    let mut client = signed_in(&program, "Ada").await;
    let mut thief = client.clone();

    let page = client.submit("/sign-out", &[]).await;
    assert!(page.body.contains("You are signed out"), "{}", page.body);
    assert_eq!(page.set_cookies(), Vec::<&str>::new(), "no new session begins");
    assert_eq!(client.token(), None);

    let replayed = thief.get("/").await;
    assert_eq!(replayed.text_of(r#"id="visitor""#), None);
    assert_eq!(replayed.number_of(r#"id="visits""#), 1, "a new session");
    assert_ne!(thief.token(), None);
}

#[tokio::test]
async fn asvs_7_5_2_sessions_are_listed_and_ended() {
    let (program, _, _folder) = start().await;
    let mut here = signed_in(&program, "Ada").await;
    let mut there = signed_in(&program, "Ada").await.header("user-agent", "Firefox/1 (Linux)");
    let mut somebody = signed_in(&program, "Grace").await;

    let sessions = here.get("/").await.sessions();
    assert_eq!(sessions.len(), 2, "Ada's, not Grace's");
    assert!(sessions[0].1, "this one comes first");
    assert!(there.get("/").await.sessions()[0].1);
    let (other, _) = sessions.iter().find(|(_, is_this)| !is_this).expect("the other one").clone();
    let (this, _) = sessions.iter().find(|(_, is_this)| *is_this).expect("this one").clone();
    assert!(here.token().expect("a cookie").starts_with(&this[..21]));
    let page = there.get("/").await;
    assert!(!page.body.contains(here.token().expect("a cookie")), "a token is in no list");

    somebody.submit(&format!("/sessions/{other}/end"), &[]).await;
    assert_eq!(there.get("/").await.text_of(r#"id="visitor""#), Some("Ada"), "an id permits nothing");

    let page = here.submit(&format!("/sessions/{other}/end"), &[]).await;
    assert_eq!(page.sessions(), [(this.clone(), true)]);
    assert!(page.body.contains("1 session ended"), "{}", page.body);
    assert_eq!(there.get("/").await.text_of(r#"id="visitor""#), None);

    here.submit(&format!("/sessions/{this}/end"), &[]).await;
    assert_eq!(here.token(), None, "ending this one is signing out");
}

#[tokio::test]
async fn a_session_that_is_not_there_is_ended_by_nobody() {
    let (program, mut stranger, _folder) = start().await;
    let mut client = signed_in(&program, "Ada").await;
    for id in ["AAAAAAAAAAAAAAAAAAAAAA", "nonsense", "%00", "..%2f"] {
        let page = client.submit(&format!("/sessions/{id}/end"), &[]).await;
        assert_eq!(page.sessions().len(), 1, "{id}");
        assert_eq!(stranger.post(&format!("/sessions/{id}/end"), &[]).await.set_cookies().len(), 0, "{id}");
    }
}

#[tokio::test]
async fn asvs_7_4_3_signing_out_everywhere_else_keeps_this_session() {
    let (program, _, _folder) = start().await;
    let mut here = signed_in(&program, "Ada").await;
    let mut others = [signed_in(&program, "Ada").await, signed_in(&program, "ada").await];
    let mut somebody = signed_in(&program, "Grace").await;

    let page = here.submit("/sign-out-elsewhere", &[]).await;
    assert!(page.body.contains("2 sessions ended"), "{}", page.body);
    assert_eq!(page.sessions().len(), 1);
    for other in &mut others {
        assert_eq!(other.get("/").await.text_of(r#"id="visitor""#), None);
    }
    assert_eq!(somebody.get("/").await.text_of(r#"id="visitor""#), Some("Grace"));
}

#[tokio::test]
async fn keep_me_signed_in_makes_the_cookie_stay() {
    let (program, mut client, _folder) = start().await;
    let without = client.post("/sign-in", &[("name", "Ada")]).await;
    assert!(!without.set_cookies()[0].contains("Max-Age"), "{:?}", without.set_cookies());

    let mut client = Client::new(program.address);
    let with = client.post("/sign-in", &[("name", "Ada"), ("keep", "yes")]).await;
    assert!(with.set_cookies()[0].ends_with("; Max-Age=2592000"), "{:?}", with.set_cookies());
}

#[tokio::test]
async fn somebody_else_in_the_same_browser_finds_nothing() {
    let (program, _, _folder) = start().await;
    let mut client = Client::new(program.address);
    client.submit("/sign-in", &[("name", "Ada"), ("keep", "yes")]).await;
    client.submit("/cart/add", &[("product", "Honey")]).await;
    let mut ada = client.clone();

    let answer = client.post("/sign-in", &[("name", "Grace")]).await;
    assert!(!answer.set_cookies()[0].contains("Max-Age"), "{:?}", answer.set_cookies());
    let page = client.get("/").await;
    assert_eq!(page.number_of(r#"data-product="Honey""#), 0);
    assert_eq!(page.sessions().len(), 1);
    assert_eq!(ada.get("/").await.text_of(r#"id="visitor""#), None, "Ada's session is over");
}

#[tokio::test]
async fn names_are_checked_and_escaped() {
    let (program, mut client, _folder) = start().await;
    for bad in ["", "   ", &"x".repeat(41)] {
        let page = client.submit("/sign-in", &[("name", bad)]).await;
        assert!(page.body.contains("1 to 40 characters"), "{bad:?}");
        assert_eq!(page.text_of(r#"id="visitor""#), None);
    }
    assert!(!client.get("/").await.body.contains("1 to 40 characters"), "said once");
    let page = client.submit("/sign-in", &[("name", r#"<b onclick="x">&'é"#)]).await;
    assert!(page.body.contains("&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;é"), "{}", page.body);
    assert!(!page.body.contains("<b "), "{}", page.body);
    let page = client.submit("/sign-in", &[("name", &"😀".repeat(40))]).await;
    assert_eq!(page.sessions().len(), 1);
    program.stop().await;
}
