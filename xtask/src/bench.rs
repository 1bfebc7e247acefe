//! The benchmarks, in their own workspace.

use std::path::Path;
use std::process::Command;

use crate::command::{cargo, output, run as run_command};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::packages;
use crate::steps::step;

/// What of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bench {
    /// Everything, within ten minutes.
    Quick,
    /// Everything, at length.
    Full,
    /// The page alone, from the results of this name.
    Page(String),
    /// The instructions of a request, against what is written down; or writes that.
    Guard { is_written: bool },
}

/// What the words after `bench` ask for.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Bench, Error> {
    let words: Vec<String> = words.collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["--quick"] => Ok(Bench::Quick),
        ["--full"] => Ok(Bench::Full),
        ["--page"] => Ok(Bench::Page("quick".into())),
        ["--page", name @ ("quick" | "full")] => Ok(Bench::Page(name.into())),
        ["--guard"] => Ok(Bench::Guard { is_written: false }),
        ["--guard", "--write"] => Ok(Bench::Guard { is_written: true }),
        _ => Err(Error::Usage(format!("bench takes no {}", words.join(" ")))),
    }
}

/// Compiles what it needs, starts the servers if it needs them, and runs it.
pub(crate) fn run(bench: &Bench) -> Result<(), Error> {
    let metadata = Metadata::read()?;
    let folder = metadata.root.join("benchmarks");
    let driver = folder.join("target/release/bench-driver");
    match bench {
        Bench::Page(name) => {
            compile(&folder, &["--package", "bench-driver"])?;
            run_command(Command::new(driver).args(["page", name]))
        }
        Bench::Guard { is_written } => {
            step("callgrind", packages::valgrind)?;
            compile(&folder, &["--package", "bench-driver", "--package", "bench-ours"])?;
            let mut guard = Command::new(driver);
            guard.arg("guard").args(is_written.then_some("write"));
            step("count instructions", || run_command(&mut guard))
        }
        Bench::Quick | Bench::Full => {
            step("callgrind", packages::valgrind)?;
            compile(&folder, &["--workspace"])?;
            step("compile the servers", || run_command(&mut cargo(&SERVERS)))?;
            let servers = metadata.target.join("debug/with-servers");
            let mut measure = with_servers(&servers);
            measure.arg("--").arg(driver).arg(if *bench == Bench::Full { "full" } else { "quick" });
            step("start the servers and measure", || run_command(&mut measure))
        }
    }
}

fn compile(folder: &Path, packages: &[&str]) -> Result<(), Error> {
    let mut build = cargo(&["build", "--release", "--locked", "--target-dir", "target"]);
    build.args(packages).current_dir(folder);
    step("compile the benchmarks", || run_command(&mut build))
}

/// Processes, unless the environment says otherwise or there are none to be had: the way into a container may be longer than
/// that into the server.
fn with_servers(servers: &Path) -> Command {
    let command = |from: &[&str]| {
        let mut command = Command::new(servers);
        command.args(from).args(["--without", "redis-cluster,mysql"]);
        command
    };
    let is_chosen = std::env::var_os("SESSIONS_TEST_SERVERS").is_some();
    if !is_chosen && output(command(&PROCESSES).args(["--", "true"])).is_ok() {
        return command(&PROCESSES);
    }
    command(&[])
}

const PROCESSES: [&str; 2] = ["--from", "processes"];
/// As the tests have it, so that it is compiled once.
const SERVERS: [&str; 5] = ["build", "--workspace", "--all-features", "--bin", "with-servers"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Bench, Error> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn quick_is_what_nothing_means() {
        assert_eq!(parsed(""), Ok(Bench::Quick));
        assert_eq!(parsed("--quick"), Ok(Bench::Quick));
        assert_eq!(parsed("--full"), Ok(Bench::Full));
        assert_eq!(parsed("--page"), Ok(Bench::Page("quick".into())));
        assert_eq!(parsed("--guard"), Ok(Bench::Guard { is_written: false }));
        assert_eq!(parsed("--guard --write"), Ok(Bench::Guard { is_written: true }));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["--fast", "--page slow", "--write", "--full --quick"] {
            assert_eq!(parsed(line).expect_err(line).exit_code(), 2, "{line}");
        }
    }
}
