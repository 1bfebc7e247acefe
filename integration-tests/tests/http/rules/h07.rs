//! H7: the cookie is found byte by byte, in all fields, and nothing else is taken for it.

use http::header::COOKIE;
use http::{Request, Version};

use crate::http::bench::{Bench, Site};
use crate::http::client::{send, send_http2};
use crate::http::watched::Call::Load;

/// `/do/keys` with these `Cookie` fields.
fn fields<F: AsRef<[u8]>>(fields: &[F]) -> Request<String> {
    let mut request = Request::get("/do/keys");
    for field in fields {
        request = request.header(COOKIE, field.as_ref());
    }
    request.body(String::new()).expect("a valid request")
}

async fn keys<F: AsRef<[u8]>>(site: &Site, cookies: &[F]) -> String {
    let answer = send(site.address, fields(cookies)).await;
    assert!(answer.cookies().is_empty(), "{answer:?}");
    answer.ok().to_owned()
}

pub(crate) async fn h07_our_cookie_is_found_among_others(bench: Bench) {
    let site = bench.site().await;
    let ours = format!("__Host-session={}", site.visitor("insert:a=1").await.token());
    for cookies in [
        vec![ours.clone()],
        vec![format!("x=1; {ours}; y=2")],
        vec![format!("x=1;{ours};y=2")],
        vec![format!(" \t{ours}\t ; y")],
        vec![format!("{ours}; {ours}")],
        vec!["x=1".to_owned(), ours.clone(), "y=2".to_owned()],
        vec![ours.clone(), format!("x=1; {ours}")],
        vec![format!("session=x; __Host-session2=y; __host-session=z; {ours}")],
    ] {
        assert_eq!(keys(&site, &cookies).await, "a", "{cookies:?}");
    }
}

pub(crate) async fn h07_http2_may_split_the_field(bench: Bench) {
    let site = bench.site().await;
    let ours = format!("__Host-session={}", site.visitor("insert:a=1").await.token());
    for cookies in [vec![ours.clone()], vec!["x=1".to_owned(), ours.clone(), "y=2".to_owned()]] {
        let mut request = fields(&cookies);
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = format!("http://{}/do/keys", site.address).parse().expect("a URI");
        assert_eq!(send_http2(site.address, request).await.ok(), "a", "{cookies:?}");
    }
}

/// A name that some decoder, trimmer or case folder would take for ours.
pub(crate) async fn h07_names_that_only_look_like_ours_are_not(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1").await.token();
    bench.store.calls();
    for name in [
        "__host-session",
        "__HOST-SESSION",
        "__Host-session ",
        "__Host%2Dsession",
        "__Host-sessio%6E",
        "\u{a0}__Host-session",
        "\u{2003}__Host-session",
        "\u{feff}__Host-session",
        "\u{3000}__Host-session",
        "\u{85}__Host-session",
        "__Host-session\u{a0}",
        "__H\u{f6}st-session",
        "\"__Host-session\"",
        "$__Host-session",
        "=__Host-session",
        "x__Host-session",
        "session",
    ] {
        assert_eq!(keys(&site, &[format!("{name}={token}")]).await, "", "{name:?}");
        assert_eq!(bench.store.calls(), [], "{name:?}");
    }
    // The single bytes that those are in Latin-1.
    for byte in [0x85, 0xa0, 0xff] {
        let cookie = [&[byte][..], b"__Host-session=", token.as_bytes()].concat();
        assert_eq!(keys(&site, &[cookie]).await, "", "{byte:#x}");
        assert_eq!(bench.store.calls(), []);
    }
    assert_eq!(bench.events.count("cookie.malformed"), 0, "they are somebody else's cookies");
}

pub(crate) async fn h07_a_value_is_not_decoded(bench: Bench) {
    let site = bench.site().await;
    let token = site.visitor("insert:a=1").await.token();
    bench.store.calls();
    let percent = format!("%{:02X}{}", token.as_bytes()[0], &token[1..]);
    let values = [format!("\"{token}\""), format!(" {token}"), percent, format!("{token}\u{a0}"), format!("={token}")];
    for value in &values {
        assert_eq!(keys(&site, &[format!("__Host-session={value}")]).await, "", "{value:?}");
        assert_eq!(bench.store.calls(), [], "{value:?}");
    }
    assert_eq!(bench.events.count("cookie.malformed"), values.len());
}

/// Which of two values is the session's cannot be told: an attacker on a sibling domain may have set one.
pub(crate) async fn h07_two_values_of_our_name_are_no_session(bench: Bench) {
    let site = bench.site().await;
    let mine = format!("__Host-session={}", site.visitor("insert:mine=1").await.token());
    let theirs = format!("__Host-session={}", site.visitor("insert:theirs=1").await.token());
    bench.store.calls();
    for cookies in [
        vec![format!("{mine}; {theirs}")],
        vec![format!("{theirs}; {mine}")],
        vec![mine.clone(), theirs.clone()],
        vec![format!("{mine}; x=1; __Host-session=")],
        vec![mine.clone(), "__Host-session=malformed".to_owned()],
    ] {
        assert_eq!(keys(&site, &cookies).await, "", "{cookies:?}");
        assert_eq!(bench.store.calls(), []);
    }
    assert_eq!(bench.events.count("cookie.ambiguous"), 5);
}

/// In time that grows with the length, however many pairs there are.
pub(crate) async fn h07_a_field_as_long_as_the_server_takes_is_read(bench: Bench) {
    let site = bench.site().await;
    let ours = format!("__Host-session={}", site.visitor("insert:a=1").await.token());
    bench.store.calls();
    let many = "a=b;".repeat(60_000);
    assert_eq!(keys(&site, &[format!("{many} {ours}")]).await, "a");
    assert_eq!(keys(&site, &[";".repeat(200_000) + &ours]).await, "a");
    assert_eq!(bench.store.calls(), [Load, Load]);
}
