//! Names of keys.
//!
//! `PREFIX/s/ID` is a session, `PREFIX/o/OWNER` is the index of an owner. A prefix has no `/`, so that the first one ends it: no
//! owner, whatever its text, makes a key of another namespace (G13). It has no braces, which would put all sessions of a
//! Cluster on one node, and no characters that patterns (`SCAN`, ACL) read as wildcards.

use std::fmt::{self, Write};

use sessions_core::{Owner, SessionId};

use crate::error::Error;

/// The length of an id as text.
const ID_CHARACTERS: usize = 22;

/// A validated prefix.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Prefix(String);

impl Prefix {
    const MAX_BYTES: usize = 64;

    pub(crate) fn new(prefix: &str) -> Result<Self, Error> {
        let reason = if prefix.is_empty() || prefix.len() > Self::MAX_BYTES {
            "has 1 to 64 bytes"
        } else if prefix.contains(['{', '}']) {
            "takes no braces: they would put every session of a Cluster on one node"
        } else if !prefix.chars().all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c)) {
            "takes ASCII letters, digits, `.`, `_`, `:` and `-`"
        } else {
            return Ok(Self(prefix.to_owned()));
        };
        Err(Error::setting("prefix", reason))
    }

    /// The key of a session.
    pub(crate) fn session(&self, id: &SessionId) -> Vec<u8> {
        let mut key = String::with_capacity(self.0.len() + "/s/".len() + ID_CHARACTERS);
        key += &self.0;
        key += "/s/";
        // A `String` takes everything.
        let _ = write!(key, "{id}");
        key.into_bytes()
    }

    /// The key of an owner's index.
    pub(crate) fn owner(&self, owner: &Owner) -> Vec<u8> {
        format!("{}/o/{}", self.0, owner.as_str()).into_bytes()
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("sessions".to_owned())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_readable() {
        let prefix = Prefix::new("shop:sessions").expect("a valid prefix");
        let id = SessionId::from_bytes([7; 16]);
        let key = prefix.session(&id);
        assert_eq!(key, b"shop:sessions/s/BwcHBwcHBwcHBwcHBwcHBw");
        assert_eq!(key.capacity(), key.len(), "no room that is not needed, and no growing");
        let owner = Owner::new("user-42").expect("a valid owner");
        assert_eq!(prefix.owner(&owner), b"shop:sessions/o/user-42");
    }

    #[test]
    fn g13_good_prefixes() {
        for good in ["a", "sessions", "shop:sessions", "v1.web_app-2", &"x".repeat(64)] {
            assert!(Prefix::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn g13_other_prefixes_are_refused() {
        let long = "x".repeat(65);
        let bad = ["", " ", "a b", "{a}", "a{", "}", "a/b", "a*", "a?", "[a]", "a\\", "a\0", "a\n", "é", "a'", &long];
        for bad in bad {
            assert!(Prefix::new(bad).expect_err(bad).is_invalid_setting(), "{bad:?}");
        }
    }

    #[test]
    fn g13_no_owner_reaches_into_another_namespace() {
        let (short, long) = (Prefix::new("a").expect("valid"), Prefix::new("a:o").expect("valid"));
        let id = SessionId::from_bytes([7; 16]);
        let session = long.session(&id);
        for owner in ["/s/BwcHBwcHBwcHBwcHBwcHBw", "s/BwcHBwcHBwcHBwcHBwcHBw", ":o/s/BwcHBwcHBwcHBwcHBwcHBw"] {
            assert_ne!(short.owner(&Owner::new(owner).expect("valid")), session);
        }
    }
}
