//! Linearizability per session: two processes of several tasks each on every server, at random, on few sessions. What they asked
//! and were told, and when, is checked to be what a store that does one thing at a time would have answered.
//!
//! Three ways: undisturbed; with connections that are cut in the middle, so that answers go missing and writes arrive late; with
//! one of the processes killed. Then the stores that must be caught.
//!
//! `SESSIONS_PROOF_LONG=1` runs twenty times as many rounds, `SESSIONS_SEED` repeats the choices of a run; what the system
//! makes of them is its own.

#![allow(clippy::print_stdout, reason = "the figures are the result")]

mod cuts;
mod pair;
mod runs;
mod worker;

macro_rules! on_every_server {
    ($($server:ident: $backend:ident;)+) => {$(
        mod $server {
            use sessions_proof::history::backend::Backend::$backend;

            #[test]
            fn is_linearizable() {
                crate::runs::undisturbed($backend);
            }

            #[test]
            fn is_linearizable_when_a_process_is_killed() {
                crate::runs::with_a_killed_process($backend);
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

macro_rules! on_every_connection {
    ($($server:ident: $backend:ident;)+) => {$(
        mod $server {
            use sessions_proof::history::backend::Backend::$backend;

            #[test]
            fn is_linearizable() {
                crate::runs::with_cut_connections($backend);
            }

            #[test]
            fn counts_every_increment() {
                crate::runs::increments_with_cut_connections($backend);
            }

            #[test]
            fn keeps_over_what_is_over() {
                crate::runs::logouts_with_cut_connections($backend);
            }
        }
    )+};
}

mod cut_connections {
    on_every_connection! {
        redis: Redis;
        redis_cluster: RedisCluster;
        postgres: Postgres;
        mariadb: MariaDb;
    }
}

mod is_caught {
    use sessions_proof::history::broken::Flaw;

    #[test]
    fn a_store_that_upserts() {
        crate::runs::catch(Flaw::Upserts);
    }

    #[test]
    fn a_store_that_reads_from_a_cache() {
        crate::runs::catch(Flaw::Caches);
    }

    #[test]
    fn a_store_that_resurrects() {
        crate::runs::catch(Flaw::Resurrects);
    }

    #[test]
    fn a_store_that_checks_and_then_acts() {
        crate::runs::catch(Flaw::ChecksThenActs);
    }

    #[test]
    fn a_store_that_is_too_sure_of_what_was_not_applied() {
        crate::runs::catch(Flaw::Overconfident);
    }
}

/// Where the processes begin.
#[test]
fn process() {
    worker::work();
}
