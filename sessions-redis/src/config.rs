//! Building the store: from a URL, or from a client or a connection of the application.

use std::time::Duration;

use sessions_core::store::DEFAULT_DEADLINE;

use crate::connection::Link;
use crate::error::Error;
use crate::keys::Prefix;
use crate::source::{Origin, Source};
use crate::store::RedisStore;

/// Builds a [`RedisStore`].
///
/// ```
/// use sessions_redis::RedisStore;
/// use std::time::Duration;
///
/// let store = RedisStore::builder()
///     .prefix("shop:sessions")?
///     .deadline(Duration::from_secs(1))?
///     .connect_lazy("redis://127.0.0.1/0")?;
/// # Ok::<(), sessions_redis::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it connects"]
pub struct RedisStoreBuilder {
    settings: Settings,
}

/// What the builder sets.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) prefix: Prefix,
    pub(crate) deadline: Duration,
    pub(crate) max_record_bytes: usize,
}

impl RedisStoreBuilder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings {
                prefix: Prefix::default(),
                deadline: DEFAULT_DEADLINE,
                // Large enough for the manager's default limit of 256 KiB four times over.
                max_record_bytes: 1024 * 1024,
            },
        }
    }

    /// What every key begins with (default `sessions`): 1 to 64 bytes of ASCII letters, digits, `.`, `_`, `:` and `-`. Stores
    /// with different prefixes do not see each other (G13).
    ///
    /// Deliberately no braces: all keys with one hash tag live on one node of a Cluster.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] for other prefixes.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, Error> {
        self.settings.prefix = Prefix::new(prefix)?;
        Ok(self)
    }

    /// How long one operation may take (default 2 s): 10 ms to 1 min. Connecting counts.
    ///
    /// An operation that runs into it is unavailable when nothing was sent, and indeterminate when a write was.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] outside of that range.
    pub fn deadline(mut self, deadline: Duration) -> Result<Self, Error> {
        if !(Duration::from_millis(10)..=Duration::from_secs(60)).contains(&deadline) {
            return Err(Error::setting("deadline", "is between 10 ms and 1 min"));
        }
        self.settings.deadline = deadline;
        Ok(self)
    }

    /// The largest record this store takes (default 1 MiB): 1 byte to 64 MiB (G12).
    ///
    /// Redis does one thing at a time: everybody waits while a large record goes in or out.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_setting`] outside of that range.
    pub fn max_record_bytes(mut self, limit: usize) -> Result<Self, Error> {
        if !(1..=64 * 1024 * 1024).contains(&limit) {
            return Err(Error::setting("max_record_bytes", "is between 1 and 64 MiB"));
        }
        self.settings.max_record_bytes = limit;
        Ok(self)
    }

    /// Connects to the server that a URL names:
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://USER:PASSWORD@HOST:PORT/DATABASE` | one server |
    /// | `rediss://…` | with TLS (feature `tls`), checked against the system's root certificates |
    /// | `redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT,…`, `rediss+cluster://…` | a Cluster (feature `cluster`), by any of its nodes |
    /// | `unix:///PATH?db=DATABASE&user=USER&pass=PASSWORD` | a socket |
    ///
    /// `valkey` may stand for `redis` in each. User, password and database may be left out; characters such as `@`, `/` and `:` in a
    /// password are percent-encoded. The protocol is RESP3, which lets the store notice an ended connection before it
    /// uses it; `?protocol=resp2` is for servers behind proxies that do not know `HELLO`.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`], or [`Error::is_connect`] when the server cannot be reached within the
    /// [deadline](Self::deadline) or refuses user, password or database.
    pub async fn connect(self, url: &str) -> Result<RedisStore, Error> {
        let store = self.connect_lazy(url)?;
        match store.call() {
            Ok(call) => call.connection().await.map_err(Error::connect)?,
            Err(failure) => return Err(Error::connect(failure)),
        };
        Ok(store)
    }

    /// As [`connect`](Self::connect), but connects at the first operation: for programs that start while the server is down.
    ///
    /// # Errors
    ///
    /// [`Error::is_invalid_url`].
    pub fn connect_lazy(self, url: &str) -> Result<RedisStore, Error> {
        let origin = Origin::parse(url, self.settings.deadline)?;
        Ok(self.build(origin))
    }

    /// Uses a client or a connection of the application; see [`Source`] for the kinds and how they differ.
    ///
    /// ```
    /// use sessions_redis::RedisStore;
    ///
    /// let client = redis::Client::open("redis://127.0.0.1/?protocol=resp3")?;
    /// let store = RedisStore::builder().prefix("shop")?.with(client);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with(self, source: impl Into<Source>) -> RedisStore {
        self.build(source.into().0)
    }

    fn build(self, origin: Origin) -> RedisStore {
        RedisStore::new(self.settings, Link::new(origin))
    }
}

macro_rules! from_sources {
    ($($(#[$attr:meta])* $source:ty,)*) => {
        $($(#[$attr])* impl From<$source> for RedisStore {
            /// A store on it, with all settings at their defaults; see [`Source`].
            fn from(source: $source) -> Self {
                Self::builder().with(source)
            }
        })*
    };
}

from_sources! {
    Source,
    redis::Client,
    redis::aio::ConnectionManager,
    redis::aio::MultiplexedConnection,
    #[cfg(feature = "sentinel")]
    redis::sentinel::SentinelClient,
    #[cfg(feature = "cluster")]
    redis::cluster::ClusterClient,
    #[cfg(feature = "cluster")]
    redis::cluster_async::ClusterConnection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range_settings_are_errors() {
        let builder = RedisStoreBuilder::new;
        for deadline in [Duration::ZERO, Duration::from_millis(9), Duration::from_secs(61), Duration::MAX] {
            assert!(builder().deadline(deadline).expect_err("out of range").is_invalid_setting());
        }
        for limit in [0, 64 * 1024 * 1024 + 1, usize::MAX] {
            assert!(builder().max_record_bytes(limit).expect_err("out of range").is_invalid_setting());
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_connect_error_and_no_obstacle_to_a_lazy_store() {
        // Port 1 on loopback: nobody listens there.
        let error = RedisStoreBuilder::new().connect("redis://127.0.0.1:1").await.expect_err("nobody is there");
        assert!(error.is_connect(), "{error}");
        assert!(RedisStoreBuilder::new().connect_lazy("redis://127.0.0.1:1").is_ok());
    }
}
