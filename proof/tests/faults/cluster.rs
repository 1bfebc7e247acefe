//! A Redis Cluster of three masters, one of which has a replica, on a network that can keep that master apart: from the
//! other nodes and from the application.
//!
//! The nodes are processes, also where other servers come from containers: what they say to each other has to come through
//! this program.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use sessions_conformance::servers::{Kind, Options, Server, Source};
use tokio::time::{sleep, timeout};

use crate::breaking::port_of;
use crate::proxy::{Held, Mode, Proxy};

/// The last node is the replica of the first.
const NODES: usize = 4;
const MASTERS: usize = NODES - 1;
const SLOTS: usize = 16_384;
/// How far above its port a node talks to the others.
const BUS: u16 = 10_000;
/// What no change of a cluster takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    nodes: Vec<Node>,
    password: String,
}

struct Node {
    name: String,
    /// For questions of this program, past the proxies.
    connection: MultiplexedConnection,
    /// To clients it is at this proxy's port, to other nodes at that one's.
    clients: Proxy,
    bus: Proxy,
    _server: Server,
}

impl Cluster {
    /// Starts the nodes and makes them a cluster.
    pub(crate) async fn start() -> Self {
        let password = format!("{:032x}", fastrand::u128(..));
        let mut nodes = Vec::with_capacity(NODES);
        for _ in 0..NODES {
            nodes.push(Node::start(&password).await);
        }
        let mut cluster = Self { nodes, password };
        cluster.form().await;
        cluster
    }

    /// What an application is told.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| node.clients.address.to_string()).collect();
        format!("redis+cluster://sessions:{}@{}", self.password, hosts.join(","))
    }

    /// How many keys the first master has.
    pub(crate) async fn keys_of_first(&mut self) -> u64 {
        self.nodes[0].ask(&["DBSIZE"]).await
    }

    /// Keeps the first master apart from everybody, both ways.
    pub(crate) fn part(&self) {
        let first = &self.nodes[0];
        first.clients.set(Mode::Hold(Held::Both));
        first.bus.set(Mode::Hold(Held::Both));
        for other in &self.nodes[1..] {
            other.bus.set(Mode::Hold(Held::Node(first.name.clone())));
        }
    }

    /// Lets it come back.
    pub(crate) fn heal(&self) {
        for node in &self.nodes {
            node.clients.set(Mode::Pass);
            node.bus.set(Mode::Pass);
        }
    }

    /// Waits until the replica is a master, and everybody else has heard of it.
    pub(crate) async fn failed_over(&mut self) {
        let replica = self.nodes[MASTERS].name.clone();
        for node in &mut self.nodes[1..] {
            node.says(&["CLUSTER", "NODES"], |nodes| {
                nodes.lines().any(|line| {
                    let mut words = line.split(' ');
                    words.next() == Some(&*replica) && line.contains("master") && words.nth(7).is_some()
                })
            })
            .await;
            node.says(&["CLUSTER", "INFO"], |info| info.contains("cluster_state:ok")).await;
        }
    }

    /// Waits until the old master follows the new one.
    pub(crate) async fn rejoined(&mut self) {
        self.nodes[0].says(&["INFO", "replication"], |info| info.contains("master_link_status:up")).await;
    }

    async fn form(&mut self) {
        for (number, node) in self.nodes[..MASTERS].iter_mut().enumerate() {
            let slots = number * SLOTS / MASTERS..(number + 1) * SLOTS / MASTERS;
            let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
            let words: Vec<&str> = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(|s| &**s)).collect();
            node.ask::<()>(&words).await;
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]).await;
        }
        let ports: Vec<_> =
            self.nodes.iter().map(|node| (node.clients.address.port(), node.bus.address.port())).collect();
        for (port, bus) in &ports[1..] {
            let (port, bus) = (port.to_string(), bus.to_string());
            self.nodes[0].ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        for node in &mut self.nodes {
            node.says(&["CLUSTER", "INFO"], |info| {
                info.contains("cluster_known_nodes:4") && info.contains("cluster_state:ok")
            })
            .await;
        }
        let first = self.nodes[0].name.clone();
        self.nodes[MASTERS].ask::<()>(&["CLUSTER", "REPLICATE", &first]).await;
        self.nodes[MASTERS].says(&["INFO", "replication"], |info| info.contains("master_link_status:up")).await;
        // Who fails over is decided by the masters: they have to know the replica as one.
        for node in &mut self.nodes[..MASTERS] {
            node.says(&["CLUSTER", "NODES"], |nodes| nodes.contains("slave")).await;
        }
    }
}

impl Node {
    async fn start(password: &str) -> Self {
        let (clients, bus) = (Proxy::listen().await, Proxy::listen().await);
        let mut options = Options::from_env().expect("a source of servers");
        options.source = Source::Processes;
        let secret = format!(">{password}");
        let (port, bus_port) = (clients.address.port().to_string(), bus.address.port().to_string());
        let arguments = [
            ["--cluster-enabled", "yes"],
            ["--cluster-node-timeout", "2000"],
            ["--cluster-announce-ip", "127.0.0.1"],
            ["--cluster-announce-port", &port],
            ["--cluster-announce-bus-port", &bus_port],
            ["--cluster-replica-validity-factor", "0"],
            ["--repl-diskless-sync-delay", "0"],
            ["--masteruser", "sessions"],
            ["--masterauth", password],
        ];
        let user = ["--user", "sessions", "on", &secret, "~*", "&*", "+@all"];
        options.arguments = arguments.as_flattened().iter().chain(&user).map(|word| (*word).to_owned()).collect();
        let server = Server::start_with(Kind::Redis, &options).await.unwrap_or_else(|error| panic!("{error}"));
        let real = port_of(server.url());
        let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        clients.lead_to(at(real));
        bus.lead_to(at(real + BUS));
        let client = redis::Client::open(server.url()).expect("a valid URL");
        let mut node = Self {
            name: String::new(),
            connection: client.get_multiplexed_async_connection().await.expect("it answers"),
            clients,
            bus,
            _server: server,
        };
        node.name = node.ask(&["CLUSTER", "MYID"]).await;
        node
    }

    async fn ask<T: FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut self.connection).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Asks until the answer is as expected.
    async fn says(&mut self, words: &[&str], expected: impl Fn(&str) -> bool) {
        let mut said = String::new();
        let wait = async {
            loop {
                said = self.ask(words).await;
                if expected(&said) {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{words:?} goes on to say {said}");
    }
}
