//! Stores that several processes share.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sessions_core::SessionStore;
use sessions_redis::RedisStore;
use sessions_sqlx::{MySqlStore, PostgresStore, SqliteStore};

use super::broken::Flaw;

/// The backends that processes can share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One Redis.
    Redis,
    /// A Redis Cluster.
    RedisCluster,
    /// Postgres.
    Postgres,
    /// `MariaDB`.
    MariaDb,
    /// One SQLite file.
    Sqlite,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Redis, Self::RedisCluster, Self::Postgres, Self::MariaDb, Self::Sqlite];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisCluster => "redis-cluster",
            Self::Postgres => "postgres",
            Self::MariaDb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }

    /// Which server it needs.
    #[cfg(feature = "servers")]
    #[must_use]
    pub const fn kind(self) -> Option<sessions_conformance::servers::Kind> {
        use sessions_conformance::servers::Kind;

        match self {
            Self::Redis => Some(Kind::Redis),
            Self::RedisCluster => Some(Kind::RedisCluster),
            Self::Postgres => Some(Kind::Postgres),
            Self::MariaDb => Some(Kind::MariaDb),
            Self::Sqlite => None,
        }
    }
}

/// Where a store is, as one process tells another: each opens it for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Of which kind.
    pub backend: Backend,
    /// At which address; of a Cluster, of one or more of its nodes, separated by commas.
    pub url: String,
    /// Under which prefix, or in which table.
    pub namespace: String,
    /// The store's deadline.
    pub deadline: Duration,
    /// What is broken about it.
    pub flaw: Option<Flaw>,
}

impl Place {
    /// A namespace that nobody else uses, at this address.
    #[must_use]
    pub fn new(backend: Backend, url: impl Into<String>) -> Self {
        let namespace = format!("p{:016x}", fastrand::u64(..));
        // Longer than any pause of a busy machine.
        Self { backend, url: url.into(), namespace, deadline: Duration::from_secs(60), flaw: None }
    }

    /// The server that this test run was given, or a file in this folder; `None` when it was left out on purpose.
    ///
    /// # Panics
    ///
    /// When the server is missing.
    #[cfg(feature = "servers")]
    #[must_use]
    pub fn given(backend: Backend, folder: &std::path::Path) -> Option<Self> {
        let url = match backend.kind() {
            Some(kind) => sessions_conformance::servers::given(kind)?,
            None => format!("sqlite:{}", folder.join("sessions.db").display()),
        };
        Some(Self::new(backend, url))
    }

    /// Opens the store, and sets it up where that is needed: any number of processes may do so at once.
    ///
    /// # Errors
    ///
    /// Of the store.
    pub async fn open(&self) -> Result<Arc<dyn SessionStore>, Box<dyn Error + Send + Sync>> {
        let Self { backend, url, namespace, deadline, flaw } = self;
        let store: Arc<dyn SessionStore> = match backend {
            Backend::Redis | Backend::RedisCluster => {
                let url = match backend {
                    Backend::RedisCluster => url.replacen("redis://", "redis+cluster://", 1),
                    _ => url.clone(),
                };
                Arc::new(RedisStore::builder().prefix(namespace)?.deadline(*deadline)?.connect(&url).await?)
            }
            Backend::Postgres => {
                let builder = PostgresStore::builder().table(namespace)?.deadline(*deadline)?.no_purge();
                let store = builder.connections(4)?.connect(url).await?;
                store.migrate().await?;
                Arc::new(store)
            }
            Backend::MariaDb => {
                let builder = MySqlStore::builder().table(namespace)?.deadline(*deadline)?.no_purge();
                let store = builder.connections(4)?.connect(url).await?;
                store.migrate().await?;
                Arc::new(store)
            }
            Backend::Sqlite => {
                let builder = SqliteStore::builder().table(namespace)?.deadline(*deadline)?.no_purge();
                let store = builder.connect(url).await?;
                store.migrate().await?;
                Arc::new(store)
            }
        };
        Ok(match flaw {
            Some(flaw) => flaw.of(store),
            None => store,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, url, namespace, deadline, flaw } = self;
        write!(f, "{} {url} {namespace} {} ", backend.name(), deadline.as_millis())?;
        match flaw {
            Some(flaw) => flaw.fmt(f),
            None => f.write_str("-"),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split(' ').collect();
        let [name, url, namespace, deadline, flaw] = words[..] else { return Err(format!("not a place: {text}")) };
        let backend = Backend::ALL.into_iter().find(|backend| backend.name() == name);
        Ok(Self {
            backend: backend.ok_or_else(|| format!("no such backend: {name}"))?,
            url: url.to_owned(),
            namespace: namespace.to_owned(),
            deadline: Duration::from_millis(deadline.parse().map_err(|_| format!("no number: {deadline}"))?),
            flaw: if flaw == "-" { None } else { Some(flaw.parse()?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for (backend, flaw) in Backend::ALL.into_iter().zip([None, Some(Flaw::Upserts), Some(Flaw::Caches), None, None])
        {
            let place = Place { flaw, ..Place::new(backend, "redis://a:b@127.0.0.1:1,127.0.0.1:2") };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
    }
}
