//! The store, whatever the database: size limit, deadline, conflict loop, purge task and stop. Statements are the database's.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sessions_core::{Change, CreateOutcome, Entry, Owner, SessionId, StoreError, Stored, UpdateOutcome, Version};

use crate::config::Settings;
use crate::deadline::Attempt;
use crate::error::Failure;
use crate::job::{Found, Read, Update, Write};
use crate::lane::{Answered, Batch, Lane};
use crate::purge::{Purge, Stop};

/// How often an operation starts anew because the row changed between its two statements.
const ROUNDS: usize = 16;

/// A database: two lanes, and the pools under them.
pub(crate) trait Database: Send + Sync + 'static {
    type Reads: Batch<Job = Read, Answer = Found>;
    type Writes: Batch<Job = Write, Answer = u64>;

    /// As many ids share a statement that deletes.
    const DELETES: usize = usize::MAX;

    /// Closes the pools that are the store's own.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// What the public stores are handles of.
pub(crate) struct Store<D: Database> {
    pub(crate) settings: Settings,
    pub(crate) database: D,
    reads: Lane<D::Reads>,
    writes: Lane<D::Writes>,
    stop: Stop,
}

impl<D: Database> Store<D> {
    /// Starts the purge task, if there is to be one, on the current runtime.
    pub(crate) fn start(settings: Settings, database: D, reads: Lane<D::Reads>, writes: Lane<D::Writes>) -> Arc<Self> {
        let store = Arc::new(Self { settings, database, reads, writes, stop: Stop::new() });
        if let Some(interval) = store.settings.purge_interval {
            store.stop.start(Background(Arc::downgrade(&store)), interval);
        }
        store
    }

    pub(crate) async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        self.run(async |_| self.find(id).await).await
    }

    pub(crate) async fn create(
        &self,
        id: &SessionId,
        entry: &Entry,
        ttl: Duration,
    ) -> Result<CreateOutcome, StoreError> {
        let job = Write::Create { id: *id, entry: entry.clone(), ttl };
        self.run(async |attempt| {
            self.check_size(entry)?;
            for _ in 0..ROUNDS {
                if self.writes.write(job.clone(), attempt).await?.answer > 0 {
                    return Ok(CreateOutcome::Created);
                }
                match self.find(id).await? {
                    there if attempt.is_in_doubt() => return landed(entry, there).map(|()| CreateOutcome::Created),
                    Some(there) => return Ok(CreateOutcome::Exists(there)),
                    // The one that was there has ended since: the id is free (G4).
                    None => {}
                }
            }
            Err(Failure::Contended)
        })
        .await
    }

    pub(crate) async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let job = Write::Update(Update { id: *id, expected, entry: entry.clone(), change });
        self.run(async |attempt| {
            self.check_size(entry)?;
            for _ in 0..ROUNDS {
                if self.writes.write(job.clone(), attempt).await?.answer > 0 {
                    return Ok(UpdateOutcome::Written);
                }
                match self.find(id).await? {
                    there if attempt.is_in_doubt() => return landed(entry, there).map(|()| UpdateOutcome::Written),
                    None => return Ok(UpdateOutcome::Absent),
                    // It came back to the expected version since, so that it can be updated after all (G5).
                    Some(there) if there.version == expected => {}
                    Some(there) => return Ok(UpdateOutcome::Conflict(there)),
                }
            }
            Err(Failure::Contended)
        })
        .await
    }

    pub(crate) async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let job = Write::Touch { id: *id, expected, ttl };
        self.run(async |attempt| match self.writes.write(job, attempt).await? {
            Answered { answer: 0, repeated: true } => Err(Failure::AnswerLost),
            Answered { answer, .. } => Ok(answer > 0),
        })
        .await
    }

    pub(crate) async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        self.run(async |attempt| {
            let mut deleted = 0;
            for ids in ids.chunks(D::DELETES) {
                let Answered { answer: count, repeated } =
                    self.writes.write(Write::Delete(ids.to_vec()), attempt).await?;
                // What the first of two runs deleted, the second does not count.
                if repeated && count < ids.len() as u64 {
                    return Err(Failure::CountLost);
                }
                deleted += count;
                if deleted > 0 {
                    attempt.doubt();
                }
            }
            Ok(deleted)
        })
        .await
    }

    pub(crate) async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        self.run(async |_| match self.reads.read(Read::OwnedBy(owner.clone())).await? {
            Found::Ids(ids) => Ok(ids),
            Found::Session(_) => Ok(Vec::new()),
        })
        .await
    }

    pub(crate) async fn purge_expired(&self, limit: u32) -> Result<u64, StoreError> {
        self.run(async |attempt| {
            if limit == 0 {
                return Ok(0);
            }
            Ok(self.writes.write(Write::Purge { limit }, attempt).await?.answer)
        })
        .await
    }

    pub(crate) async fn stop(&self) -> Result<(), StoreError> {
        self.stop.stop().await;
        self.reads.close();
        self.writes.close();
        // A connection that hangs must not keep the application from ending.
        let _ = tokio::time::timeout(self.settings.deadline, self.database.close()).await;
        Ok(())
    }

    async fn find(&self, id: &SessionId) -> Result<Option<Stored>, Failure> {
        match self.reads.read(Read::Load(*id)).await? {
            Found::Session(found) => Ok(found),
            Found::Ids(_) => Ok(None),
        }
    }

    /// Refuses a record over the limit before anything is sent (G12).
    fn check_size(&self, entry: &Entry) -> Result<(), Failure> {
        match (entry.record.len(), self.settings.max_record_bytes) {
            (size, limit) if size > limit => Err(Failure::TooLarge { size, limit }),
            _ => Ok(()),
        }
    }

    /// Runs an operation under the deadline, unless the store was stopped (G18).
    async fn run<T>(&self, operation: impl AsyncFnOnce(&Attempt) -> Result<T, Failure>) -> Result<T, StoreError> {
        if self.stop.is_stopped() {
            return Err(Failure::Stopped.into_store_error(false));
        }
        let attempt = Attempt::new(self.settings.deadline);
        attempt.run(operation(&attempt)).await
    }
}

/// Judges a write that ran twice, because the answer to the first run was lost, and wrote nothing the second time: the first one
/// did, if its version is there. When another one is, or nothing, nobody can tell whether it lies under that (G6).
fn landed(entry: &Entry, there: Option<Stored>) -> Result<(), Failure> {
    if there.is_some_and(|there| there.version == entry.version) { Ok(()) } else { Err(Failure::AnswerLost) }
}

/// Settings only: no URL, no rows (G19).
impl<D: Database> fmt::Debug for Store<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("settings", &self.settings)
            .field("stopped", &self.stop.is_stopped())
            .finish_non_exhaustive()
    }
}

/// The purge task's handle: it does not keep the store alive.
struct Background<D: Database>(Weak<Store<D>>);

impl<D: Database> Purge for Background<D> {
    async fn purge(&self, limit: u32) -> Option<Result<u64, StoreError>> {
        Some(self.0.upgrade()?.purge_expired(limit).await)
    }
}

/// The contract for a public store: a handle on a [`Store`].
macro_rules! impl_session_store {
    ($store:ident) => {
        #[async_trait::async_trait]
        impl sessions_core::SessionStore for $store {
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
                self.0.update(id, expected, entry, change).await
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
        }

        impl std::fmt::Debug for $store {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

#[cfg(test)]
mod tests;
