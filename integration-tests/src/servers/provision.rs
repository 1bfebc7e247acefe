//! The servers of a whole test run.

use std::collections::HashSet;

use tokio::task::JoinSet;

use super::error::ServerError;
use super::given::{WITHOUT, is_left_out};
use super::kind::Kind;
use super::server::{Options, Server};
use super::source::Source;

/// Which servers a test run needs, and how to have them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// Where those that are not given are to come from.
    pub source: Source,
    /// Those that are left out on purpose.
    pub without: HashSet<Kind>,
}

/// The servers of a test run; they go when this is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub struct Provisioned {
    /// For the tests: the addresses, and the choices that hold for the servers that they start themselves.
    pub environment: Vec<(&'static str, String)>,
    /// For people: each kind, and where its server comes from.
    pub report: Vec<(Kind, String)>,
    servers: Vec<Server>,
}

impl Plan {
    /// What the environment asks for.
    ///
    /// # Errors
    ///
    /// When the environment asks for a source that there is not.
    pub fn from_env() -> Result<Self, ServerError> {
        let without = Kind::ALL.into_iter().filter(|kind| is_left_out(*kind)).collect();
        Ok(Self { source: Source::from_env()?, without })
    }

    /// Starts what is not given, all at once, and waits until everything answers.
    ///
    /// # Errors
    ///
    /// One for each server that cannot be had. Those that could are taken down again.
    pub async fn start(&self) -> Result<Provisioned, Vec<ServerError>> {
        let mut provisioned = Provisioned { environment: Vec::new(), report: Vec::new(), servers: Vec::new() };
        let mut starting = JoinSet::new();
        for kind in Kind::ALL {
            if self.without.contains(&kind) {
                provisioned.report.push((kind, "LEFT OUT on purpose".into()));
            } else if std::env::var(kind.url_variable()).is_ok_and(|url| !url.is_empty()) {
                provisioned.report.push((kind, format!("given by {}", kind.url_variable())));
            } else {
                let options = Options { source: self.source, ..Options::default() };
                starting.spawn(async move { Server::start_with(kind, &options).await });
            }
        }
        let mut errors = Vec::new();
        for outcome in starting.join_all().await {
            match outcome {
                Ok(server) => provisioned.add(server),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        provisioned.report.sort_by_key(|(kind, _)| Kind::ALL.iter().position(|other| other == kind));
        provisioned.add_choices(self);
        Ok(provisioned)
    }
}

impl Provisioned {
    fn add(&mut self, server: Server) {
        self.environment.push((server.kind().url_variable(), server.url().to_owned()));
        self.report.push((server.kind(), server.origin().to_owned()));
        self.servers.push(server);
    }

    /// A test that starts a server of its own gets it from where these came from, without looking again.
    fn add_choices(&mut self, plan: &Plan) {
        let mut sources = self.servers.iter().map(Server::source);
        if let Some(first) = sources.next()
            && sources.all(|source| source == first)
        {
            self.environment.push((Source::VARIABLE, first.name().to_owned()));
        }
        // Kept as it was, plus ours: it may name things that are not servers.
        let given = std::env::var(WITHOUT).ok().filter(|names| !names.is_empty());
        let ours = Kind::ALL.into_iter().filter(|kind| plan.without.contains(kind) && !is_left_out(*kind));
        let ours = ours.map(|kind| kind.name().to_owned());
        self.environment.push((WITHOUT, given.into_iter().chain(ours).collect::<Vec<_>>().join(",")));
    }
}
