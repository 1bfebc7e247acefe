//! Session stores on SQLite, Postgres and MySQL/MariaDB: plain tables, explicit statements, bound parameters.
//!
//! Each database is a Cargo feature and a type: `sqlite` gives `SqliteStore`, `postgres` gives `PostgresStore`, `mysql`
//! gives `MySqlStore`. All keep the contract of [`SessionStore`](sessions_core::SessionStore), and all are used in the same way:
//! connect, [`migrate`](#the-schema), hand over to the session manager, `stop` at shutdown.
//!
//! # Statements
//!
//! Every operation is one autocommit statement, so that a request that goes away in the middle leaves no transaction
//! open (G11). The second statements there are: `update` and `create` read the row when they wrote nothing, to say what is
//! there instead (G4, G6). Statements are put together once, when the store is built, and stay prepared on each connection;
//! values are always bound; the table's name is validated and quoted (G13).
//!
//! # The schema
//!
//! `migrate()` sets the table up; it may run in many processes at once and does nothing where the table exists. Those who
//! keep their own migrations take the text from `schema_sql()`.
//!
//! # Trust
//!
//! The database is trusted with integrity: who may write to it can forge sessions. It is not trusted with secrets: it
//! holds verifiers, never tokens. A row that is not what this store writes is an error that touches nothing.

// Without a database there is only the error type.
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, unused_macros, unused_variables)
)]

#[macro_use]
mod config;
mod deadline;
mod error;
mod job;
mod lane;
mod purge;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod stale;
#[macro_use]
mod statement;
#[macro_use]
mod store;
mod verdict;

#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use error::Error;
#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
