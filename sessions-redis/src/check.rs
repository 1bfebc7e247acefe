//! What about a server endangers sessions.

use std::fmt;

use redis::Value;

use crate::call::Call;
use crate::failure::{Cause, Failure};

/// Something about the server that may lose sessions, or refuse them. `Display` says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The `maxmemory-policy` lets the server drop live sessions when memory runs out (G17).
    Evicts {
        /// The policy.
        policy: String,
    },
    /// Neither snapshots nor an append-only file: a restart loses every session, and brings none back that was deleted.
    NotPersistent,
    /// The last attempt to write a snapshot or the append-only file failed.
    PersistenceFails,
    /// Older than 6.2, which this crate needs.
    TooOld {
        /// The version of the server.
        version: String,
    },
    /// One node of a Cluster, which refuses the keys of the others.
    NodeOfCluster,
    /// A replica: it refuses writes, and may not know yet what is over.
    Replica,
    /// The server does not let this user see one of these.
    Unknown {
        /// What could not be checked.
        what: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicts { policy } => {
                write!(f, "maxmemory-policy {policy} drops live sessions when memory runs out: set it to noeviction")
            }
            Self::NotPersistent => {
                f.write_str("the server keeps nothing on disk, a restart ends every session: set appendonly yes")
            }
            Self::PersistenceFails => f.write_str("the server's last write to its disk failed: see its log"),
            Self::TooOld { version } => write!(f, "version {version} of the server is too old: 6.2 is needed"),
            Self::NodeOfCluster => f.write_str(
                "the server is one node of a Cluster and refuses the keys of the others: connect with a redis+cluster:// URL",
            ),
            Self::Replica => f.write_str("the server is a replica and refuses writes: connect to the primary"),
            Self::Unknown { what } => write!(f, "the user may not see the server's {what}: check it by hand"),
        }
    }
}

/// Asks every primary.
pub(crate) async fn check(call: &Call<'_>) -> Result<Vec<Warning>, Failure> {
    let mut warnings = Vec::new();
    let infos = ask(call, redis::cmd("INFO")).await?;
    if infos.is_empty() {
        warnings.push(Warning::Unknown { what: "version, memory policy and persistence (INFO)" });
    } else {
        let snapshots = snapshots(call).await?;
        for info in &infos {
            for warning in judge(info, snapshots, call.is_clustered()) {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
    }
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    Ok(warnings)
}

/// Whether snapshots are taken anywhere, if that may be known.
async fn snapshots(call: &Call<'_>) -> Result<Option<bool>, Failure> {
    let mut cmd = redis::cmd("CONFIG");
    cmd.arg("GET").arg("save");
    let settings = ask(call, cmd).await?;
    Ok(if settings.is_empty() { None } else { Some(settings.iter().all(|setting| setting != "save\n")) })
}

/// The texts of the answers, one of each primary; none where the user may not ask.
async fn ask(call: &Call<'_>, cmd: redis::Cmd) -> Result<Vec<String>, Failure> {
    match call.ask_primaries(&cmd).await {
        Ok(answers) => Ok(answers.into_iter().filter_map(text).collect()),
        // No permission, or a command that a provider took away.
        Err(Failure { cause: Cause::Answered(_), .. }) => Ok(Vec::new()),
        Err(failure) => Err(failure),
    }
}

/// Text as it is; a list or a map as its texts, a line each.
fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        Value::Array(parts) => parts.into_iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.join("\n")),
        Value::Map(pairs) => text(Value::Array(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect())),
        _ => None,
    }
}

/// What the answer to INFO says of one server.
fn judge(info: &str, snapshots: Option<bool>, is_clustered: bool) -> Vec<Warning> {
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let mut warnings = Vec::new();

    // Valkey calls the version of Redis that it is compatible with `redis_version`.
    if let Some(version) = field("redis_version") {
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
        if (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) < (6, 2) {
            warnings.push(Warning::TooOld { version: version.to_owned() });
        }
    }
    if field("cluster_enabled") == Some("1") && !is_clustered {
        warnings.push(Warning::NodeOfCluster);
    }
    if field("role").is_some_and(|role| role != "master") {
        warnings.push(Warning::Replica);
    }
    match field("maxmemory_policy") {
        Some("noeviction") => {}
        Some(policy) => warnings.push(Warning::Evicts { policy: policy.to_owned() }),
        None => warnings.push(Warning::Unknown { what: "maxmemory-policy" }),
    }
    match (field("aof_enabled"), snapshots) {
        (Some("1"), _) | (_, Some(true)) => {}
        (_, Some(false)) => warnings.push(Warning::NotPersistent),
        (_, None) => warnings.push(Warning::Unknown { what: "snapshots (CONFIG GET save)" }),
    }
    if ["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"]
        .iter()
        .any(|name| field(name) == Some("err"))
    {
        warnings.push(Warning::PersistenceFails);
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(info: &str, snapshots: Option<bool>) -> Vec<Warning> {
        super::judge(info, snapshots, false)
    }

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\n\
        aof_enabled:1\r\nrdb_last_bgsave_status:ok\r\naof_last_write_status:ok\r\n# Replication\r\nrole:master\r\n\
        # Cluster\r\ncluster_enabled:0\r\n";

    #[test]
    fn a_server_that_is_set_up_well_gives_no_warning() {
        assert_eq!(judge(GOOD, None), []);
        assert_eq!(judge(&GOOD.replace("aof_enabled:1", "aof_enabled:0"), Some(true)), []);
    }

    #[test]
    fn each_danger_gives_its_warning() {
        let no_aof = GOOD.replace("aof_enabled:1", "aof_enabled:0");
        assert_eq!(judge(&no_aof, Some(false)), [Warning::NotPersistent]);
        assert!(matches!(judge(&no_aof, None)[..], [Warning::Unknown { .. }]));
        for policy in ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"] {
            let info = GOOD.replace("noeviction", policy);
            assert_eq!(judge(&info, None), [Warning::Evicts { policy: policy.to_owned() }]);
        }
        for version in ["6.0.16", "5.0.14", "2.8.0"] {
            let info = GOOD.replace("7.0.15", version);
            assert_eq!(judge(&info, None), [Warning::TooOld { version: version.to_owned() }]);
        }
        for version in ["6.2.0", "6.10.1", "7.2.4", "8.4.0", "255.255.255"] {
            assert_eq!(judge(&GOOD.replace("7.0.15", version), None), [], "{version}");
        }
        assert_eq!(judge(&GOOD.replace("role:master", "role:slave"), None), [Warning::Replica]);
        let node = GOOD.replace("cluster_enabled:0", "cluster_enabled:1");
        assert_eq!(judge(&node, None), [Warning::NodeOfCluster]);
        assert_eq!(super::judge(&node, None, true), [], "it was connected to as a Cluster");
        assert_eq!(judge(&GOOD.replace("status:ok", "status:err"), None), [Warning::PersistenceFails]);
    }

    #[test]
    fn answers_of_both_protocols_read_alike() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let list = Value::Array(vec![bulk("save"), bulk("")]);
        let map = Value::Map(vec![(bulk("save"), bulk(""))]);
        assert_eq!(text(list), Some("save\n".to_owned()));
        assert_eq!(text(map), Some("save\n".to_owned()));
    }
}
