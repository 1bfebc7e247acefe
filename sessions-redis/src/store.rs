//! The store: each operation of the contract as its commands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, Value};
use sessions_core::store::ttl_millis;
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, StoreError, Stored, SystemClock, Timestamp,
    Ttl, UpdateOutcome, Version,
};

use crate::call::{Call, Effect};
use crate::check::{self, Warning};
use crate::config::{RedisStoreBuilder, Settings};
use crate::connection::{Link, command};
use crate::delete;
use crate::error::Error;
use crate::failure::{Cause, Failure};
use crate::index::{Entered, Index};
use crate::script;
use crate::value;

/// Sessions in Redis or Valkey: one key each, which expires by itself.
///
/// A clone is the same store and shares the connection (G14). It needs a tokio runtime with I/O and time.
///
/// ```no_run
/// use sessions_redis::RedisStore;
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1/").await?;
/// for warning in store.check().await? {
///     eprintln!("{warning}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    settings: Arc<Settings>,
    link: Arc<Link>,
}

impl RedisStore {
    /// Connects to the server that a URL names, with all settings at their defaults; see [`RedisStoreBuilder::connect`].
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`] and [`Error::is_connect`].
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::builder().connect(url).await
    }

    /// Settings first, then a URL or a client.
    pub fn builder() -> RedisStoreBuilder {
        RedisStoreBuilder::new()
    }

    /// What about the server endangers sessions: a policy that evicts them, no persistence, a version that is too old, a
    /// replica. Of a Cluster, every primary is asked.
    ///
    /// For the start of a program: each warning is also an event of level `WARN`. It needs permission for `INFO`, and for `CONFIG
    /// GET` to see snapshots; what may not be read is a warning of its own.
    ///
    /// # Errors
    ///
    /// [`StoreError::is_unavailable`] when the server cannot be reached.
    pub async fn check(&self) -> Result<Vec<Warning>, StoreError> {
        Ok(check::check(&self.call()?).await?)
    }

    pub(crate) fn new(settings: Settings, link: Arc<Link>) -> Self {
        Self { settings: Arc::new(settings), link }
    }

