//! Starting, stopping and starting again.

use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Client, Program, overlap};

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

#[tokio::test]
async fn sessions_survive_a_restart_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("sqlite:kept.db", folder.path()).await;
    let mut client = Client::new(program.address);
    client.submit("/sign-in", &[("name", "Ada")]).await;
    client.submit("/cart/add", &[("product", "Coffee")]).await;
    program.stop().await;

    let program = Program::quickstart("sqlite:kept.db", folder.path()).await;
    let page = client.at(program.address).get("/").await;
    assert_eq!(page.text_of(r#"id="visitor""#), Some("Ada"));
    assert_eq!(page.number_of(r#"data-product="Coffee""#), 1);
    assert_eq!(page.number_of(r#"id="visits""#), 3);
}

/// Killed, not stopped: what was answered is on the disk.
#[tokio::test]
async fn sessions_survive_a_kill_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("sqlite:kept.db", folder.path()).await;
    let mut client = Client::new(program.address);
    client.submit("/sign-in", &[("name", "Ada")]).await;
    program.signal("KILL").await;
    assert!(!program.ended().await.success());

    let program = Program::quickstart("sqlite:kept.db", folder.path()).await;
    assert_eq!(client.at(program.address).get("/").await.text_of(r#"id="visitor""#), Some("Ada"));
}

#[tokio::test]
async fn without_options_it_keeps_sessions_in_a_file_of_this_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(QUICKSTART, &["--listen=127.0.0.1:0"], folder.path()).await;
    assert_eq!(Client::new(program.address).get("/").await.status, StatusCode::OK);
    assert!(folder.path().join("sessions.db").is_file());
    program.stop().await;
}

#[tokio::test]
async fn it_stops_cleanly_on_ctrl_c_and_on_sigterm_also_with_connections_open() {
    for signal in ["INT", "TERM"] {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Program::quickstart("sqlite:stopped.db", folder.path()).await;
        let mut idle = TcpStream::connect(program.address).await.expect("it listens");
        idle.write_all(b"GET /signed-out HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        assert_eq!(idle.read_u8().await.expect("an answer"), b'H');
        program.signal(signal).await;
        assert_eq!(program.ended().await.code(), Some(0), "SIG{signal}");
        let left = std::fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(left, 1, "the store was closed: no journal is left beside the file");
    }
}

#[tokio::test]
async fn a_client_that_sends_half_a_request_does_not_keep_it_from_stopping() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("memory", folder.path()).await;
    let mut half = TcpStream::connect(program.address).await.expect("it listens");
    let head =
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 10";
    half.write_all(format!("{head}\r\n\r\nna").as_bytes()).await.expect("sent");
    // Answered after the half, so that the half has arrived.
    Client::new(program.address).get("/").await;
    program.stop().await;
}

#[tokio::test]
async fn sixty_four_overlapping_requests_lose_nothing_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::quickstart("sqlite:overlap.db", folder.path()).await;
    let mut client = Client::new(program.address);
    client.submit("/sign-in", &[("name", "Ada")]).await;
    overlap(&mut client).await;
    program.stop().await;
}
