//! Finds our cookie in a request (H7).
//!
//! Byte-exact: no decoding, no quotes, no trimming beyond the SP and HTAB around a pair. All `Cookie` fields are read, as
//! HTTP/2 allows several (RFC 9113 §8.2.3). Linear time, no allocation.

use http::HeaderMap;
use http::header::COOKIE;
use memchr::memchr;
use sessions_core::Token;

/// What a request presents under our cookie's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presented {
    Nothing,
    Token(Token),
    /// A value that is no token: an event, and no session (H5).
    Malformed,
    /// Several different values. Which of them is ours cannot be told, so none is.
    Ambiguous,
}

/// Reads every `Cookie` field.
pub(crate) fn scan(headers: &HeaderMap, name: &str) -> Presented {
    let mut found: Option<&[u8]> = None;
    for field in headers.get_all(COOKIE) {
        let mut rest = Some(field.as_bytes());
        while let Some(pairs) = rest {
            let end = memchr(b';', pairs);
            rest = end.map(|end| &pairs[end + 1..]);
            match value_of(&pairs[..end.unwrap_or(pairs.len())], name.as_bytes()) {
                Some(value) if found.is_some_and(|found| found != value) => return Presented::Ambiguous,
                Some(value) => found = Some(value),
                None => {}
            }
        }
    }
    match found.map(Token::parse) {
        None => Presented::Nothing,
        Some(Some(token)) => Presented::Token(token),
        Some(None) => Presented::Malformed,
    }
}

/// The value of a pair, if it has exactly this name.
pub(crate) fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    trim(pair).strip_prefix(name)?.strip_prefix(b"=")
}

/// OWS of RFC 9110 §5.6.3 and nothing else: Unicode spaces are part of a name.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NAME: &str = "__Host-session";

    fn scanned(fields: &[&[u8]]) -> Presented {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field).expect("a header value"));
        }
        scan(&headers, NAME)
    }
    fn token(character: char) -> String {
        character.to_string().repeat(64)
    }
    fn is_token(presented: &Presented, character: char) -> bool {
        matches!(presented, Presented::Token(found) if found.encode().as_str() == token(character))
    }

    #[test]
    fn h07_our_cookie_is_found_wherever_it_stands() {
        let ours = format!("__Host-session={}", token('A'));
        for header in [
            ours.clone(),
            format!("a=1; {ours}"),
            format!("a=1;{ours};b=2"),
            format!("  \t{ours}\t ;"),
            format!(";;; {ours}"),
            format!("__Host-session2=x; {ours}; x__Host-session=y"),
        ] {
            assert!(is_token(&scanned(&[header.as_bytes()]), 'A'), "{header}");
        }
        assert!(is_token(&scanned(&[b"a=1", ours.as_bytes(), b"b=2"]), 'A'));
    }

    #[test]
    fn h07_other_names_are_not_ours() {
        let value = token('A');
        for header in [
            format!("__host-session={value}"),
            format!("__Host-session ={value}"),
            format!("__Host%2Dsession={value}"),
            format!("\u{a0}__Host-session={value}"),
            format!("\u{2003}__Host-session={value}"),
            format!("\u{feff}__Host-session={value}"),
            format!("$__Host-session={value}"),
            format!("=__Host-session={value}"),
            format!("__Host-session{value}"),
            "__Host-session".to_owned(),
            String::new(),
        ] {
            assert_eq!(scanned(&[header.as_bytes()]), Presented::Nothing, "{header}");
        }
    }

    #[test]
    fn h07_values_are_not_decoded_or_unquoted() {
        let value = token('A');
        for bad in [
            format!("\"{value}\""),
            format!("%41{}", &value[1..]),
            format!(" {value}"),
            format!("{value}="),
            format!("{value}A"),
            value[1..].to_owned(),
            String::new(),
        ] {
            assert_eq!(scanned(&[format!("__Host-session={bad}").as_bytes()]), Presented::Malformed, "{bad}");
        }
    }

    #[test]
    fn h07_equal_duplicates_collapse_and_different_ones_are_no_session() {
        let (a, b) = (token('A'), token('B'));
        let twice = format!("__Host-session={a}; __Host-session={a}");
        assert!(is_token(&scanned(&[twice.as_bytes()]), 'A'));
        let differ = format!("__Host-session={a}; x=1; __Host-session={b}");
        assert_eq!(scanned(&[differ.as_bytes()]), Presented::Ambiguous);
        let fields = [format!("__Host-session={a}"), "__Host-session=short".to_owned()];
        assert_eq!(scanned(&[fields[0].as_bytes(), fields[1].as_bytes()]), Presented::Ambiguous);
    }

    #[test]
    fn h07_any_bytes_are_fine() {
        assert_eq!(scanned(&[&[0x80, 0xff, b';', b'=', b';', 0xc3, 0x28]]), Presented::Nothing);
        let long = vec![b';'; 100_000];
        assert_eq!(scanned(&[&long]), Presented::Nothing);
    }
}
