//! The server goes and comes back between a load and its commit.

use std::time::Duration;

use sessions_conformance::servers::{Kind, Server};
use sessions_core::{Outcome, SessionManager, Token};

use crate::bench::Bench;
use crate::visits::{VISITS, arrive, manager, visit, visits};

const KINDS: [Kind; 2] = [Kind::Redis, Kind::RedisCluster];

/// Several sessions, so that every node of a Cluster has some.
const SESSIONS: usize = 12;

#[tokio::test]
async fn a_commit_after_a_restart_is_as_one_without() {
    for kind in KINDS {
        let Some(mut bench) = Bench::own(kind, &[]).await else { continue };
        let (manager, tokens) = site(&bench).await;
        for _ in 0..2 {
            let mut loaded = Vec::new();
            for token in &tokens {
                loaded.push(manager.load(token).await.expect("an answer").expect("live"));
            }
            restart(&mut bench).await;
            // The very first operation after the server's return succeeds: nobody waits for a timer, nobody retries by hand.
            for session in &loaded {
                session.update(&VISITS, |visits| visits.unwrap_or_default() + 1).expect("open");
                let committed = manager.commit(session).await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
                assert_eq!(committed.outcome, Outcome::Written, "{kind}");
            }
        }
        let elsewhere = crate::visits::manager(bench.store().await);
        for token in &tokens {
            assert_eq!(visits(&elsewhere, token).await, Some(2), "{kind}");
        }
    }
}

/// What is over stays over: a server that forgot a session is no reason to write it again (G8).
#[tokio::test]
async fn g08_a_server_that_keeps_nothing_ends_the_sessions_and_a_late_commit_is_lost() {
    for kind in KINDS {
        let Some(mut bench) = Bench::own(kind, &["--appendonly", "no"]).await else { continue };
        let (manager, tokens) = site(&bench).await;
        let mut loaded = Vec::new();
        for token in &tokens {
            loaded.push(manager.load(token).await.expect("an answer").expect("live"));
        }
        restart(&mut bench).await;
        for session in &loaded {
            session.update(&VISITS, |visits| visits.unwrap_or_default() + 1).expect("open");
            let committed = manager.commit(session).await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            assert_eq!(committed.outcome, Outcome::Lost, "{kind}");
        }
        for token in &tokens {
            assert_eq!(visits(&manager, token).await, None, "{kind}");
        }
        let token = arrive(&manager).await;
        assert_eq!(visit(&manager, &token).await.expect("an answer"), Outcome::Written, "{kind}: newcomers are served");
    }
}

#[tokio::test]
async fn a_commit_during_the_outage_fails_and_goes_on_afterwards() {
    for kind in KINDS {
        let Some(mut bench) = Bench::own(kind, &[]).await else { continue };
        let (manager, tokens) = site(&bench).await;
        let mut loaded = Vec::new();
        for token in &tokens {
            let session = manager.load(token).await.expect("an answer").expect("live");
            session.update(&VISITS, |visits| visits.unwrap_or_default() + 1).expect("open");
            loaded.push(session);
        }
        let impatient = crate::visits::manager(bench.store_within(Duration::from_millis(500)).await);
        bench.kill().await;
        for (session, token) in loaded.iter().zip(&tokens) {
            let error = impatient.commit(session).await.expect_err("nobody is there");
            assert!(error.is_unavailable() || error.is_indeterminate(), "{kind}: {error:?}");
            assert!(impatient.load(token).await.expect_err("nobody is there").is_unavailable(), "{kind}");
        }
        restart(&mut bench).await;
        for session in &loaded {
            let committed = manager.commit(session).await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            assert_eq!(committed.outcome, Outcome::Written, "{kind}");
        }
        for token in &tokens {
            assert_eq!(visits(&manager, token).await, Some(1), "{kind}: once, although it was asked for twice");
        }
    }
}

/// A server that hangs has the commits in its socket and carries them out when it goes on.
#[tokio::test]
async fn a_commit_that_a_hung_server_carries_out_later_counts_once() {
    for kind in KINDS {
        let Some(mut bench) = Bench::own(kind, &[]).await else { continue };
        let (patient, tokens) = site(&bench).await;
        let impatient = manager(bench.store_within(Duration::from_millis(300)).await);
        let mut loaded = Vec::new();
        for token in &tokens[..3] {
            let session = impatient.load(token).await.expect("an answer").expect("live");
            session.update(&VISITS, |visits| visits.unwrap_or_default() + 1).expect("open");
            loaded.push(session);
        }
        let server = bench.server.as_mut().expect("a server of its own");
        server.pause().await.unwrap_or_else(|error| panic!("{error}"));
        for session in &loaded {
            let error = impatient.commit(session).await.expect_err("nobody answers");
            // The first was sent; when nobody answers, the connection is replaced, and the next is never sent.
            assert!(error.is_unavailable() || error.is_indeterminate(), "{kind}: {error:?}");
        }
        server.resume().await.unwrap_or_else(|error| panic!("{error}"));
        for (session, token) in loaded.iter().zip(&tokens) {
            let committed = patient.commit(session).await.unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            assert_eq!(committed.outcome, Outcome::Written, "{kind}");
            assert_eq!(visits(&patient, token).await, Some(1), "{kind}");
        }
        // The store that met the silence is back as well.
        assert_eq!(visits(&impatient, &tokens[0]).await, Some(1), "{kind}");
    }
}

async fn site(bench: &Bench) -> (SessionManager, Vec<Token>) {
    let manager = manager(bench.store().await);
    let mut tokens = Vec::new();
    for _ in 0..SESSIONS {
        tokens.push(arrive(&manager).await);
    }
    (manager, tokens)
}

async fn restart(bench: &mut Bench) {
    let server: &mut Server = bench.server.as_mut().expect("a server of its own");
    server.restart().await.unwrap_or_else(|error| panic!("{error}"));
}

impl Bench {
    /// Kills the server of this bench's own.
    pub(crate) async fn kill(&mut self) {
        let server = self.server.as_mut().expect("a server of its own");
        server.kill().await.unwrap_or_else(|error| panic!("{error}"));
    }
}
