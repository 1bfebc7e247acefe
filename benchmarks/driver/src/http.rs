//! Requests over HTTP: each contender's application in turn, round after round.

use serde_json::{Map, Value, json};

use crate::backends::Backends;
use crate::contenders::{BARE, OVER_HTTP};
use crate::effort::Effort;
use crate::error::Error;
use crate::progress::Progress;
use crate::server::{Server, one, pinned};
use crate::stats::{median, rounded};

/// `{ contender: { path: { per_second, p50_us, p99_us, p99_9_us, processor_us } } }`, medians of the rounds.
pub(crate) fn measure(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    let mut rounds = Rounds::default();
    let own = backends.redis_beside_the_load()?;
    let redis = own.as_ref().map_or(&*backends.redis, |own| &*own.url);
    for round in 1..=effort.http_rounds {
        for (name, server) in OVER_HTTP {
            progress.say(&format!("HTTP, round {round} of {}: {name}", effort.http_rounds));
            backends.clear_sqlite()?;
            empty(redis)?;
            let server = Server::start(server, &backends.environment_with(redis))?;
            for path in effort.http_paths.iter().filter(|path| is_served(name, path)) {
                // Bare handlers have put there what they read.
                if name.ends_with("Redis") && !name.starts_with("bare") {
                    empty(redis)?;
                }
                let result = server.load(path, SESSIONS, effort.http_seconds)?;
                rounds.add(name, path, result);
            }
        }
    }
    Ok(rounds.medians())
}

/// Read and write with everything on the disk before it is answered.
pub(crate) fn measure_durable(
    backends: &Backends,
    effort: &Effort,
    progress: &mut Progress,
) -> Result<Option<Value>, Error> {
    let Some(postgres) = backends.durable_postgres()? else { return Ok(None) };
    let mut rounds = Rounds::default();
    for round in 1..=effort.http_rounds {
        for (name, server) in OVER_HTTP.iter().filter(|(name, _)| is_on_disk(name)) {
            progress.say(&format!("on the disk, round {round} of {}: {name}", effort.http_rounds));
            backends.clear_sqlite()?;
            let server = Server::start(server, &backends.durable(&postgres))?;
            rounds.add(name, "read_write", server.load("read_write", FEWER_SESSIONS, 2.0 * effort.http_seconds)?);
        }
    }
    Ok(Some(rounds.medians()))
}

/// What the clients and the servers do by themselves.
pub(crate) fn limits(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    let mut rounds = Rounds::default();
    let seconds = effort.http_seconds.to_string();
    for round in 1..=effort.http_rounds {
        progress.say(&format!("limits, round {round} of {}", effort.http_rounds));
        backends.clear_sqlite()?;
        for name in LIMITS {
            let mut command = pinned(0, "bench-limits")?;
            let result = one(command.args([name, &seconds]).envs(backends.environment()))?;
            rounds.add(name, "alone", result);
        }
        for command in ["get", "set"] {
            let (address, password, _) = redis_address(&backends.redis);
            let result = one(pinned(1, "bench-load")?.args(["redis", address, password, command, "64", &seconds]))?;
            rounds.add(&format!("redis-server-{command}"), "alone", result);
        }
    }
    Ok(rounds.medians())
}

fn empty(redis: &str) -> Result<(), Error> {
    let (address, password, database) = redis_address(redis);
    one(pinned(1, "bench-load")?.args(["empty-redis", address, password, database])).map(drop)
}

/// The host with its port, the password and the number of the database.
fn redis_address(url: &str) -> (&str, &str, &str) {
    let rest = url.strip_prefix("redis://").unwrap_or(url);
    let (user, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (address, database) = address.split_once('/').unwrap_or((address, ""));
    let database = if database.is_empty() { "0" } else { database };
    (address, user.split_once(':').map_or(user, |(_, password)| password), database)
}

/// Applications without sessions answer everything alike; bare ones know no more paths than these.
fn is_served(name: &str, path: &str) -> bool {
    if name.contains("without sessions") || name == BARE {
        path == "untouched"
    } else if name.starts_with("bare") {
        ["read", "read_write"].contains(&path)
    } else {
        true
    }
}

fn is_on_disk(name: &str) -> bool {
    ["SQLite", "Postgres"].iter().any(|store| name.ends_with(store)) && !name.starts_with("bare")
}

/// The results of all rounds.
#[derive(Debug, Default)]
struct Rounds(Map<String, Value>);

impl Rounds {
    fn add(&mut self, name: &str, path: &str, result: Value) {
        let paths = self.0.entry(name).or_insert_with(|| json!({}));
        match &mut paths[path] {
            Value::Array(results) => results.push(result),
            none => *none = json!([result]),
        }
    }

    fn medians(self) -> Value {
        let mut contenders = self.0;
        for path in contenders.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
            let results = path.as_array().cloned().unwrap_or_default();
            let names = ["per_second", "p50_us", "p99_us", "p99_9_us", "processor_us", "wrong"];
            let of_all = |name: &str| results.iter().filter_map(|result| result[name].as_f64()).collect::<Vec<_>>();
            let medians = names.into_iter().filter(|name| !of_all(name).is_empty());
            let mut medians: Map<String, Value> =
                medians.map(|name| (name.to_owned(), json!(rounded(median(&of_all(name)))))).collect();
            medians.insert("rounds_per_second".into(), json!(of_all("per_second")));
            *path = Value::Object(medians);
        }
        Value::Object(contenders)
    }
}

const LIMITS: [&str; 8] = [
    "redis-get",
    "redis-set",
    "postgres-select",
    "postgres-update",
    "sqlite-select",
    "sqlite-update",
    "rusqlite-select",
    "rusqlite-update",
];
const SESSIONS: u32 = 1_024;
const FEWER_SESSIONS: u32 = 256;
