use super::*;

/// Counts connections, and closes them.
async fn closing() -> (Arc<Link>, Arc<AtomicU64>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("redis://{}/", listener.local_addr().expect("it has an address"));
    let accepted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (Link::new(Origin::parse(&url, Duration::from_secs(2)).expect("a valid URL")), accepted)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_is_not_stormed() {
    let (link, accepted) = closing().await;
    for attempts in 1..=3 {
        for _ in 0..1000 {
            assert!(link.connect().await.is_err());
        }
        assert_eq!(accepted.load(Ordering::SeqCst), attempts);
        tokio::time::advance(PAUSE).await;
    }
}

#[test]
fn a_command_says_its_key() {
    let mut cmd = command("GET");
    cmd.arg("key");
    assert_eq!(key_of(&cmd), b"key");
    for name in ["EVALSHA", "EVAL"] {
        let mut cmd = command(name);
        cmd.arg("script").arg(1).arg("key").arg("argument");
        assert_eq!(key_of(&cmd), b"key", "{name}");
    }
    assert_eq!(key_of(&command("PING")), b"", "a command about no key");
}