    pub(crate) fn call(&self) -> Result<Call<'_>, Failure> {
        Call::begin(&self.link, self.settings.deadline)
    }

    fn index(&self) -> Index<'_> {
        Index::new(&self.settings.prefix)
    }

    /// Refuses a record over the limit before anything is sent (G12).
    fn check_size(&self, entry: &Entry) -> Result<(), Failure> {
        match (entry.record.len(), self.settings.max_record_bytes) {
            (size, limit) if size > limit => Err(Cause::TooLarge { size, limit }.certain()),
            _ => Ok(()),
        }
    }

    async fn read(&self, call: &Call<'_>, id: &SessionId) -> Result<Option<Stored>, Failure> {
        let mut cmd = command("GET");
        cmd.arg(self.settings.prefix.session(id));
        match call.send(&cmd, Effect::None).await? {
            Value::Nil => Ok(None),
            value => stored(id, value).map(Some).map_err(Cause::certain),
        }
    }

    /// Without an owner: one SET NX PX, and a GET where somebody else was there first.
    async fn create_unowned(
        &self,
        call: &Call<'_>,
        id: &SessionId,
        entry: &Entry,
        ttl: u64,
    ) -> Result<CreateOutcome, Failure> {
        let mut set = command("SET");
        set.arg(self.settings.prefix.session(id));
        set.arg(value_of(id, entry).whole(expiry_in(ttl))).arg("NX").arg("PX").arg(ttl);
        // What was in the way may expire before it is read: then the way is free. Ends at the deadline at the latest.
        loop {
            match call.send(&set, Effect::Once).await? {
                Value::Okay => return Ok(CreateOutcome::Created),
                Value::Nil => {}
                _ => return Err(Cause::Unexpected.of_a_write()),
            }
            if let Some(there) = self.read(call, id).await? {
                return Ok(CreateOutcome::Exists(there));
            }
        }
    }

    /// With an owner: its entry in the index, then the session, unless that took too long (G15).
    async fn create_owned(
        &self,
        call: &Call<'_>,
        id: &SessionId,
        entry: &Entry,
        owner: &Owner,
        ttl: u64,
    ) -> Result<CreateOutcome, Failure> {
        let entered = self.index().enter(call, owner, id, index_ttl(entry, ttl)).await?;
        let args = |cmd: &mut Cmd| {
            cmd.arg(value_of(id, entry).whole(expiry_in(ttl))).arg(ttl).arg(entered.fence);
        };
        let key = self.settings.prefix.session(id);
        let outcome = match call.run(&script::CREATE, key, args, Effect::Once).await? {
            Value::Int(1) => CreateOutcome::Created,
            Value::Int(-1) => return Err(Cause::TooLate.certain()),
            value => CreateOutcome::Exists(stored(id, value).map_err(Cause::of_a_write)?),
        };
        self.index().tend(call, owner, entered).await;
        Ok(outcome)
    }

    async fn replace(
        &self,
        call: &Call<'_>,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, Failure> {
        let ttl = match change.ttl {
            Ttl::Keep => None,
            Ttl::After(ttl) => Some(ttl_millis(ttl)),
        };
        let entered = match &entry.owner {
            Some(owner) if change.reindex => {
                let ttl = index_ttl(entry, ttl.unwrap_or_default());
                Some((owner, Box::pin(self.index().enter(call, owner, id, ttl)).await?))
            }
            _ => None,
        };
        let args = |cmd: &mut Cmd| {
            cmd.arg(&value::head(expected)).arg(&value::head(entry.version)).arg(value_of(id, entry).tail());
            match ttl {
                Some(ttl) => cmd.arg(&value::expiry(expiry_in(ttl))).arg(ttl),
                // What is not there costs the server nothing.
                None if entered.is_none() => return,
                None => cmd.arg("").arg(""),
            };
            if let Some((_, Entered { fence, .. })) = &entered {
                cmd.arg(*fence);
            }
        };
        let key = self.settings.prefix.session(id);
        let outcome = match call.run(&script::UPDATE, key, args, Effect::Repeatable).await? {
            Value::Int(1) => UpdateOutcome::Written,
            Value::Int(-1) => return Err(Cause::TooLate.certain()),
            Value::Nil => call.has_landed(entry.version, None).map(|_| UpdateOutcome::Absent)?,
            value => match stored(id, value).map_err(Cause::of_a_write)? {
                there if call.has_landed(entry.version, Some(&there))? => UpdateOutcome::Written,
                there => UpdateOutcome::Conflict(there),
            },
        };
        if let Some((owner, entered)) = entered {
            Box::pin(self.index().tend(call, owner, entered)).await;
        }
        Ok(outcome)
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    /// One GET.
    async fn load(&self, id: &SessionId) -> Result<Option<Stored>, StoreError> {
        Ok(self.read(&self.call()?, id).await?)
    }

    /// One SET NX PX; with an owner, one script on the owner's index and one on the session.
    async fn create(&self, id: &SessionId, entry: &Entry, ttl: Duration) -> Result<CreateOutcome, StoreError> {
        let call = self.call()?;
        self.check_size(entry)?;
        let ttl = ttl_millis(ttl);
        Ok(match &entry.owner {
            None => self.create_unowned(&call, id, entry, ttl).await?,
            Some(owner) => Box::pin(self.create_owned(&call, id, entry, owner, ttl)).await?,
        })
    }

    /// One script on the session; before it one on the owner's index, where there is an owner and `reindex` is set.
    async fn update(
        &self,
        id: &SessionId,
        expected: Version,
        entry: &Entry,
        change: Change,
    ) -> Result<UpdateOutcome, StoreError> {
        let call = self.call()?;
        self.check_size(entry)?;
        Ok(self.replace(&call, id, expected, entry, change).await.map_err(|failure| call.failed(failure))?)
    }

    /// One script on the session.
    async fn touch(&self, id: &SessionId, expected: Version, ttl: Duration) -> Result<bool, StoreError> {
        let call = self.call()?;
        let ttl = ttl_millis(ttl);
        let args = |cmd: &mut Cmd| {
            cmd.arg(&value::head(expected)).arg(&value::expiry(expiry_in(ttl))).arg(ttl);
        };
        let key = self.settings.prefix.session(id);
        match call.run(&script::TOUCH, key, args, Effect::Repeatable).await? {
            Value::Int(1) => Ok(true),
            Value::BulkString(head) => match value::check_head(&head) {
                Ok(()) if call.is_in_doubt() => Err(Cause::AnswerLost.of_a_write().into()),
                Ok(()) => Ok(false),
                Err(malformed) => Err(call.failed(Cause::Malformed(malformed).certain()).into()),
            },
            _ => Err(Cause::Unexpected.of_a_write().into()),
        }
    }

    /// UNLINK, with as many keys as fit well; on a Cluster one for each slot. Deliberately not looking at what is there: what
    /// was damaged can be deleted.
    async fn delete(&self, ids: &[SessionId]) -> Result<u64, StoreError> {
        let call = self.call()?;
        let keys = ids.iter().map(|id| self.settings.prefix.session(id).to_vec()).collect();
        Ok(delete::unlink(&call, keys).await?)
    }

    /// One script on the owner's index, one GETRANGE for each entry, all sent at once, and one more script where dead entries
    /// were met.
    async fn owned_by(&self, owner: &Owner) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.index().owned_by(&self.call()?, owner).await?)
    }

    /// Nothing: Redis expires keys by itself.
    async fn purge_expired(&self, _limit: u32) -> Result<u64, StoreError> {
        self.call()?;
        Ok(0)
    }

    /// Closes the connection once nobody waits for an answer on it, and ends the search for a silent node's successor. A
    /// connection that was given stays open where it came from.
    async fn stop(&self) -> Result<(), StoreError> {
        self.link.close();
        Ok(())
    }
}

fn value_of<'a>(id: &'a SessionId, entry: &'a Entry) -> value::Value<'a> {
    let Entry { version, record, owner, deadline: _ } = entry;
    value::Value { id, version: *version, owner: owner.as_ref(), record }
}

/// The writer's estimate of the expiry, for those who read it: Redis decides by its own clock.
fn expiry_in(ttl: u64) -> Timestamp {
    SystemClock.now().after(Duration::from_millis(ttl))
}

/// How long this session may be in its owner's index at most.
fn index_ttl(entry: &Entry, ttl: u64) -> u64 {
    ttl_millis(entry.deadline.since(SystemClock.now())).max(ttl)
}

/// What a GET, or a script that found another version, answered.
fn stored(id: &SessionId, value: Value) -> Result<Stored, Cause> {
    match value {
        Value::BulkString(bytes) => value::parse(id, bytes.into()).map_err(Cause::Malformed),
        _ => Err(Cause::Unexpected),
    }
}

/// Says where it keeps sessions, and nothing about the connection (G19).
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, link } = self;
        f.debug_struct("RedisStore")
            .field("prefix", &settings.prefix)
            .field("deadline", &settings.deadline)
            .field("from", link.origin())
            .finish()
    }
}
