//! Sessions in the memory of one process.
mod config;
mod error;
mod index;
mod meter;
mod sessions;
mod shards;
mod slot;
mod store;

pub use config::MemoryStoreBuilder;
pub use error::Error;
pub use store::{MemoryStore, Usage};

#[cfg(test)]
mod tests;
