//! Requests from other sites, and headers.

use hyper::StatusCode;

use crate::support::Client;
use crate::{signed_in, start};

#[tokio::test]
async fn changes_from_other_sites_are_refused() {
    let (program, _, _folder) = start().await;
    let client = signed_in(&program, "Ada").await;
    let own = format!("http://{}", program.address);
    let accepted = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("origin", own.as_str()),
        ("accept", "neither is said"),
    ];
    for (name, value) in accepted {
        let answer = client.clone().header(name, value).post("/cart/add", &[("product", "Honey")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}: {value}");
    }
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "nonsense"),
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("origin", ""),
    ] {
        let mut elsewhere = client.clone().header(name, value);
        for path in ["/sign-in", "/sign-out", "/sign-out-elsewhere", "/cart/add"] {
            let answer = elsewhere.post(path, &[("name", "Eve"), ("product", "Honey")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}, {path}");
            assert_eq!(answer.set_cookies(), Vec::<&str>::new());
        }
        assert_eq!(elsewhere.get("/").await.status, StatusCode::OK, "looking is allowed: {name}: {value}");
    }
    let page = client.clone().get("/").await;
    assert_eq!((page.text_of(r#"id="visitor""#), page.number_of(r#"data-product="Honey""#)), (Some("Ada"), 4));
}

#[tokio::test]
async fn asvs_3_3_the_cookie_and_the_headers_are_as_they_should_be() {
    let (_program, mut client, _folder) = start().await;
    let answer = client.get("/").await;
    let [cookie] = answer.set_cookies()[..] else { panic!("one cookie: {:?}", answer.set_cookies()) };
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(pair.len(), "__Host-session=".len() + 64);
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_eq!(answer.headers["vary"], "cookie");
    assert!(answer.headers["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

/// Also where no cookie is set: the session layer does not know which pages are about somebody.
#[tokio::test]
async fn asvs_14_3_2_no_page_is_kept_by_a_cache() {
    let (_program, mut client, _folder) = start().await;
    for path in ["/", "/", "/signed-out", "/back.js", "/nothing"] {
        let answer = client.get(path).await;
        assert_eq!(answer.headers.get_all("cache-control").iter().collect::<Vec<_>>(), ["no-store"], "{path}");
    }
}

#[tokio::test]
async fn a_form_that_is_no_form_changes_nothing() {
    let (program, _, _folder) = start().await;
    let mut client = signed_in(&program, "Ada").await;
    for form in [&[("else", "x")][..], &[("name", &"x".repeat(20_000))]] {
        let answer = client.post("/sign-in", form).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
    let mut client: Client = client.clone();
    assert_eq!(client.get("/").await.text_of(r#"id="visitor""#), Some("Ada"));
}
