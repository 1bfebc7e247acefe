//! Which of the ways to have a server is asked for.

use super::error::ServerError;

/// Where servers are to come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Source {
    /// Containers where there is an engine, else processes.
    #[default]
    Any,
    /// Containers only.
    Containers,
    /// Processes only.
    Processes,
}

impl Source {
    /// The environment variable that asks for one.
    pub const VARIABLE: &str = "SESSIONS_TEST_SERVERS";

    /// What the environment asks for.
    ///
    /// # Errors
    ///
    /// When it asks for something else than `containers` or `processes`.
    pub fn from_env() -> Result<Self, ServerError> {
        match std::env::var(Self::VARIABLE) {
            Ok(name) => Self::named(&name)
                .ok_or_else(|| ServerError::new(format!("{}={name}: say containers or processes", Self::VARIABLE))),
            Err(_) => Ok(Self::Any),
        }
    }

    /// The one that goes by this name: `containers`, `processes`, or `any`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "any" | "" => Some(Self::Any),
            "containers" => Some(Self::Containers),
            "processes" => Some(Self::Processes),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Containers => "containers",
            Self::Processes => "processes",
        }
    }
}
