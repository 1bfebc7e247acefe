//! The quickstart as a process.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running quickstart. It is killed when this is dropped.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl App {
    /// Starts it on a free port with this store, and waits until it says where it listens.
    pub(crate) async fn quickstart(store: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = File::create(folder.path().join("log")).expect("a file in it");
        let mut child = Command::new(program())
            .args(["--listen", "127.0.0.1:0", "--store", store])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("it can be started");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let said = tokio::task::spawn_blocking(move || {
            let mut lines = out.lines();
            let port = lines.by_ref().find_map(|line| port_in(&line.ok()?));
            // Nobody reads on; what it says later goes nowhere, without an error on its side.
            std::thread::spawn(move || lines.for_each(drop));
            port
        });
        let port = said.await.expect("no panic");
        let mut app = Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), child, folder };
        app.address.set_port(port.unwrap_or_else(|| panic!("the quickstart does not start: {}", app.last_words())));
        app
    }

    /// Fails unless it is the process that was started.
    pub(crate) fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("it can be asked");
        assert!(ended.is_none(), "the quickstart has ended: {}", self.last_words());
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the quickstart said at last:\n{}", self.last_words());
        }
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside the tests' own programs: `cargo test --workspace --all-features` makes it before it runs them.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let program = own.ancestors().nth(2).map(|folder| folder.join("quickstart")).unwrap_or_default();
    assert!(program.is_file(), "no quickstart to test: run cargo xtask proof, which makes it");
    program
}

fn port_in(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("Open http://localhost:")?;
    rest.split(' ').next()?.parse().ok()
}
