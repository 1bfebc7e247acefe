//! What browsers accept (RFC 6265bis §5.6, §5.7).

use sessions_core::Token;

use super::{CookieConfigBuilder, SameSite};

/// Name and value together, beyond which a browser ignores the cookie (RFC 6265bis §5.6, ASVS 3.3.5).
const MAX_COOKIE: usize = 4096;
/// The longest attribute value that a browser reads (RFC 6265bis §5.6).
const MAX_ATTRIBUTE: usize = 1024;

/// The reason why a browser would not keep the cookie as it is meant.
pub(super) fn check(cookie: &CookieConfigBuilder) -> Result<(), &'static str> {
    let CookieConfigBuilder { name, domain, path, http_only, secure, same_site, partitioned, persistent: _ } = cookie;
    grammar(name, domain.as_deref(), path)?;

    // Browsers compare prefixes without regard to case.
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let host = starts("__Host-");
    if host && domain.is_some() {
        return Err("a cookie named __Host-… must not have a Domain: drop it, or name the cookie __Secure-…");
    }
    if host && path != "/" {
        return Err("a cookie named __Host-… must have Path=/: leave the path out, or name the cookie __Secure-…");
    }
    if !secure && (host || starts("__Secure-") || starts("__Http-")) {
        return Err(
            "a cookie with a __Host-, __Secure- or __Http- name must be Secure: keep it so, or choose another name",
        );
    }
    if !http_only && (starts("__Http-") || starts("__Host-Http-")) {
        return Err("a cookie named __Http-… or __Host-Http-… must be HttpOnly: keep it so, or choose another name");
    }
    if *same_site == SameSite::None && !secure {
        return Err("SameSite=None needs Secure: keep it, or choose Lax or Strict");
    }
    if *partitioned && !secure {
        return Err("Partitioned needs Secure: keep it, or leave Partitioned out");
    }
    Ok(())
}

fn grammar(name: &str, domain: Option<&str>, path: &str) -> Result<(), &'static str> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(
            "a cookie's name has the characters of an HTTP token, and at least one: letters, digits, - and _ are safe",
        );
    }
    if name.len() + Token::TEXT_LEN > MAX_COOKIE {
        return Err("the cookie would have over 4096 bytes, which browsers ignore: choose a shorter name");
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';') {
        return Err("a cookie's path starts with / and has visible ASCII characters other than ; only");
    }
    if path.len() > MAX_ATTRIBUTE {
        return Err("a cookie's path has at most 1024 bytes: browsers ignore a longer one");
    }
    match domain {
        Some(domain) if !is_domain(domain) => {
            Err("a cookie's domain is a host name without a leading dot, such as example.com")
        }
        _ => Ok(()),
    }
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
    };
    domain.len() <= 253 && domain.split('.').all(is_label)
}
