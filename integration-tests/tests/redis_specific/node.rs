//! A node of a server: what it is asked and told directly, and what it counts.

use std::collections::BTreeMap;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Value};
use sessions_conformance::servers::Kind;

use crate::bench::PATIENT;

/// A primary.
pub(crate) struct Node {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) port: u16,
    pub(crate) id: String,
    /// The slots it serves, by first and last.
    slots: Vec<(u16, u16)>,
}

/// Commands by name and how often they were called, those inside of scripts included.
pub(crate) type Counts = BTreeMap<String, u64>;

impl Node {
    /// A server that is no Cluster.
    pub(crate) async fn alone(url: &str) -> Self {
        Self { connection: connect(url).await, port: 0, id: String::new(), slots: Vec::new() }
    }

    /// Whether it had this slot at first.
    pub(crate) fn serves(&self, slot: u16) -> bool {
        self.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
    }

    /// Its answer; an error fails the test.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        let mut cmd = redis::cmd(words[0]);
        cmd.arg(&words[1..]);
        self.send(&cmd).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub(crate) async fn send(&self, cmd: &redis::Cmd) -> redis::RedisResult<Value> {
        self.connection.clone().send_packed_command(cmd).await?.extract_error()
    }

    /// A field of INFO.
    pub(crate) async fn info(&self, field: &str) -> String {
        let info = text(self.ask(&["INFO"]).await);
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field}")).trim().to_owned()
    }

    /// The commands it counted, but for those that count.
    pub(crate) async fn counts(&self) -> Counts {
        let stats = text(self.ask(&["INFO", "commandstats"]).await);
        let count = |line: &str| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let calls = numbers.split(',').next()?.parse().ok()?;
            let counts = name.starts_with("config") || name == "info";
            (calls > 0 && !counts).then(|| (name.to_owned(), calls))
        };
        stats.lines().filter_map(count).collect()
    }
}

/// Connects to the primaries.
pub(crate) async fn nodes(kind: Kind, url: &str) -> Vec<Node> {
    if kind == Kind::Redis {
        return vec![Node::alone(url).await];
    }
    let first = connect(url).await;
    let cmd = redis::cmd("CLUSTER").arg("NODES").to_owned();
    let list = text(first.clone().send_packed_command(&cmd).await.expect("a node of a Cluster"));
    let (login, _) = url.rsplit_once('@').expect("a URL with a login");
    let mut nodes = Vec::new();
    // ID HOST:PORT@BUS FLAGS PRIMARY PING PONG EPOCH STATE SLOT SLOT-SLOT …
    for line in list.lines().filter(|line| line.contains("master")) {
        let words: Vec<&str> = line.split(' ').collect();
        let address = words[1].split('@').next().expect("an address");
        let slots = words[8..].iter().filter(|word| !word.starts_with('[')).map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            (first.parse().expect("a slot"), last.parse().expect("a slot"))
        });
        nodes.push(Node {
            connection: connect(&format!("{login}@{address}")).await,
            port: address.rsplit_once(':').expect("a port").1.parse().expect("a port"),
            id: words[0].to_owned(),
            slots: slots.collect(),
        });
    }
    nodes
}

pub(crate) async fn connect(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).expect("a valid URL");
    // Tests that load a server heavily run beside the others.
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENT)).set_response_timeout(Some(PATIENT));
    let connection = client.get_multiplexed_async_connection_with_config(&config).await;
    connection.unwrap_or_else(|error| panic!("no connection: {error}"))
}

pub(crate) fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).expect("UTF-8"),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        other => panic!("no text: {other:?}"),
    }
}
