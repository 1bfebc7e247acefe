//! Responses that stay open beside sessions.

mod support;

use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Response, StatusCode};
use support::{Client, Program};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue};

#[tokio::test]
async fn events_flow_beside_the_session_and_end_with_it() {
    let (program, mut client, _folder) = start().await;
    let mut stream = client.clone().open(Method::GET, "/events", None).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(next_event(&mut stream).await.as_deref(), Some("data: 0"));
    for count in 1..=3 {
        client.post("/press", &[]).await;
        assert_eq!(next_event(&mut stream).await, Some(format!("data: {count}")));
    }
    Client::new(program.address).post("/press", &[]).await;
    client.post("/sign-out", &[]).await;
    assert_eq!(next_event(&mut stream).await, None, "what is over stays over; another's presses are not heard");
    program.stop().await;
}

#[tokio::test]
async fn a_socket_flows_beside_the_session_and_ends_with_it() {
    let (program, mut client, _folder) = start().await;
    let mut socket = connect(&program, client.token(), None).await.expect("accepted");
    assert_eq!(next_message(&mut socket).await, Message::text("0"));
    socket.send(Message::text("ignored")).await.expect("sent");
    client.post("/press", &[]).await;
    assert_eq!(next_message(&mut socket).await, Message::text("1"));
    client.post("/sign-out", &[]).await;
    assert!(next_message(&mut socket).await.is_close());
}

#[tokio::test]
async fn without_a_session_or_from_elsewhere_there_is_no_stream() {
    let (program, client, _folder) = start().await;
    assert_eq!(Client::new(program.address).get("/events").await.status, StatusCode::FORBIDDEN);
    for (token, origin) in [(None, None), (client.token(), Some("https://elsewhere.example"))] {
        match connect(&program, token, origin).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403),
            other => panic!("{other:?}"),
        }
    }
    let own = format!("http://{}", program.address);
    assert!(connect(&program, client.token(), Some(&own)).await.is_ok());
}

/// The program, and a client with a session.
async fn start() -> (Program, Client, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(env!("CARGO_BIN_EXE_sse"), &["127.0.0.1:0"], folder.path()).await;
    let mut client = Client::new(program.address);
    assert_eq!(client.get("/").await.status, StatusCode::OK);
    (program, client, folder)
}

/// One event; `None` when the stream has ended.
async fn next_event(stream: &mut Response<Incoming>) -> Option<String> {
    let frame = stream.frame().await?.expect("no failure");
    let event = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
    Some(event.trim_end().to_owned())
}

async fn next_message(socket: &mut WebSocketStream<TcpStream>) -> Message {
    socket.next().await.expect("it is open").expect("no failure")
}

async fn connect(
    program: &Program,
    token: Option<&str>,
    origin: Option<&str>,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{}/socket", program.address).into_client_request()?;
    if let Some(token) = token {
        request.headers_mut().insert("cookie", HeaderValue::from_str(&format!("__Host-session={token}"))?);
    }
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", HeaderValue::from_str(origin)?);
    }
    let stream = TcpStream::connect(program.address).await?;
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}
