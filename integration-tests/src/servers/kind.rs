//! The servers there are, and the words each goes by.

use std::fmt;

/// A kind of server.
///
/// ```
/// use sessions_conformance::servers::Kind;
///
/// assert_eq!(Kind::named("mariadb"), Some(Kind::MariaDb));
/// assert_eq!(Kind::MariaDb.to_string(), "mysql");
/// assert_eq!(Kind::MariaDb.url_variable(), "SESSIONS_TEST_MYSQL_URL");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// One Redis.
    Redis,
    /// A Redis Cluster of three masters.
    RedisCluster,
    /// Postgres.
    Postgres,
    /// `MariaDB`, which the `MySQL` store is tested on.
    MariaDb,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Redis, Self::RedisCluster, Self::Postgres, Self::MariaDb];

    /// The kind that goes by this name on a command line: `redis`, `redis-cluster`, `postgres`, `mysql` or `mariadb`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "mariadb" => Some(Self::MariaDb),
            _ => Self::ALL.into_iter().find(|kind| kind.name() == name),
        }
    }

    /// Its name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::RedisCluster => "redis-cluster",
            Self::Postgres => "postgres",
            Self::MariaDb => "mysql",
        }
    }

    /// The environment variable that says where the server of this kind is.
    #[must_use]
    pub const fn url_variable(self) -> &'static str {
        match self {
            Self::Redis => "SESSIONS_TEST_REDIS_URL",
            Self::RedisCluster => "SESSIONS_TEST_REDIS_CLUSTER_URL",
            Self::Postgres => "SESSIONS_TEST_POSTGRES_URL",
            Self::MariaDb => "SESSIONS_TEST_MYSQL_URL",
        }
    }

    /// The environment variable that names another official image.
    pub(super) const fn image_variable(self) -> &'static str {
        match self {
            Self::Redis | Self::RedisCluster => "SESSIONS_TEST_REDIS_IMAGE",
            Self::Postgres => "SESSIONS_TEST_POSTGRES_IMAGE",
            Self::MariaDb => "SESSIONS_TEST_MYSQL_IMAGE",
        }
    }

    /// The official image. Debian-based ones only: the scripts need `setpriv`.
    pub(super) const fn official_image(self) -> &'static str {
        match self {
            Self::Redis | Self::RedisCluster => "redis:7-bookworm",
            Self::Postgres => "postgres:17-bookworm",
            Self::MariaDb => "mariadb:11.4",
        }
    }

    /// The distribution's packages that hold the server.
    pub(super) const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Redis | Self::RedisCluster => &["redis-server"],
            Self::Postgres => &["postgresql"],
            Self::MariaDb => &["mariadb-server-core", "mariadb-client-core"],
        }
    }

    /// The number of ports it listens on, one after the other.
    pub(super) const fn ports(self) -> u16 {
        match self {
            Self::RedisCluster => 3,
            Self::Redis | Self::Postgres | Self::MariaDb => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
