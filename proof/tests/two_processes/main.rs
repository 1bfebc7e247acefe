//! Two processes, not tasks, on one store: at the same sessions at the same time, by store calls, by whole commits, and over
//! HTTP. What they come to is exact, on every server.
//!
//! `SESSIONS_PROOF_LONG=1` runs twenty times as many rounds.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

mod app;
mod client;
mod commits;
mod desk;
mod late;
mod overlap;
mod pair;
mod races;
mod worker;

macro_rules! on_every_server {
    ($($server:ident: $backend:ident;)+) => {$(
        mod $server {
            use sessions_proof::history::backend::Backend::$backend;

            #[test]
            fn races_of_store_calls_have_exact_outcomes() {
                crate::pair::run($backend, crate::races::have_exact_outcomes);
            }

            #[test]
            fn races_of_commits_have_exact_outcomes() {
                crate::pair::run($backend, crate::commits::have_exact_outcomes);
            }

            #[test]
            fn overlapping_64_requests_through_two_servers_keep_64_keys_and_count_to_64() {
                crate::pair::run($backend, crate::overlap::keeps_64_keys_and_counts_to_64);
            }

            #[test]
            fn a_slow_request_through_another_server_undoes_nothing() {
                crate::pair::run($backend, crate::late::undoes_nothing);
            }

            #[test]
            fn a_slow_request_through_another_server_does_not_undo_an_expiry() {
                crate::pair::run($backend, crate::late::does_not_undo_an_expiry);
            }
        }
    )+};
}

on_every_server! {
    redis: Redis;
    redis_cluster: RedisCluster;
    postgres: Postgres;
    mariadb: MariaDb;
    sqlite: Sqlite;
}

/// The same on a store that breaks one thing: what proves nothing notices nothing.
mod is_noticed {
    use sessions_proof::history::broken::Flaw;

    use crate::{commits, late, overlap, pair, races};

    #[test]
    #[should_panic(expected = "one wins")]
    fn a_store_that_upserts_in_races_of_store_calls() {
        pair::run_on_broken(Flaw::Upserts, races::have_exact_outcomes);
    }

    #[test]
    #[should_panic(expected = "one has a new token")]
    fn a_store_that_upserts_in_races_of_commits() {
        pair::run_on_broken(Flaw::Upserts, commits::have_exact_outcomes);
    }

    #[test]
    #[should_panic(expected = "every key is there")]
    fn a_store_that_upserts_under_overlapping_requests() {
        pair::run_on_broken(Flaw::Upserts, overlap::keeps_64_keys_and_counts_to_64);
    }

    #[test]
    #[should_panic(expected = "it came too late")]
    fn a_store_that_upserts_when_a_slow_request_ends() {
        pair::run_on_broken(Flaw::Upserts, late::undoes_nothing);
    }

    #[test]
    #[should_panic(expected = "it came too late")]
    fn a_store_that_resurrects_when_a_slow_request_ends() {
        pair::run_on_broken(Flaw::Resurrects, late::undoes_nothing);
    }

    #[test]
    #[should_panic(expected = "it came too late")]
    fn a_store_that_resurrects_after_an_expiry() {
        pair::run_on_broken(Flaw::Resurrects, late::does_not_undo_an_expiry);
    }
}

/// Where the processes begin.
#[test]
fn process() {
    worker::work();
}
