//! Every test of the workspace, on every server.

use std::process::Command;

use crate::arguments::Choice;
use crate::command::{self, cargo};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::packages;
use crate::steps::step;

/// Compiles the tests, starts the servers, runs the tests.
///
/// One feature set for everything, so that each crate is compiled once.
pub(crate) fn run(choice: &Choice) -> Result<(), Error> {
    for name in &choice.without {
        eprintln!("== LEFT OUT on purpose: {name}");
    }
    eprintln!("== left to cargo xtask proof, which needs the machine for itself: servers that fail under load");
    let metadata = Metadata::read()?;
    if choice.has_browser() {
        step("the browser", packages::browser)?;
    }
    step("compile the tests", || command::run(&mut cargo(&[&EVERYTHING[..], &["--no-run"]].concat())))?;

    let mut servers = Command::new(metadata.target.join("debug/with-servers"));
    if !choice.servers_left_out().is_empty() {
        servers.args(["--without", &choice.servers_left_out()]);
    }
    let tests = cargo(&EVERYTHING);
    servers.arg("--").arg(tests.get_program()).args(tests.get_args()).arg("--no-fail-fast").args(&choice.arguments);
    // The tests themselves look here, for what is not a server.
    servers.env("SESSIONS_TEST_WITHOUT", choice.left_out());
    step("start the servers and run the tests", || command::run(&mut servers))
}

const EVERYTHING: [&str; 3] = ["test", "--workspace", "--all-features"];
