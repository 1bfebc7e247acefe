//! Why a server could not be had.

use std::fmt;

/// A server could not be started or reached. Its text is one line or, when a server's own words follow, a few, and says
/// what to do where something can be done.
#[derive(Debug, Clone)]
pub struct ServerError(String);

impl ServerError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Puts the step that failed before the reason.
    pub(super) fn during(step: impl fmt::Display) -> impl FnOnce(&dyn fmt::Display) -> Self {
        move |reason| Self(format!("{step}: {reason}"))
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServerError {}
