//! Processes of a test: its own program, started again, and told what to do line by line.
//!
//! The test program has one test that is the [entry](Worker::start) of these processes: it asks [`Home::find`] whether it is one,
//! and returns at once if not. Both talk over a loopback connection, since a test's output belongs to the test harness. A process
//! ends when its home is gone, and is killed when its [`Worker`] is dropped.

use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A process, seen by the test that started it.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    lines: tokio::io::BufReader<OwnedReadHalf>,
    out: OwnedWriteHalf,
}

impl Worker {
    /// Starts this program again to run the test of this name, which calls home.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not call.
    pub async fn start(entry: &str, number: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let child = Command::new(std::env::current_exe().expect("the path of this program"))
            .args(["--exact", entry, "--nocapture"])
            .env(HOME, format!("{number} {address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("this program can be started again");
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("it calls").expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (read, out) = stream.into_split();
        Self { child, lines: tokio::io::BufReader::new(read), out }
    }

    /// Tells it something.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub async fn tell(&mut self, line: impl Display) {
        self.out.write_all(format!("{line}\n").as_bytes()).await.expect("the process listens");
    }

    /// The next line that it tells; `None` when it has ended. A line that it was killed in the middle of was not told.
    ///
    /// # Panics
    ///
    /// When it says nothing for minutes.
    pub async fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        // A process that was killed may have its connection reset instead of closed.
        timeout(PATIENCE, self.lines.read_line(&mut line)).await.expect("it says something").ok()?;
        line.strip_suffix('\n').map(str::to_owned)
    }

    /// The next line that it tells.
    ///
    /// # Panics
    ///
    /// When it has ended: its own words are on the terminal.
    pub async fn hear(&mut self) -> String {
        self.next().await.expect("the process has not ended")
    }

    /// Hears everything up to a line, without that.
    ///
    /// # Panics
    ///
    /// As [`hear`](Self::hear).
    pub async fn hear_until(&mut self, last: &str, mut each: impl FnMut(String)) {
        loop {
            let line = self.hear().await;
            if line == last {
                return;
            }
            each(line);
        }
    }

    /// Kills it at once (`SIGKILL`). What it had told can still be heard.
    ///
    /// # Panics
    ///
    /// When it cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Has it end by itself.
    ///
    /// # Panics
    ///
    /// When it ends badly.
    pub async fn stop(mut self) {
        drop((self.out, self.lines));
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it can be waited for");
        assert!(status.success(), "a process ended with {status}");
    }
}

/// Where a process reports to.
#[derive(Debug)]
pub struct Home {
    /// The number that the process was given.
    pub number: u16,
    lines: mpsc::UnboundedReceiver<String>,
    voice: Voice,
}

impl Home {
    /// Home, if this program was started as a process of a test.
    ///
    /// # Panics
    ///
    /// When nobody is at home.
    #[must_use]
    pub fn find() -> Option<Self> {
        let home = std::env::var(HOME).ok()?;
        let (number, address) = home.split_once(' ').expect("a number and an address");
        let stream = TcpStream::connect(address).expect("home is there");
        stream.set_nodelay(true).expect("a socket");
        let reader = BufReader::new(stream.try_clone().expect("a socket"));
        let (sender, lines) = mpsc::unbounded_channel();
        // Reading blocks, and so does writing: a line is out before what it announces begins.
        std::thread::spawn(move || reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let voice = Voice(Arc::new(Mutex::new(stream)));
        Some(Self { number: number.parse().expect("a number"), lines, voice })
    }

    /// What it is told next; `None` when it is to end.
    pub async fn hear(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// To speak with.
    #[must_use]
    pub fn voice(&self) -> Voice {
        self.voice.clone()
    }
}

/// Tells the test what a process does.
#[derive(Debug, Clone)]
pub struct Voice(Arc<Mutex<TcpStream>>);

impl Voice {
    /// Says one line, and returns when the system has it: it arrives also if the process is killed right after.
    pub fn say(&self, line: impl Display) {
        let text = format!("{line}\n");
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody listens any more only when this process is to end, too.
        let _ = stream.write_all(text.as_bytes());
    }
}

/// Waits until a point of [`now`](super::now): calls that begin together meet more often. Nothing depends on it.
pub async fn wait_for_start(at: u64) {
    while super::now() < at {
        tokio::task::yield_now().await;
    }
}

/// A moment to begin at, when everybody has heard of it.
#[must_use]
pub fn soon() -> StartAt {
    StartAt(super::now() + 400_000)
}

/// A point of [`now`](super::now).
#[derive(Debug, Clone, Copy)]
pub struct StartAt(u64);

impl Display for StartAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const HOME: &str = "SESSIONS_PROOF_HOME";
/// What no start and no answer takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);
