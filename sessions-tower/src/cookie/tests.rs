use super::*;

fn token() -> Token {
    Token::parse("A".repeat(64).as_bytes()).expect("a token")
}

fn text(value: &HeaderValue) -> String {
    value.to_str().expect("visible ASCII").to_owned()
}

fn refused(build: impl FnOnce(CookieConfigBuilder) -> CookieConfigBuilder) -> String {
    build(CookieConfig::builder()).build().expect_err("refused").to_string()
}

#[test]
fn asvs_3_3_1_to_3_3_5_the_defaults() {
    let value = CookieConfig::default().set(&token(), None, Duration::from_secs(60));
    let token = "A".repeat(64);
    assert_eq!(text(&value), format!("__Host-session={token}; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert!(value.is_sensitive());
}

#[test]
fn persistence_follows_the_session_before_the_configuration() {
    let minute = Duration::from_millis(60_999);
    let session_cookie = CookieConfig::default();
    assert!(!text(&session_cookie.set(&token(), None, minute)).contains("Max-Age"));
    assert!(text(&session_cookie.set(&token(), Some(true), minute)).ends_with("; Max-Age=60"));
    let persistent = CookieConfig::builder().persistent(true).build().expect("accepted");
    assert!(text(&persistent.set(&token(), None, minute)).ends_with("; Max-Age=60"));
    assert!(!text(&persistent.set(&token(), Some(false), minute)).contains("Max-Age"));
}

#[test]
fn h06_the_removal_has_every_attribute_of_the_original() {
    let cookie = CookieConfig::builder()
        .name("__Secure-app")
        .domain("example.com")
        .path("/app")
        .same_site(SameSite::None)
        .partitioned(true)
        .build()
        .expect("accepted");
    let original = text(&cookie.set(&token(), None, Duration::ZERO));
    let attributes = original.split_once(&"A".repeat(64)).expect("the value").1;
    assert_eq!(attributes, "; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned");
    let expected = format!("__Secure-app={attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(text(&cookie.removal()), expected);
}

#[test]
fn what_browsers_reject_is_refused_and_the_error_says_what_to_change() {
    assert!(refused(|c| c.domain("example.com")).contains("must not have a Domain"));
    assert!(refused(|c| c.path("/app")).contains("must have Path=/"));
    assert!(refused(|c| c.secure(false)).contains("must be Secure"));
    assert!(refused(|c| c.name("__SECURE-x").secure(false)).contains("must be Secure"));
    assert!(refused(|c| c.name("__Host-Http-x").http_only(false)).contains("must be HttpOnly"));
    assert!(refused(|c| c.name("x").secure(false).same_site(SameSite::None)).contains("needs Secure"));
    assert!(refused(|c| c.name("x").secure(false).partitioned(true)).contains("needs Secure"));
}

#[test]
fn names_paths_and_domains_out_of_the_grammar_are_refused() {
    for name in ["", "a b", "a=b", "a;b", "a,b", "a\"b", "ä", "a\u{a0}", "a\r\nb", &"x".repeat(4033)] {
        assert!(CookieConfig::builder().name(name).build().is_err(), "{name:?}");
    }
    let named = || CookieConfig::builder().name("x");
    for path in ["", "app", "/a;b", "/a b", "/a\nb", "/ä", &format!("/{}", "x".repeat(1024))] {
        assert!(named().path(path).build().is_err(), "{path:?}");
    }
    for domain in ["", ".example.com", "example..com", "exa mple.com", "a;b", "-a.com", "example.com.", "ä.com"] {
        assert!(named().domain(domain).build().is_err(), "{domain:?}");
    }
    assert!(named().name("x".repeat(4032)).path("/a/b").domain("a-1.example.com").build().is_ok());
}

#[test]
fn insecure_development_is_what_plain_http_accepts() {
    let text = text(&CookieConfig::insecure_development().set(&token(), None, Duration::ZERO));
    assert_eq!(text, format!("session={}; Path=/; HttpOnly; SameSite=Lax", "A".repeat(64)));
}
