//! What is Redis's own: commands as the server counts them, refusals, restarts, resharding, foreign keys, rights and sizes, on a
//! real Redis and a real Redis Cluster.
//!
//! Tests that count, configure or break a server start one of their own; the others share the one that is given, and keep
//! to a prefix of their own.

#[path = "redis_specific/bench.rs"]
mod bench;
#[path = "redis_specific/check.rs"]
mod check;
#[path = "redis_specific/counts.rs"]
mod counts;
#[path = "redis_specific/crash.rs"]
mod crash;
#[path = "redis_specific/foreign.rs"]
mod foreign;
#[path = "redis_specific/index.rs"]
mod index;
#[path = "redis_specific/limits.rs"]
mod limits;
#[path = "redis_specific/login.rs"]
mod login;
#[path = "redis_specific/names.rs"]
mod names;
#[path = "redis_specific/node.rs"]
mod node;
#[path = "redis_specific/refusals.rs"]
mod refusals;
#[path = "redis_specific/requests.rs"]
mod requests;
#[path = "redis_specific/reshard.rs"]
mod reshard;
#[path = "redis_specific/restart.rs"]
mod restart;
#[path = "redis_specific/rights.rs"]
mod rights;
#[path = "redis_specific/sizes.rs"]
mod sizes;
#[path = "redis_specific/visits.rs"]
mod visits;
