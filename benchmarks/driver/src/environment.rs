//! What was measured with: the machine, the servers, and the versions.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::backends::Backends;
use crate::error::Error;

/// All that the page says of it.
pub(crate) fn read(workspace: &Path, backends: &Backends) -> Result<Value, Error> {
    Ok(json!({
        "processor": field("/proc/cpuinfo", "model name"),
        "processors": std::thread::available_parallelism()?.get(),
        "memory_mib": field("/proc/meminfo", "MemTotal").and_then(|text| kibibytes(&text)).map(|kib| kib / 1024),
        "system": first_line(Command::new("uname").arg("-sr")).and_then(|text| text.split('-').next().map(str::to_owned)),
        "load_average": fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next().map(str::to_owned)),
        "rustc": first_line(Command::new("rustc").arg("--version")),
        "valgrind": first_line(Command::new("valgrind").arg("--version")),
        "redis": first_line(Command::new("redis-server").arg("--version")),
        "postgres": version_of_postgres(&backends.postgres),
        "profile": "opt-level 3, no LTO, the system's allocator",
        "versions": versions(&fs::read_to_string(workspace.join("Cargo.lock"))?),
    }))
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// What the server says, through the client that is usually beside it.
fn version_of_postgres(url: &str) -> Option<String> {
    first_line(Command::new("psql").args([url, "-Atc", "SHOW server_version"]))
}

/// The versions of what is compared, from the lock file.
fn versions(lock: &str) -> Value {
    let mut versions = Map::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        let (Some(name), Some(version)) = (value("name"), value("version")) else { continue };
        if COMPARED.contains(&name.as_str()) {
            let others = versions.entry(name).or_insert_with(|| json!([]));
            others.as_array_mut().into_iter().for_each(|others| others.push(json!(version)));
        }
    }
    Value::Object(versions)
}

const COMPARED: [&str; 27] = [
    "actix-session",
    "actix-web",
    "axum",
    "axum_session",
    "axum_session_redispool",
    "axum_session_sqlx",
    "fred",
    "hyper",
    "libsqlite3-sys",
    "moka",
    "redis",
    "redis_pool",
    "rusqlite",
    "sessions-core",
    "sessions-memory",
    "sessions-redis",
    "sessions-sqlx",
    "sessions-tower",
    "sha2",
    "sqlx",
    "tokio",
    "tower-sessions",
    "tower-sessions-core",
    "tower-sessions-memory-store",
    "tower-sessions-moka-store",
    "tower-sessions-redis-store",
    "tower-sessions-sqlx-store",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"redis\"\nversion = \"0.32.7\"\n\n[[package]]\nname = \"redis\"\n\
                    version = \"1.8.1\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.9.0\"\n";
        assert_eq!(versions(lock), json!({ "redis": ["0.32.7", "1.8.1"] }));
    }
}
