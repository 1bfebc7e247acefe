//! Where secrets come from, and the names of writes to stores that processes share.

use std::fmt;

/// A source of cryptographically secure random bytes.
///
/// [`OsRandom`] is the only one for production. The trait exists so that a test can show what happens when randomness
/// fails, and can replay a run from a printed seed.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` completely, or fails. There is no fallback: a failed fill fails the operation that needed it.
    ///
    /// # Errors
    ///
    /// When the source cannot deliver.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's generator (ASVS 11.5.1).
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|error| RandomError::new(error.to_string()))
    }
}

/// A random source could not deliver.
#[derive(Debug, Clone)]
pub struct RandomError(String);

impl RandomError {
    /// An error with the source's own words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RandomError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_words_of_its_source() {
        assert_eq!(RandomError::new("no entropy").to_string(), "no entropy");
    }
}
