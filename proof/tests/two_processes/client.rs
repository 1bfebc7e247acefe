//! A client that keeps one cookie, and is told whether it was set.

use std::net::SocketAddr;

use http::header::{COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A whole answer, as far as these tests look at it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) cookies: Vec<String>,
    pub(crate) body: String,
}

impl Answer {
    /// The body of an answer that is as the handler made it and leaves the cookie alone.
    #[track_caller]
    pub(crate) fn quiet(&self) -> &str {
        assert_eq!((self.status, &self.cookies[..]), (StatusCode::OK, &[][..]), "{self:?}");
        &self.body
    }

    /// It says that its changes were lost, and leaves the cookie alone.
    #[track_caller]
    pub(crate) fn assert_lost(&self, what: &str) {
        assert_eq!(self.status, StatusCode::CONFLICT, "it came too late, {what}: {self:?}");
        assert!(self.cookies.is_empty() && self.body.is_empty(), "{what}: {self:?}");
    }
}

/// The cookie of one browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

impl Browser {
    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, server: SocketAddr, path: &str) -> Answer {
        let stream = TcpStream::connect(server).await.expect("the server listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("it speaks HTTP");
        let connection = tokio::spawn(connection);
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let request = request.body(Empty::<Bytes>::new()).expect("a valid request");
        let (head, body) = sender.send_request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("the whole body").to_bytes();
        connection.abort();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let cookies = head.headers.get_all(SET_COOKIE).iter().map(|value| text(value.as_bytes())).collect();
        Answer { status: head.status, cookies, body: text(&body) }
    }

    /// One request, whose cookies are kept.
    pub(crate) async fn visit(&mut self, server: SocketAddr, path: &str) -> Answer {
        let answer = self.ask(server, path).await;
        for cookie in &answer.cookies {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            self.cookie = (!attributes.contains("Max-Age=0;")).then(|| pair.to_owned());
        }
        answer
    }

    /// The text of the session's token.
    pub(crate) fn token(&self) -> Option<&str> {
        self.cookie.as_ref()?.split_once('=').map(|(_, token)| token)
    }
}
