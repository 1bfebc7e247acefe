//! A client that is told every header, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::{COOKIE, HeaderName, SET_COOKIE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// The name of the layer's cookie, unless a test says otherwise.
pub(crate) const COOKIE_NAME: &str = "__Host-session";

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header, in order.
    pub(crate) fn all(&self, name: HeaderName) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("visible ASCII")).collect()
    }

    /// The `Set-Cookie` values.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.all(SET_COOKIE)
    }

    /// The body of an answer that is as the handler made it.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        &self.body
    }
}

/// A `GET` with this `Cookie` field.
pub(crate) fn with_cookie(path: &str, cookie: impl AsRef<[u8]>) -> Request<String> {
    Request::get(path).header(COOKIE, cookie.as_ref()).body(String::new()).expect("a valid request")
}

/// A `GET` without cookies.
pub(crate) fn plain(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).expect("a valid request")
}

/// One request on a connection of its own, over HTTP/1.
pub(crate) async fn send(address: SocketAddr, request: Request<String>) -> Answer {
    try_send(address, request).await.expect("an answer")
}

/// The same, for requests that the server may leave unanswered. Dropped, it closes the connection.
pub(crate) async fn try_send(address: SocketAddr, request: Request<String>) -> Result<Answer, hyper::Error> {
    let (response, _connection) = head(address, request).await?;
    collect(response).await
}

/// The head of the answer, and the connection on which its body comes; with upgrades.
pub(crate) async fn head(
    address: SocketAddr,
    request: Request<String>,
) -> Result<(Response<Incoming>, Connection), hyper::Error> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = Connection(tokio::spawn(async {
        // How it ends shows in the answer.
        let _ = connection.with_upgrades().await;
    }));
    Ok((sender.send_request(request).await?, connection))
}

/// One request over HTTP/2, whose `Cookie` fields go out as they are.
pub(crate) async fn send_http2(address: SocketAddr, request: Request<String>) -> Answer {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.expect("the server speaks HTTP/2");
    let _connection = Connection(tokio::spawn(async {
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.expect("an answer");
    collect(response).await.expect("a body")
}

async fn collect(response: Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("the test's bodies are text");
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// A connection that closes when it is dropped.
#[derive(Debug)]
pub(crate) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps cookies between requests, as far as these tests need it. Clones are windows of the same browser.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, jar: Arc::default() }
    }

    /// Another browser, with the cookies of this one now.
    pub(crate) fn copy(&self) -> Self {
        Self { address: self.address, jar: Arc::new(Mutex::new(self.jar().clone())) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.request(path);
        let answer = send(self.address, request).await;
        self.keep(&answer);
        answer
    }

    /// Sends a request that the test waits for later.
    pub(crate) fn start(&self, path: &'static str) -> JoinHandle<Answer> {
        let browser = self.clone();
        tokio::spawn(async move { browser.get(path).await })
    }

    /// The request for a path, with the cookies as they are now.
    pub(crate) fn request(&self, path: &str) -> Request<String> {
        let cookies: Vec<_> = self.jar().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { plain(path) } else { with_cookie(path, cookies.join("; ")) }
    }

    /// The text of the session's token.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        self.cookie(COOKIE_NAME).expect("the browser has a session")
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).cloned()
    }

    fn jar(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, answer: &Answer) {
        for cookie in answer.cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a name and a value");
            if attributes.contains("Max-Age=0;") {
                self.jar().remove(name);
            } else {
                self.jar().insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
