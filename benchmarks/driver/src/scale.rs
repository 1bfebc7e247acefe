//! Many sessions, large records, many writers, many expired rows.

use std::process::Command;

use serde_json::{Map, Value, json};

use crate::backends::Backends;
use crate::contenders::{IN_PROCESS, OVER_HTTP};
use crate::effort::Effort;
use crate::error::Error;
use crate::process::{binary, lines};
use crate::progress::Progress;
use crate::server::{Server, one, pinned};

/// One of [`PARTS`].
pub(crate) fn measure(
    part: &str,
    backends: &Backends,
    effort: &Effort,
    progress: &mut Progress,
) -> Result<Value, Error> {
    match part {
        "bytes" => bytes(backends, effort, progress),
        "operations" => operations(backends, effort, progress),
        "records" => records(backends, effort, progress),
        "contention" => contention(backends, effort, progress),
        "purge" => purge(backends, effort, progress),
        "traffic" => traffic(backends, progress),
        _ => Err(Error::new(format!("no part {part}"))),
    }
}

pub(crate) const PARTS: [&str; 6] = ["bytes", "operations", "records", "contention", "purge", "traffic"];

fn bytes(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    let mut rows = held_in_memory(effort.held, progress)?;
    let mut databases = 1..=15;
    rows.extend(held_in_stores(backends, effort.held, &mut databases, progress, &|_| true)?);
    for &count in effort.held_by_ours {
        rows.extend(held_in_memory(count, progress)?);
        let is_ours = |name: &str| name.starts_with("sessions,");
        rows.extend(held_in_stores(backends, count, &mut databases, progress, &is_ours)?);
    }
    Ok(json!(rows))
}

fn held_in_memory(count: u32, progress: &mut Progress) -> Result<Vec<Value>, Error> {
    let mut results = Vec::new();
    for contender in IN_PROCESS {
        let owners: &[&str] = if contender.name.starts_with("sessions,") { &["plain", "owned"] } else { &["plain"] };
        for owned in owners {
            progress.say(&format!("bytes of {count} sessions: {}", contender.name));
            let binary = binary(&format!("{}-counted", contender.binary))?;
            let result = one(Command::new(binary).args([contender.store, "hold", &count.to_string(), owned]))?;
            let name =
                if *owned == "owned" { format!("{}, with owners", contender.name) } else { contender.name.into() };
            results.push(json!({ "contender": name, "store": "memory", "sessions": count, "bytes": result["bytes"] }));
        }
    }
    Ok(results)
}

