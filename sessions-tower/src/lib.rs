//! Sessions for tower services and axum applications.

mod cookie;
mod drain;
#[cfg(feature = "axum")]
mod extract;
mod failure;
mod future;
mod headers;
mod layer;
mod respond;
mod scan;
mod service;
mod slot;

pub use cookie::{CookieConfig, CookieConfigBuilder, CookieConfigError, SameSite};
#[cfg(feature = "axum")]
pub use extract::{Session, SessionReader, SessionRejection};
pub use future::ResponseFuture;
pub use layer::SessionLayer;
pub use respond::{DefaultErrors, RespondToError, status_of};
pub use service::SessionService;
pub use slot::{Main, SessionSlot};

// What an application names from the core.
pub use sessions_core::{
    Clock, Encoder, Error, Key, ManualClock, MessagePack, Owner, Record, SessionId, SessionManager,
    SessionManagerBuilder, SessionStatus, SessionStore, StoreError, SystemClock, Timestamp, Token,
};
