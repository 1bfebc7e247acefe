//! Promise 1: nothing a handler committed is lost, however its requests overlap.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::Path;
use axum::routing::get;
use sessions_core::{
    Change, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, UpdateOutcome, Version,
};
use sessions_tower::{Session, SessionLayer, SessionManager, SessionRejection};

use crate::http::bench::Bench;
use crate::http::gate::Gate;

const REQUESTS: u32 = 64;

/// 64 requests that have all loaded the session before any of them commits: each writes a key of its own, and increments
/// one counter. The keys and the counter afterwards.
async fn overlap(bench: &Bench, store: impl SessionStore) -> (BTreeSet<String>, u64) {
    let gate = Gate::closed();
    let handler = {
        let gate = gate.clone();
        async move |session: Session, Path(key): Path<String>| {
            session.insert(key, &true)?;
            session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
            gate.pass().await;
            Ok::<_, SessionRejection>(())
        }
    };
    let manager = SessionManager::builder(store).clock(bench.clock.clone()).build().expect("the defaults are valid");
    let app = bench.app().route("/overlap/{key}", get(handler)).layer(SessionLayer::new(manager));
    let site = bench.serve(app).await;
    let browser = site.visitor("insert:before=1").await;

    let requests: Vec<_> = (0..REQUESTS)
        .map(|n| {
            let browser = browser.clone();
            tokio::spawn(async move { browser.get(&format!("/overlap/key{n:02}")).await })
        })
        .collect();
    gate.reached_by(REQUESTS).await;
    gate.admit(REQUESTS as usize);
    for request in requests {
        let answer = request.await.expect("it ends");
        assert!(answer.ok().is_empty() && answer.cookies().is_empty(), "{answer:?}");
    }
    let keys = browser.get("/do/keys").await.ok().split(',').map(String::from).collect();
    let count = browser.get("/do/count").await.ok().parse().expect("a number");
    (keys, count)
}

fn all_keys() -> BTreeSet<String> {
    let keys = (0..REQUESTS).map(|n| format!("key{n:02}"));
    keys.chain(["before".to_owned(), "count".to_owned()]).collect()
}

pub(crate) async fn overlap_64_requests_keep_64_keys_and_count_to_64(bench: Bench) {
    let (keys, count) = overlap(&bench, bench.store.clone()).await;
    assert_eq!(keys, all_keys());
    assert_eq!(count, u64::from(REQUESTS));
}

/// The negative control: on a store whose `update` overwrites, the same requests lose almost everything.
pub(crate) async fn overlap_a_store_that_overwrites_is_noticed(bench: Bench) {
    let (keys, count) = overlap(&bench, Overwriting(Arc::clone(bench.store.unwatched()))).await;
    assert_ne!(keys, all_keys());
    assert!(count < u64::from(REQUESTS), "{count}");
}

/// What a session store that upserts does: the version that the writer expects is ignored.
#[derive(Debug)]
struct Overwriting(Arc<dyn SessionStore>);

#[async_trait]
impl SessionStore for Overwriting {
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.0.load(id).await
    }

    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        self.0.create(id, entry, ttl).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let mut expected = expected;
        loop {
            match self.0.update(id, expected, entry, change).await? {
                UpdateOutcome::Conflict(stored) => expected = stored.version,
                outcome => return Ok(outcome),
            }
        }
    }

    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        self.0.touch(id, expected, ttl).await
    }

    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.0.delete(ids).await
    }

    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.0.owned_by(owner).await
    }

    async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.0.purge_expired(limit).await
    }

    async fn stop(&self) -> Result<(), StoreError> {
        self.0.stop().await
    }

    fn is_process_local(&self) -> bool {
        self.0.is_process_local()
    }
}

/// A decision that was taken from what was read: of two that overlap, one stands.
pub(crate) async fn overlap_of_two_decisions_on_one_key_one_stands(bench: Bench) {
    let site = bench.site().await;
    let browser = site.visitor("insert:a=1").await;
    let decide = "/slow/once:coupon+insert:coupon=used";
    let (one, two) = (browser.start(decide), browser.start(decide));
    bench.gate.reached_by(2).await;
    bench.gate.admit(2);
    let mut statuses = [one.await.expect("it ends").status.as_u16(), two.await.expect("it ends").status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(browser.get("/do/read:coupon").await.ok(), "used");
}

/// First requests without a cookie know nothing of each other.
pub(crate) async fn overlap_first_requests_make_a_session_each(bench: Bench) {
    let site = bench.site().await;
    let (one, two) = (site.browser(), site.browser());
    let requests = (one.start("/slow/add"), two.start("/slow/add"));
    bench.gate.reached_by(2).await;
    bench.gate.admit(2);
    assert_eq!((requests.0.await.expect("it ends").ok(), requests.1.await.expect("it ends").ok()), ("1", "1"));
    assert_ne!(one.token(), two.token());
}
