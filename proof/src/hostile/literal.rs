//! Slow, literal readings of the grammars, from the RFCs alone: what the quick parsers are compared with.

/// base64url without padding (RFC 4648 §5, §3.2), of so many bytes: character by character, bit by bit. The bits that are left
/// over have to be zero (§3.5).
#[must_use]
pub fn base64url(text: &[u8], len: usize) -> Option<Vec<u8>> {
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"-_").collect();
    let mut bits: Vec<bool> = Vec::new();
    for character in text {
        let value = alphabet.iter().position(|other| other == character)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let left = bits.len().checked_sub(len * 8)?;
    // A whole character more would be another text.
    if left >= 6 || bits[len * 8..].contains(&true) {
        return None;
    }
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    Some(bits[..len * 8].chunks(8).map(byte).collect())
}

/// A `cookie-string` of RFC 6265 §4.2.1, with optional white space around it, as its pairs; `None` for everything that the
/// grammar does not derive.
///
/// ```text
/// cookie-string = cookie-pair *( ";" SP cookie-pair )
/// cookie-pair   = cookie-name "=" cookie-value
/// cookie-name   = token
/// cookie-value  = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE )
/// cookie-octet  = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
/// ```
#[must_use]
pub fn cookie_string(field: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    pairs(without_ows(field))
}

/// The first pair may end at any semicolon: each is tried.
fn pairs(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if let Some(last) = pair(bytes) {
        return Some(vec![last]);
    }
    (0..bytes.len()).find_map(|at| {
        let first = pair(&bytes[..at])?;
        let rest = bytes[at..].strip_prefix(b"; ")?;
        Some([vec![first], pairs(rest)?].concat())
    })
}

/// The name may end at any equals sign: each is tried.
fn pair(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    (0..bytes.len()).find_map(|at| {
        let (name, value) = (&bytes[..at], bytes[at..].strip_prefix(b"=")?);
        (is_token(name) && is_cookie_value(value)).then_some((name, value))
    })
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

fn is_cookie_value(bytes: &[u8]) -> bool {
    let is_octet = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    let quoted = bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    bytes.iter().all(is_octet) || quoted.is_some_and(|inner| inner.iter().all(is_octet))
}

/// What a request presents under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Nothing,
    /// This text, which is that of a token.
    Token(Vec<u8>),
    /// One value that is no token.
    Malformed,
    /// Several values.
    Ambiguous,
}

/// Rule H7 of the layer, word by word, for any bytes: pairs are what stands between semicolons, without the SP and HTAB
/// around them; a pair is ours if what stands before its first equals sign is our name; its value is what stands after, as it
/// is; all fields count; equal values are one.
#[must_use]
pub fn h07(fields: &[&[u8]], name: &[u8]) -> Reading {
    let mut values: Vec<&[u8]> = Vec::new();
    for field in fields {
        for pair in field.split(|byte| *byte == b';') {
            let pair = without_ows(pair);
            let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
            if pair[..equals] == *name {
                values.push(&pair[equals + 1..]);
            }
        }
    }
    reading_of(values)
}

/// The same for fields that the grammar derives, from its pairs; `None` for others.
#[must_use]
pub fn by_grammar(fields: &[&[u8]], name: &[u8]) -> Option<Reading> {
    let mut values = Vec::new();
    for field in fields {
        values.extend(cookie_string(field)?.into_iter().filter(|(other, _)| *other == name).map(|(_, value)| value));
    }
    Some(reading_of(values))
}

fn reading_of(mut values: Vec<&[u8]>) -> Reading {
    values.sort_unstable();
    values.dedup();
    match values[..] {
        [] => Reading::Nothing,
        [value] if base64url(value, 48).is_some() => Reading::Token(value.to_vec()),
        [_] => Reading::Malformed,
        _ => Reading::Ambiguous,
    }
}

/// OWS = *( SP / HTAB ) (RFC 9110 §5.6.3).
fn without_ows(bytes: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !is_ows(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_ows(byte)).map_or(start, |at| at + 1);
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_derives_what_the_rfc_shows_and_nothing_else() {
        let pairs = cookie_string(b"SID=31d4d96e407aad42; lang=en-US").expect("RFC 6265 section 3.1");
        assert_eq!(pairs, [(&b"SID"[..], &b"31d4d96e407aad42"[..]), (b"lang", b"en-US")]);
        assert_eq!(cookie_string(b"a=\"b\""), Some(vec![(&b"a"[..], &b"\"b\""[..])]));
        assert_eq!(cookie_string(b"a=b=c"), Some(vec![(&b"a"[..], &b"b=c"[..])]));
        for other in [&b""[..], b"a", b"=b", b"a=b;c=d", b"a=b; ", b"a=b c", b"a=\"b", b"a=b,c", b"a b=c", b"\xe4=b"] {
            assert_eq!(cookie_string(other), None, "{other:?}");
        }
    }

    #[test]
    fn base64url_of_the_rfc() {
        // RFC 4648 section 10, without padding.
        assert_eq!(base64url(b"Zm9vYg", 4).as_deref(), Some(&b"foob"[..]));
        assert_eq!(base64url(b"Zm9vYh", 4), None, "bits are left over");
        assert_eq!(base64url(b"Zm9vYgA", 4), None, "a character too many");
        assert_eq!(base64url(b"Zm9v", 4), None);
    }
}
