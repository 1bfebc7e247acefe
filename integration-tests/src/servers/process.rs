//! A server as private processes on this machine.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::endpoint::{Endpoint, random_name};
use super::error::ServerError;
use super::guard::Guard;
use super::kind::Kind;
use super::script;

/// Processes that work in a folder of their own.
pub(super) struct Process {
    endpoint: Endpoint,
    arguments: Vec<String>,
    pub(super) folder: PathBuf,
    // Dropped before the child is: it kills what is left of the server.
    guard: Option<Guard>,
    child: Child,
}

impl Process {
    /// Starts it, after installing what is missing; the server comes up later.
    pub(super) async fn start(endpoint: &Endpoint, arguments: &[String]) -> Result<(Self, String), ServerError> {
        if !Path::new("/proc/self/cwd").exists() {
            return Err(ServerError::new(
                "servers run as processes on Linux only; use containers, or give their addresses",
            ));
        }
        let kind = endpoint.kind;
        if program(kind).is_none() {
            script::install(kind).await.map_err(|error| ServerError::during(format!("installing {kind}"))(&error))?;
        }
        let program = program(kind).ok_or_else(|| ServerError::new(format!("no program of {kind} on the PATH")))?;
        let folder = std::env::temp_dir().join(random_name()?);
        // Others may pass through: the server runs as another user when we are root.
        DirBuilder::new().mode(0o711).create(&folder).map_err(|error| cannot_write(&folder, &error))?;
        let guard = Guard::of_folder(&folder)?;
        DirBuilder::new().mode(0o700).create(folder.join("data")).map_err(|error| cannot_write(&folder, &error))?;
        let child = spawn(endpoint, arguments, &folder)?;
        let origin = format!("process of {}", program.display());
        let arguments = arguments.to_vec();
        Ok((Self { endpoint: endpoint.clone(), arguments, folder, guard: Some(guard), child }, origin))
    }

    /// Sends a signal to every process of the server.
    pub(super) fn signal(&mut self, name: &str) -> Result<(), ServerError> {
        self.guard.as_mut().ok_or_else(|| ServerError::new("the server is gone"))?.signal(name)
    }

    /// Starts the killed server again.
    pub(super) fn start_again(&mut self) -> Result<(), ServerError> {
        // Killed before; this takes its exit status, so that no zombie stays.
        self.child.wait().map_err(|error| ServerError::during("restart")(&error))?;
        self.child = spawn(&self.endpoint, &self.arguments, &self.folder)?;
        Ok(())
    }

    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What the server said.
    pub(super) fn log(&self) -> String {
        fs::read(self.folder.join("log")).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.guard.take());
        // Nobody could be told of an error.
        let _ = self.child.wait();
    }
}

fn spawn(endpoint: &Endpoint, arguments: &[String], folder: &Path) -> Result<Child, ServerError> {
    let log = || {
        File::options().create(true).append(true).open(folder.join("log")).map_err(|error| cannot_write(folder, &error))
    };
    let data = folder.join("data");
    Command::new("sh")
        .args(["-c", script::server(endpoint.kind), endpoint.kind.name()])
        .args(arguments)
        .env("DATA", &data)
        .env("PORT", endpoint.port.to_string())
        .env("PASSWORD", &endpoint.password)
        .env("LISTEN", "127.0.0.1")
        // By this the guard knows its processes.
        .current_dir(&data)
        .stdin(Stdio::null())
        .stdout(log()?)
        .stderr(log()?)
        // Ctrl-C in a terminal is for the tests, not for the servers.
        .process_group(0)
        .spawn()
        .map_err(|error| ServerError::during("cannot run sh")(&error))
}

/// The program of a server, on the PATH or where the distribution puts it.
fn program(kind: Kind) -> Option<PathBuf> {
    let names: &[&str] = match kind {
        Kind::Redis | Kind::RedisCluster => &["redis-server", "valkey-server"],
        Kind::Postgres => &["initdb"],
        Kind::MariaDb => &["mariadbd"],
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]).chain(versions);
    folders.flat_map(|folder| names.iter().map(move |name| folder.join(name))).find(|program| program.exists())
}

fn cannot_write(folder: &Path, error: &std::io::Error) -> ServerError {
    ServerError::during(format!("cannot write to {}", folder.display()))(error)
}
