//! A server, what a test asks of it behind the store's back, and sessions to write.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::Value;
use sessions_conformance::servers::{Kind, Options, Server, given, is_left_out};
use sessions_core::{
    Change, Clock, CreateOutcome, Entry, Owner, SessionId, SessionStore, SystemClock, Ttl, UpdateOutcome, Version,
};
use sessions_redis::RedisStore;

use crate::node::{Counts, Node, nodes};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// Leaves expiry and index alone.
pub(crate) const KEEP: Change = Change { ttl: Ttl::Keep, reindex: false };
/// Moves the expiry.
pub(crate) const MOVE: Change = Change { ttl: Ttl::After(HOUR), reindex: false };
/// Moves the expiry and enters the session in its owner's index.
pub(crate) const REINDEX: Change = Change { ttl: Ttl::After(HOUR), reindex: true };

/// Longer than any pause of a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);

/// A server under test.
pub(crate) struct Bench {
    kind: Kind,
    url: String,
    /// What all keys of this bench begin with.
    pub(crate) prefix: String,
    /// A connection to each primary; nobody but the test uses them.
    pub(crate) nodes: Vec<Node>,
    /// Where slots are that were elsewhere at first.
    moved: BTreeMap<u16, usize>,
    /// Goes with the bench, if it is the test's own.
    pub(crate) server: Option<Server>,
}

impl Bench {
    /// On the server of this test run; `None` when it was left out on purpose.
    pub(crate) async fn given(kind: Kind) -> Option<Self> {
        Some(Self::at(kind, given(kind)?, None).await)
    }

    /// On a server of this test's own, started with more options; `None` when this kind was left out on purpose.
    pub(crate) async fn own(kind: Kind, arguments: &[&str]) -> Option<Self> {
        if is_left_out(kind) {
            eprintln!("left out on purpose: {kind}");
            return None;
        }
        let options = Options::from_env().expect("a valid environment");
        let options = arguments.iter().fold(options, |options, argument| options.argument(*argument));
        let server = Server::start_with(kind, &options).await.unwrap_or_else(|error| panic!("{error}"));
        Some(Self::at(kind, server.url().to_owned(), Some(server)).await)
    }

    async fn at(kind: Kind, url: String, server: Option<Server>) -> Self {
        let nodes = nodes(kind, &url).await;
        let prefix = format!("t{:016x}", fastrand::u64(..));
        Self { kind, url, prefix, nodes, moved: BTreeMap::new(), server }
    }

    /// What a store connects to.
    pub(crate) fn url(&self) -> String {
        match self.kind {
            Kind::RedisCluster => self.url.replacen("redis://", "redis+cluster://", 1),
            _ => self.url.clone(),
        }
    }

    /// The address with another user and password.
    pub(crate) fn url_as(&self, login: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (_, host) = rest.rsplit_once('@').expect("a URL with a login");
        format!("{scheme}://{login}{host}")
    }

    /// The password of the administrator.
    pub(crate) fn password(&self) -> &str {
        let login = self.url.rsplit_once('@').expect("a URL with a login").0;
        login.rsplit_once(':').expect("a password").1
    }

    /// A store with this bench's prefix and all the time it needs.
    pub(crate) async fn store(&self) -> RedisStore {
        self.store_within(PATIENT).await
    }

