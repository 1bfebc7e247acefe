//! The proof: every harness of the package `sessions-proof` on real servers, and the figures that they print.

mod figures;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::arguments::Choice;
use crate::command::{cargo, output};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::steps::step;
use figures::Figures;

/// How the proof is run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The long version.
    pub(crate) long: bool,
    /// Whether the figures go into the page.
    pub(crate) write: bool,
}

/// Compiles everything as the tests are compiled, starts the servers, runs one harness after the other.
pub(crate) fn run(extent: &Extent, choice: &Choice) -> Result<(), Error> {
    for name in &choice.without {
        eprintln!("== LEFT OUT on purpose: {name}");
    }
    if extent.write && !choice.without.is_empty() {
        return Err(Error::Usage("--write is for figures of everything".into()));
    }
    let metadata = Metadata::read()?;
    let harnesses = step("compile the proof", || {
        let mut everything = cargo(&["test", "--workspace", "--all-features", "--no-run"]);
        harnesses(&output(everything.arg("--message-format=json-render-diagnostics"))?)
    })?;
    let start = Instant::now();
    let figures = step("start the servers and run the proof", || {
        let mut figures = Figures::default();
        let outcome = watch(&mut command(extent, choice, &metadata, &harnesses), &mut figures);
        outcome.map(|()| figures)
    })?;

    let took = start.elapsed();
    let path = metadata.target.join("proof.json");
    write(&path, &figures.json(extent.long, took))?;
    eprintln!("== {} figures in {:.0} s, kept in {}", figures.len(), took.as_secs_f32(), shown(&path, &metadata));
    if extent.write {
        let page = metadata.root.join(PAGE);
        let text = fs::read_to_string(&page).map_err(|error| Error::failed(format!("{PAGE}: {error}")))?;
        write(&page, &figures.written_into(&text, extent.long, took)?)?;
        eprintln!("== written into {PAGE}");
    }
    Ok(())
}

/// A program with tests of the proof.
#[derive(Debug, PartialEq, Eq)]
struct Harness {
    name: String,
    program: PathBuf,
}

/// Those that cargo says it has made, in the order of their names.
fn harnesses(messages: &str) -> Result<Vec<Harness>, Error> {
    let mut found: Vec<Harness> = messages.lines().filter_map(harness).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if found.is_empty() { Err(Error::failed(format!("cargo has made no tests of {PACKAGE}"))) } else { Ok(found) }
}

fn harness(message: &str) -> Option<Harness> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours = message["package_id"].as_str()?.contains(&format!("#{PACKAGE}@"));
    let is_test = message["profile"]["test"].as_bool()?;
    let (name, program) = (message["target"]["name"].as_str()?, message["executable"].as_str()?);
    (is_ours && is_test).then(|| Harness { name: name.replace('_', " "), program: program.into() })
}

/// The servers, and within them every harness, also after one that failed.
fn command(extent: &Extent, choice: &Choice, metadata: &Metadata, harnesses: &[Harness]) -> Command {
    let mut command = Command::new(metadata.target.join("debug/with-servers"));
    if !choice.servers_left_out().is_empty() {
        command.args(["--without", &choice.servers_left_out()]);
    }
    command.args(["--", "sh", "-c", EACH, "sh"]);
    for Harness { name, program } in harnesses {
        command.arg(name).arg(program);
    }
    command.current_dir(metadata.root.join("proof"));
    command.env("SESSIONS_TEST_WITHOUT", choice.left_out()).env("SESSIONS_PROOF", "1").env_remove(LONG);
    if extent.long {
        command.env(LONG, "1");
    }
    command
}

/// Runs it to its end, shows what it prints, and takes the figures.
fn watch(command: &mut Command, figures: &mut Figures) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::failed(format!("cannot run the proof: {error}"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (mut failures, mut current, mut since) = (Vec::new(), None, Instant::now());
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(failed)?;
        match line.split_once(": ") {
            Some(("begin", name)) => {
                (current, since) = (Some(name.to_owned()), Instant::now());
                eprintln!("\n== {name}");
            }
            Some(("end", verdict)) => {
                let name = current.take().unwrap_or_default();
                eprintln!("== {name}: {verdict}, {:.1} s", since.elapsed().as_secs_f32());
                if verdict != "ok" {
                    failures.push(name);
                }
            }
            _ => {
                figures.take(&line);
                eprintln!("{line}");
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    match (failures.is_empty(), status.success()) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::failed(format!("the proof ended with {status}"))),
        (false, _) => Err(Error::failed(format!("failed: {}", failures.join(", ")))),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| Error::failed(format!("{}: {error}", path.display())))
}

/// A path below the workspace's, as one would type it there.
fn shown(path: &Path, metadata: &Metadata) -> String {
    path.strip_prefix(&metadata.root).unwrap_or(path).display().to_string()
}

/// Whole minutes and seconds.
fn minutes(took: Duration) -> String {
    format!("{} min {} s", took.as_secs() / 60, took.as_secs() % 60)
}

const PACKAGE: &str = "sessions-proof";
const LONG: &str = "SESSIONS_PROOF_LONG";
const PAGE: &str = "docs/proof.md";

/// Pairs of names and programs. What the programs print is not kept back: it shows how far they are.
const EACH: &str = r#"
status=0
while [ $# -gt 0 ]; do
    echo "begin: $1"
    if "$2" --nocapture; then echo "end: ok"; else echo "end: FAILED"; status=1; fi
    shift 2
done
exit $status
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::shell;

    #[test]
    fn harnesses_are_what_cargo_has_made_of_the_package() {
        let message = |package: &str, name: &str, test: bool| {
            format!(
                r#"{{"package_id":"path+file:///w/x#{package}@0.1.0","profile":{{"test":{test}}},"target":{{"name":"{name}"}},"executable":"/t/{name}-1"}}"#
            )
        };
        let lines = [
            message(PACKAGE, "two_processes", true),
            message(PACKAGE, "faults", true),
            message(PACKAGE, "helper", false),
            message("sessions-core", "sessions_core", true),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = harnesses(&lines.join("\n")).expect("two of them");
        let names: Vec<&str> = found.iter().map(|harness| &*harness.name).collect();
        assert_eq!(names, ["faults", "two processes"]);
        assert!(harnesses("").is_err());
    }

    #[test]
    fn every_harness_is_run_and_every_failure_named() {
        let mut figures = Figures::default();
        let run = |programs: &[&str], figures: &mut Figures| watch(&mut shell(EACH, programs), figures);
        let echo = ["printer", "echo"];
        assert_eq!(run(&echo, &mut figures), Ok(()));
        let error = run(&["one", "false", "printer", "echo", "two", "false"], &mut figures).expect_err("two fail");
        assert_eq!(error.to_string(), "failed: one, two");
        assert_eq!(figures.len(), 0);
        assert!(watch(&mut shell("exit 3", &[]), &mut figures).is_err());
        assert_eq!(watch(&mut shell("echo 'proof: it: works'", &[]), &mut figures), Ok(()));
        assert_eq!(figures.len(), 1);
    }
}
