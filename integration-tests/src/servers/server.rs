//! A server of one's own.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::container::Container;
use super::endpoint::Endpoint;
use super::error::ServerError;
use super::kind::Kind;
use super::process::Process;
use super::ready::{Stage, has_reached};
use super::redis::form_cluster;
use super::source::Source;

/// A server that this test started and may break. It goes, with its data, when it is dropped.
///
/// ```no_run
/// use sessions_conformance::servers::{Kind, Server, ServerError};
///
/// # async fn test() -> Result<(), ServerError> {
/// let mut server = Server::start(Kind::Postgres).await?;
/// println!("{}", server.url());
/// server.kill().await?; // what was committed stays
/// server.restart().await?; // at the same address
/// # Ok(())
/// # }
/// ```
pub struct Server {
    pub(super) endpoint: Endpoint,
    origin: String,
    url: String,
    pub(super) backend: Backend,
}

pub(super) enum Backend {
    Container(Box<Container>),
    Process(Box<Process>),
}

/// How a [`Server`] is started.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Where it is to come from.
    pub source: Source,
    /// More options for the server program, such as `--maxmemory 1mb`.
    pub arguments: Vec<String>,
}

impl Options {
    /// What the environment asks for, and no more options.
    ///
    /// # Errors
    ///
    /// When the environment asks for a source that there is not.
    pub fn from_env() -> Result<Self, ServerError> {
        Ok(Self { source: Source::from_env()?, arguments: Vec::new() })
    }

    /// Adds an option for the server program.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }
}

impl Server {
    /// Starts a server from where the environment says, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it cannot be had; the text says what to do.
    pub async fn start(kind: Kind) -> Result<Self, ServerError> {
        Self::start_with(kind, &Options::from_env()?).await
    }

    /// Starts a server with options, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it cannot be had; the text says what to do.
    pub async fn start_with(kind: Kind, options: &Options) -> Result<Self, ServerError> {
        let reason = match options.source {
            Source::Processes => return Self::process(kind, options, None).await,
            Source::Containers => return Self::container(kind, options).await.map_err(|error| hint(kind, &error)),
            Source::Any => match Self::container(kind, options).await {
                Ok(server) => return Ok(server),
                Err(reason) => reason,
            },
        };
        Self::process(kind, options, Some(reason)).await
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.endpoint.kind
    }

    /// Its address, with its password. Of a cluster, the first node's.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it comes from, in words for people.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where it comes from: [`Source::Containers`] or [`Source::Processes`].
    #[must_use]
    pub fn source(&self) -> Source {
        match self.backend {
            Backend::Container(_) => Source::Containers,
            Backend::Process(_) => Source::Processes,
        }
    }

    /// Kills it at once (`SIGKILL`), all of its processes. What it had answered is on its disk.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub async fn kill(&mut self) -> Result<(), ServerError> {
        match &mut self.backend {
            Backend::Container(container) => container.kill().await,
            Backend::Process(process) => process.signal("KILL"),
        }
    }

    /// Freezes it: connections stay open and are not answered, new ones may be accepted and are not answered either.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub async fn pause(&mut self) -> Result<(), ServerError> {
        match &mut self.backend {
            Backend::Container(container) => container.pause().await,
            Backend::Process(process) => process.signal("STOP"),
        }
    }

    /// Lets a paused server go on where it was.
    ///
    /// # Errors
    ///
    /// When it is not running.
    pub async fn resume(&mut self) -> Result<(), ServerError> {
        match &mut self.backend {
            Backend::Container(container) => container.resume().await,
            Backend::Process(process) => process.signal("CONT"),
        }
    }

    /// Starts it again at the same address with the same data, after killing it if it still runs, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it does not come up again.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        if !self.has_ended().await {
            self.kill().await?;
        }
        match &mut self.backend {
            Backend::Container(container) => container.start_again().await?,
            Backend::Process(process) => process.start_again()?,
        }
        self.wait(Stage::Ready).await
    }

    async fn container(kind: Kind, options: &Options) -> Result<Self, ServerError> {
        let endpoint = Endpoint::choose(kind)?;
        let (container, origin) = Container::start(&endpoint, &options.arguments).await?;
        Self::up(endpoint, origin, Backend::Container(Box::new(container))).await
    }

    async fn process(kind: Kind, options: &Options, reason: Option<ServerError>) -> Result<Self, ServerError> {
        let endpoint = Endpoint::choose(kind)?;
        let because = reason.as_ref().map(|reason| format!("; no container: {reason}")).unwrap_or_default();
        let start = async {
            let (process, origin) = Process::start(&endpoint, &options.arguments).await?;
            Self::up(endpoint, format!("{origin}{because}"), Backend::Process(Box::new(process))).await
        };
        start.await.map_err(|error| hint(kind, &format!("{error}{because}")))
    }

    async fn up(endpoint: Endpoint, origin: String, backend: Backend) -> Result<Self, ServerError> {
        let url = endpoint.url();
        let mut server = Self { endpoint, origin, url, backend };
        if server.kind() == Kind::RedisCluster {
            server.wait(Stage::Up).await?;
            form_cluster(&server.endpoint).await?;
        }
        server.wait(Stage::Ready).await?;
        Ok(server)
    }

    /// Polls until it has come as far as this. A server that has ended, or does not come up in time, is an error with its last words.
    async fn wait(&mut self, stage: Stage) -> Result<(), ServerError> {
        let deadline = Instant::now() + PATIENCE;
        while !has_reached(stage, &self.endpoint).await {
            let ended = self.has_ended().await;
            if ended || Instant::now() > deadline {
                let fate = if ended { "ended" } else { "does not come up" };
                return Err(ServerError::new(format!(
                    "{} {fate}; it said\n{}",
                    self.kind(),
                    last_lines(&self.log().await)
                )));
            }
            sleep(BETWEEN_CHECKS).await;
        }
        Ok(())
    }

    async fn has_ended(&mut self) -> bool {
        match &mut self.backend {
            Backend::Container(container) => container.has_ended().await,
            Backend::Process(process) => process.has_ended(),
        }
    }

    pub(super) async fn log(&self) -> String {
        match &self.backend {
            Backend::Container(container) => container.log().await,
            Backend::Process(process) => process.log(),
        }
    }
}

/// Without the address, which holds the password.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, origin, url: _, backend: _ } = self;
        f.debug_struct("Server").field("endpoint", endpoint).field("origin", origin).finish_non_exhaustive()
    }
}

fn hint(kind: Kind, reason: &dyn fmt::Display) -> ServerError {
    let (variable, packages) = (kind.url_variable(), kind.packages().join(" "));
    ServerError::new(format!(
        "no {kind} server to test on: start a container engine, or install {packages}, or set {variable}, or leave it out \
         with --without {kind}. Reason: {reason}"
    ))
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// How long a server may take to come up: a first start on a busy machine, with its initial files to write.
const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_CHECKS: Duration = Duration::from_millis(50);
