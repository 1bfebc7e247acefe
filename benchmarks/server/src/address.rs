//! Where the backends are.

use crate::Error;

/// The environment variable of a backend.
pub(crate) fn of(backend: &str) -> Result<String, Error> {
    std::env::var(format!("BENCH_{backend}")).map_err(|_| format!("BENCH_{backend} is not set").into())
}
