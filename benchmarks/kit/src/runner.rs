//! One application that answers requests, called directly.

use http::HeaderValue;

/// Sends one request after the other to an application in this process.
pub trait Runner {
    /// What comes back.
    type Response;

    /// One request, with the value of its `Cookie` field.
    #[expect(async_fn_in_trait, reason = "nothing here is sent to another thread")]
    async fn request(&mut self, cookie: Option<&HeaderValue>) -> Self::Response;

    /// What a browser would send back: the pairs of the response's `Set-Cookie` fields.
    fn cookie(response: &Self::Response) -> Option<HeaderValue>;
}

/// What a browser would send back for these `Set-Cookie` fields.
///
/// # Panics
///
/// If they are no header values.
#[must_use]
pub fn cookie_of<'a>(set_cookie: impl Iterator<Item = &'a [u8]>) -> Option<HeaderValue> {
    let pairs = set_cookie.map(|field| field.split(|byte| *byte == b';').next().unwrap_or_default());
    let pairs = pairs.collect::<Vec<_>>().join(&b"; "[..]);
    (!pairs.is_empty()).then(|| HeaderValue::from_bytes(&pairs).expect("pairs that were in a header"))
}
