//! The conformance suite of the store contract: what [`SessionStore`] promises, as tests.
//!
//! The contract is the numbered list G1 to G19 in the documentation of [`SessionStore`]. This crate has one test or more for
//! each number, with the number in the test's name, so that a failure says which promise is broken:
//! `g05_no_increment_is_lost`. A store that passes can sit under the sessions of any application here.
//!
//! # Testing a store
//!
//! Describe the store to the suite with a [`Harness`]: how to open it, and a few facts. Then one line makes the tests.
//!
//! ```
//! use async_trait::async_trait;
//! use sessions_conformance::reference::Reference;
//! use sessions_conformance::{Harness, Problem, Profile, conformance};
//! use sessions_core::ManualClock;
//!
//! /// A store on a map. It takes a clock, so that no test has to wait.
//! #[derive(Default)]
//! struct Map {
//!     clock: ManualClock,
//! }
//!
//! #[async_trait]
//! impl Harness for Map {
//!     type Store = Reference;
//!
//!     fn profile(&self) -> Profile {
//!         Profile::new(Reference::RECORD_LIMIT).clock(self.clock.clone())
//!     }
//!
//!     async fn open(&self, _namespace: &str) -> Result<Reference, Problem> {
//!         Ok(Reference::new(self.clock.clone()))
//!     }
//! }
//!
//! conformance!(Map::default());
//! # // What the line above generates runs in `tests/reference.rs`; here is one of those tests, run by hand.
//! # for test in sessions_conformance::tests().iter().take(3) {
//! #     sessions_conformance::run(test.name(), async { Map::default() });
//! # }
//! ```
//!
//! Put this into a file of your crate's `tests` folder and run `cargo test`. Everything runs twice: on the store itself, and
//! on it as `Arc<dyn SessionStore>`, the way the session manager holds it. The suite brings its own runtime.
//!
//! [`reference`](mod@reference) is the smallest correct store, to start from.
//!
//! # Stores with a server
//!
//! - Open a **namespace** (key prefix, table, schema, file) by the name that the suite gives. Names are fresh on every run, so
//!   that one server serves all tests, in parallel, and yesterday's leftovers do not matter.
//! - Say [`shared`](Profile::shared): opening the same namespace again is then what another process would do, and the races
//!   run across both handles.
//! - Without a [`clock`](Profile::clock) the suite waits: tests that need time to pass take tens of milliseconds each, a
//!   few of them seconds. Nothing asserts that a session with a short time to live is still there, so that a busy machine
//!   fails no test.
//! - Give the store a generous deadline on operations. A deadline that passes because the machine is busy is an error, and
//!   the suite takes errors for failures.
//! - Switch off background purging: G16 counts.
//!
//! # Reproducing a failure
//!
//! A failing test prints its seed. Set `SESSIONS_SEED` to it and the same ids, versions and sequences come again; the
//! names of namespaces stay fresh.
//!
//! # Tests as data
//!
//! [`tests`] lists them, for a harness of your own: this crate's own tests run the list on stores that are broken in one way
//! each, and check that exactly the tests of the broken guarantee fail.

pub mod reference;
#[cfg(feature = "servers")]
pub mod servers;

mod cut;
mod expect;
mod guarantees;
mod harness;
mod opened;
mod overhear;
mod race;
mod registry;
mod run;
mod trial;

pub use harness::{Erased, Harness, Problem, Profile};
pub use registry::{Test, tests};
pub use run::run;

#[cfg(doc)]
use sessions_core::SessionStore;
