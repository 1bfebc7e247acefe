//! A client with a cookie jar, which is what a session looks at. Redirects are answers like any other.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, SET_COOKIE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The name of the session cookie, unless told otherwise.
const SESSION: &str = "__Host-session";

/// One browser, as far as servers can tell. A clone has a jar of its own, with the same cookies in it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
    headers: Vec<(HeaderName, String)>,
}

/// A response that has been read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// The same browser, at another server.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// A header of every request from now on.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((HeaderName::from_static(name), value.to_owned()));
        self
    }

    /// The value of the session cookie.
    pub(crate) fn token(&self) -> Option<&str> {
        self.cookie(SESSION)
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask(Method::POST, path, Some(form)).await
    }

    /// Sends a form, and then does what the answer says, as a browser does.
    pub(crate) async fn submit(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
        let location = answer.headers[LOCATION].to_str().expect("text").to_owned();
        self.get(location.split('#').next().expect("a path")).await
    }

    /// Sends a request and takes the cookies; the body is still to come.
    pub(crate) async fn open(
        &mut self,
        method: Method,
        path: &str,
        form: Option<&[(&str, &str)]>,
    ) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Full::<Bytes>::from(form.map(encoded).unwrap_or_default());
        let response = sender.send_request(request.body(body).expect("a request")).await.expect("an answer");
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.take_cookie(cookie.to_str().expect("text"));
        }
        response
    }

    async fn ask(&mut self, method: Method, path: &str, form: Option<&[(&str, &str)]>) -> Answer {
        let (head, body) = self.open(method, path, form).await.into_parts();
        let body = body.collect().await.expect("the whole body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status: head.status, headers: head.headers, body }
    }

    fn take_cookie(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').expect("attributes");
        let (name, value) = pair.split_once('=').expect("a pair");
        if attributes.contains("Max-Age=0;") {
            self.cookies.remove(name);
        } else {
            self.set_cookie(name, value);
        }
    }
}

impl Answer {
    /// The `Set-Cookie` headers.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().expect("text")).collect()
    }

    /// What stands between the tags of the element that has this attribute, as in `id="visits"`.
    pub(crate) fn text_of(&self, attribute: &str) -> Option<&str> {
        let (_, after) = self.body.split_once(&format!(" {attribute}>"))?;
        after.split('<').next()
    }

    /// A number there.
    pub(crate) fn number_of(&self, attribute: &str) -> u64 {
        let text = self.text_of(attribute).unwrap_or_else(|| panic!("{attribute} is in {}", self.body));
        text.parse().expect("a number")
    }

    /// The ids of the listed sessions, and whether each is this one.
    pub(crate) fn sessions(&self) -> Vec<(String, bool)> {
        let Some((_, list)) = self.body.split_once(r#"id="sessions""#) else { return Vec::new() };
        let list = list.split("</ul>").next().expect("a list");
        let id =
            |line: &str| line.split("/sessions/").nth(1).and_then(|rest| rest.split('/').next()).map(str::to_owned);
        list.split("<li>").skip(1).map(|line| (id(line).expect("an id"), line.contains("this one"))).collect()
    }
}

fn encoded(form: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}
