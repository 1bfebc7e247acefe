//! Server-side sessions.

mod base64url;
mod clock;
mod error;
mod owner;
mod random;
pub mod store;
mod token;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use error::{Error, StoreError};
pub use owner::Owner;
pub use random::{OsRandom, Random, RandomError};
pub use store::{Change, CreateOutcome, Entry, SessionStore, Stored, Ttl, UpdateOutcome, Version};
pub use token::{SessionId, Token, TokenText, Verifier};
