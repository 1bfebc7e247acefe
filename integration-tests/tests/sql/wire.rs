//! A wire between a store and its server that is listened to: what the store sends, round trip by round trip. Pings are in no
//! statistics of a server; here they are.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use sessions_conformance::servers::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What the client asked, once it was connected: one entry for each time that it waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Round {
    /// A statement is prepared, once on each connection.
    Prepare,
    /// A prepared statement is run.
    Execute,
    /// Anything else: a ping, a statement that was not prepared.
    Other,
}

/// Listens on one wire.
#[derive(Debug)]
pub(crate) struct Wire {
    port: u16,
    heard: Heard,
    task: tokio::task::JoinHandle<()>,
}

type Heard = Arc<Mutex<Vec<Round>>>;

impl Wire {
    /// A wire to the server at `port`.
    pub(crate) async fn to(kind: Kind, port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let (heard, own_port) = (Heard::default(), listener.local_addr().expect("an address").port());
        let log = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("the server");
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                let log = Arc::clone(&log);
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                tokio::spawn(async move {
                    match kind {
                        Kind::Postgres => postgres(from_client, to_server, &log).await,
                        _ => mysql(from_client, to_server, &log).await,
                    }
                });
            }
        });
        Self { port: own_port, heard, task }
    }

    /// The address of the server, through this wire.
    pub(crate) fn through(&self, url: &str) -> String {
        url.replace(&format!(":{}/", super::port_of(url)), &format!(":{}/", self.port))
    }

    /// What was heard since the last time.
    pub(crate) fn take(&self) -> BTreeMap<Round, usize> {
        let mut counts = BTreeMap::new();
        for round in std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner)) {
            *counts.entry(round).or_default() += 1;
        }
        counts
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn push(log: &Heard, round: Round) {
    log.lock().unwrap_or_else(PoisonError::into_inner).push(round);
}

/// Messages are a letter, a length and a body, but for the first one, which has no letter. `S` (sync) and `Q` (query) are what the
/// client waits after.
async fn postgres(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, log: &Heard) -> Option<()> {
    const START: u32 = 3 << 16;
    loop {
        let length = client.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await.ok()?;
        server.write_all(&[&length.to_be_bytes()[..], &body].concat()).await.ok()?;
        // Before it, the client may ask for TLS, which these servers do not have.
        if body.starts_with(&START.to_be_bytes()) {
            break;
        }
    }
    let mut round = String::new();
    loop {
        let letter = client.read_u8().await.ok()?;
        let length = client.read_u32().await.ok()?;
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await.ok()?;
        // Heard before it is passed on: who has the answer finds the question here.
        match letter {
            b'S' | b'Q' => {
                let round = std::mem::take(&mut round);
                push(
                    log,
                    if round.contains('E') {
                        Round::Execute
                    } else if round.contains('P') {
                        Round::Prepare
                    } else {
                        Round::Other
                    },
                );
            }
            // Passwords and farewells are no questions of the store's.
            b'p' | b'X' => {}
            letter => round.push(char::from(letter)),
        }
        server.write_all(&[&[letter][..], &length.to_be_bytes(), &body].concat()).await.ok()?;
    }
}

/// Packets are a length of three bytes, a number and a body. Number 0 begins a command, whose first byte says which; what is
/// numbered on belongs to the greeting.
async fn mysql(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, log: &Heard) -> Option<()> {
    const QUIT: u8 = 0x01;
    const PREPARE: u8 = 0x16;
    const EXECUTE: u8 = 0x17;
    const LARGEST: usize = 0xff_ff_ff;
    let mut continued = false;
    loop {
        let mut head = [0; 4];
        client.read_exact(&mut head).await.ok()?;
        let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        let mut body = vec![0; length];
        client.read_exact(&mut body).await.ok()?;
        if head[3] == 0 && !continued {
            match body.first() {
                Some(&QUIT) => {}
                Some(&PREPARE) => push(log, Round::Prepare),
                Some(&EXECUTE) => push(log, Round::Execute),
                _ => push(log, Round::Other),
            }
        }
        continued = length == LARGEST;
        server.write_all(&[&head[..], &body].concat()).await.ok()?;
    }
}
