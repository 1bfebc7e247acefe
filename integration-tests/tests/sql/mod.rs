//! What the tests of the SQL stores on their servers share: sessions, scenarios, a wire that is listened to, processes.
#![allow(dead_code, reason = "each database uses its own part")]

pub(crate) mod outages;
pub(crate) mod processes;
pub(crate) mod requests;
pub(crate) mod scenarios;
pub(crate) mod wire;

use std::time::Duration;

use bytes::Bytes;
use sessions_core::{Change, Entry, Owner, SessionId, StoreError, Timestamp, Ttl, Version};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };
/// Longer than any pause of a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn id(number: u64) -> SessionId {
    let mut bytes = [0xa5; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(bytes)
}

pub(crate) fn version(number: u64) -> Version {
    Version::from_u64(number)
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).expect("a valid owner")
}

pub(crate) fn entry(version: u64, record: &[u8]) -> Entry {
    Entry {
        version: Version::from_u64(version),
        record: Bytes::copy_from_slice(record),
        owner: None,
        deadline: Timestamp::MAX,
    }
}

pub(crate) fn owned(version: u64, record: &[u8], name: &str) -> Entry {
    Entry { owner: Some(owner(name)), ..entry(version, record) }
}

/// What the database said.
pub(crate) fn reason(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// A name that no other test and no other run has: for tables, roles and databases.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}_{:012x}", fastrand::u64(..) >> 16)
}

/// Hexadecimal, as SQL writes bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same address with another user, password and database.
pub(crate) fn url_as(url: &str, user: &str, password: &str, database: Option<&str>) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, host_and_path) = rest.rsplit_once('@').expect("a URL with a user");
    let (host, path) = host_and_path.split_once('/').expect("a URL with a database");
    format!("{scheme}://{user}:{password}@{host}/{}", database.unwrap_or(path))
}

/// The user, the password and the port of an address.
pub(crate) fn port_of(url: &str) -> u16 {
    let host = url.rsplit_once('@').expect("a URL with a user").1;
    let port = host.split_once('/').expect("a URL with a database").0;
    port.rsplit_once(':').expect("a URL with a port").1.parse().expect("a port")
}
