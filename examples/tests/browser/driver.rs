//! Finding and starting the driver of the browser.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::profile::Browser;

/// What no start and no end takes, however busy the machine is.
pub(crate) const FOREVER: Duration = Duration::from_secs(120);

const WITHOUT: &str = "SESSIONS_TEST_WITHOUT";

/// Runs the driver until this process ends, however that ends: then the other end of the standard input is closed. The
/// browsers end with their driver, to which each is connected by a pipe.
const GUARDED: &str = "\"$@\" & exec >/dev/null; cat; kill $!; wait";

/// A running chromedriver. It ends with its browsers, and their profiles go, when this is dropped.
pub(crate) struct Driver {
    address: String,
    child: Child,
    input: Option<ChildStdin>,
    /// What it says of its port, and then that it has ended: no more can come.
    port: Receiver<u16>,
    profiles: TempDir,
}

impl Driver {
    /// The driver; `None` when the browser was left out on purpose, which is printed. A missing browser is a failure.
    pub(crate) fn given() -> Option<Self> {
        if is_left_out(&std::env::var(WITHOUT).unwrap_or_default()) {
            eprintln!("left out on purpose: browser");
            return None;
        }
        Some(Self::start("chromedriver").unwrap_or_else(|line| panic!("{line}")))
    }

    fn start(program: &str) -> Result<Self, String> {
        let profiles = tempfile::tempdir().expect("a folder");
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "sh", program, "--port=0"])
            // What browsers leave behind goes with the profiles.
            .env("TMPDIR", profiles.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("no shell to start {program} with: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let (says, port) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(port) = port_in(&line) {
                    let _ = says.send(port);
                }
            }
        });
        let mut driver = Self { address: String::new(), child, input, port, profiles };
        match driver.port.recv_timeout(FOREVER) {
            Ok(port) => driver.address = format!("http://127.0.0.1:{port}"),
            Err(_) => return Err(advice(program)),
        }
        Ok(driver)
    }

    /// A browser with a new profile: as if on another machine.
    pub(crate) async fn browser(&self) -> Browser {
        let profile = tempfile::tempdir_in(&self.profiles).expect("a folder");
        self.browser_of(profile).await
    }

    /// A browser with a profile that a closed one had.
    pub(crate) async fn browser_of(&self, profile: TempDir) -> Browser {
        Browser::open(&self.address, profile).await.unwrap_or_else(|error| {
            // What follows the first line is for the driver's authors.
            let reason = error.to_string();
            panic!("{}: {}", advice("Chromium"), reason.lines().next().unwrap_or_default())
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.input = None;
        // Whoever could still write to a profile holds this pipe, too.
        let _ = self.port.recv_timeout(FOREVER);
        let _ = self.child.wait();
    }
}

fn is_left_out(names: &str) -> bool {
    names.split(',').any(|name| name.trim() == "browser")
}

fn port_in(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}

fn advice(missing: &str) -> String {
    format!(
        "no browser to test in ({missing} does not start): run `cargo xtask test`, or install Chromium and its driver, or leave it out with {WITHOUT}=browser"
    )
}

/// The negative control: a machine without a browser is seen, in one line.
#[test]
fn a_missing_driver_is_one_line_that_says_what_to_do() {
    let line = Driver::start("no-such-chromedriver").err().expect("there is none");
    assert!(line.contains("cargo xtask test") && line.contains("SESSIONS_TEST_WITHOUT=browser"), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn only_what_is_named_is_left_out() {
    assert!(is_left_out("browser") && is_left_out("redis, browser"));
    assert!(!is_left_out("") && !is_left_out("redis,browsers"));
}
