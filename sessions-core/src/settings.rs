//! What a manager is set to, checked once when it is built.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, SystemClock};
use crate::encoder::Codecs;
use crate::error::Error;
use crate::expiry::Limits;
use crate::random::{OsRandom, Random};
use crate::versions::Versions;

/// Shared by a manager and its sessions.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) versions: Versions,
    pub(crate) codecs: Codecs,
    pub(crate) limits: Limits,
    pub(crate) renew_grace: Duration,
    pub(crate) max_record_bytes: usize,
    pub(crate) commit_deadline: Duration,
}

impl Settings {
    /// The bytes of a value, with its tag. One that no record could hold is refused at once, with nothing changed.
    pub(crate) fn encode<T: Serialize>(&self, key: &str, value: &T) -> Result<Vec<u8>, Error> {
        let encoded = self.codecs.encode(key, value)?;
        if encoded.len() > self.max_record_bytes {
            return Err(Error::too_large(encoded.len(), self.max_record_bytes));
        }
        Ok(encoded)
    }
}

/// How long after a token was issued a request with an earlier one is taken to have been sent before. It is the time a
/// request may reasonably be under way; a client that still sends the old token after it is a stranger.
pub(crate) const SUPERSEDED_WINDOW: Duration = Duration::from_secs(30);

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            versions: Versions::default(),
            codecs: Codecs::default(),
            limits: Limits::default(),
            renew_grace: Duration::from_secs(30),
            max_record_bytes: 256 * 1024,
            commit_deadline: Duration::from_secs(5),
        }
    }
}
