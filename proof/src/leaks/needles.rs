//! What a token may look like where it must not be, and a search for all of it at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sessions_core::Token;

/// Pieces of secrets, in every encoding.
#[derive(Debug, Default)]
pub struct Needles {
    /// By their first bytes.
    by_start: HashMap<[u8; START], Vec<Needle>>,
}

#[derive(Debug)]
struct Needle {
    bytes: Vec<u8>,
    encoding: &'static str,
    token: usize,
}

impl Needles {
    /// Those of these tokens.
    #[must_use]
    pub fn of(tokens: &[Token]) -> Self {
        let mut needles = Self::default();
        for (number, token) in tokens.iter().enumerate() {
            needles.add_all(number, token);
        }
        needles
    }

    /// The first of them in a haystack, in words that do not quote it.
    #[must_use]
    pub fn find(&self, haystack: &[u8]) -> Option<String> {
        for (at, start) in haystack.array_windows::<START>().enumerate() {
            let Some(needles) = self.by_start.get(start) else { continue };
            if let Some(needle) = needles.iter().find(|needle| haystack[at..].starts_with(&needle.bytes)) {
                return Some(format!(
                    "token {} as {}, at byte {at} of {}",
                    needle.token,
                    needle.encoding,
                    haystack.len()
                ));
            }
        }
        None
    }

    fn add_all(&mut self, token: usize, of: &Token) {
        let text = of.encode();
        let text = text.as_str();
        let secret = secret_of(of);
        // The id ends within the 22nd character.
        for piece in [&text[22..43], &text[43..]] {
            self.add(token, "text", piece.as_bytes().to_vec());
            let standard = piece.replace('-', "+").replace('_', "/");
            self.add(token, "base64", standard.into_bytes());
        }
        for piece in secret.chunks(16) {
            self.add(token, "bytes", piece.to_vec());
        }
        for alphabet in [URL, STANDARD] {
            let alone = base64(&secret, alphabet);
            for piece in [&alone[..20], &alone[20..40]] {
                self.add(token, "base64 of the secret alone", piece.as_bytes().to_vec());
            }
        }
        for piece in secret.chunks(8) {
            let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
            self.add(token, "upper-case hex", hex.to_uppercase().into_bytes());
            self.add(token, "hex", hex.into_bytes());
            for (encoding, list) in [
                ("a list of bytes", format!("{piece:?}")),
                ("a list of bytes, one a line", piece.iter().map(|byte| format!("    {byte},\n")).collect()),
                ("a list of hexadecimal bytes", format!("{piece:02x?}")),
            ] {
                self.add(token, encoding, list.trim_matches(['[', ']']).as_bytes().to_vec());
            }
            self.add(token, "a byte string", piece.escape_ascii().to_string().into_bytes());
        }
    }

    fn add(&mut self, token: usize, encoding: &'static str, bytes: Vec<u8>) {
        let Some(start) = bytes.first_chunk().copied() else { return };
        match self.by_start.entry(start) {
            Entry::Occupied(mut others) => others.get_mut().push(Needle { bytes, encoding, token }),
            Entry::Vacant(place) => drop(place.insert(vec![Needle { bytes, encoding, token }])),
        }
    }
}

/// The 32 bytes behind the id, read off the text: the type does not give them away.
pub(crate) fn secret_of(token: &Token) -> [u8; 32] {
    let text = token.encode();
    let all = crate::hostile::literal::base64url(text.as_str().as_bytes(), 48).expect("the text of a token");
    all[16..].try_into().expect("48 bytes less 16")
}

/// Without padding.
pub(crate) fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let value = |six: &[bool]| (0..6).fold(0, |value, bit| value << 1 | usize::from(six.get(bit) == Some(&true)));
    bits.chunks(6).map(|six| char::from(alphabet[value(six)])).collect()
}

pub(crate) const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(crate) const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// No needle is shorter.
const START: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_wherever_it_is_and_nothing_else() {
        // The id is all zeros; in no encoding of the secret are there as many.
        let mut text = [b'k'; 64];
        text[..22].fill(b'A');
        let token = Token::parse(&text).expect("the text of a token");
        let needles = Needles::of(std::slice::from_ref(&token));
        let hay = "x".repeat(1_000);
        assert_eq!(needles.find(hay.as_bytes()), None);
        for at in [0, 1, 500, 1_000] {
            let mut haystack = hay.clone();
            haystack.insert_str(at, token.encode().as_str());
            assert!(needles.find(haystack.as_bytes()).is_some(), "at {at}");
        }
        // The id may be anywhere.
        assert_eq!(needles.find(format!("{} {:?}", token.id(), token).as_bytes()), None);
    }

    #[test]
    fn base64_of_the_rfc() {
        assert_eq!(base64(b"foobar", STANDARD), "Zm9vYmFy");
        assert_eq!(base64(b"foob", URL), "Zm9vYg");
    }
}
