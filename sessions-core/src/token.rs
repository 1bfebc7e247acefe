//! Session ids, tokens and verifiers.
//!
//! A [`Token`] is what the client holds; it is the one secret of this library. Its first 16 bytes are the
//! [`SessionId`], the store's key, which grants nothing; the other 32 are the secret. The store keeps only the
//! [`Verifier`], so that a stolen store, backup or log yields no usable cookie.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::base64url;
use crate::error::Error;
use crate::random::Random;
use crate::store::Version;

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const VERSION_BYTES: usize = 8;

/// The store's key of a session: 16 random bytes, the same for the whole life of the session.
///
/// Knowing an id grants nothing: it may be logged, listed to the session's owner and used to revoke. Its text is 22
/// characters of base64url.
///
/// ```
/// use sessions_core::SessionId;
///
/// let id = SessionId::from_bytes([7; 16]);
/// assert_eq!(id.to_string(), "BwcHBwcHBwcHBwcHBwcHBw");
/// assert_eq!(id.to_string().parse::<SessionId>()?, id);
/// // One canonical text per id: non-zero trailing bits are refused.
/// assert!("BwcHBwcHBwcHBwcHBwcHBx".parse::<SessionId>().is_err());
/// # Ok::<(), sessions_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; ID_BYTES]);

impl SessionId {
    /// The length of an id's text, in bytes.
    pub const TEXT_LEN: usize = 22;

    /// Takes the 16 bytes of an id, as a store holds them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }

    /// The bytes of the text, which are ASCII: what [`Display`](fmt::Display) shows, for keys and columns of a store.
    ///
    /// ```
    /// # use sessions_core::SessionId;
    /// assert_eq!(&SessionId::from_bytes([7; 16]).encode(), b"BwcHBwcHBwcHBwcHBwcHBw");
    /// ```
    #[must_use]
    pub fn encode(&self) -> [u8; Self::TEXT_LEN] {
        base64url::encode(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = Error;

    /// Reads the 22-character text. Everything but the canonical text of an id is an error.
    fn from_str(text: &str) -> Result<Self, Error> {
        base64url::decode(text.as_bytes()).map(Self).ok_or_else(Error::malformed_id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.encode()).unwrap_or_default())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// What the client holds: the session's id and a 256-bit secret from the operating system (ASVS 7.2.3, 11.5.1).
///
/// A secret: `Debug` is redacted, there is no `Display`, and the library never logs, stores or lists it. The only way
/// to its text is [`Token::encode`], which is meant for the cookie.
///
/// ```
/// use sessions_core::Token;
///
/// let text = "A".repeat(64);
/// let token = Token::parse(text.as_bytes()).expect("64 characters of base64url");
/// assert_eq!(token.encode().as_str(), text);
/// assert_eq!(format!("{token:?}"), "Token(AAAAAAAAAAAAAAAAAAAAAA, redacted)");
/// assert!(Token::parse(b"short").is_none());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: SessionId,
    secret: [u8; SECRET_BYTES],
}

impl Token {
    /// The length of a token's text, in bytes: 48 bytes are exactly 64 characters, without padding.
    pub const TEXT_LEN: usize = 64;

    /// Reads a token from the bytes of a cookie value, without allocating.
    ///
    /// Each token has one text. Any other length, a character outside `A-Z a-z 0-9 - _`, padding or percent-encoding
    /// gives `None`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes: [u8; ID_BYTES + SECRET_BYTES] = base64url::decode(text)?;
        Some(Self::from_parts(&bytes))
    }

    /// The text for the cookie. Treat it as the secret that it is.
    #[must_use]
    pub fn encode(&self) -> TokenText {
        let mut bytes = [0; ID_BYTES + SECRET_BYTES];
        bytes[..ID_BYTES].copy_from_slice(&self.id.0);
        bytes[ID_BYTES..].copy_from_slice(&self.secret);
        TokenText(base64url::encode(&bytes))
    }

    /// The id of the session that this token may open.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// What the store keeps instead of the secret.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let mut hash = Sha256::new();
        hash.update(self.id.0);
        hash.update(self.secret);
        Verifier(hash.finalize().into())
    }

    /// A token under a fresh id, and the version of the write that hands it out: one call of the generator for both.
    pub(crate) fn generate(random: &dyn Random) -> Result<(Self, Version), Error> {
        let (bytes, version) = drawn(random)?;
        Ok((Self::from_parts(&bytes), version))
    }

    /// A token with a fresh secret for a session that exists: what rotation hands out.
    pub(crate) fn generate_for(id: SessionId, random: &dyn Random) -> Result<(Self, Version), Error> {
        let (secret, version) = drawn(random)?;
        Ok((Self { id, secret }, version))
    }

    fn from_parts(bytes: &[u8; ID_BYTES + SECRET_BYTES]) -> Self {
        let mut id = [0; ID_BYTES];
        let mut secret = [0; SECRET_BYTES];
        id.copy_from_slice(&bytes[..ID_BYTES]);
        secret.copy_from_slice(&bytes[ID_BYTES..]);
        Self { id: SessionId(id), secret }
    }
}

/// `N` random bytes and a version.
fn drawn<const N: usize>(random: &dyn Random) -> Result<([u8; N], Version), Error> {
    let mut bytes = [0; ID_BYTES + SECRET_BYTES + VERSION_BYTES];
    let bytes = &mut bytes[..N + VERSION_BYTES];
    random.fill(bytes).map_err(Error::random)?;
    let (mut token, mut version) = ([0; N], [0; VERSION_BYTES]);
    token.copy_from_slice(&bytes[..N]);
    version.copy_from_slice(&bytes[N..]);
    Ok((token, Version::from_u64(u64::from_le_bytes(version))))
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, redacted)", self.id)
    }
}

