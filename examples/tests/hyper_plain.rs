//! Sessions under plain hyper and tower.

mod support;

use hyper::StatusCode;
use support::{Client, Program};

#[tokio::test]
async fn sessions_work_without_axum() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(env!("CARGO_BIN_EXE_hyper_plain"), &["127.0.0.1:0"], folder.path()).await;
    let mut client = Client::new(program.address);
    assert_eq!(client.get("/").await.body, "visit 1\n");
    assert_eq!(client.get("/").await.body, "visit 2\n");

    let answer = client.get("/elsewhere").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(!answer.headers.contains_key("vary"), "H1: not asked for, no header");

    let mut thief = client.clone();
    assert_eq!(client.post("/forget", &[]).await.body, "forgotten\n");
    assert_eq!(client.token(), None);
    assert_eq!(thief.get("/").await.body, "visit 1\n", "the old token opens nothing");
    program.stop().await;
}
