//! The command line.

use std::collections::BTreeSet;

use crate::bench::{self, Bench};
use crate::error::Error;
use crate::proof::Extent;

/// What `help` prints.
pub(crate) const USAGE: &str = "\
cargo xtask COMMAND

  test [--without NAME,…] [-- ARGUMENT…]
             run every test of the workspace; start the servers they need, install what is missing where that is allowed.
             NAME leaves something out: redis, redis-cluster, postgres, mysql, browser. What follows -- goes to cargo test.
  proof [--long] [--write] [--without NAME,…]
             run the whole package sessions-proof and keep the figures in target/proof.json; --long tries far more of
             what is random, --write puts the figures into docs/proof.md
  bench [--quick | --full | --page [NAME] | --guard [--write]]
             measure against the peers and write docs/benchmarks.md: --quick, which is the default, within ten minutes once
             it is compiled, --full at length; --page writes it anew from benchmarks/results; --guard compares what a request
             executes with benchmarks/guard.json
  check      everything but the tests: format, lints with each feature alone, documentation, licences, house rules
  ci [--without NAME,…]
             check, then test
  images     make the container image of the servers from the distribution's packages; needs root
  help       this text

Servers come from SESSIONS_TEST_REDIS_URL, …_REDIS_CLUSTER_URL, …_POSTGRES_URL and …_MYSQL_URL if those are set, else from
containers, else from private processes. SESSIONS_TEST_SERVERS=containers or =processes allows only the one.
";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Test(Choice),
    Proof(Extent, Choice),
    Bench(Bench),
    Check,
    Ci(Choice),
    Images,
}

/// What the tests run with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Left out on purpose.
    pub(crate) without: BTreeSet<&'static str>,
    /// For `cargo test`.
    pub(crate) arguments: Vec<String>,
}

impl Choice {
    /// The servers among what is left out, with commas between them.
    pub(crate) fn servers_left_out(&self) -> String {
        join(self.without.iter().filter(|name| **name != BROWSER))
    }

    /// All that is left out, with commas between them.
    pub(crate) fn left_out(&self) -> String {
        join(self.without.iter())
    }

    pub(crate) fn has_browser(&self) -> bool {
        !self.without.contains(BROWSER)
    }
}

/// What the words on the command line ask for.
pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Task, Error> {
    let mut words = words.into_iter();
    let command = words.next().unwrap_or_else(|| "help".into());
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "test" => Ok(Task::Test(choice(words)?)),
        "ci" => match choice(words)? {
            choice if choice.arguments.is_empty() => Ok(Task::Ci(choice)),
            _ => Err(Error::Usage("ci takes no arguments for cargo test".into())),
        },
        "proof" => proof(words),
        "bench" => bench::parse(words).map(Task::Bench),
        "check" => nothing_more("check", words).map(|()| Task::Check),
        "images" => nothing_more("images", words).map(|()| Task::Images),
        other => Err(Error::Usage(format!("unknown command {other}"))),
    }
}

fn proof(words: impl Iterator<Item = String>) -> Result<Task, Error> {
    let mut extent = Extent::default();
    let mut rest = Vec::new();
    for word in words {
        match &*word {
            "--long" => extent.long = true,
            "--write" => extent.write = true,
            _ => rest.push(word),
        }
    }
    match choice(rest.into_iter())? {
        choice if choice.arguments.is_empty() => Ok(Task::Proof(extent, choice)),
        _ => Err(Error::Usage("proof takes no arguments for cargo test".into())),
    }
}

fn choice(mut words: impl Iterator<Item = String>) -> Result<Choice, Error> {
    let mut choice = Choice::default();
    while let Some(word) = words.next() {
        let names = match word.split_once('=') {
            Some(("--without", names)) => names.to_owned(),
            _ if word == "--without" => words.next().ok_or_else(|| Error::Usage("--without needs names".into()))?,
            _ if word == "--" => {
                choice.arguments.extend(words);
                break;
            }
            _ => return Err(Error::Usage(format!("unknown option {word}"))),
        };
        for name in names.split(',') {
            let known = NAMES.iter().find(|known| **known == name.trim());
            let unknown = || Error::Usage(format!("--without {name}: say {}", NAMES.join(", ")));
            choice.without.insert(known.ok_or_else(unknown)?);
        }
    }
    Ok(choice)
}

fn nothing_more(command: &str, mut words: impl Iterator<Item = String>) -> Result<(), Error> {
    match words.next() {
        None => Ok(()),
        Some(word) => Err(Error::Usage(format!("{command} takes no {word}"))),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a &'static str>) -> String {
    names.copied().collect::<Vec<_>>().join(",")
}

const BROWSER: &str = "browser";
const NAMES: [&str; 5] = ["redis", "redis-cluster", "postgres", "mysql", BROWSER];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, Error> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_are_known() {
        assert_eq!(parsed(""), Ok(Task::Help));
        assert_eq!(parsed("--help"), Ok(Task::Help));
        assert_eq!(parsed("check"), Ok(Task::Check));
        assert_eq!(parsed("images"), Ok(Task::Images));
        assert_eq!(parsed("ci"), Ok(Task::Ci(Choice::default())));
        assert_eq!(parsed("test"), Ok(Task::Test(Choice::default())));
    }

    #[test]
    fn things_are_left_out_by_name() {
        for line in
            ["test --without redis,browser", "test --without=browser,redis", "test --without redis --without browser"]
        {
            let Ok(Task::Test(choice)) = parsed(line) else { panic!("{line}") };
            assert_eq!(choice.left_out(), "browser,redis");
            assert_eq!(choice.servers_left_out(), "redis");
            assert!(!choice.has_browser());
        }
    }

    #[test]
    fn the_proof_is_short_or_long() {
        let extent = |line| match parsed(line) {
            Ok(Task::Proof(Extent { long, write }, choice)) => (long, write, choice.left_out()),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(extent("proof"), (false, false, String::new()));
        assert_eq!(extent("proof --write --without mysql --long"), (true, true, "mysql".into()));
    }

    #[test]
    fn the_rest_goes_to_cargo_test() {
        let Ok(Task::Test(choice)) = parsed("test --without mysql -- --test overlap -- --nocapture") else { panic!() };
        assert_eq!(choice.arguments, ["--test", "overlap", "--", "--nocapture"]);
        assert!(choice.has_browser());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_2() {
        let wrong = [
            "tests",
            "test redis",
            "test --without",
            "test --without oracle",
            "check now",
            "images --all",
            "ci -- x",
            "proof -- x",
            "proof short",
        ];
        for line in wrong {
            let error = parsed(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            assert_eq!(error.to_string().lines().count(), 1, "{line}");
        }
    }

    #[test]
    fn the_usage_names_everything() {
        for name in NAMES.iter().chain(&["test", "proof", "bench", "check", "ci", "images", "help"]) {
            assert!(USAGE.contains(name), "{name}");
        }
    }
}
