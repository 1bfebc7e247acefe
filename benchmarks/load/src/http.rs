//! Requests to an application.

use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::Error;
use crate::connection::Connection;
use crate::latency::{Latencies, Window};
use crate::processor;

/// What is asked for.
pub(crate) struct Plan {
    pub(crate) port: u16,
    /// The application's.
    pub(crate) process: u32,
    pub(crate) path: String,
    /// How many sessions there are; each connection has its share and uses them in turn.
    pub(crate) sessions: usize,
    pub(crate) connections: usize,
    pub(crate) time: Duration,
}

/// What a connection does with the cookies that it is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookies {
    /// Sends none.
    None,
    /// Sends those of its sessions in turn.
    Keep,
    /// As before, and takes over what is set.
    Follow,
    /// Uses each up, and gets another.
    UseUp,
}

pub(crate) async fn run(plan: &Plan) -> Result<Value, Error> {
    let cookies = match plan.path.as_str() {
        "/new" => Cookies::None,
        "/login" => Cookies::Follow,
        "/destroy" => Cookies::UseUp,
        _ => Cookies::Keep,
    };
    let address = format!("127.0.0.1:{}", plan.port);
    let share = if cookies == Cookies::None { 0 } else { plan.sessions.div_ceil(plan.connections) };
    let mut prepared = Vec::new();
    for _ in 0..plan.connections {
        prepared.push((Connection::to(&address).await?, Vec::new()));
    }
    // All connections make their sessions at once.
    let mut preparing = JoinSet::new();
    for (mut connection, mut requests) in prepared {
        let path = plan.path.clone();
        preparing.spawn(async move {
            for _ in 0..share {
                let cookie = made(&mut connection).await?;
                requests.push(request(&path, cookie.as_deref()));
            }
            if requests.is_empty() {
                requests.push(request(&path, None));
            }
            Ok::<_, String>((connection, requests))
        });
    }
    let mut ready = Vec::new();
    while let Some(prepared) = preparing.join_next().await {
        ready.push(prepared??);
    }
    let window = Window::of(plan.time);
    let mut running = JoinSet::new();
    for (connection, requests) in ready {
        let path = plan.path.clone();
        running.spawn(async move { drive(connection, requests, cookies, &path, window).await });
    }
    let spent = tokio::spawn(processor::spent_within(plan.process, window));
    let mut all = Latencies::default();
    while let Some(latencies) = running.join_next().await {
        all.add(latencies??);
    }
    let answers = all.answers();
    let mut result = all.result(&window);
    if let (Some(spent), true) = (spent.await?, answers > 0) {
        result["processor_us"] = ((spent.as_nanos() / u128::from(answers) / 10) as f64 / 100.0).into();
    }
    Ok(result)
}

/// So many requests without a cookie, over so many connections.
pub(crate) async fn fill(port: u16, path: &str, count: usize, connections: usize) -> Result<Value, Error> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..connections {
        let mut connection = Connection::to(&format!("127.0.0.1:{port}")).await?;
        let share = count / connections + usize::from(number < count % connections);
        let request = request(path, None);
        running.spawn(async move {
            for _ in 0..share {
                let answer = connection.exchange(&request, length).await.map_err(|error| error.to_string())?;
                if !answer.starts_with(b"HTTP/1.1 200") {
                    return Err(String::from_utf8_lossy(answer).into_owned());
                }
            }
            Ok(())
        });
    }
    while let Some(filled) = running.join_next().await {
        filled??;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let per_second = (count as f64 / start.elapsed().as_secs_f64()).round();
    Ok(serde_json::json!({ "requests": count, "per_second": per_second }))
}

async fn drive(
    mut connection: Connection,
    mut requests: Vec<Vec<u8>>,
    cookies: Cookies,
    path: &str,
    window: Window,
) -> Result<Latencies, String> {
    let mut latencies = Latencies::default();
    let mut next = 0;
    loop {
        let sent = Instant::now();
        if window.is_over(sent) {
            return Ok(latencies);
        }
        let answer = connection.exchange(&requests[next], length).await.map_err(|error| error.to_string())?;
        let now = Instant::now();
        latencies.answered(&window, sent, now);
        if !answer.starts_with(b"HTTP/1.1 200") {
            latencies.wrong += 1;
        }
        match cookies {
            Cookies::Follow => {
                if let Some(cookie) = cookie_of(answer) {
                    requests[next] = request(path, Some(&cookie));
                }
            }
            Cookies::UseUp => {
                let cookie = made(&mut connection).await?;
                requests[next] = request(path, cookie.as_deref());
            }
            Cookies::None | Cookies::Keep => {}
        }
        next = (next + 1) % requests.len();
    }
}

/// Makes a session and returns its cookie; none, where the application has no sessions.
async fn made(connection: &mut Connection) -> Result<Option<Vec<u8>>, String> {
    let answer = connection.exchange(&request("/new", None), length).await.map_err(|error| error.to_string())?;
    match answer.get(9..12) {
        Some(b"200") => Ok(cookie_of(answer)),
        Some(b"404") => Ok(None),
        _ => Err("/new did not work".to_owned()),
    }
}

fn request(path: &str, cookie: Option<&[u8]>) -> Vec<u8> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n").into_bytes();
    if let Some(cookie) = cookie {
        request.extend([b"Cookie: ", cookie, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    request
}

/// The length of head and body, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = memmem::find(answer, b"\r\n\r\n")? + 4;
    let length = field(&answer[..head], b"\r\ncontent-length: ").next().and_then(|value| {
        let text = std::str::from_utf8(value).ok()?;
        text.parse::<usize>().ok()
    });
    Some(head + length.unwrap_or(0))
}

/// The pairs of all cookies that are set.
fn cookie_of(answer: &[u8]) -> Option<Vec<u8>> {
    let fields = field(answer, b"\r\nset-cookie: ");
    let pairs: Vec<&[u8]> = fields.map(|field| field.split(|byte| *byte == b';').next().unwrap_or_default()).collect();
    (!pairs.is_empty()).then(|| pairs.join(&b"; "[..]))
}

fn field<'a>(head: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    memmem::find_iter(head, name).map(move |at| {
        let value = &head[at + name.len()..];
        &value[..memmem::find(value, b"\r\n").unwrap_or(value.len())]
    })
}
