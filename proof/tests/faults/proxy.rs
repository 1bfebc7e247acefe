//! Stands between an application and its server, and is the network: it delays, holds back, cuts and keeps apart.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// What the network does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its work.
    Pass,
    /// Answers take so long.
    Delay(Duration),
    /// What goes one way, or both, is kept until later.
    Hold(Held),
    /// Connections are cut, at one exchange out of so many.
    Cut(Cut, u32),
}

/// What is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    Requests,
    Answers,
    Both,
    /// Both ways, on the connections of this node of a Cluster.
    Node(String),
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before a request has reached the server.
    BeforeTheRequest,
    /// After the server has answered, before any of it has reached the application.
    BeforeTheAnswer,
    /// When half of the answer has reached it.
    WithinTheAnswer,
}

/// A way to one server, on a port of its own. Its random decisions come from a seed that is printed.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    network: Arc<Network>,
    accepting: JoinHandle<()>,
}

struct Network {
    mode: watch::Sender<Mode>,
    cuts: watch::Sender<u64>,
    random: Mutex<fastrand::Rng>,
    server: OnceLock<SocketAddr>,
}

/// One connection through the proxy.
#[derive(Default)]
struct Line {
    /// The next answer is to be cut in this way.
    doomed: Mutex<Option<Cut>>,
    cut: Notify,
    /// Where it comes from, if it is a node of a Cluster talking to another.
    node: OnceLock<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Requests,
    Answers,
}

impl Proxy {
    /// A way to this server.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let proxy = Self::listen().await;
        proxy.lead_to(server);
        proxy
    }

    /// Listens on a free port, before it is known where the server will be.
    pub(crate) async fn listen() -> Self {
        let seed = fastrand::u64(..);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let network = Arc::new(Network {
            mode: watch::Sender::new(Mode::Pass),
            cuts: watch::Sender::new(0),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            server: OnceLock::new(),
        });
        println!("the network behind {address} cuts by seed {seed}");
        let accepting = tokio::spawn({
            let network = Arc::clone(&network);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(connect(client, Arc::clone(&network)));
                }
            }
        });
        Self { address, network, accepting }
    }

    /// Says where the server is, once.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.network.server.set(server).expect("it is said once");
    }

    /// From now on the network does this. What was held goes on its way, in its order.
    pub(crate) fn set(&self, mode: Mode) {
        self.network.mode.send_replace(mode);
    }

    /// Waits for so many more cuts.
    pub(crate) async fn cuts(&self, more: u64) {
        let mut cuts = self.network.cuts.subscribe();
        let wanted = *cuts.borrow() + more;
        cuts.wait_for(|cuts| *cuts >= wanted).await.expect("the network is there");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn connect(client: TcpStream, network: Arc<Network>) {
    let line = Line::default();
    network.open(Direction::Requests, &line).await;
    // A server that is gone, or not there yet, is a connection that ends.
    let Some(server) = network.server.get() else { return };
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a socket option");
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let requests = async {
        pump(from_client, to_server, Direction::Requests, &network, &line).await;
        // The client has gone; the server says when the connection is over.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = requests => {}
        () = pump(from_server, to_client, Direction::Answers, &network, &line) => {}
        () = line.cut.notified() => {
            network.cuts.send_modify(|cuts| *cuts += 1);
        }
    }
}

/// Moves one direction of a connection, until it ends and all of it has arrived.
async fn pump(from: OwnedReadHalf, mut to: OwnedWriteHalf, direction: Direction, network: &Network, line: &Line) {
    let (sender, mut under_way) = mpsc::unbounded_channel();
    let read = async {
        read_all(from, direction, network, line, sender).await;
        std::future::pending::<()>().await;
    };
    let write = async {
        while let Some((due, bytes)) = under_way.recv().await {
            sleep_until(due).await;
            network.open(direction, line).await;
            let arrives = network.arrives(&bytes, direction, line);
            if to.write_all(&bytes[..arrives]).await.is_err() {
                return;
            }
            if arrives < bytes.len() {
                line.cut.notify_one();
                std::future::pending::<()>().await;
            }
        }
        // Nobody may be listening any more.
        let _ = to.shutdown().await;
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

async fn read_all(
    mut from: OwnedReadHalf,
    direction: Direction,
    network: &Network,
    line: &Line,
    sender: mpsc::UnboundedSender<(Instant, Vec<u8>)>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer[..length].to_vec();
        if direction == Direction::Requests
            && let Some(node) = node_of(&bytes)
        {
            // A node has one name: it is the same each time.
            let _ = line.node.set(node);
        }
        let delay = match (&*network.mode.borrow(), direction) {
            (Mode::Delay(delay), Direction::Answers) => *delay,
            _ => Duration::ZERO,
        };
        if sender.send((Instant::now() + delay, bytes)).is_err() {
            return;
        }
    }
}

/// The name of the sender, in a message from node to node of a Redis Cluster: 40 digits after the first 40 bytes of its
/// header (`clusterMsg` in Redis's `cluster.h`).
fn node_of(message: &[u8]) -> Option<String> {
    let name = message.strip_prefix(b"RCmb").and_then(|rest| rest.get(36..76))?;
    String::from_utf8(name.to_vec()).ok()
}

impl Network {
    /// Waits while this direction of this connection is held.
    async fn open(&self, direction: Direction, line: &Line) {
        let is_open = |mode: &Mode| match mode {
            Mode::Hold(Held::Both) => false,
            Mode::Hold(Held::Requests) => direction == Direction::Answers,
            Mode::Hold(Held::Answers) => direction == Direction::Requests,
            Mode::Hold(Held::Node(node)) => line.node.get() != Some(node),
            Mode::Pass | Mode::Delay(_) | Mode::Cut(..) => true,
        };
        self.mode.subscribe().wait_for(is_open).await.expect("the network is there");
    }

    /// How many of these bytes arrive. If not all, the connection is cut after them.
    fn arrives(&self, bytes: &[u8], direction: Direction, line: &Line) -> usize {
        let mut doomed = line.doomed.lock().expect("no panic");
        match (direction, *doomed) {
            (Direction::Answers, Some(Cut::BeforeTheAnswer)) => 0,
            (Direction::Answers, Some(Cut::WithinTheAnswer)) => bytes.len() / 2,
            (Direction::Answers, _) => bytes.len(),
            (Direction::Requests, _) => {
                let Mode::Cut(cut, one_in) = *self.mode.borrow() else { return bytes.len() };
                if self.random.lock().expect("no panic").u32(..one_in) > 0 {
                    return bytes.len();
                }
                match cut {
                    Cut::BeforeTheRequest => 0,
                    cut => {
                        *doomed = Some(cut);
                        bytes.len()
                    }
                }
            }
        }
    }
}
