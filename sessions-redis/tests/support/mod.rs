//! A server that answers as it is told: what a real one does once in a year, on demand.

// Each test file uses its own part.
#![allow(dead_code, reason = "shared by several test programs")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What the server does about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Sends these bytes.
    Answer(&'static str),
    /// Never answers.
    Silence,
    /// Closes the connection.
    Close,
    /// Keeps the connection, and reads nothing more from it.
    Deaf,
}

/// What a real server says to `HELLO`.
pub(crate) const HELLO: Behaviour = Behaviour::Answer("%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n");

/// Decides by the name of the command, its first argument and how often it was heard before.
type Script = dyn Fn(&str, &[u8], usize) -> Behaviour + Send + Sync;

/// A server on loopback, for as long as the value lives.
pub(crate) struct FakeServer {
    address: SocketAddr,
    heard: Arc<Heard>,
    accepting: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    connections: Mutex<usize>,
    commands: Mutex<HashMap<String, usize>>,
    changed: Notify,
}

impl FakeServer {
    /// Listens on a free port.
    pub(crate) async fn start(script: impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static) -> Self {
        Self::start_with(script, |stream| async { Some(stream) }).await
    }

    /// Listens on a free port, and decides by the first argument of a command, too.
    pub(crate) async fn start_on_keys(script: impl Fn(&str, &[u8]) -> Behaviour + Send + Sync + 'static) -> Self {
        let script = move |command: &str, key: &[u8], _| script(command, key);
        Self::listen(Arc::new(script), |stream| async { Some(stream) }).await
    }

    /// Listens on a free port, and does something to each connection before the first command, such as a TLS handshake.
    pub(crate) async fn start_with<S, F>(
        script: impl Fn(&str, usize) -> Behaviour + Send + Sync + 'static,
        prepare: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        Self::listen(Arc::new(move |command: &str, _: &[u8], before| script(command, before)), prepare).await
    }

    async fn listen<S, F>(script: Arc<Script>, prepare: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let heard = Arc::<Heard>::default();
        let hears = Arc::clone(&heard);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *hears.connections.lock().expect("no panic") += 1;
                let (prepared, script, hears) = (prepare(stream), Arc::clone(&script), Arc::clone(&hears));
                tokio::spawn(async move {
                    if let Some(stream) = prepared.await {
                        serve(stream, script, hears).await;
                    }
                });
            }
        });
        Self { address, heard, accepting }
    }

    /// Its URL, with a password that must not turn up anywhere.
    pub(crate) fn url(&self) -> String {
        format!("redis://:hunter2@{}/", self.address)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        *self.heard.connections.lock().expect("no panic")
    }

    /// How often it heard a command.
    pub(crate) fn heard(&self, command: &str) -> usize {
        self.heard.commands.lock().expect("no panic").get(command).copied().unwrap_or_default()
    }

    /// How many commands it heard.
    pub(crate) fn heard_in_all(&self) -> usize {
        self.heard.commands.lock().expect("no panic").values().sum()
    }

    /// Waits until it has heard a command.
    pub(crate) async fn hears(&self, command: &str) {
        while self.heard(command) == 0 {
            self.heard.changed.notified().await;
        }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, script: Arc<Script>, heard: Arc<Heard>) {
    let mut stream = BufReader::new(stream);
    while let Some((command, key)) = read_command(&mut stream).await {
        let before = {
            let mut commands = heard.commands.lock().expect("no panic");
            let count = commands.entry(command.clone()).or_default();
            *count += 1;
            *count - 1
        };
        heard.changed.notify_one();
        match script(&command, &key, before) {
            Behaviour::Answer(bytes) => {
                let stream = stream.get_mut();
                if stream.write_all(bytes.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Behaviour::Silence => {}
            Behaviour::Close => return,
            Behaviour::Deaf => std::future::pending().await,
        }
    }
}

/// The name of the next command and its first argument, if any; the others are read and forgotten.
async fn read_command(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<(String, Vec<u8>)> {
    let parts = read_number(stream, '*').await?;
    let mut first = Vec::new();
    for _ in 0..parts {
        let mut bytes = vec![0; read_number(stream, '$').await? + 2];
        stream.read_exact(&mut bytes).await.ok()?;
        bytes.truncate(bytes.len() - 2);
        if first.len() < 2 {
            first.push(bytes);
        }
    }
    let mut first = first.into_iter();
    Some((String::from_utf8(first.next()?).ok()?, first.next().unwrap_or_default()))
}

async fn read_number(stream: &mut (impl AsyncBufRead + Unpin), mark: char) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    line.strip_prefix(mark)?.trim_end().parse().ok()
}
