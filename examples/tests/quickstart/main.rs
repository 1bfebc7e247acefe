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

/// A browser that has signed in.
async fn signed_in(program: &Program, name: &str) -> Client {
    let mut client = Client::new(program.address);
    let page = client.submit("/sign-in", &[("name", name)]).await;
    assert_eq!(page.text_of(r#"id="visitor""#), Some(name));
    client
}

/// 64 requests at once on one session: half put something into the cart, half look at the page, which counts.
async fn overlap(client: &mut Client) {
    let before = client.get("/").await;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..64 {
        let mut client = client.clone();
        requests.spawn(async move {
            match number % 2 {
                0 => client.post("/cart/add", &[("product", "Honey")]).await.status,
                _ => client.get("/").await.status,
            }
        });
    }
    for status in requests.join_all().await {
        assert!(status.is_success() || status.is_redirection(), "{status}");
    }
    let after = client.get("/").await;
    assert_eq!(after.number_of(r#"data-product="Honey""#), 32);
    assert_eq!(after.number_of(r#"id="visits""#), before.number_of(r#"id="visits""#) + 33);
}
