//! No token anywhere: everything that a whole life of sessions says and leaves is searched for every token that was given out.
//!
//! What is heard ([`ears`]): every event and span of every crate at every level, through `tracing` and through `log`, and every
//! panic. What is looked at: the `Display`, `Debug` and sources of every error, the `Debug` of every public type, and a dump of
//! the store. What is searched for ([`needles`]): the text and the secret bytes, in every encoding that text formatting or a
//! database is likely to give them, in pieces.

pub mod ears;
mod life;
mod moody;
pub mod needles;
mod told;
mod types;

use std::fmt;

use sessions_core::Token;

use crate::behind::{Bench, Problem};
use ears::Ears;
use needles::Needles;

/// What was searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Tokens that were given out.
    pub tokens: usize,
    /// Bytes of events, spans and panics.
    pub heard: usize,
    /// Bytes of errors and of `Debug` texts.
    pub said: usize,
    /// Bytes of dumps of the store.
    pub stored: usize,
}

/// Lives through everything on one store, and searches what is left.
///
/// # Errors
///
/// Where a token was found, and when the store fails by itself.
pub async fn search(bench: &Bench, ears: &Ears) -> Result<Report, Problem> {
    let life = life::live(bench).await?;
    let needles = Needles::of(&life.tokens);
    let heard = ears.heard();
    for (place, bytes) in [("said", life.said.as_bytes()), ("stored", &life.stored), ("heard", heard.as_bytes())] {
        needles.find(bytes).map_or(Ok(()), |found| Err(format!("{place}: {found}")))?;
    }
    for word in EXPECTED_EVENTS {
        if !heard.contains(word) {
            return Err(format!("{word} was not heard: the ears are deaf, or the life is not whole").into());
        }
    }
    let (tokens, said, stored) = (life.tokens.len(), life.said.len(), life.stored.len());
    Ok(Report { tokens, heard: heard.len(), said, stored })
}

/// Puts a token where it must not be, in one way after the other, and tells which of them go unnoticed. The negative control.
///
/// # Errors
///
/// When the store fails.
#[expect(clippy::missing_panics_doc, reason = "the panic is one of the ways, and is caught")]
pub async fn unnoticed(bench: &Bench, ears: &Ears) -> Result<Vec<&'static str>, Problem> {
    let life = life::live(bench).await?;
    let token = life.tokens.first().ok_or("no token was given out")?;
    let needles = Needles::of(&life.tokens);
    let mut unnoticed = Vec::new();
    for (way, text) in ways_to_leak(token) {
        if needles.find(&text).is_none() {
            unnoticed.push(way);
        }
    }
    life::leak_into_the_store(bench, token).await?;
    if needles.find(&bench.dump(&life.ids).await?).is_none() {
        unnoticed.push("in the store");
    }
    let silent = |ears: &Ears, since: usize| needles.find(&ears.heard().as_bytes()[since..]).is_none();
    let text = token.encode();
    let since = ears.heard().len();
    tracing::trace!(cookie = text.as_str(), "a leak on purpose");
    if silent(ears, since) {
        unnoticed.push("an event");
    }
    let since = ears.heard().len();
    log::trace!("a leak on purpose: {}", text.as_str());
    if silent(ears, since) {
        unnoticed.push("a line of a log");
    }
    let since = ears.heard().len();
    // The panic is caught, and its message heard.
    let _ = tokio::spawn(async move { panic!("a leak on purpose: {}", text.as_str()) }).await;
    if silent(ears, since) {
        unnoticed.push("a panic");
    }
    Ok(unnoticed)
}

/// The same secret as a careless line of code might write it.
fn ways_to_leak(token: &Token) -> Vec<(&'static str, Vec<u8>)> {
    let text = token.encode();
    let text = text.as_str();
    let secret = needles::secret_of(token);
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        ("the text", text.as_bytes().to_vec()),
        ("the first half of the secret's text", text.as_bytes()[22..44].to_vec()),
        ("the bytes", secret.to_vec()),
        ("half of the bytes", secret[16..].to_vec()),
        ("hex", hex.clone().into_bytes()),
        ("upper-case hex", hex.to_uppercase().into_bytes()),
        ("Debug of the bytes", format!("{secret:?}").into_bytes()),
        ("alternate Debug of the bytes", format!("{secret:#?}").into_bytes()),
        ("hexadecimal Debug of the bytes", format!("{secret:02x?}").into_bytes()),
        ("Debug of a byte string", secret.escape_ascii().to_string().into_bytes()),
        ("base64url of the secret alone", needles::base64(&secret, needles::URL).into_bytes()),
        ("base64 of the secret alone", needles::base64(&secret, needles::STANDARD).into_bytes()),
        ("base64 of all", text.replace('-', "+").replace('_', "/").into_bytes()),
    ]
}

/// A life in which these are not heard has left something out.
const EXPECTED_EVENTS: [&str; 12] = [
    "session.created",
    "session.written",
    "session.touched",
    "session.destroyed",
    "session.deleted_by_id",
    "session.lost",
    "session.unknown",
    "session.superseded",
    "session.corrupt",
    "session.request_failed",
    "cookie.malformed",
    "cookie.ambiguous",
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, heard, said, stored } = self;
        write!(
            f,
            "tokens={tokens}; bytes of events and panics={heard}; bytes of errors and Debug={said}; bytes at rest={stored}; \
             tokens found=0"
        )
    }
}
