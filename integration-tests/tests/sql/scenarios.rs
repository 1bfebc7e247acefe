//! What a store in SQL has to stand, whatever the server.

use std::sync::Arc;
use std::time::Duration;

use sessions_core::{CreateOutcome, SessionId, SessionStore, UpdateOutcome};
use tokio::task::JoinSet;

use super::{KEEP, MINUTE, entry, id, owned, owner, version};

/// Creates sessions, many at the same time.
pub(crate) async fn create_all(
    store: &Arc<dyn SessionStore>,
    numbers: impl IntoIterator<Item = u64>,
    name: Option<&str>,
) {
    let mut tasks = JoinSet::new();
    for number in numbers {
        let store = Arc::clone(store);
        let new = name.map_or_else(|| entry(1, b"record"), |name| owned(1, b"record", name));
        tasks.spawn(async move { store.create(&id(number), &new, 10 * MINUTE).await });
        if tasks.len() >= 64 {
            let outcome = tasks.join_next().await.expect("a task").expect("no panic");
            assert_eq!(outcome.expect("create"), CreateOutcome::Created);
        }
    }
    for outcome in tasks.join_all().await {
        assert_eq!(outcome.expect("create"), CreateOutcome::Created);
    }
}

/// One session through every operation, under whatever names, zones and privileges the store has.
pub(crate) async fn whole_life(store: &dyn SessionStore) {
    let key = id(fastrand::u64(..));
    let name = super::unique("alice");
    assert_eq!(store.load(&key).await.expect("load"), None);
    assert_eq!(store.create(&key, &owned(1, b"first", &name), MINUTE).await.expect("create"), CreateOutcome::Created);
    let again = store.create(&key, &entry(9, b"other"), MINUTE).await.expect("create");
    assert!(
        matches!(again, CreateOutcome::Exists(there) if there.version == version(1) && there.record == b"first"[..])
    );
    let next = owned(u64::MAX, b"second", &name);
    let update = store.update(&key, version(7), &next, KEEP).await.expect("update");
    assert!(matches!(update, UpdateOutcome::Conflict(there) if there.version == version(1)));
    assert_eq!(store.update(&key, version(1), &next, KEEP).await.expect("update"), UpdateOutcome::Written);
    assert!(store.touch(&key, next.version, 2 * MINUTE).await.expect("touch"));
    assert_eq!(store.owned_by(&owner(&name)).await.expect("owned_by"), [key]);
    let there = store.load(&key).await.expect("load").expect("live");
    assert_eq!((there.version, &there.record[..]), (next.version, &b"second"[..]));
    store.purge_expired(1_000).await.expect("purge");
    assert_eq!(store.delete(&[key, id(0)]).await.expect("delete"), 1);
    assert_eq!(store.update(&key, next.version, &next, KEEP).await.expect("update"), UpdateOutcome::Absent);
}

/// G9 at its size: some live, some not, some twice.
pub(crate) async fn ten_thousand_ids(store: Arc<dyn SessionStore>) {
    create_all(&store, (0..10_000).filter(|number| number % 10 != 3), None).await;
    let ids: Vec<SessionId> = (0..10_000).map(id).collect();
    assert_eq!(store.delete(&ids).await.expect("delete"), 9_000);
    assert_eq!(store.delete(&ids).await.expect("delete"), 0);
    create_all(&store, 20_000..20_700, None).await;
    let twice: Vec<SessionId> = (20_000..20_650).chain(20_000..20_650).map(id).collect();
    assert_eq!(store.delete(&twice).await.expect("delete"), 650);
    assert_eq!(store.load(&id(20_649)).await.expect("load"), None);
    assert!(store.load(&id(20_650)).await.expect("load").is_some());
}

/// G15 at its size.
pub(crate) async fn a_thousand_sessions_of_one_owner(store: Arc<dyn SessionStore>) {
    create_all(&store, 0..1_000, Some("alice")).await;
    create_all(&store, 1_000..1_010, Some("alic")).await;
    let mut ids = store.owned_by(&owner("alice")).await.expect("owned_by");
    ids.sort_unstable();
    assert_eq!(ids, (0..1_000).map(id).collect::<Vec<_>>());
    assert_eq!(store.delete(&ids[..400]).await.expect("delete"), 400);
    assert_eq!(store.owned_by(&owner("alice")).await.expect("owned_by").len(), 600);
    assert_eq!(store.owned_by(&owner("alic")).await.expect("owned_by").len(), 10);
}