/// The text of a [`Token`]: 64 ASCII characters, without an allocation. `Debug` is redacted.
#[derive(Clone)]
pub struct TokenText([u8; Token::TEXT_LEN]);

impl TokenText {
    /// The text, for the cookie value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(redacted)")
    }
}

/// `SHA-256(id ‖ secret)`: proves a token without holding it (ASVS 11.4.1).
///
/// It covers the id, so that a record copied onto another row opens nothing. Equality takes constant time
/// (ASVS 11.2.4). `Debug` is redacted: the hash is no secret that opens anything, but it has no place in a log.
#[derive(Clone, Copy)]
pub struct Verifier([u8; 32]);

impl Verifier {
    /// Takes the 32 bytes of a verifier, as a record holds them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the verifier.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        let (ours, _) = self.0.as_chunks();
        let (theirs, _) = other.0.as_chunks();
        let pairs = ours.iter().zip(theirs).map(|(&a, &b)| u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b));
        pairs.fold(0, |difference, word| difference | word).ct_eq(&0).into()
    }
}

impl Eq for Verifier {}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{OsRandom, RandomError};

    #[derive(Debug)]
    struct Broken;
    impl Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError::new("no entropy today"))
        }
    }

    #[test]
    fn asvs_7_2_3_tokens_are_distinct_and_round_trip() {
        let (a, a_version) = Token::generate(&OsRandom).expect("OS randomness");
        let (b, b_version) = Token::generate(&OsRandom).expect("OS randomness");
        assert_ne!(a, b);
        assert_ne!(a_version, b_version);
        assert_eq!(Token::parse(a.encode().as_str().as_bytes()), Some(a));
    }

    #[test]
    fn asvs_11_5_1_no_fallback_when_randomness_fails() {
        assert!(Token::generate(&Broken).expect_err("must fail").is_random());
        let id = SessionId::from_bytes([1; 16]);
        assert!(Token::generate_for(id, &Broken).expect_err("must fail").is_random());
    }

    #[test]
    fn rotation_keeps_the_id_and_changes_the_verifier() {
        let (a, a_version) = Token::generate(&OsRandom).expect("OS randomness");
        let (b, b_version) = Token::generate_for(a.id(), &OsRandom).expect("OS randomness");
        assert_eq!(a.id(), b.id());
        assert_ne!(a_version, b_version);
        assert_ne!(a.verifier(), b.verifier());
    }

    #[test]
    fn the_verifier_covers_the_id() {
        let a = Token { id: SessionId([1; 16]), secret: [9; 32] };
        let b = Token { id: SessionId([2; 16]), secret: [9; 32] };
        assert_ne!(a.verifier(), b.verifier());
    }

    #[test]
    fn the_verifier_is_sha_256_of_id_and_secret() {
        // `head -c 48 /dev/zero | sha256sum`
        let zero = Token { id: SessionId([0; 16]), secret: [0; 32] };
        let expected = "17b0761f87b081d5cf10757ccc89f12be355c70e2e29df288b65b30710dcbcd1";
        let hex: String = zero.verifier().as_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, expected);
    }

    #[test]
    fn verifiers_are_equal_only_when_every_bit_is() {
        let verifier = |ones: &[usize]| {
            let mut bytes = [7; 32];
            ones.iter().for_each(|&at| bytes[at / 8] ^= 1 << (at % 8));
            Verifier::from_bytes(bytes)
        };
        assert_eq!(verifier(&[]), verifier(&[]));
        for at in 0..256 {
            assert_ne!(verifier(&[at]), verifier(&[]));
            // Differences do not make up for each other.
            for word in 1..4 {
                assert_ne!(verifier(&[at, (at + 64 * word) % 256]), verifier(&[]));
            }
        }
    }

    #[test]
    fn asvs_16_2_5_debug_shows_ids_and_no_secrets() {
        let token = Token { id: SessionId([7; 16]), secret: [9; 32] };
        assert_eq!(format!("{:?}", token.id()), "SessionId(BwcHBwcHBwcHBwcHBwcHBw)");
        assert_eq!(format!("{token:?}"), "Token(BwcHBwcHBwcHBwcHBwcHBw, redacted)");
        assert_eq!(format!("{:?}", token.encode()), "TokenText(redacted)");
        assert_eq!(format!("{:?}", token.verifier()), "Verifier(redacted)");
    }

    #[test]
    fn an_id_is_shown_as_its_text() {
        let id = SessionId::from_bytes([0xff; 16]);
        assert_eq!(format!("{id}"), "_".repeat(21) + "w");
        assert_eq!(format!("{id}").as_bytes(), id.encode());
        assert_eq!(format!("[{id:>24}]"), format!("[  {id}]"));
    }

    #[test]
    fn only_the_canonical_text_parses() {
        let good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        assert!(Token::parse(good.as_bytes()).is_some());
        for at in 0..64 {
            for bad in [b'+', b'/', b'=', b'%', b' ', b'\t', b'"', 0, 0x7f, 0x80, 0xff] {
                let mut text = good.as_bytes().to_vec();
                text[at] = bad;
                assert_eq!(Token::parse(&text), None, "{bad:#x} at {at}");
            }
        }
        assert_eq!(Token::parse(&good.as_bytes()[..63]), None);
        assert_eq!(Token::parse(format!("{good}A").as_bytes()), None);
        assert_eq!(Token::parse(b""), None);
    }
}
