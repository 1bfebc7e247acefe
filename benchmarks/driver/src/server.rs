//! An application under load: pinned to a processor, the load to another.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::error::Error;
use crate::process::{binary, lines};

/// A contender's application, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: String,
}

type Environment<'a> = &'a [(&'static str, String)];

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(name: &str, environment: Environment<'_>) -> Result<Self, Error> {
        let mut command = pinned(0, "bench-server")?;
        command.arg(name).envs(environment.iter().cloned());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut port = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut port)?;
        }
        let server = Self { child, port: port.trim().to_owned() };
        if server.port.is_empty() { Err(Error::new(format!("{name} did not start"))) } else { Ok(server) }
    }

    /// Requests to this path for a while, over 64 connections, from this many sessions.
    pub(crate) fn load(&self, path: &str, sessions: u32, seconds: f64) -> Result<Value, Error> {
        let (process, sessions, seconds) = (self.child.id().to_string(), sessions.to_string(), seconds.to_string());
        let path = format!("/{path}");
        one(pinned(1, "bench-load")?.args(["http", &self.port, &process, &path, &sessions, CONNECTIONS, &seconds]))
    }

    /// So many requests to this path, each from somebody new.
    pub(crate) fn fill(&self, path: &str, count: u32) -> Result<Value, Error> {
        let path = format!("/{path}");
        one(pinned(1, "bench-load")?.args(["fill", &self.port, &path, &count.to_string(), CONNECTIONS]))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The only line that it prints.
pub(crate) fn one(command: &mut Command) -> Result<Value, Error> {
    lines(command)?.pop().ok_or_else(|| Error::new(format!("{command:?} printed nothing")))
}

/// One of our programs on this processor, where there are two of them and a way to say so.
pub(crate) fn pinned(processor: usize, name: &str) -> Result<Command, Error> {
    pinned_to(processor, binary(name)?)
}

/// The same for any program.
pub(crate) fn pinned_to(processor: usize, program: impl AsRef<OsStr>) -> Result<Command, Error> {
    if std::thread::available_parallelism()?.get() <= processor || !has_taskset() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &processor.to_string()]).arg(program);
    Ok(command)
}

fn has_taskset() -> bool {
    let version = Command::new("taskset").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

const CONNECTIONS: &str = "64";
