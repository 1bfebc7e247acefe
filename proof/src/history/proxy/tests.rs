//! The proxy before a server that answers every message with itself.

use super::*;

#[test]
fn the_address_in_a_url_is_replaced() {
    let address = SocketAddr::from(([127, 0, 0, 1], 7));
    for (url, through_it) in [
        ("redis://u:p@10.0.0.1:6379", "redis://u:p@127.0.0.1:7"),
        ("postgres://u:p@db:5432/sessions?x=y", "postgres://u:p@127.0.0.1:7/sessions?x=y"),
        ("mysql://db:3306/sessions", "mysql://127.0.0.1:7/sessions"),
    ] {
        assert_eq!(through(url, &[address]), through_it);
    }
    assert_eq!(through("redis://a:1", &[address, address]), "redis://127.0.0.1:7,127.0.0.1:7");
}

/// A server that answers every message with itself.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await.ok()
            });
        }
    });
    address
}

#[tokio::test]
async fn connections_are_carried_and_cut_in_every_way() {
    let proxy = Proxy::start(echo().await.to_string(), 7).await;
    let ask = async |stream: &mut TcpStream| {
        let mut answer = [0; 4];
        stream.write_all(b"ping").await.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer == *b"ping"
    };
    let connect = || TcpStream::connect(proxy.address());
    let mut quiet = connect().await.expect("it listens");
    for _ in 0..100 {
        assert!(ask(&mut quiet).await);
    }
    proxy.cut();
    while proxy.cuts().0.contains(&0) {
        let mut stream = connect().await.expect("it listens");
        let mut answered = 0;
        while tokio::time::timeout(std::time::Duration::from_millis(50), ask(&mut stream)).await == Ok(true) {
            answered += 1;
        }
        assert!(answered <= *MESSAGES.end());
    }
    proxy.calm_down().await;
    let mut stream = connect().await.expect("it listens");
    for _ in 0..100 {
        assert!(ask(&mut stream).await);
    }
}