/// G12: a record of `limit` bytes, which is more than 64 KiB, and none above.
pub(crate) async fn records_up_to_the_limit(store: &dyn SessionStore, limit: usize) {
    let full: Vec<u8> = (0..=250).cycle().take(limit).collect();
    assert_eq!(store.create(&id(1), &entry(1, &full), MINUTE).await.expect("create"), CreateOutcome::Created);
    assert!(store.load(&id(1)).await.expect("load").expect("live").record == full);
    let over = entry(2, &vec![0; limit + 1]);
    assert!(store.update(&id(1), version(1), &over, KEEP).await.expect_err("over the limit").is_too_large());
    assert!(store.create(&id(2), &over, MINUTE).await.expect_err("over the limit").is_too_large());
    let there = store.load(&id(1)).await.expect("load").expect("live");
    assert!(there.version == version(1) && there.record == full, "the old one is intact");
    let turned: Vec<u8> = full.iter().map(|byte| !byte).collect();
    let update = store.update(&id(1), version(1), &entry(2, &turned), KEEP).await;
    assert_eq!(update.expect("update"), UpdateOutcome::Written);
    assert!(store.load(&id(1)).await.expect("load").expect("live").record == turned);
    for size in [65_535, 65_536, 65_537] {
        let key = id(size as u64);
        store.create(&key, &entry(1, &full[..size]), MINUTE).await.expect("create");
        assert!(store.load(&key).await.expect("load").expect("live").record == full[..size], "{size}");
    }
}

/// G1, G3: a hundred years are no more than a minute.
pub(crate) async fn times_beyond_2038(store: &dyn SessionStore) {
    const YEAR_2038: u64 = 2_147_483_647_000;
    const YEAR_2106: u64 = 4_294_967_295_000;
    store.create(&id(1), &owned(1, b"x", "alice"), Duration::MAX).await.expect("create");
    let there = store.load(&id(1)).await.expect("load").expect("live");
    assert!(there.expires_at.as_millis() > YEAR_2106, "{there:?}");
    assert!(store.touch(&id(1), version(1), Duration::from_secs(20 * 365 * 24 * 60 * 60)).await.expect("touch"));
    let there = store.load(&id(1)).await.expect("load").expect("live");
    assert!((YEAR_2038..YEAR_2106).contains(&there.expires_at.as_millis()), "{there:?}");
    assert_eq!(store.owned_by(&owner("alice")).await.expect("owned_by"), [id(1)]);
    assert_eq!(store.purge_expired(10).await.expect("purge"), 0);
}

/// G3: connections whose time zones differ agree on every expiry.
pub(crate) async fn time_zones_do_not_matter(stores: &[Arc<dyn SessionStore>]) {
    for (writer, reader) in stores.iter().flat_map(|writer| stores.iter().map(move |reader| (writer, reader))) {
        let (short, long) = (id(1), id(2));
        let new = owned(1, b"x", "alice");
        writer.create(&long, &new, MINUTE).await.expect("create");
        let expected = writer.load(&long).await.expect("load").expect("live");
        assert_eq!(reader.load(&long).await.expect("load").as_ref(), Some(&expected));
        assert!(reader.touch(&long, new.version, MINUTE).await.expect("touch"));
        let moved = writer.load(&long).await.expect("load").expect("live");
        let by = moved.expires_at.as_millis().checked_sub(expected.expires_at.as_millis());
        // No zone is nearer to another than a quarter of an hour.
        assert!(by.is_some_and(|by| by < 900_000), "a touch by another zone has moved it by {by:?} ms");
        assert_eq!(reader.owned_by(&owner("alice")).await.expect("owned_by"), [long]);

        writer.create(&short, &new, Duration::from_millis(1)).await.expect("create");
        // Over as soon as the server's clock has moved on.
        while reader.load(&short).await.expect("load").is_some() {}
        assert_eq!(reader.purge_expired(10).await.expect("purge"), 1);
        assert_eq!(writer.delete(&[short, long]).await.expect("delete"), 1);
    }
}
