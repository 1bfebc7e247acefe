//! Faults of what is shown: G19.

use super::*;

/// A password of the connection, which the profile forbids.
pub(crate) const PASSWORD: &str = "hunter2";

/// `Debug` shows records.
pub(crate) struct DebugShowsRecords;

impl Fault for DebugShowsRecords {
    fn debug(&self, store: &Reference, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(store.held().values().map(|stored| &stored.record)).finish()
    }
}

/// `Debug` shows the address of the server.
pub(crate) struct DebugShowsThePassword;

impl Fault for DebugShowsThePassword {
    fn debug(&self, _: &Reference, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store(redis://default:{PASSWORD}@localhost)")
    }
}

/// The error of a stopped store shows the address of the server.
pub(crate) struct ErrorsShowThePassword;

#[async_trait]
impl Fault for ErrorsShowThePassword {
    async fn load(&self, store: &Reference, id: &SessionId) -> Answer<Option<Stored>> {
        let explained = |_| StoreError::unavailable(format!("redis://default:{PASSWORD}@localhost was stopped"));
        store.load(id).await.map_err(explained)
    }
}

/// The error of a write shows what was to be written.
pub(crate) struct ErrorsShowRecords;

#[async_trait]
impl Fault for ErrorsShowRecords {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        store.create(id, entry, ttl).await.map_err(|error| {
            let shown = format!("{:?} was not written", entry.record.to_vec());
            if error.is_unavailable() { StoreError::unavailable(shown) } else { error }
        })
    }
}

/// Writes are logged, bytes as numbers.
pub(crate) struct LogsRecords;

#[async_trait]
impl Fault for LogsRecords {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        tracing::trace!(record = ?entry.record.to_vec(), "create");
        store.create(id, entry, ttl).await
    }
}

/// Writes are logged, bytes in hexadecimal.
pub(crate) struct LogsHexadecimal;

#[async_trait]
impl Fault for LogsHexadecimal {
    async fn create(&self, store: &Reference, id: &SessionId, entry: &Entry, ttl: Duration) -> Answer<CreateOutcome> {
        tracing::debug!("create {:X}", entry.record);
        store.create(id, entry, ttl).await
    }
}
