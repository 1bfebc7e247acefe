//! Tokens and ids: one text each, and everything else refused.

use sessions_core::{SessionId, Token};

use super::literal;

/// Compares both parsers with a literal reading of base64url.
pub(crate) fn throw(bytes: &[u8]) {
    match (Token::parse(bytes), literal::base64url(bytes, 48)) {
        (Some(token), Some(read)) => {
            assert_eq!(token.encode().as_str().as_bytes(), bytes, "one text for a token");
            assert_eq!(token.id().as_bytes()[..], read[..16]);
            assert!(!format!("{token:?}").contains(token.encode().as_str()), "a token in its Debug");
        }
        (None, None) => {}
        (parsed, read) => panic!("parsed {}, read {}", parsed.is_some(), read.is_some()),
    }
    let id = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<SessionId>().ok());
    let read = literal::base64url(bytes, 16);
    assert_eq!(id.map(|id| id.as_bytes().to_vec()), read);
    if let Some(id) = id {
        assert_eq!(id.to_string().as_bytes(), bytes, "one text for an id");
    }
}

pub(crate) fn is_well_formed(bytes: &[u8]) -> bool {
    Token::parse(bytes).is_some()
}
