//! The port and the password of one server, chosen before it starts so that they survive a restart.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

use sessions_core::{OsRandom, Random};

use super::error::ServerError;
use super::kind::Kind;

/// Where a server listens, and the password it asks for.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) kind: Kind,
    /// The first of its ports.
    pub(super) port: u16,
    pub(super) password: String,
}

impl Endpoint {
    /// Free ports and a new password.
    pub(super) fn choose(kind: Kind) -> Result<Self, ServerError> {
        let password = format!("{:032x}", u128::from_ne_bytes(random()?));
        for _ in 0..ATTEMPTS {
            let port = PORTS.start() + u16::from_ne_bytes(random()?) % (PORTS.end() - PORTS.start());
            if (port..port + kind.ports())
                .all(|port| is_free(port) && (kind != Kind::RedisCluster || is_free(port + BUS)))
            {
                return Ok(Self { kind, port, password });
            }
        }
        Err(ServerError::new(format!("no free port for {kind} in {PORTS:?}")))
    }

    /// Its ports.
    pub(super) fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.port..self.port + self.kind.ports()
    }

    /// How a client names it. For a cluster, the first node: clients learn of the others.
    pub(super) fn url(&self) -> String {
        let Self { kind, port, password } = self;
        match kind {
            Kind::Redis | Kind::RedisCluster => format!("redis://default:{password}@127.0.0.1:{port}"),
            Kind::Postgres => format!("postgres://sessions:{password}@127.0.0.1:{port}/sessions"),
            Kind::MariaDb => format!("mysql://sessions:{password}@127.0.0.1:{port}/sessions"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, port, password: _ } = self;
        f.debug_struct("Endpoint").field("kind", kind).field("port", port).finish_non_exhaustive()
    }
}

/// A random folder or container name.
pub(super) fn random_name() -> Result<String, ServerError> {
    Ok(format!("sessions-test-{:016x}", u64::from_ne_bytes(random()?)))
}

fn random<const N: usize>() -> Result<[u8; N], ServerError> {
    let mut bytes = [0; N];
    OsRandom.fill(&mut bytes).map_err(|error| ServerError::during("no randomness")(&error))?;
    Ok(bytes)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Below what systems hand out to outgoing connections: while a server is down, nobody takes its port by chance. A cluster's
/// bus ports, [`BUS`] above, are still below that.
const PORTS: RangeInclusive<u16> = 10_000..=22_000;

/// How far above its port a Redis Cluster node talks to the others.
const BUS: u16 = 10_000;

const ATTEMPTS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_passwords_differ() -> Result<(), ServerError> {
        let (one, two) = (Endpoint::choose(Kind::RedisCluster)?, Endpoint::choose(Kind::RedisCluster)?);
        assert_ne!(one.password, two.password);
        assert_eq!(one.password.len(), 32);
        assert_eq!(one.ports().collect::<Vec<_>>(), [one.port, one.port + 1, one.port + 2]);
        Ok(())
    }

    #[test]
    fn the_password_is_not_in_debug() -> Result<(), ServerError> {
        let endpoint = Endpoint::choose(Kind::Postgres)?;
        assert!(!format!("{endpoint:?}").contains(&endpoint.password));
        assert!(endpoint.url().contains(&endpoint.password));
        Ok(())
    }
}
