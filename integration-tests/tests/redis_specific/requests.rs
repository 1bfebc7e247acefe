//! What whole requests cost: the commands from the load to the commit, as the servers count them.

use sessions_conformance::servers::Kind;
use sessions_core::{ManualClock, Outcome, SessionManager, SessionManagerBuilder, SystemClock, Token};

use crate::bench::{Bench, HOUR};
use crate::counts::{add, counts, sum};
use crate::node::Counts;
use crate::visits::{VISITS, arrive};

/// A request, and its commands; what runs inside of a script stands in braces.
const REQUESTS: &[(&str, &str)] = &[
    ("nothing written, no session", ""),
    ("new session", "set"),
    ("sign-in without a session", "evalsha{time zadd zcard pexpire} evalsha{time set}"),
    ("read", "get"),
    ("read, touch due", "get evalsha{getrange setrange pexpire}"),
    ("write", "get evalsha{getrange set}"),
    ("write to an owned session", "get evalsha{getrange set}"),
    ("sign-in: write, owner and rotation", "get evalsha{time zadd zcard pexpire} evalsha{getrange time set}"),
    ("rotate", "get evalsha{getrange set}"),
    ("rotate an owned session", "get evalsha{time zadd zcard pttl pexpire} evalsha{getrange time set}"),
    ("destroy", "get unlink"),
    ("write that meets a concurrent writer", "get evalsha{getrange get} evalsha{getrange set}"),
    ("list two sessions of an owner", "evalsha{time zrange} getrange getrange get get"),
    ("end two sessions of an owner", "evalsha{time zrange} getrange getrange unlink"),
];

#[tokio::test]
async fn each_request_costs_what_the_readme_says() {
    let Some(bench) = Bench::own(Kind::Redis, &[]).await else { return };
    each_request(&bench).await;
}

#[tokio::test]
async fn each_request_costs_the_same_on_a_cluster() {
    let Some(bench) = Bench::own(Kind::RedisCluster, &[]).await else { return };
    each_request(&bench).await;
}

async fn each_request(bench: &Bench) {
    bench.teach_scripts().await;
    let clock = ManualClock::at(sessions_core::Clock::now(&SystemClock));
    let builder = || async { SessionManager::builder(bench.store().await).clock(clock.clone()) };
    let manager = build(builder().await);
    let touching = build(builder().await.idle_timeout(HOUR).touch_fraction(0));
    for (name, commands) in REQUESTS {
        // The index of an owner lives as long as its sessions: with each step it must live longer.
        clock.advance(HOUR / 4);
        let token = arrive(if name.contains("touch") { &touching } else { &manager }).await;
        let owner = format!("owner of {name}");
        let other = sign_in(&manager, &owner).await;
        if name.contains("two") {
            sign_in(&manager, &owner).await;
        }
        clock.advance(HOUR / 4);
        let mut counted = Counts::new();
        bench.count().await;
        match *name {
            "nothing written, no session" => commit(&manager, &manager.new_session()).await,
            "new session" => {
                arrive(&manager).await;
            }
            "sign-in without a session" => {
                sign_in(&manager, "nobody yet").await;
            }
            "read" => {
                let session = manager.load(&token).await.expect("an answer").expect("live");
                assert_eq!(session.get(&VISITS).expect("a number"), Some(0));
                commit(&manager, &session).await;
            }
            "read, touch due" => {
                let session = touching.load(&token).await.expect("an answer").expect("live");
                let committed = touching.commit(&session).await.expect("an answer");
                assert_eq!(committed.outcome, Outcome::Touched);
            }
            "write" | "write to an owned session" => {
                let token = if *name == "write" { &token } else { &other };
                let session = manager.load(token).await.expect("an answer").expect("live");
                session.insert(&VISITS, &1).expect("open");
                commit(&manager, &session).await;
            }
            "sign-in: write, owner and rotation" => {
                let session = manager.load(&token).await.expect("an answer").expect("live");
                session.insert("name", &"alice").expect("open");
                session.set_owner("alice").expect("a valid owner");
                commit(&manager, &session).await;
            }
            "rotate" | "rotate an owned session" => {
                let token = if *name == "rotate" { &token } else { &other };
                let session = manager.load(token).await.expect("an answer").expect("live");
                session.rotate().expect("open");
                commit(&manager, &session).await;
            }
            "destroy" => {
                let session = manager.load(&token).await.expect("an answer").expect("live");
                session.destroy().expect("open");
                commit(&manager, &session).await;
            }
            "write that meets a concurrent writer" => {
                let late = manager.load(&token).await.expect("an answer").expect("live");
                late.insert("late", &true).expect("open");
                counted = sum(bench.counted().await);
                crate::visits::visit(&manager, &token).await.expect("the first writer");
                bench.count().await;
                commit(&manager, &late).await;
            }
            "list two sessions of an owner" => {
                assert_eq!(manager.sessions_of(&owner).await.expect("an answer").len(), 2);
            }
            "end two sessions of an owner" => {
                assert_eq!(manager.delete_sessions_of(&owner, None).await.expect("an answer"), 2);
            }
            other => panic!("no such request: {other}"),
        }
        let mut expected = counts(commands);
        add(&mut counted, sum(bench.counted().await));
        if *name == "end two sessions of an owner" && bench.nodes.len() > 1 {
            // One for each slot, and two ids are in one slot by chance only.
            expected.insert("unlink".to_owned(), counted["unlink"]);
            assert!(counted["unlink"] <= 2);
        }
        assert_eq!(counted, expected, "{name}");
    }
}

fn build(builder: SessionManagerBuilder) -> SessionManager {
    builder.build().expect("valid settings")
}

async fn commit(manager: &SessionManager, session: &sessions_core::Session) {
    let committed = manager.commit(session).await.expect("an answer");
    assert_ne!(committed.outcome, Outcome::Lost);
}

async fn sign_in(manager: &SessionManager, owner: &str) -> Token {
    let session = manager.new_session();
    session.set_owner(owner).expect("a valid owner");
    match manager.commit(&session).await.expect("an answer").cookie {
        sessions_core::CookieChange::Set { token, .. } => token,
        other => panic!("no token: {other:?}"),
    }
}
