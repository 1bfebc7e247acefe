//! Sessions in an SQLite file: nothing to install, shared by all processes of one machine.

mod builder;
mod connections;
mod row;
mod statements;
mod store;

pub use builder::SqliteStoreBuilder;
pub use store::SqliteStore;
