//! The value under a session's key in Redis.
//!
//! The parser is private to `sessions-redis`, and stays so: the store talks to a server here that answers every `GET` with the
//! bytes at hand. What real servers are told, [`at_rest`](super::at_rest) sees.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use sessions_core::{Entry, Owner, SessionStore, Stored, Version};
use sessions_redis::RedisStore;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream, DuplexStream};
use tokio::runtime::Runtime;

use super::mutate::forge_envelope;
use super::record;
use super::samples::{ID, MADE_AT, Sample, samples};

/// Has the store read it. What it takes for a record is thrown on.
pub(crate) fn throw(bytes: &[u8]) {
    if let Some(stored) = read(bytes) {
        record::throw(&stored.record);
    }
}

pub(crate) fn is_well_formed(bytes: &[u8]) -> bool {
    read(bytes).is_some()
}

/// Whether bytes whose checksums nobody has made to fit are a value. An error, if its envelope or its record says anything that no
/// sample says.
pub(crate) fn never_other_data(bytes: &[u8]) -> Result<bool, String> {
    thread_local!(static OWNERS: Vec<Option<Owner>> = samples().into_iter().map(|sample| sample.owner).collect());
    let Some(stored) = read(bytes) else { return Ok(false) };
    let Stored { version, record, expires_at, owner } = stored;
    if (version, expires_at) != (VERSION, MADE_AT) || !OWNERS.with(|owners| owners.contains(&owner)) {
        return Err("an envelope that nobody has written".into());
    }
    record::never_other_data(&record).map(|_| true)
}

/// What the store writes for a sample.
pub(super) fn written(sample: &Sample) -> Vec<u8> {
    REDIS.with_borrow(|redis| redis.written(sample))
}

/// What the store takes it for.
fn read(bytes: &[u8]) -> Option<Stored> {
    REDIS.with_borrow(|redis| redis.read(bytes))
}

thread_local!(static REDIS: RefCell<Redis> = RefCell::new(Redis::start()));

/// A store, and a server that knows one key.
struct Redis {
    runtime: Runtime,
    store: RedisStore,
    value: Arc<Mutex<Vec<u8>>>,
}

impl Redis {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let value = Arc::<Mutex<Vec<u8>>>::default();
        let store = runtime.block_on(async {
            let (client, server) = tokio::io::duplex(1 << 16);
            tokio::spawn(serve(server, Arc::clone(&value)));
            let (info, config) = (RedisConnectionInfo::default(), AsyncConnectionConfig::new());
            let connection = MultiplexedConnection::new_with_config(&info, client, config).await;
            let (connection, driver) = connection.expect("the server says yes to everything");
            tokio::spawn(driver);
            RedisStore::builder().with(connection)
        });
        Self { runtime, store, value }
    }

    fn read(&self, bytes: &[u8]) -> Option<Stored> {
        *lock(&self.value) = bytes.to_vec();
        match self.runtime.block_on(self.store.load(&ID)) {
            Ok(stored) => stored,
            Err(error) => {
                // Surely nothing was applied: it is left alone.
                assert!(error.is_unavailable(), "{error:?}");
                None
            }
        }
    }

    fn written(&self, sample: &Sample) -> Vec<u8> {
        let (record, owner) = (sample.bytes.clone(), sample.owner.clone());
        let entry = Entry { version: VERSION, record, owner: None, deadline: MADE_AT };
        self.runtime.block_on(self.store.create(&ID, &entry, Duration::from_secs(60))).expect("it says yes");
        let mut value = lock(&self.value).clone();
        // The expiry is told by the system's clock, and an owner would take a script.
        value[12..18].copy_from_slice(&MADE_AT.as_millis().to_be_bytes()[2..]);
        let owner = owner.as_ref().map_or("", Owner::as_str);
        value[24] = u8::try_from(owner.len()).expect("a short owner");
        value.splice(25..25, owner.bytes());
        forge_envelope(&mut value).expect("an envelope");
        value
    }
}

/// Answers commands, each an array of strings (RESP2).
async fn serve(stream: DuplexStream, value: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    loop {
        let mut command = Vec::new();
        for _ in 0..number(&mut stream).await? {
            let mut part = vec![0; number(&mut stream).await? + 2];
            stream.read_exact(&mut part).await?;
            part.truncate(part.len() - 2);
            command.push(part);
        }
        let mut answer = b"+OK\r\n".to_vec();
        match command.first().map(Vec::as_slice) {
            Some(b"GET") => {
                let value = lock(&value).clone();
                answer = format!("${}\r\n", value.len()).into_bytes();
                answer.extend(value);
                answer.extend(b"\r\n");
            }
            Some(b"SET") => *lock(&value) = command.swap_remove(2),
            _ => {}
        }
        stream.write_all(&answer).await?;
        stream.flush().await?;
    }
}

/// The number in a line such as `$12`.
async fn number(stream: &mut BufStream<DuplexStream>) -> std::io::Result<usize> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    line.get(1..).and_then(|number| number.trim_end().parse().ok()).ok_or(std::io::ErrorKind::InvalidData.into())
}

fn lock(value: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

const VERSION: Version = Version::from_u64(0x0102_0304_0506_0708);
