//! The quickstart as a process, over HTTP.

#[path = "../support/mod.rs"]
mod support;

mod account;
mod cart;
mod failure;
mod options;
mod process;
mod protect;

use support::{Client, Program};
use tempfile::TempDir;

/// A quickstart on a store in memory.
async fn start() -> (Program, Client, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("memory", folder.path()).await;
    let client = Client::new(program.address);
    (program, client, folder)
}

async fn signed_in(program: &Program, name: &str) -> Client {
    support::signed_in(program.address, name).await
}
