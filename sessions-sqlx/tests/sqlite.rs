//! The SQLite store on its own: what the conformance suite cannot know about files, processes and this schema.
#![cfg(feature = "sqlite")]

mod support;

use std::time::Duration;

use sessions_core::{Change, CreateOutcome, ManualClock, SessionStore, Timestamp, Ttl, UpdateOutcome, Version};
use support::{MINUTE, TempDir, entry, id, owned};

const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };

#[tokio::test]
async fn one_session_from_create_to_delete() {
    let dir = TempDir::new();
    let clock = ManualClock::at(Timestamp::from_millis(1_000_000));
    let store = support::open_at(&dir, clock.clone()).await;
    let id = id(1);

    assert_eq!(store.load(&id).await.expect("load"), None);
    let first = owned(1, b"first", "alice");
    assert_eq!(store.create(&id, &first, MINUTE).await.expect("create"), CreateOutcome::Created);
    let CreateOutcome::Exists(there) = store.create(&id, &entry(9, b"other"), MINUTE).await.expect("create") else {
        panic!("G4: a live session was overwritten");
    };
    assert_eq!((there.version, &there.record), (first.version, &first.record));
    assert_eq!(there.expires_at, Timestamp::from_millis(1_060_000));

    let second = owned(u64::MAX, b"", "alice");
    let update = |expected| store.update(&id, Version::from_u64(expected), &second, KEEP);
    assert!(matches!(update(2).await.expect("update"), UpdateOutcome::Conflict(there) if there.record == first.record));
    assert_eq!(update(1).await.expect("update"), UpdateOutcome::Written);
    let there = store.load(&id).await.expect("load").expect("live");
    assert_eq!((there.version, there.record.len(), there.owner), (second.version, 0, second.owner.clone()));
    assert_eq!(there.expires_at, Timestamp::from_millis(1_060_000), "Keep keeps");

    assert!(!store.touch(&id, Version::from_u64(1), MINUTE).await.expect("touch"));
    clock.advance(Duration::from_secs(30));
    assert!(store.touch(&id, second.version, MINUTE).await.expect("touch"));
    assert_eq!(store.owned_by(&support::owner("alice")).await.expect("owned_by"), [id]);
    assert_eq!(store.owned_by(&support::owner("bob")).await.expect("owned_by"), []);

    clock.advance(MINUTE);
    assert_eq!(store.load(&id).await.expect("load"), None, "G3");
    assert_eq!(store.owned_by(&support::owner("alice")).await.expect("owned_by"), []);
    assert_eq!(update(u64::MAX).await.expect("update"), UpdateOutcome::Absent, "G8");
    assert_eq!(store.delete(&[id]).await.expect("delete"), 0, "G9: it was not live");
    assert_eq!(store.create(&id, &first, MINUTE).await.expect("create"), CreateOutcome::Created);
    assert_eq!(store.delete(&[id, id, support::id(2)]).await.expect("delete"), 1);
    assert_eq!(store.delete(&[]).await.expect("delete"), 0);
    assert_eq!(store.load(&id).await.expect("load"), None);
    store.stop().await.expect("stop");
    assert!(store.load(&id).await.expect_err("G18").is_unavailable());
}
