//! What a session takes of the server's memory. The README has the figures:
//! `cargo test --workspace --all-features --test redis_specific -- sizes --nocapture`, with servers.

use sessions_conformance::servers::Kind;
use sessions_core::{Key, SessionManager};

use crate::bench::Bench;
use crate::visits::manager;

const SESSIONS: u64 = 100_000;
const AT_ONCE: u64 = 250;

/// What a server may take for each. It is 308 on Redis 7.0.15; allocators differ in the sizes that they round up to.
const BUDGET: u64 = 320;
/// And when each has an owner of its own, whose index is another key.
const BUDGET_OWNED: u64 = 545;

#[tokio::test]
async fn a_session_keeps_to_its_budget() {
    let plain = bytes_each(|_| None).await;
    let own = bytes_each(Some).await;
    let shared = bytes_each(|number| Some(number / 10)).await;
    let (Some(plain), Some(own), Some(shared)) = (plain, own, shared) else { return };
    eprintln!("{plain} bytes a session; {own} with an owner of its own; {shared} with ten sessions to an owner");
    assert!(plain <= BUDGET, "{plain} bytes a session, more than {BUDGET}");
    assert!(own <= BUDGET_OWNED, "{own} bytes a session with an owner, more than {BUDGET_OWNED}");
    assert!(shared <= own);
}

/// Bytes for each of many small sessions: the id of a user and a token of 32 characters.
async fn bytes_each(owner: fn(u64) -> Option<u64>) -> Option<u64> {
    let mut bench = Bench::own(Kind::Redis, &[]).await?;
    bench.prefix = "sessions".to_owned();
    let used = || async { bench.nodes[0].info("used_memory").await.parse::<u64>().expect("a number") };
    bench.teach_scripts().await;
    let manager = manager(bench.store().await);
    fill(&manager, AT_ONCE, owner).await;
    let before = used().await;
    fill(&manager, SESSIONS, owner).await;
    // The output buffers of the connections are empty again: each has been answered.
    Some((used().await - before) / SESSIONS)
}

async fn fill(manager: &SessionManager, sessions: u64, owner: fn(u64) -> Option<u64>) {
    const USER: Key<u64> = Key::new("user");
    for batch in 0..sessions / AT_ONCE {
        let commits: Vec<_> = (batch * AT_ONCE..(batch + 1) * AT_ONCE)
            .map(|number| {
                let session = manager.new_session();
                session.insert(&USER, &number).expect("open");
                session.insert("csrf", &"0123456789abcdef0123456789abcdef").expect("open");
                if let Some(owner) = owner(number + sessions) {
                    session.set_owner(format!("user-{owner}")).expect("a valid owner");
                }
                let manager = manager.clone();
                tokio::spawn(async move { manager.commit(&session).await.map(drop) })
            })
            .collect();
        for commit in commits {
            commit.await.expect("no panic").expect("it is stored");
        }
    }
}
