//! The URLs of stores: which kinds there are, and how to show one without its password.

use std::fmt;
use std::str::FromStr;

use crate::Failure;

/// A URL of a store. It may have a password in it, which `Display` leaves out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreUrl {
    kind: Kind,
    url: String,
}

/// The kinds of stores, by the names of the features that bring them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    Redis,
    Postgres,
    MySql,
}

impl StoreUrl {
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The URL with its password: for the store, not for the terminal.
    pub(crate) fn secret(&self) -> &str {
        &self.url
    }
}

impl Default for StoreUrl {
    /// A file that stays, where there is a store that needs nothing but a file.
    fn default() -> Self {
        let (kind, url) =
            if cfg!(feature = "sqlite") { (Kind::Sqlite, "sqlite:sessions.db") } else { (Kind::Memory, "memory") };
        Self { kind, url: url.to_owned() }
    }
}

impl FromStr for StoreUrl {
    type Err = Failure;

    /// Only looks at the scheme: the rest is for the store to judge.
    fn from_str(url: &str) -> Result<Self, Failure> {
        let kind = match url.split_once(':').map_or("", |(scheme, _)| scheme) {
            "" if url == "memory" => Kind::Memory,
            "sqlite" => Kind::Sqlite,
            "redis" | "rediss" | "redis+cluster" | "rediss+cluster" | "valkey" | "valkeys" | "valkey+cluster"
            | "valkeys+cluster" | "unix" => Kind::Redis,
            "postgres" | "postgresql" => Kind::Postgres,
            "mysql" | "mariadb" => Kind::MySql,
            // What was typed is not repeated: without a scheme it may be all password.
            _ => {
                let line = "--store takes memory, or a URL that begins with sqlite:, redis://, rediss://, \
                            redis+cluster://, postgres:// or mysql://";
                return Err(Failure::Usage(line.to_owned()));
            }
        };
        Ok(Self { kind, url: url.to_owned() })
    }
}

/// Without user, password and parameters, which may be secrets.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.kind, Kind::Memory | Kind::Sqlite) {
            return f.write_str(&self.url);
        }
        let Some((scheme, rest)) = self.url.split_once("://") else { return write!(f, "{}:…", self.kind) };
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let rest = rest.split_once(['?', '#']).map_or(rest, |(rest, _)| rest);
        write!(f, "{scheme}://{rest}")
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        })
    }
}
