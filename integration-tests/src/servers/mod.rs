//! Real servers to test against: Redis, a Redis Cluster of three masters, Postgres and `MariaDB`.
//!
//! One server for a whole test run is the usual case. The binary `with-servers` of this crate starts the servers, tells a
//! command where they are, and takes them down again:
//!
//! ```sh
//! cargo run -p sessions-conformance --features servers --bin with-servers -- cargo test -p my-store
//! ```
//!
//! The command finds each server's address in an environment variable, which [`given`] reads:
//!
//! | server | variable |
//! |---|---|
//! | [`Kind::Redis`] | `SESSIONS_TEST_REDIS_URL` |
//! | [`Kind::RedisCluster`] | `SESSIONS_TEST_REDIS_CLUSTER_URL` |
//! | [`Kind::Postgres`] | `SESSIONS_TEST_POSTGRES_URL` |
//! | [`Kind::MariaDb`] | `SESSIONS_TEST_MYSQL_URL` |
//!
//! A test that breaks its server starts a [`Server`] of its own, which it can [`kill`](Server::kill),
//! [`pause`](Server::pause) and [`restart`](Server::restart).
//!
//! # Where a server comes from
//!
//! 1. An address that is already in the environment is used as it is.
//! 2. Where there is a container engine on this machine, a container. The image is the official one when it is there or can be
//!    pulled, else one that is made here from the distribution's packages.
//! 3. Else private processes, on free loopback ports, in a temporary folder. The packages are installed where that is allowed.
//!
//! Which of them it was is printed for each server. A server that cannot be had is an error of one line that says what to do.
//!
//! | variable | meaning |
//! |---|---|
//! | `SESSIONS_TEST_SERVERS` | `containers` or `processes`: only that, no falling back |
//! | `SESSIONS_TEST_IMAGES` | `official` or `local`: only those images |
//! | `SESSIONS_TEST_REDIS_IMAGE`, `…_POSTGRES_IMAGE`, `…_MYSQL_IMAGE` | the official image to use, to test another version |
//! | `SESSIONS_TEST_WITHOUT` | names that are left out on purpose, separated by commas |
//!
//! # How they are set up
//!
//! The same script starts a server in a container and as a process, so that both behave alike:
//!
//! - The password is random, the only user is an administrator, only the loopback address listens.
//! - The time zone of every server is +05:45, so that a store that mixes up zones is seen.
//! - Statements are counted: `INFO commandstats`, `pg_stat_statements`, `performance_schema`.
//! - What was answered survives the death of the process, and not that of the machine.
//!
//! Nothing is left behind, not even when the program that started a server is killed: a guard process notices and clears up.

mod container;
mod endpoint;
mod engine;
mod error;
mod given;
mod guard;
mod image;
mod kind;
mod process;
mod provision;
mod ready;
mod redis;
mod script;
mod server;
mod source;
#[cfg(test)]
mod tests;

pub use error::ServerError;
pub use given::{given, is_left_out};
pub use kind::Kind;
pub use provision::{Plan, Provisioned};
pub use server::{Options, Server};
pub use source::Source;
