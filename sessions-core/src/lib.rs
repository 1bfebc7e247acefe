//! Server-side sessions.

mod access;
mod base64url;
mod clock;
mod commit;
mod delta;
pub mod encoder;
mod error;
mod execute;
mod expiry;
mod key;
mod manager;
mod owner;
mod prepare;
mod random;
mod record;
mod session;
mod settings;
pub mod store;
#[cfg(test)]
mod test_kit;
#[cfg(test)]
mod test_store;
mod token;
mod turn;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use commit::{Committed, CookieChange, Outcome};
#[cfg(feature = "bincode")]
pub use encoder::Bincode;
#[cfg(feature = "json")]
pub use encoder::Json;
pub use encoder::{Encoder, MessagePack};
pub use error::{Error, StoreError};
pub use key::{Key, MAX_KEY_BYTES};
pub use manager::{SessionManager, SessionManagerBuilder};
pub use owner::Owner;
pub use random::{OsRandom, Random, RandomError};
pub use record::Record;
pub use session::{Session, SessionStatus};
pub use store::{Change, CreateOutcome, Entry, SessionStore, Stored, Ttl, UpdateOutcome, Version};
pub use token::{SessionId, Token, TokenText, Verifier};
