//! H14: other headers of the response, its body and its upgrade are untouched; the session is committed before the head.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::header::{CONNECTION, CONTENT_TYPE, DATE, ETAG, SET_COOKIE, UPGRADE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper_util::rt::TokioIo;
use sessions_tower::{Session, SessionRejection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::http::bench::Bench;
use crate::http::client::{Answer, head, plain, with_cookie};

/// A body whose frames the test sends.
struct Stream(UnboundedReceiver<&'static str>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let data = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
        self.0.poll_recv(context).map(|text| text.map(data))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// Server-sent events: the client has its cookie before the first one, and the store has the session.
pub(crate) async fn h14_an_event_stream_begins_after_the_commit(bench: Bench) {
    let (sender, receiver) = unbounded_channel();
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(Some(receiver)));
    let (leak, mut leaked) = unbounded_channel();
    let handler = async move |session: Session| -> Result<Response, SessionRejection> {
        session.insert("watching", &1)?;
        leak.send(session.clone()).expect("the test listens");
        let frames = receiver.lock().expect("one request").take().expect("one request");
        let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        Ok(response.body(Body::new(Stream(frames))).expect("valid headers"))
    };
    let site = bench.serve(bench.app().route("/events", get(handler)).layer(bench.layer())).await;
    let (mut response, connection) =
        head(site.address, plain("/events")).await.expect("the head comes before any frame");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    let cookie = response.headers()[SET_COOKIE].to_str().expect("ASCII").to_owned();
    let token = &cookie["__Host-session=".len()..][..64];
    assert!(bench.stored(token).await.is_some());

    for event in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(event).expect("the body is read");
        let frame = response.frame().await.expect("a frame").expect("it is whole");
        assert_eq!(frame.into_data().expect("data"), event);
    }
    let session = leaked.recv().await.expect("the handler has sent it");
    assert!(session.insert("late", &1).expect_err("the head is out").is_sealed());
    assert_eq!(session.get::<u8>("watching").expect("it reads"), Some(1));

    // The client goes; nothing of the session hangs on it.
    drop((response, connection));
    sender.closed().await;
    let browser = site.browser();
    browser.get("/idle").await;
    let request = with_cookie("/do/keys", format!("__Host-session={token}"));
    assert_eq!(site.send(request).await.ok(), "watching");
}

/// What a WebSocket needs: the response's own 101, and the connection behind it.
pub(crate) async fn h14_an_upgrade_goes_through(bench: Bench) {
    let handler = async |session: Session, mut request: Request| -> Result<Response, SessionRejection> {
        let upgraded = session.update("upgrades", |n: Option<u64>| n.unwrap_or(0) + 1)?;
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut io = TokioIo::new(upgrade.await.expect("the connection is upgraded"));
            let mut word = [0; 4];
            io.read_exact(&mut word).await.expect("a word");
            io.write_all(format!("{} {upgraded}", String::from_utf8_lossy(&word)).as_bytes())
                .await
                .expect("it is read");
        });
        let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        let response = response.header(CONNECTION, "upgrade").header(UPGRADE, "echo");
        Ok(response.body(Body::empty()).expect("valid headers"))
    };
    let site = bench.serve(bench.app().route("/echo", get(handler)).layer(bench.layer())).await;
    let browser = site.visitor("insert:a=1").await;
    let mut request = browser.request("/echo");
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    request.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
    let (response, _connection) = head(site.address, request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()[UPGRADE], "echo");
    assert_eq!(browser.get("/do/keys").await.ok(), "a,upgrades", "committed before the 101");

    let mut io = TokioIo::new(hyper::upgrade::on(response).await.expect("the connection is upgraded"));
    io.write_all(b"ping").await.expect("it is read");
    let mut echo = String::new();
    io.read_to_string(&mut echo).await.expect("until the handler's task ends");
    assert_eq!(echo, "ping 1");
}

fn without_date(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove(DATE);
    headers
}

/// The same application without the layer answers the same, but for what H8 adds.
pub(crate) async fn h14_everything_else_is_as_without_the_layer(bench: Bench) {
    let headers = || [(ETAG, "\"1\""), (CONTENT_TYPE, "text/x-own"), (SET_COOKIE, "theme=dark; Path=/")];
    let app = || {
        axum::Router::new()
            .route("/own", get(async move || (StatusCode::IM_A_TEAPOT, headers(), "body")))
            .route("/empty", get(async || StatusCode::NO_CONTENT))
            .route("/not-modified", get(async move || (StatusCode::NOT_MODIFIED, headers())))
    };
    let asking = async |_: Session, request: Request, next: axum::middleware::Next| next.run(request).await;
    let bare = bench.serve(app()).await;
    let layered = bench.serve(app().layer(bench.layer())).await;
    let read = bench.serve(app().layer(axum::middleware::from_fn(asking)).layer(bench.layer())).await;
    for path in ["/own", "/empty", "/not-modified", "/missing"] {
        let (bare, layered, read) = (bare.get(path).await, layered.get(path).await, read.get(path).await);
        assert_eq!((layered.status, &layered.body), (bare.status, &bare.body), "{path}");
        assert_eq!(without_date(&layered), without_date(&bare), "{path}");
        let mut expected = without_date(&bare);
        expected.append(VARY, HeaderValue::from_static("cookie"));
        assert_eq!((read.status, &read.body), (bare.status, &bare.body), "{path}");
        assert_eq!(without_date(&read), expected, "{path}");
    }
}
