//! The connection that all operations share: made at the first of them, replaced when it ended or went silent.
//!
//! At most one attempt to connect is under way; whoever needs a connection meanwhile waits for it, each within its own
//! deadline, and shares its outcome. A failure is remembered for [`PAUSE`] only, so that the store is back as soon as the
//! server is, and a thousand requests a second are not a thousand attempts on a server that is coming up. While a node of a
//! Cluster is silent, the search for its [`successor`] makes one connection after the other on the side.

mod successor;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use redis::aio::{ConnectionManager, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisError, RedisResult, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::failure::Cause;
#[cfg(feature = "cluster")]
use crate::redirect;
use crate::source::Origin;

/// A connection of any kind.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Managed(ConnectionManager),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

/// A command, to be completed with its arguments: with room for those of a small session, so that it does not grow in steps.
pub(crate) fn command(name: &str) -> Cmd {
    let mut cmd = Cmd::with_capacity(10, 320);
    cmd.arg(name);
    cmd
}

/// The key that a command is about, which decides where it goes on a Cluster: its first argument; that of a script comes
/// after the script and the number of keys.
pub(crate) fn key_of(cmd: &Cmd) -> &[u8] {
    let mut words = cmd.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        _ => &[],
    });
    let before = match words.next() {
        Some(b"EVALSHA" | b"EVAL") => 2,
        _ => 0,
    };
    words.nth(before).unwrap_or_default()
}

impl Connection {
    async fn send(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        // In boxes: an operation is as large as its largest part, and the allocator is slow to find room for what is over a KiB.
        let answer = match self {
            Self::Single(connection) => connection.send_packed_command(cmd).await,
            Self::Managed(connection) => Box::pin(connection.send_packed_command(cmd)).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => Box::pin(redirect::send(connection, cmd)).await,
        };
        answer?.extract_error()
    }

    /// One answer of each primary.
    async fn ask_primaries(&mut self, cmd: &Cmd) -> RedisResult<Vec<Value>> {
        let answers = match self {
            Self::Single(connection) => vec![connection.send_packed_command(cmd).await?],
            Self::Managed(connection) => vec![connection.send_packed_command(cmd).await?],
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => match connection.route_command(cmd.clone(), to_all_primaries()).await? {
                Value::Map(answers) => answers.into_iter().map(|(_node, answer)| answer).collect(),
                answer => vec![answer],
            },
        };
        answers.into_iter().map(Value::extract_error).collect()
    }

    /// Sends many commands at once, and gives the answer to each.
    async fn send_all(&mut self, cmds: &[Cmd]) -> RedisResult<Vec<RedisResult<Value>>> {
        match self {
            Self::Single(connection) => pipelined(connection, cmds).await,
            Self::Managed(connection) => pipelined(connection, cmds).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => Ok(spread(connection, cmds).await),
        }
    }
}

async fn pipelined(
    connection: &mut impl redis::aio::ConnectionLike,
    cmds: &[Cmd],
) -> RedisResult<Vec<RedisResult<Value>>> {
    let mut answers = Vec::with_capacity(cmds.len());
    for cmds in cmds.chunks(PIPELINE) {
        let mut pipeline = Pipeline::with_capacity(cmds.len());
        for cmd in cmds {
            pipeline.add_command(cmd.clone());
        }
        answers.extend(pipeline.ignore_errors().query_async::<Vec<RedisResult<Value>>>(connection).await?);
    }
    Ok(answers)
}

/// A pipeline goes to one node, these commands go to many: each on its own, and the client bundles what goes to one node.
#[cfg(feature = "cluster")]
async fn spread(connection: &redis::cluster_async::ClusterConnection, cmds: &[Cmd]) -> Vec<RedisResult<Value>> {
    use futures_util::StreamExt;

    let answers: Vec<_> = cmds
        .iter()
        .map(|cmd| {
            let mut connection = Connection::Cluster(connection.clone());
            async move { connection.send(cmd).await }
        })
        .collect();
    futures_util::stream::iter(answers).buffered(AT_ONCE).collect().await
}

#[cfg(feature = "cluster")]
fn to_all_primaries() -> redis::cluster_routing::RoutingInfo {
    use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};

    RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None))
}

/// A connection with what is known about its health.
pub(crate) struct Live {
    connection: Connection,
    since: Instant,
    /// It has ended, or has gone silent: not to be used again.
    ended: Arc<AtomicBool>,
    /// Answers so far.
    answers: AtomicU64,
    /// Of a Cluster, where the client tells: how many connections to nodes have ended.
    ended_nodes: Option<Arc<AtomicU64>>,
}

/// What was known about a connection when a command was sent.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    answers: u64,
    ended_nodes: u64,
}

impl Live {
    pub(crate) fn new(connection: Connection, ended: Arc<AtomicBool>, ended_nodes: Option<Arc<AtomicU64>>) -> Self {
        Self { connection, since: Instant::now(), ended, answers: AtomicU64::new(0), ended_nodes }
    }

