//! The four promises as checks that anyone can run again.
//!
//! What is exhaustive here is exhaustive: a [`Scenario`] runs its requests against a real manager and a store whose calls
//! [park](gate) until the explorer releases them, in every order, with every fault at every call, and [judges](verdict)
//! each run. A run is a list of choices; a failure prints it, and the same list replays it.
//!
//! ```
//! use sessions_proof::{Act, Scenario};
//!
//! let report = Scenario::of(&[Act::Counter, Act::Counter]).faults(1).explore_all().expect("nothing lost");
//! assert!(report.schedules > 100);
//! ```

pub mod behind;
pub mod controls;
pub mod drops;
pub mod explore;
pub mod faults;
pub mod flood;
pub mod gate;
pub mod history;
pub mod hostile;
pub mod leaks;
pub mod model;
pub mod request;
mod run;
pub mod scenario;
pub mod verdict;

pub use request::Act;
pub use scenario::{Report, Scenario};
