//! Connections that are cut in the middle, and writes that arrive late: what networks do, often and from a seed.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a connection ends, at one message of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The message does not arrive.
    Before,
    /// A part of it arrives.
    Torn,
    /// It arrives, and the answer does not.
    Unanswered,
    /// A part of the answer arrives.
    HalfAnswered,
    /// The client learns that the connection is gone. The message is on its way all the same, and arrives later.
    Late,
    /// It arrives; the answer does not, and nobody says so. The client has to give up by itself.
    Silent,
}

impl Fate {
    const ALL: [Self; 6] = [Self::Before, Self::Torn, Self::Unanswered, Self::HalfAnswered, Self::Late, Self::Silent];

    fn random(random: &mut fastrand::Rng) -> Self {
        // Silence takes a deadline's time each: seldom.
        match random.u8(..40) {
            0..5 => Self::Before,
            5..10 => Self::Torn,
            10..20 => Self::Unanswered,
            20..28 => Self::HalfAnswered,
            28..39 => Self::Late,
            _ => Self::Silent,
        }
    }
}

/// Stands between clients and a server, as long as it lives.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug)]
struct State {
    random: fastrand::Rng,
    cutting: bool,
    cuts: Cuts,
}

/// What those wait for who hold a message back.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Messages of clients that have passed.
    passed: u64,
    /// Messages that are held back.
    held: usize,
    /// Whether nothing is held back any more.
    released: bool,
}

/// How many connections ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cuts([usize; Fate::ALL.len()]);

impl Proxy {
    /// Listens on a free port for a server at `host:port`. Nothing is cut yet.
    ///
    /// # Panics
    ///
    /// When there is no free port.
    pub async fn start(upstream: impl Into<String>, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let state = State { random: fastrand::Rng::with_seed(seed), cutting: false, cuts: Cuts::default() };
        let progress = watch::Sender::new(Progress::default());
        let shared = Arc::new(Shared { upstream: upstream.into(), state: Mutex::new(state), progress });
        let carrier = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&carrier);
                // How a connection ends is for its two ends to see.
                tokio::spawn(async move { shared.carry(client).await.ok() });
            }
        });
        Self { address, shared, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to cut connections, also those that are there.
    pub fn cut(&self) {
        self.shared.progress.send_modify(|progress| progress.released = false);
        self.shared.state().cutting = true;
    }

    /// Cuts nothing any more, and delivers what was held back.
    pub async fn calm_down(&self) {
        self.shared.state().cutting = false;
        self.shared.progress.send_modify(|progress| progress.released = true);
        // The sender lives as long as this does.
        let _ = self.shared.progress.subscribe().wait_for(|progress| progress.held == 0).await;
    }

    /// What it has done so far.
    #[must_use]
    pub fn cuts(&self) -> Cuts {
        self.shared.state().cuts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a connection ends, if it is its turn at this message.
    fn fate(&self, left: &mut u32) -> Option<Fate> {
        self.progress.send_modify(|progress| progress.passed += 1);
        let mut state = self.state();
        *left = left.saturating_sub(1);
        if !state.cutting || *left > 0 {
            return None;
        }
        let fate = Fate::random(&mut state.random);
        state.cuts.0[fate as usize] += 1;
        Some(fate)
    }

    async fn carry(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut server = TcpStream::connect(&self.upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (mut asked, mut answered) = (vec![0; CHUNK], vec![0; CHUNK]);
        let mut left = self.state().random.u32(MESSAGES);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let message = &asked[..read?];
                    if message.is_empty() {
                        return Ok(());
                    }
                    if let Some(fate) = self.fate(&mut left) {
                        return self.end(fate, client, server, message).await;
                    }
                    server.write_all(message).await?;
                }
                read = server.read(&mut answered) => {
                    let answer = &answered[..read?];
                    if answer.is_empty() {
                        return Ok(());
                    }
                    client.write_all(answer).await?;
                }
            }
        }
    }

    async fn end(&self, fate: Fate, client: TcpStream, server: TcpStream, message: &[u8]) -> std::io::Result<()> {
        let (mut client, mut server) = (client, server);
        let mut answer = vec![0; CHUNK];
        match fate {
            Fate::Before => Ok(()),
            Fate::Torn => server.write_all(&message[..message.len() / 2]).await,
            Fate::Unanswered | Fate::HalfAnswered => {
                server.write_all(message).await?;
                let read = server.read(&mut answer).await?;
                let arrives = if fate == Fate::HalfAnswered { read / 2 } else { 0 };
                client.write_all(&answer[..arrives]).await
            }
            Fate::Silent => {
                server.write_all(message).await?;
                // Until the client gives up, or sends on.
                client.read(&mut answer).await.map(drop)
            }
            Fate::Late => {
                drop(client);
                self.deliver_late(server, message).await
            }
        }
    }

    async fn deliver_late(&self, mut server: TcpStream, message: &[u8]) -> std::io::Result<()> {
        let delay = self.state().random.u64(DELAY);
        self.progress.send_modify(|progress| progress.held += 1);
        let due = self.progress.borrow().passed + delay;
        let mut progress = self.progress.subscribe();
        // The sender lives as long as this does.
        let _ = progress.wait_for(|progress| progress.released || progress.passed >= due).await;
        let delivered = async {
            server.write_all(message).await?;
            server.shutdown().await?;
            // The server has done what it was asked when it closes its side, too.
            server.read_to_end(&mut Vec::new()).await
        };
        let outcome = delivered.await;
        self.progress.send_modify(|progress| progress.held -= 1);
        outcome.map(drop)
    }
}

impl std::ops::AddAssign for Cuts {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}

impl Cuts {
    /// How many connections were cut.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}

impl fmt::Display for Cuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} connections cut (", self.total())?;
        for (at, (fate, count)) in Fate::ALL.iter().zip(self.0).enumerate() {
            write!(f, "{}{count} {fate:?}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}

/// A URL with another host and port.
///
/// # Panics
///
/// When the URL names no `host:port`.
#[must_use]
pub fn through(url: &str, addresses: &[SocketAddr]) -> String {
    let upstream = upstream(url);
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    url.replacen(&upstream, &addresses.join(","), 1)
}

/// The `host:port` of a URL.
///
/// # Panics
///
/// When it names none.
#[must_use]
pub fn upstream(url: &str) -> String {
    let (_, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    assert!(host.contains(':'), "the test needs the server's address as host:port");
    host.to_owned()
}

/// More than the longest message, so that most are one.
const CHUNK: usize = 64 * 1024;
/// How many messages of the client a connection carries.
const MESSAGES: std::ops::RangeInclusive<u32> = 4..=120;
/// After how many messages of others a late one arrives.
const DELAY: std::ops::RangeInclusive<u64> = 1..=40;

#[cfg(test)]
mod tests;