    pub(crate) async fn send(&self, cmd: &Cmd) -> RedisResult<Value> {
        self.connection.clone().send(cmd).await
    }

    pub(crate) async fn send_all(&self, cmds: &[Cmd]) -> RedisResult<Vec<RedisResult<Value>>> {
        self.connection.clone().send_all(cmds).await
    }

    pub(crate) async fn ask_primaries(&self, cmd: &Cmd) -> RedisResult<Vec<Value>> {
        self.connection.clone().ask_primaries(cmd).await
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            answers: self.answers.load(Ordering::Relaxed),
            ended_nodes: self.count_ended_nodes().unwrap_or_default(),
        }
    }

    /// The server answered something.
    pub(crate) fn heard(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether nobody got an answer since then.
    pub(crate) fn silent_since(&self, mark: Mark) -> bool {
        self.answers.load(Ordering::Relaxed) == mark.answers
    }

    /// Whether the client itself may have sent a command twice since then. The Cluster's does when a connection to a node
    /// ends; one that does not tell about that is taken to have done so.
    pub(crate) fn may_have_repeated_since(&self, mark: Mark) -> bool {
        self.is_cluster() && self.count_ended_nodes() != Some(mark.ended_nodes)
    }

    pub(crate) fn is_cluster(&self) -> bool {
        match self.connection {
            Connection::Single(_) | Connection::Managed(_) => false,
            #[cfg(feature = "cluster")]
            Connection::Cluster(_) => true,
        }
    }

    /// Whether the client is known to have lost a connection to a node since then, and may have sent commands twice.
    pub(crate) fn has_lost_a_node_since(&self, mark: Mark) -> bool {
        self.count_ended_nodes().is_some_and(|count| count != mark.ended_nodes)
    }

    fn count_ended_nodes(&self) -> Option<u64> {
        self.ended_nodes.as_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

type Attempt = Arc<OnceCell<Result<Arc<Live>, Failed>>>;

/// An attempt to connect that came to nothing.
struct Failed {
    error: RedisError,
    at: Instant,
}

/// The connection of a store and all of its clones.
pub(crate) struct Link {
    origin: Origin,
    current: Mutex<Attempt>,
    closed: AtomicBool,
    search: Mutex<successor::Search>,
    me: Weak<Self>,
}

impl Link {
    pub(crate) fn new(origin: Origin) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            origin,
            current: Mutex::default(),
            closed: AtomicBool::new(false),
            search: Mutex::default(),
            me: Weak::clone(me),
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The connection, if there is one that can be used without waiting.
    pub(crate) fn ready(&self) -> Option<Arc<Live>> {
        match self.lock().get() {
            Some(Ok(live)) if self.is_usable(live) => Some(Arc::clone(live)),
            _ => None,
        }
    }

    /// The connection, made if there is none.
    ///
    /// Cancel-safe: when the one who connects gives up, the next who waits takes over.
    pub(crate) async fn connect(&self) -> Result<Arc<Live>, Cause> {
        let attempt = {
            let mut current = self.lock();
            match current.get() {
                Some(Ok(live)) if self.is_usable(live) => return Ok(Arc::clone(live)),
                Some(Err(failed)) if failed.at.elapsed() < PAUSE => return Err(Cause::not_connected(&failed.error)),
                // Over: it failed, or what it made has ended.
                Some(_) => *current = Attempt::default(),
                None => {}
            }
            Arc::clone(&current)
        };
        let connect = || async {
            let made = self.origin.connect().await;
            made.map(Arc::new).map_err(|error| Failed { error, at: Instant::now() })
        };
        let made = attempt.get_or_init(connect).await;
        match made {
            // Stopped meanwhile: nobody shall keep it alive.
            Ok(_) if self.is_closed() => {
                self.close();
                Err(Cause::Stopped)
            }
            Ok(live) => Ok(Arc::clone(live)),
            Err(failed) => Err(Cause::not_connected(&failed.error)),
        }
    }

    /// Has the connection replaced before the next use. Who is waiting for an answer on it keeps waiting.
    pub(crate) fn give_up(&self, live: &Live) {
        live.ended.store(true, Ordering::Relaxed);
    }

    /// The server says that it is no primary. The name may lead to another one by now, but a server that simply is a replica
    /// must not cost a connection for each write.
    pub(crate) fn demoted(&self, live: &Live) {
        if live.since.elapsed() > Duration::from_secs(1) {
            self.give_up(live);
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.stop_looking();
        *self.lock() = Attempt::default();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn is_usable(&self, live: &Live) -> bool {
        !live.ended.load(Ordering::Relaxed) || !self.origin.replaces_connections()
    }

    fn lock(&self) -> MutexGuard<'_, Attempt> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an attempt that failed stands for others.
const PAUSE: Duration = Duration::from_millis(20);
/// How many commands go out in one pipeline, which bounds the memory that the answers take on both sides.
pub(crate) const PIPELINE: usize = 500;
/// How many commands are under way on a Cluster for one operation.
#[cfg(feature = "cluster")]
const AT_ONCE: usize = 128;

#[cfg(test)]
mod tests;
