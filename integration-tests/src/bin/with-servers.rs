//! Starts the servers that the tests need, runs a command, and takes the servers down again.
//!
//! See the module `servers` of this crate for where they come from and what the command finds in its environment.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sessions_conformance::servers::{Kind, Plan, Source};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

const USAGE: &str = "usage: with-servers [--from containers|processes] [--without NAME,…] [--] COMMAND [ARGUMENT…]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Usage(text)) => {
            eprintln!("with-servers: {text}");
            ExitCode::from(2)
        }
        Err(Failure::Servers(lines)) => {
            for line in lines {
                eprintln!("with-servers: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    Usage(String),
    Servers(Vec<String>),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Servers(vec![error.to_string()])
    }
}

async fn run() -> Result<u8, Failure> {
    let mut plan = Plan::from_env()?;
    let command = parse(std::env::args().skip(1), &mut plan).map_err(Failure::Usage)?;
    let mut end = Ends::new()?;

    let start = Instant::now();
    let provisioned = tokio::select! {
        provisioned = plan.start() => provisioned
            .map_err(|errors| Failure::Servers(errors.iter().map(ToString::to_string).collect()))?,
        number = end.next() => return Ok(128 + number),
    };
    for (kind, origin) in &provisioned.report {
        eprintln!("servers: {kind:14}{origin}");
    }
    eprintln!("servers: up in {:.1} s", start.elapsed().as_secs_f32());

    let mut child = Command::new(&command[0]);
    child.args(&command[1..]).envs(provisioned.environment.iter().map(|(name, value)| (name, value)));
    // At a terminal the command stays in the group that Ctrl-C goes to. Elsewhere it gets a group of its own, to end.
    let in_group = !std::io::stdin().is_terminal();
    if in_group {
        child.process_group(0);
    }
    let mut child =
        child.spawn().map_err(|error| Failure::Servers(vec![format!("cannot run {}: {error}", command[0])]))?;
    let status = tokio::select! {
        status = child.wait() => status?,
        number = end.next() => {
            eprintln!("servers: interrupted, taking them down");
            finish(&mut child, in_group).await?;
            return Ok(128 + number);
        }
    };
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Ends the command: politely, with everything that it started, then not.
async fn finish(child: &mut Child, in_group: bool) -> std::io::Result<()> {
    if let (true, Some(group)) = (in_group, child.id()) {
        Command::new("sh").args(["-c", "kill -s TERM -- \"-$1\"", "sh", &group.to_string()]).status().await?;
    }
    if timeout(GRACE, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

/// The options go into the plan; the rest is the command.
fn parse(arguments: impl Iterator<Item = String>, plan: &mut Plan) -> Result<Vec<String>, String> {
    let mut arguments = arguments.peekable();
    while let Some(option) = arguments.next_if(|argument| argument.starts_with('-')) {
        let mut value = |what| arguments.next().ok_or(format!("{option} needs {what}; {USAGE}"));
        match option.as_str() {
            "--" => break,
            "--from" => {
                let name = value("containers or processes")?;
                plan.source = Source::named(&name).ok_or(format!("--from {name}: say containers or processes"))?;
            }
            "--without" => {
                for name in value("names")?.split(',') {
                    plan.without.insert(Kind::named(name).ok_or(format!("--without {name}: say {}", names()))?);
                }
            }
            _ => return Err(format!("unknown option {option}; {USAGE}")),
        }
    }
    let command: Vec<String> = arguments.collect();
    if command.is_empty() { Err(format!("no command; {USAGE}")) } else { Ok(command) }
}

fn names() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

/// The signals that ask us to end.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Ends {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hang_up.recv() => 1,
        }
    }
}

/// How long an interrupted command may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
