//! The stores, each in a namespace of this process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sessions_core::{Clock, CreateOutcome, Entry, SessionId, SessionStore, SystemClock, Timestamp, Version};
use sessions_memory::MemoryStore;
use sessions_redis::RedisStore;
use sessions_sqlx::{PostgresStore, SqliteStore};
use tokio::task::JoinSet;

use crate::Error;

pub(crate) type Store = Arc<dyn SessionStore>;

/// A store on the backend whose address is in the environment, without a purge of its own.
pub(crate) async fn connect(name: &str) -> Result<Store, Error> {
    let variable = format!("BENCH_{}", name.to_uppercase());
    match std::env::var(&variable) {
        Err(_) if name != "memory" => Err(format!("{variable} is not set").into()),
        address => connect_to(name, &address.unwrap_or_default()).await,
    }
}

/// The same on this address.
pub(crate) async fn connect_to(name: &str, address: &str) -> Result<Store, Error> {
    let namespace = format!("bench_{}", std::process::id());
    let patience = Duration::from_secs(30);
    Ok(match name {
        "memory" => Arc::new(memory(SystemClock)?),
        "redis" => {
            let builder = RedisStore::builder().prefix(&namespace)?.deadline(patience)?;
            Arc::new(builder.connect(address).await?)
        }
        "postgres" => {
            let builder = PostgresStore::builder().table(&namespace)?.no_purge().deadline(patience)?;
            let store = builder.connect(address).await?;
            store.migrate().await?;
            Arc::new(store)
        }
        "sqlite" => {
            let builder = SqliteStore::builder().table(&namespace)?.no_purge().deadline(patience)?;
            let store = builder.connect(&format!("sqlite:{address}")).await?;
            store.migrate().await?;
            Arc::new(store)
        }
        _ => return Err(format!("no store {name}").into()),
    })
}

/// Room for millions.
pub(crate) fn memory(clock: impl Clock) -> Result<MemoryStore, Error> {
    Ok(MemoryStore::builder().max_sessions(4 << 20).max_bytes(8 << 30).clock(clock).build()?)
}

/// Creates the sessions of these numbers, many at a time.
pub(crate) async fn fill(
    store: &Store,
    numbers: std::ops::Range<u64>,
    bytes: usize,
    ttl: Duration,
) -> Result<(), Error> {
    let (start, end) = (numbers.start, numbers.end);
    let mut running = JoinSet::new();
    for lane in 0..AT_A_TIME {
        let store = Arc::clone(store);
        running.spawn(async move {
            let mut number = start + lane;
            while number < end {
                let created = store.create(&id(number), &entry(bytes), ttl).await.map_err(|error| error.to_string())?;
                if created != CreateOutcome::Created {
                    return Err(format!("session {number} is there already"));
                }
                number += AT_A_TIME;
            }
            Ok(())
        });
    }
    while let Some(filled) = running.join_next().await {
        filled??;
    }
    Ok(())
}

/// As random as ids are, and the same each time: the finalizer of `SplitMix64`, twice.
pub(crate) fn id(number: u64) -> SessionId {
    let mut bytes = [0; 16];
    let mut state = number;
    for half in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        half.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    SessionId::from_bytes(bytes)
}

/// All with one version, so that every update meets the version that it expects.
pub(crate) fn entry(bytes: usize) -> Entry {
    Entry { version: VERSION, record: Bytes::from(vec![7; bytes]), owner: None, deadline: Timestamp::MAX }
}

pub(crate) const VERSION: Version = Version::from_u64(1);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AT_A_TIME: u64 = 256;
