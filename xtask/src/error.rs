//! Why a command failed.

use std::fmt;

/// One line for the person who ran the command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The command line makes no sense.
    Usage(String),
    /// Something did not hold, or could not be run.
    Failed(String),
}

impl Error {
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(text.into())
    }

    /// 2 for a wrong command line, as is usual, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => write!(f, "{text}; see `cargo xtask help`"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}
