//! The part of the examples that other code can use: a store of one's own. The applications are in `src/bin`.

pub mod custom_store;

/// The program in the project's README compiles.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
struct Readme;
