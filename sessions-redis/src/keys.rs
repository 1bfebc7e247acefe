//! Names of keys.
//!
//! `PREFIX/s/ID` is a session, `PREFIX/o/OWNER` is the index of an owner. A prefix has no `/`, so that the first one ends it: no
//! owner, whatever its text, makes a key of another namespace (G13). It has no braces, which would put all sessions of a
//! Cluster on one node, and no characters that patterns (`SCAN`, ACL) read as wildcards.

use std::fmt;
use std::io::Write;

use redis::{RedisWrite, ToRedisArgs};
use sessions_core::{Owner, SessionId};

use crate::error::Error;

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
    pub(crate) fn session<'a>(&'a self, id: &'a SessionId) -> Key<'a> {
        Key { prefix: &self.0, of: Of::Session(id) }
    }

    /// The key of an owner's index.
    pub(crate) fn owner<'a>(&'a self, owner: &'a Owner) -> Key<'a> {
        Key { prefix: &self.0, of: Of::Owner(owner) }
    }
}

/// A key, spelled where it is needed: most often straight into a command.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    prefix: &'a str,
    of: Of<'a>,
}

#[derive(Clone, Copy)]
enum Of<'a> {
    Session(&'a SessionId),
    Owner(&'a Owner),
}

impl Key<'_> {
    /// A copy, for many keys of one command.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.prefix.len() + "/s/".len() + SessionId::TEXT_LEN);
        self.write(&mut key);
        key
    }

    fn write(self, out: &mut impl Write) {
        let id;
        let (kind, name) = match self.of {
            Of::Session(of) => {
                id = of.encode();
                ("/s/", &id[..])
            }
            Of::Owner(owner) => ("/o/", owner.as_str().as_bytes()),
        };
        for part in [self.prefix.as_bytes(), kind.as_bytes(), name] {
            // A buffer in memory takes everything.
            let _ = out.write_all(part);
        }
    }
}

impl ToRedisArgs for Key<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        self.write(&mut out.writer_for_next_arg());
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
        let owner = Owner::new("user-42").expect("a valid owner");
        for (key, spelled) in [
            (prefix.session(&id), &b"shop:sessions/s/BwcHBwcHBwcHBwcHBwcHBw"[..]),
            (prefix.owner(&owner), b"shop:sessions/o/user-42"),
        ] {
            assert_eq!(key.to_vec(), spelled);
            assert_eq!(key.to_redis_args(), [spelled], "one argument");
        }
        let copy = prefix.session(&id).to_vec();
        assert_eq!(copy.capacity(), copy.len(), "no room that is not needed, and no growing");
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
        let session = long.session(&id).to_vec();
        for owner in ["/s/BwcHBwcHBwcHBwcHBwcHBw", "s/BwcHBwcHBwcHBwcHBwcHBw", ":o/s/BwcHBwcHBwcHBwcHBwcHBw"] {
            assert_ne!(short.owner(&Owner::new(owner).expect("valid")).to_vec(), session);
        }
    }
}
