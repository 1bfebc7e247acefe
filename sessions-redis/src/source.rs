//! Where connections come from: a URL, or a client or connection of the application.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisResult};

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::connection::{Connection, Live};
use crate::error::Error;

/// A client or a connection of the application, to build a store on.
///
/// | from | reconnects | after a failover |
/// |---|---|---|
/// | [`redis::Client`] | the store does, at the next operation | resolves the host's name again |
/// | `redis::sentinel::SentinelClient` (feature `sentinel`) | the store does | asks the sentinels again |
/// | `redis::cluster::ClusterClient`, `redis::cluster_async::ClusterConnection` (feature `cluster`) | the client does | the client follows |
/// | [`redis::aio::ConnectionManager`] | the manager does, at its own pace | as its client does |
/// | [`redis::aio::MultiplexedConnection`] | never | never |
///
/// Prefer a client over a connection: only with a client does the store know when a connection has ended before it uses
/// it, replace one that has gone silent, and keep its promise of being back within a second of the server. A client with
/// `protocol=resp3` in its URL tells the store about an ended connection at once.
///
/// Give a `ClusterClient` that was not told to read from replicas. The store asks for primaries, but while one is out of
/// reach such a client asks a replica in its place, which may not know yet what is over.
pub struct Source(pub(crate) Origin);

pub(crate) enum Origin {
    Client(Client),
    Given(Connection),
    #[cfg(feature = "sentinel")]
    Sentinel(Box<tokio::sync::Mutex<redis::sentinel::SentinelClient>>),
    #[cfg(feature = "cluster")]
    Cluster {
        client: Box<redis::cluster::ClusterClient>,
        /// Made here, so that it tells about ended connections.
        ours: bool,
        response_timeout: Duration,
    },
}

impl Origin {
    /// What a URL names. Nothing is sent yet.
    pub(crate) fn parse(url: &str, deadline: Duration) -> Result<Self, Error> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(Error::url("it begins with redis://, rediss://, redis+cluster:// or unix://"));
        };
        match scheme {
            "rediss" | "valkeys" | "rediss+cluster" | "valkeys+cluster" if !cfg!(feature = "tls") => {
                Err(Error::url("TLS needs the feature `tls` of sessions-redis"))
            }
            "redis+cluster" | "valkey+cluster" | "rediss+cluster" | "valkeys+cluster" => {
                Self::cluster(scheme.trim_end_matches("+cluster"), rest, deadline)
            }
            _ => Self::client(url),
        }
    }

    fn client(url: &str) -> Result<Self, Error> {
        let mut info = url.into_connection_info().map_err(|error| Error::refused_url(&error))?;
        let mut settings = info.redis_settings().clone().set_skip_set_lib_name();
        if !names_a_protocol(url) {
            settings = settings.set_protocol(ProtocolVersion::RESP3);
        }
        info = info.set_redis_settings(settings).set_tcp_settings(tcp_settings());
        Client::open(info).map(Self::Client).map_err(|error| Error::refused_url(&error))
    }

    #[cfg(not(feature = "cluster"))]
    fn cluster(_scheme: &str, _rest: &str, _deadline: Duration) -> Result<Self, Error> {
        Err(Error::url("a Cluster needs the feature `cluster` of sessions-redis"))
    }

    /// `redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT,…`: one or more nodes that know the others.
    #[cfg(feature = "cluster")]
    fn cluster(scheme: &str, rest: &str, deadline: Duration) -> Result<Self, Error> {
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (login, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let nodes: Vec<_> = hosts.split(',').map(|host| format!("{scheme}://{login}{host}{tail}")).collect();
        // The client repeats by itself, until the operation is given up at its deadline. Its waits are short, so that it is
        // back within a second of the nodes, and few, so that what a node keeps answering is heard before the deadline. The
        // timeout of a single answer only bounds what the client does for itself: it lies beyond the deadline, because a
        // write that it takes for lost would be sent a second time.
        let response_timeout = deadline + Duration::from_millis(500);
        let mut builder = redis::cluster::ClusterClientBuilder::new(nodes)
            .retries(8)
            .min_retry_wait(20)
            .max_retry_wait(150)
            .connection_timeout(deadline.min(Duration::from_secs(1)))
            .response_timeout(response_timeout)
            .overall_response_timeout(None)
            .tcp_settings(tcp_settings());
        let ours = !names_a_protocol(tail);
        if ours {
            builder = builder.use_protocol(ProtocolVersion::RESP3);
        }
        let client = builder.build().map_err(|error| Error::refused_url(&error))?;
        Ok(Self::Cluster { client: Box::new(client), ours, response_timeout })
    }

    /// Whether a connection that has ended is replaced from here, and not by the client itself.
    pub(crate) fn replaces_connections(&self) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Given(_) => false,
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => true,
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } => false,
        }
    }

    /// Whether the client follows the nodes of a Cluster by itself, on connections that come from here.
    pub(crate) fn follows_by_itself(&self) -> bool {
        match self {
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } => true,
            _ => false,
        }
    }

    /// Whether the keys are on many nodes.
    pub(crate) fn is_cluster(&self) -> bool {
        match self {
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } | Self::Given(Connection::Cluster(_)) => true,
            _ => false,
        }
    }

    pub(crate) async fn connect(&self) -> RedisResult<Live> {
        match self {
            Self::Client(client) => connect_to(client).await,
            Self::Given(connection) => Ok(Live::new(connection.clone(), Arc::default(), None)),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(sentinel) => connect_to(&sentinel.lock().await.async_get_client().await?).await,
            #[cfg(feature = "cluster")]
            Self::Cluster { client, ours, response_timeout } => {
                ensure_cryptography();
                if !ours {
                    let connection = Connection::Cluster(client.get_async_connection().await?);
                    return Ok(Live::new(connection, Arc::default(), None));
                }
                let ended = Arc::new(std::sync::atomic::AtomicU64::new(0));
                let counter = Arc::clone(&ended);
                let config = redis::cluster::ClusterConfig::new()
                    .set_response_timeout(*response_timeout)
                    .set_push_sender(on_disconnection(move || {
                        counter.fetch_add(1, Ordering::Relaxed);
                    }));
                let connection = client.get_async_connection_with_config(config).await?;
                Ok(Live::new(Connection::Cluster(connection), Arc::default(), Some(ended)))
            }
        }
    }
}

