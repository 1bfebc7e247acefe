//! One application that answers requests, called directly.

use http::HeaderValue;

/// Sends one request after the other to an application in this process.
pub trait Runner {
    /// What comes back.
    type Response;

    /// One request, with the value of its `Cookie` field.
    #[expect(async_fn_in_trait, reason = "nothing here is sent to another thread")]
    async fn request(&mut self, cookie: Option<&HeaderValue>) -> Self::Response;

    /// The response's `Set-Cookie` field.
    fn set_cookie(response: &Self::Response) -> Option<&[u8]>;
}

/// What a browser would send back for this `Set-Cookie`.
///
/// # Panics
///
/// If it is no header value.
#[must_use]
pub fn cookie_of(set_cookie: &[u8]) -> HeaderValue {
    let pair = set_cookie.split(|byte| *byte == b';').next().unwrap_or_default();
    HeaderValue::from_bytes(pair).expect("a pair that was in a header")
}
