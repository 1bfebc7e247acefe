//! A browser tab: one connection, one request after the other.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, HOST, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sessions_proof::faults::{Answer, Cookie};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far beyond every deadline: an application that does not answer at all.
const NEVER: Duration = Duration::from_secs(60);
/// The name of the session cookie.
const NAME: &str = "__Host-session";

/// A tab, without the cookies: those are the browser's.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

/// An answer, as the browser takes it.
pub(crate) struct Seen {
    pub(crate) answer: Answer,
    pub(crate) cookie: Cookie,
    /// The cookie that was set.
    pub(crate) token: Option<String>,
}

impl Client {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends a request, with a cookie or without, and reads the answer to its end.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, token: Option<&str>) -> Seen {
        let nothing = |text: String| Seen { answer: Answer::Other(text), cookie: Cookie::Kept, token: None };
        let answer = timeout(NEVER, self.exchange(method, path, token)).await;
        let (status, headers, body) = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return nothing(format!("{path}: {error}")),
            Err(_) => return nothing(format!("{path}: no answer within {NEVER:?}")),
        };
        let (cookie, token) = match cookie(&headers) {
            Ok(cookie) => cookie,
            Err(text) => return nothing(text),
        };
        Seen { answer: answer_of(path, status, &headers, &body), cookie, token }
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<(StatusCode, HeaderMap, String), Box<dyn std::error::Error + Send + Sync>> {
        let mut connection = match self.connection.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.ready().await?;
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        if let Some(token) = token {
            request = request.header(COOKIE, format!("{NAME}={token}"));
        }
        let (head, body) = connection.send_request(request.body(Empty::new())?).await?.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        self.connection = Some(connection);
        Ok((head.status, head.headers, body))
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

fn answer_of(path: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> Answer {
    match status {
        StatusCode::OK | StatusCode::SEE_OTHER => match (path, visits(body)) {
            ("/", None) => Answer::Other(format!("a front page without a number: {body}")),
            (_, visits) => Answer::Page(visits),
        },
        StatusCode::SERVICE_UNAVAILABLE if headers.contains_key(RETRY_AFTER) => Answer::Unavailable,
        status => Answer::Other(format!("{path}: {status}")),
    }
}

/// What stands in the element that counts.
fn visits(body: &str) -> Option<u64> {
    let (_, after) = body.split_once(r#" id="visits">"#)?;
    after.split('<').next()?.parse().ok()
}

fn cookie(headers: &HeaderMap) -> Result<(Cookie, Option<String>), String> {
    let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    match cookies[..] {
        [] => Ok((Cookie::Kept, None)),
        [cookie] => {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((NAME, _)) if cookie.contains("Max-Age=0") => Ok((Cookie::Cleared, None)),
                Some((NAME, token)) => Ok((Cookie::Set, Some(token.to_owned()))),
                _ => Err("a cookie that is not the session's".to_owned()),
            }
        }
        _ => Err(format!("{} cookies in one answer", cookies.len())),
    }
}
