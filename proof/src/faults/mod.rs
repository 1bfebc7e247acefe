//! What the clients of an application saw while its server failed, and whether that is what was promised.
//!
//! The test `faults` puts an application under load, breaks its server, and writes down every exchange. [`judge`] compares
//! the [`History`] with the promises:
//!
//! - An answer is the handler's, or 503 with `Retry-After`.
//! - It comes within its [`Deadlines`]: one store deadline to load a session, one commit deadline to commit it.
//! - A request that needs no session is served as ever, whether it brings a cookie or not.
//! - No response clears or replaces a cookie, but the sign-out that says so.
//! - What was acknowledged is there afterwards, and is there once; a session that was signed out of is over.
//! - Two seconds after the server is back, every answer is the handler's again.
//!
//! It knows nothing of HTTP, stores or time but what the history says: forged histories show what it catches.

mod check;
mod history;

pub use check::{Figures, Finding, judge};
pub use history::{Answer, Cookie, Deadlines, Exchange, Fault, History, Life, Role};
