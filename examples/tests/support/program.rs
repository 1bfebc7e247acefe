//! Starting a program, waiting for the line that says where it listens, and stopping it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// What no start and no stop takes, however busy the machine is.
const FOREVER: Duration = Duration::from_secs(120);

/// A running program. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed before it was ready, and goes on printing.
    pub(crate) said: String,
    out: Lines<BufReader<ChildStdout>>,
}

/// A program that has ended.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Starts a program in a folder and waits until it says where it listens.
    pub(crate) async fn start(path: &str, arguments: &[&str], folder: &Path) -> Self {
        let mut child = command(path, arguments, folder).stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = timeout(FOREVER, async {
            while let Some(line) = out.next_line().await.expect("text") {
                if let Some(port) = port_in(&line) {
                    return (port, line);
                }
            }
            panic!("{path} {arguments:?} ended without saying where it listens");
        });
        let (port, said) = port.await.expect("it says where it listens");
        Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), said, out }
    }

    /// The quickstart on a free port.
    pub(crate) async fn quickstart(store: &str, folder: &Path) -> Self {
        let arguments = ["--listen", "127.0.0.1:0", "--store", store];
        Self::start(env!("CARGO_BIN_EXE_quickstart"), &arguments, folder).await
    }

    /// The next line that it prints.
    pub(crate) async fn next_line(&mut self) -> String {
        timeout(FOREVER, self.out.next_line()).await.expect("it says something").expect("text").expect("a line")
    }

    /// Sends a signal, by name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it is running").to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &id]).status().await;
        assert!(status.expect("a shell").success(), "{name} was sent");
    }

    /// Waits for it to end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        timeout(FOREVER, self.child.wait()).await.expect("it ends").expect("it can be waited for")
    }

    /// Ctrl-C, after which the program is to end by itself and well.
    pub(crate) async fn stop(self) {
        self.signal("INT").await;
        let status = self.ended().await;
        assert!(status.success(), "it ended with {status}");
    }
}

/// Runs a program that is to end by itself.
pub(crate) async fn run(path: &str, arguments: &[&str], folder: &Path) -> Run {
    let mut child = command(path, arguments, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (mut out, mut err) = (String::new(), String::new());
    let read = async { tokio::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err)) };
    let (read_out, read_err) = timeout(FOREVER, read).await.unwrap_or_else(|_| panic!("{arguments:?} does not end"));
    read_out.and(read_err).expect("text");
    Run { status: child.wait().await.expect("it can be waited for"), out, err }
}

fn command(path: &str, arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn port_in(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("Open http://localhost:")?;
    rest.split(' ').next()?.parse().ok()
}
