//! Session stores on SQLite, Postgres and MySQL/MariaDB: plain tables, explicit statements, bound parameters.
//!
//! Each database is a Cargo feature and a type: `sqlite` gives `SqliteStore`, `postgres` gives `PostgresStore`, `mysql`
//! gives `MySqlStore`. All keep the contract of [`SessionStore`](sessions_core::SessionStore), and all are used in the same way:
//! connect, [`migrate`](#the-table), hand over to the session manager, [stop](#the-end) at shutdown.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use sessions_core::SessionManager;
//! use sessions_sqlx::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::connect("sqlite::memory:").await?;
//! store.migrate().await?;
//! let manager = SessionManager::builder(store).build()?;
//!
//! let session = manager.new_session();
//! session.insert("name", &"alice")?;
//! manager.commit(&session).await?;
//! # manager.stop().await?;
//! # Ok(())
//! # }
//! # example().unwrap();
//! # }
//! ```
//!
//! The README has the schemas, every statement, the rights that they need, sizes, and the table of failures.
//!
//! # Which of them
//!
//! | | SQLite | Postgres | MySQL, MariaDB |
//! |---|---|---|---|
//! | shared by | the processes of one machine | any number of machines | any number of machines |
//! | whose clock decides what has expired | the machine's ([`Clock`](sessions_core::Clock)) | the server's | the server's |
//! | a read, a write | 1 statement, 2 | 1, 2 | 1, 2 |
//! | waiting loads share statements | yes | yes | yes |
//! | waiting updates share statements | yes | yes | no: its `UPDATE` does not say which rows it wrote |
//! | accepted versions | the one that is compiled in | 12 and later | MySQL 8.0, MariaDB 10.5 and later |
//! | tested versions | the one that is compiled in | 15 | MariaDB 10.11 |
//!
//! # The table
//!
//! `migrate()` sets it up; it may run in many processes at once and does nothing where the table exists. Those who
//! keep their own migrations take the text from `schema_sql()`. Names of tables, schemas and databases are validated and quoted
//! (G13). `statements()` shows every statement, for review, `EXPLAIN` and grants.
//!
//! # Statements
//!
//! Every operation is one autocommit statement, so that a request that goes away in the middle leaves no transaction
//! open (G11). The second statements there are: `update` and `create` read the row when they wrote nothing, to say what is
//! there instead (G4, G6); on MySQL, `create` tries an expired row when the key is taken, and `delete` the expired rows when not all
//! were live. Statements are put together once, when the store is built, and stay prepared on each connection; values are always
//! bound.
//!
//! # Requests that wait share statements
//!
//! A store has two lanes, one for reading, one for writing. A request puts its job into a lane and waits; a task with a connection
//! takes what fits together and runs it as one statement. A lone job is run alone and at once. Because the task owns the connection,
//! a request that is dropped never interrupts a statement: a job that was not sent is taken back, one that was sent runs to its
//! end (G11).
//!
//! # Connections
//!
//! A pool that is made from a URL has few connections, each held by a lane for half a minute at a time; nothing asks whether it is
//! alive before it is used. A stale one is found out by the statement that fails on it: it is replaced by one that answers, and the
//! statement is run again, which is safe because versions make it so. Where the first run may have been applied, and the second cannot
//! tell, the error is indeterminate and not a guess.
//!
//! A pool of the application is left open on `stop`; what has to be set on it stands at `with_pool`.
//!
//! # Time
//!
//! Times to live are sent, never points in time: the database adds them to its own clock (G3). The clocks and time zones of the clients
//! do not matter to expiry, nor does 2038. On Postgres a row is judged when it is looked at, on MySQL when the statement begins; an
//! expiry that passes while an update waits for a lock or a disk does not undo it.
//!
//! Every operation has a deadline (2 s by default). The server is told to give up earlier, so that its word, which is
//! certain, arrives before silence has to be interpreted.
//!
//! # Errors
//!
//! [`Error`] is what building and setting up a store can end with, in the database's words and without the password.
//! Operations answer with [`StoreError`](sessions_core::StoreError): *unavailable* when the statement was surely not applied, because it
//! was not sent or because the database said that it was rolled back; *indeterminate* when it may have been, because the connection broke
//! or the deadline passed while a write was under way. Which is which is decided by the database's own codes, never by a text. A
//! manager settles the second kind by looking.
//!
//! Deadlocks and serialization failures are retried. A row that is not what this store writes is an error that names the column,
//! and touches nothing.
//!
//! # Expired rows
//!
//! An expired session is absent at once. A task of the store deletes its row later: every minute by default, with jitter, in bounded
//! batches, any number of processes at once; it survives errors and ends on `stop` (G16, G18).
//!
//! # The end
//!
//! [`stop`](sessions_core::SessionStore::stop) ends the purge task, refuses what comes later, waits for statements under way at most
//! for a deadline, and closes the pool if it is the store's own. A store that is dropped ends the same, without waiting.
//!
//! # Trust
//!
//! The database is trusted with integrity: who may write to it can forge sessions. It is not trusted with secrets: it
//! holds verifiers, never tokens. Ids may come from clients; owners and records from the application. None of them, and no
//! password, is in an error, in `Debug` or in a log (G19).

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

/// The examples of the README are tests as well.
#[cfg(all(doctest, feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("../README.md")]
struct Readme;
