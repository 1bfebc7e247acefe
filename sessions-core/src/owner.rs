//! Whose session it is.

use std::fmt;
use std::sync::Arc;

use crate::error::Error;

/// The application's id for whose session it is, usually the user's id: 1 to 255 bytes of UTF-8.
///
/// It is the key of the index behind "list my devices" and "log out everywhere". It is not a secret, but it may be personal:
/// the library's events carry it only in `Debug` of this type, which redacts it.
///
/// ```
/// use sessions_core::Owner;
///
/// assert_eq!(Owner::new("user-42")?.as_str(), "user-42");
/// assert!(Owner::new("").is_err());
/// assert!(Owner::new("x".repeat(256)).is_err());
/// # Ok::<(), sessions_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The longest owner, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// Takes an owner's id.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_owner`] when it is empty or longer than [`Owner::MAX_BYTES`].
    pub fn new(owner: impl AsRef<str>) -> Result<Self, Error> {
        let owner = owner.as_ref();
        if owner.is_empty() || owner.len() > Self::MAX_BYTES {
            return Err(Error::invalid_owner(owner.len()));
        }
        Ok(Self(owner.into()))
    }

    /// The owner's id as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Owner {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_its_text_and_shows_only_how_long_that_is() {
        let owner = Owner::new("user-42").expect("valid");
        assert_eq!((owner.as_str(), owner.as_ref()), ("user-42", "user-42"));
        assert_eq!(format!("{owner:?}"), "Owner(7 bytes)");
    }
}