async fn connect_to(client: &Client) -> RedisResult<Live> {
    ensure_cryptography();
    let ended = Arc::new(AtomicBool::new(false));
    // The store's own deadline bounds connecting and waiting alike.
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(queue());
    if client.get_connection_info().redis_settings().protocol().supports_resp3() {
        let flag = Arc::clone(&ended);
        config = config.set_push_sender(on_disconnection(move || flag.store(true, Ordering::Relaxed)));
    }
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(Live::new(Connection::Single(connection), ended, None))
}

/// How many commands are handed to a connection that it has not yet taken; the others wait in their requests.
///
/// On one thread the connection's task has its turn after all requests that are ready. Few commands at a time make it write in the
/// middle of a burst, so that the server answers the first while the last are still to be sent: of 64 at once, each a read and
/// a write, 52 500 a second with 16, 45 200 with 50 and 44 500 with 1024. On several threads it has its turn beside them,
/// and waiting only costs: of 512 at once, 42 000 with 1024, 39 000 with 50 and 37 000 with 16.
fn queue() -> usize {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => 16,
        _ => 1024,
    }
}

/// The client tells that a connection has ended only to those who listen to its pushes, which takes RESP3.
fn on_disconnection(notify: impl Fn() + Send + Sync + 'static) -> impl redis::aio::AsyncPushSender {
    move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            notify();
        }
        Ok::<(), redis::aio::SendError>(())
    }
}

fn names_a_protocol(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split(['&', '#']).any(|pair| pair.starts_with("protocol=")))
}

/// No waiting for more bytes before a small command is sent, and a peer that vanished is noticed within seconds.
fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(3));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    settings
}

/// rustls panics where the program has more than one implementation of its cryptography and chose none. This chooses one
/// where nobody did.
#[cfg(feature = "tls")]
fn ensure_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that somebody else was faster, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(not(feature = "tls"))]
fn ensure_cryptography() {}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Says the kind and nothing else: the clients hold passwords (G19).
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client(_) => "Client",
            Self::Given(Connection::Single(_)) => "MultiplexedConnection",
            Self::Given(Connection::Managed(_)) => "ConnectionManager",
            #[cfg(feature = "sentinel")]
            Self::Sentinel(_) => "SentinelClient",
            #[cfg(feature = "cluster")]
            Self::Given(Connection::Cluster(_)) => "ClusterConnection",
            #[cfg(feature = "cluster")]
            Self::Cluster { .. } => "ClusterClient",
        })
    }
}

impl From<Client> for Source {
    fn from(client: Client) -> Self {
        Self(Origin::Client(client))
    }
}

impl From<ConnectionManager> for Source {
    fn from(connection: ConnectionManager) -> Self {
        Self(Origin::Given(Connection::Managed(connection)))
    }
}

impl From<MultiplexedConnection> for Source {
    fn from(connection: MultiplexedConnection) -> Self {
        Self(Origin::Given(Connection::Single(connection)))
    }
}

#[cfg(feature = "sentinel")]
impl From<redis::sentinel::SentinelClient> for Source {
    fn from(client: redis::sentinel::SentinelClient) -> Self {
        Self(Origin::Sentinel(Box::new(tokio::sync::Mutex::new(client))))
    }
}

#[cfg(feature = "cluster")]
impl From<redis::cluster::ClusterClient> for Source {
    fn from(client: redis::cluster::ClusterClient) -> Self {
        Self(Origin::Cluster { client: Box::new(client), ours: false, response_timeout: Duration::ZERO })
    }
}

#[cfg(feature = "cluster")]
impl From<redis::cluster_async::ClusterConnection> for Source {
    fn from(connection: redis::cluster_async::ClusterConnection) -> Self {
        Self(Origin::Given(Connection::Cluster(connection)))
    }
}

#[cfg(test)]
mod tests;
