//! The session cookie: its attributes, checked when built, and its `Set-Cookie` text.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use sessions_core::Token;

mod check;

/// The attributes of the session cookie.
///
/// The defaults are what OWASP ASVS 3.3 and NIST SP 800-63B-4 §5.1.1 ask for: `__Host-session`, `Path=/`, `Secure`, `HttpOnly`,
/// `SameSite=Lax`, no `Domain`, not `Partitioned`, and not persistent, so that the cookie ends with the browser. Combinations
/// that browsers reject are errors when built, and the error says what to change.
///
/// ```
/// use sessions_tower::{CookieConfig, SameSite};
///
/// let cookie = CookieConfig::builder().name("__Secure-app").domain("example.com").same_site(SameSite::Strict).build()?;
/// assert_eq!(cookie.name(), "__Secure-app");
///
/// let refused = CookieConfig::builder().domain("example.com").build().unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "a cookie named __Host-… must not have a Domain: drop it, or name the cookie __Secure-…",
/// );
/// # Ok::<(), sessions_tower::CookieConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CookieConfig {
    name: Arc<str>,
    /// What follows the value: every attribute but the age.
    attributes: Arc<str>,
    persistent: bool,
}

/// Builds a [`CookieConfig`]; see there for the defaults.
#[derive(Debug, Clone)]
pub struct CookieConfigBuilder {
    name: String,
    domain: Option<String>,
    path: String,
    http_only: bool,
    secure: bool,
    same_site: SameSite,
    partitioned: bool,
    persistent: bool,
}

/// With which cross-site requests the browser sends the cookie (RFC 6265bis §5.6.7). It is always said, because browsers
/// differ in what they assume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SameSite {
    /// With none: also not when the user follows a link from elsewhere.
    Strict,
    /// With top-level navigation only. The default.
    #[default]
    Lax,
    /// With all. Needs `Secure`, and the application needs protection against cross-site request forgery.
    None,
}

/// A cookie setting that browsers would reject. The text says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieConfigError(String);

impl CookieConfig {
    /// Starts from the defaults.
    #[must_use]
    pub fn builder() -> CookieConfigBuilder {
        CookieConfigBuilder::default()
    }

    /// For development over plain http in browsers that want https for `Secure` cookies on localhost too, as Safari does:
    /// the name `session`, not `Secure`, everything else as by default. Not for production: the cookie travels in the clear.
    #[must_use]
    pub fn insecure_development() -> Self {
        CookieConfigBuilder { name: "session".to_owned(), secure: false, ..CookieConfigBuilder::default() }.finish()
    }

    /// The name of the cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `Set-Cookie` value for a token. `persistent` is the session's own word, if it has one.
    pub(crate) fn set(&self, token: &Token, persistent: Option<bool>, max_age: Duration) -> HeaderValue {
        // An age of 0 would be a removal.
        let age = persistent.unwrap_or(self.persistent).then(|| format!("; Max-Age={}", max_age.as_secs().max(1)));
        let token = token.encode();
        let parts = [&self.name, "=", token.as_str(), &self.attributes, age.as_deref().unwrap_or_default()];
        // Exact, so that the buffer becomes the header's without a copy.
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            text.extend_from_slice(part.as_bytes());
        }
        header(text)
    }

    /// The `Set-Cookie` value that removes the cookie, with every attribute of the original, without which a browser would
    /// not find it (H6).
    pub(crate) fn removal(&self) -> HeaderValue {
        let (name, attributes) = (&self.name, &self.attributes);
        header(format!("{name}={attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT").into_bytes())
    }
}

impl Default for CookieConfig {
    fn default() -> Self {
        CookieConfigBuilder::default().finish()
    }
}

impl CookieConfigBuilder {
    /// The name: the characters of an HTTP token (RFC 9110 §5.6.2). Default `__Host-session`, which browsers take only from
    /// this very host over https.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The domain whose subdomains get the cookie too. Default none: this host only. A `__Host-` name must have none.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The path prefix of the requests that carry the cookie. Default `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Whether scripts cannot read the cookie. Default true.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Whether the cookie travels over https only. Default true.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// With which cross-site requests the cookie is sent. Default [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Whether each embedding site has a cookie jar of its own. Default false.
    #[must_use]
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// Whether the cookie outlives the browser, up to the session's deadline. A session's own
    /// [`set_persistent`](sessions_core::Session::set_persistent) wins. Default false.
    #[must_use]
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Checks the combination.
    ///
    /// # Errors
    ///
    /// For what a browser would reject or ignore: a name, path or domain out of the grammar or too long, a `__Host-` name with a
    /// Domain, another path or without `Secure`, a `__Secure-` name, `SameSite=None` or `Partitioned` without `Secure`, an
    /// `__Http-` name without `HttpOnly`.
    pub fn build(self) -> Result<CookieConfig, CookieConfigError> {
        check::check(&self).map_err(|reason| CookieConfigError(reason.to_owned()))?;
        Ok(self.finish())
    }

    fn finish(self) -> CookieConfig {
        let Self { name, domain, path, http_only, secure, same_site, partitioned, persistent } = self;
        let mut attributes = format!("; Path={path}");
        if let Some(domain) = domain {
            attributes += "; Domain=";
            attributes += &domain;
        }
        for (on, attribute) in [
            (secure, "; Secure"),
            (http_only, "; HttpOnly"),
            (true, same_site.attribute()),
            (partitioned, "; Partitioned"),
        ] {
            attributes += if on { attribute } else { "" };
        }
        CookieConfig { name: name.into(), attributes: attributes.into(), persistent }
    }
}

impl Default for CookieConfigBuilder {
    fn default() -> Self {
        Self {
            name: "__Host-session".to_owned(),
            domain: None,
            path: "/".to_owned(),
            http_only: true,
            secure: true,
            same_site: SameSite::Lax,
            partitioned: false,
            persistent: false,
        }
    }
}

impl SameSite {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Strict => "; SameSite=Strict",
            Self::Lax => "; SameSite=Lax",
            Self::None => "; SameSite=None",
        }
    }
}

impl fmt::Display for CookieConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CookieConfigError {}

/// Invariant: `check` has admitted visible ASCII only, which every header value may hold.
fn header(text: Vec<u8>) -> HeaderValue {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""));
    // Kept out of `Debug` and of HTTP/2's header compression tables.
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests;
