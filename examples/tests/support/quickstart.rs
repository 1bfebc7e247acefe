//! What several tests do with the quickstart.

use std::net::SocketAddr;

use super::client::Client;
use super::program::{Run, run};

/// A browser that has signed in.
pub(crate) async fn signed_in(address: SocketAddr, name: &str) -> Client {
    let mut client = Client::new(address);
    let page = client.submit("/sign-in", &[("name", name)]).await;
    assert_eq!(page.text_of(r#"id="visitor""#), Some(name));
    client
}

/// 64 requests at once on one session: half put something into the cart, half look at the page, which counts.
pub(crate) async fn overlap(client: &mut Client) {
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

/// Starts a quickstart that is to refuse: with an exit code, and one line that says this and no password.
pub(crate) async fn refused(code: i32, arguments: &[&str], says: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
    let Run { status, out, err } = run(env!("CARGO_BIN_EXE_quickstart"), &arguments, folder.path()).await;
    assert_eq!(status.code(), Some(code), "{arguments:?}: {err}");
    assert_eq!(out, "", "{arguments:?}");
    assert_eq!(err.lines().count(), 1, "{arguments:?}: {err}");
    assert!(err.starts_with("quickstart: "), "{arguments:?}: {err}");
    assert!(err.contains(says), "{arguments:?}: {err}");
    assert!(!err.contains("hunter"), "{arguments:?}: {err}");
}
