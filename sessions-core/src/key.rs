//! Keys of session values, with the type of the value.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The name of a session value and the type that lives under it.
///
/// Declare the keys of an application once, as constants; a typo or a wrong type is then a compile error. Plain strings
/// work everywhere too. A key has at most [`MAX_KEY_BYTES`] bytes.
///
/// ```
/// use sessions_core::{Key, Session};
///
/// const VISITS: Key<u64> = Key::new("visits");
///
/// let session = Session::detached();
/// session.insert(&VISITS, &1)?;
/// assert_eq!(session.get(&VISITS)?, Some(1));
/// assert_eq!(session.get::<u64>("visits")?, Some(1));
/// # Ok::<(), sessions_core::Error>(())
/// ```
pub struct Key<T> {
    name: Cow<'static, str>,
    value: PhantomData<fn() -> T>,
}

/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 1024;

impl<T> Key<T> {
    /// A key with this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), value: PhantomData }
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn into_name(self) -> Cow<'static, str> {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

impl<T> AsRef<str> for Key<T> {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl<T> From<&'static str> for Key<T> {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl<T> From<String> for Key<T> {
    fn from(name: String) -> Self {
        Self { name: Cow::Owned(name), value: PhantomData }
    }
}

impl<T> From<&Self> for Key<T> {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_name() {
        assert_eq!(format!("{:?}", Key::<u64>::new("visits")), "Key(\"visits\")");
    }
}