    /// A store that has to answer in time.
    pub(crate) async fn store_within(&self, deadline: Duration) -> RedisStore {
        let builder = RedisStore::builder().prefix(&self.prefix).expect("a valid prefix");
        let builder = builder.deadline(deadline).expect("in range");
        builder.connect(&self.url()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The key of a session.
    pub(crate) fn key(&self, id: &SessionId) -> String {
        format!("{}/s/{id}", self.prefix)
    }

    /// The key of an owner's index.
    pub(crate) fn index(&self, owner: &str) -> String {
        format!("{}/o/{owner}", self.prefix)
    }

    /// Asks the first node.
    pub(crate) async fn ask(&self, words: &[&str]) -> Value {
        self.nodes[0].ask(words).await
    }

    /// Tells every node the same.
    pub(crate) async fn tell_all(&self, words: &[&str]) {
        for node in &self.nodes {
            node.ask(words).await;
        }
    }

    /// Asks the node that serves a key.
    pub(crate) async fn ask_about(&self, key: &str, words: &[&str]) -> Value {
        self.nodes[self.place(key).await].ask(words).await
    }

    /// Which node serves a key.
    pub(crate) async fn place(&self, key: &str) -> usize {
        if self.kind == Kind::Redis {
            return 0;
        }
        let slot = self.slot(key).await;
        if let Some(place) = self.moved.get(&slot) {
            return *place;
        }
        let serves = |node: &Node| node.serves(slot);
        self.nodes.iter().position(serves).expect("every slot is served")
    }

    /// The slot of a key of a Cluster.
    pub(crate) async fn slot(&self, key: &str) -> u16 {
        match self.ask(&["CLUSTER", "KEYSLOT", key]).await {
            Value::Int(slot) => u16::try_from(slot).expect("a slot"),
            other => panic!("no slot: {other:?}"),
        }
    }

    /// A slot is served by another node from now on.
    pub(crate) fn note_move(&mut self, slot: u16, to: usize) {
        self.moved.insert(slot, to);
    }

    /// The bytes under a key.
    pub(crate) async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        match self.ask_about(key, &["GET", key]).await {
            Value::BulkString(bytes) => Some(bytes),
            Value::Nil => None,
            other => panic!("no bytes: {other:?}"),
        }
    }

    /// A number that the node of a key answers.
    pub(crate) async fn number(&self, key: &str, words: &[&str]) -> i64 {
        match self.ask_about(key, words).await {
            Value::Int(number) => number,
            other => panic!("no number: {other:?}"),
        }
    }

    /// Runs a script on a key, whose last argument is a moment so many ms from now by the clock of the key's node.
    pub(crate) async fn run(&self, key: &str, text: &str, args: &[&[u8]], moment: i64) -> Value {
        let node = &self.nodes[self.place(key).await];
        let Value::Array(time) = node.ask(&["TIME"]).await else { panic!("no time") };
        let part = |part: &Value| redis::from_redis_value_ref::<i64>(part).expect("a number");
        let now = part(&time[0]) * 1000 + part(&time[1]) / 1000;
        let mut cmd = redis::cmd("EVAL");
        cmd.arg(text).arg(1).arg(key).arg(args).arg(now + moment);
        node.send(&cmd).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Puts bytes under a key behind the store's back; the time to live stays.
    pub(crate) async fn plant(&self, key: &str, bytes: &[u8]) {
        let mut cmd = redis::cmd("SET");
        cmd.arg(key).arg(bytes).arg("KEEPTTL");
        let answer = self.nodes[self.place(key).await].send(&cmd).await;
        assert_eq!(answer.expect("it is stored"), Value::Okay);
    }

    /// Counts commands from now on.
    pub(crate) async fn count(&self) {
        self.tell_all(&["CONFIG", "RESETSTAT"]).await;
    }

    /// What each node counted since then.
    pub(crate) async fn counted(&self) -> Vec<Counts> {
        let mut all = Vec::new();
        for node in &self.nodes {
            all.push(node.counts().await);
        }
        all
    }

    /// What all nodes counted together.
    pub(crate) async fn counted_together(&self) -> Counts {
        let mut sum = Counts::new();
        for (name, count) in self.counted().await.into_iter().flatten() {
            *sum.entry(name).or_default() += count;
        }
        sum
    }
}

/// A random id.
pub(crate) fn id() -> SessionId {
    SessionId::from_bytes(fastrand::u128(..).to_be_bytes())
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).expect("a valid owner")
}

/// Something to write, under a new version.
pub(crate) fn entry(record: &[u8], owner: Option<&str>) -> Entry {
    Entry {
        version: Version::from_u64(fastrand::u64(..)),
        record: record.to_vec().into(),
        owner: owner.map(self::owner),
        deadline: SystemClock.now().after(HOUR),
    }
}

/// Stores a new session.
pub(crate) async fn create(store: &RedisStore, entry: &Entry) -> SessionId {
    let id = id();
    assert_eq!(store.create(&id, entry, HOUR).await.expect("an answer"), CreateOutcome::Created);
    id
}

/// Replaces a session that must be there in this version.
pub(crate) async fn update(store: &RedisStore, id: &SessionId, from: Version, to: &Entry, change: Change) {
    assert_eq!(store.update(id, from, to, change).await.expect("an answer"), UpdateOutcome::Written);
}