fn held_in_stores(
    backends: &Backends,
    count: u32,
    databases: &mut dyn Iterator<Item = u8>,
    progress: &mut Progress,
    is_asked: &dyn Fn(&str) -> bool,
) -> Result<Vec<Value>, Error> {
    let mut results = Vec::new();
    for (name, server) in OVER_HTTP.into_iter().filter(|(name, _)| is_asked(name)) {
        let store = server.split_once('/').map(|(_, store)| store).unwrap_or_default();
        if !["redis", "postgres", "sqlite"].contains(&store) || name.starts_with("bare") {
            continue;
        }
        let paths: &[&str] = if name.starts_with("sessions,") { &["sign_up", "sign_up_owned"] } else { &["sign_up"] };
        for path in paths {
            let owners = if *path == "sign_up_owned" { WITH_OWNERS } else { "" };
            progress.say(&format!("bytes of {count} sessions: {name}{owners}"));
            backends.clear_sqlite()?;
            let number = if store == "sqlite" { Some(0) } else { databases.next() };
            let number = number.ok_or_else(|| Error::new("a Redis server has sixteen databases"))?;
            let of_limits = |name: &str, number: u8, environment: &[(&'static str, String)]| {
                let mut command = Command::new(binary("bench-limits")?);
                one(command.args([name, &number.to_string()]).envs(environment.iter().cloned()))
            };
            if store == "postgres" {
                of_limits("create-postgres", number, &backends.environment())?;
            }
            let environment = backends.with_databases(number, number);
            let size = || -> Result<f64, Error> {
                let result = of_limits(&format!("size-{store}"), 0, &environment)?;
                Ok(result["bytes"].as_f64().unwrap_or_default())
            };
            let server = Server::start(server, &environment)?;
            // So that tables and files are there before.
            server.fill(path, 64)?;
            let before = size()?;
            server.fill(path, count)?;
            let bytes = ((size()? - before) / f64::from(count)).round();
            drop(server);
            if store == "postgres" {
                of_limits("drop-postgres", number, &backends.environment())?;
            }
            let contender = format!("{name}{owners}");
            results.push(json!({ "contender": contender, "store": store, "sessions": count, "bytes": bytes }));
        }
    }
    Ok(results)
}

fn operations(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    each_store(
        backends,
        progress,
        "operations among many sessions",
        &|store| vec![vec!["operations", store, RECORD, "SECONDS", effort.counts]],
        effort.scale_seconds,
    )
}

fn records(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    each_store(
        backends,
        progress,
        "operations with large records",
        &|store| effort.records.iter().map(|bytes| vec!["operations", store, bytes, "SECONDS", "1000"]).collect(),
        effort.scale_seconds,
    )
}

fn contention(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    each_store(
        backends,
        progress,
        "writers on one session",
        &|store| {
            // Two managers are two processes, as far as the store is concerned.
            let managers: &[&str] = if store == "memory" { &["1"] } else { &["1", "2"] };
            managers.iter().map(|managers| vec!["contention", store, managers, "SECONDS", effort.writers]).collect()
        },
        effort.scale_seconds,
    )
}

fn purge(backends: &Backends, effort: &Effort, progress: &mut Progress) -> Result<Value, Error> {
    let mut results = Map::new();
    for store in ["memory", "postgres", "sqlite"] {
        progress.say(&format!("purge of {} expired sessions: {store}", effort.expired));
        backends.clear_sqlite()?;
        let arguments = ["purge", store, &effort.expired.to_string(), &(3.0 * effort.scale_seconds).to_string()];
        let mut command = Command::new(binary("bench-scale")?);
        results.insert(store.into(), one(command.args(arguments).envs(backends.environment()))?);
    }
    Ok(Value::Object(results))
}

/// The bytes of each operation: on the wire, and of Postgres' log.
fn traffic(backends: &Backends, progress: &mut Progress) -> Result<Value, Error> {
    let mut results = Map::new();
    for store in ["redis", "postgres"] {
        progress.say(&format!("bytes on the wire: {store}"));
        let mut all = Vec::new();
        for operation in ["create", "load", "update", "touch", "delete"] {
            let run = |count: u32| -> Result<(Value, f64), Error> {
                let before = wal(backends)?;
                let mut command = Command::new(binary("bench-scale")?);
                command.args(["traffic", store, operation, &count.to_string()]).envs(backends.environment());
                Ok((one(&mut command)?, wal(backends)? - before))
            };
            let (mut result, more) = run(OPERATIONS)?;
            if store == "postgres" {
                // Without the operations themselves: the sessions that they work on are created first.
                let filled = if operation == "create" { run(0)?.1 } else { created(&all) + run(0)?.1 };
                result["log"] = json!(((more - filled) / f64::from(OPERATIONS)).round());
            }
            all.push(result);
        }
        results.insert(store.into(), Value::Array(all));
    }
    Ok(Value::Object(results))
}

/// What creating the sessions has written to the log.
fn created(results: &[Value]) -> f64 {
    results.first().and_then(|create| create["log"].as_f64()).unwrap_or_default() * f64::from(OPERATIONS)
}

fn wal(backends: &Backends) -> Result<f64, Error> {
    let mut command = Command::new(binary("bench-limits")?);
    let result = one(command.args(["size-wal", "0"]).envs(backends.environment()))?;
    Ok(result["bytes"].as_f64().unwrap_or_default())
}

/// Runs `bench-scale` for each store with each of these arguments.
fn each_store(
    backends: &Backends,
    progress: &mut Progress,
    what: &str,
    arguments: &dyn Fn(&'static str) -> Vec<Vec<&'static str>>,
    seconds: f64,
) -> Result<Value, Error> {
    let seconds = seconds.to_string();
    let mut results = Map::new();
    for store in ["memory", "redis", "postgres", "sqlite"] {
        progress.say(&format!("{what}: {store}"));
        let mut all = Vec::new();
        for arguments in arguments(store) {
            backends.clear_sqlite()?;
            let arguments = arguments.iter().map(|word| if *word == "SECONDS" { seconds.as_str() } else { word });
            all.extend(lines(pinned(0, "bench-scale")?.args(arguments).envs(backends.environment()))?);
        }
        results.insert(store.into(), Value::Array(all));
    }
    Ok(Value::Object(results))
}

const OPERATIONS: u32 = 3_000;
const WITH_OWNERS: &str = ", with owners";
/// Of a small session.
const RECORD: &str = "175";
