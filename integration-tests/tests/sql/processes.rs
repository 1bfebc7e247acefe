//! Processes of a test's own binary.

use std::process::{Command, Stdio};

/// Tells a process what to do; without it, its test does nothing.
const TASK: &str = "SESSIONS_TEST_CHILD";

/// Runs the test `name` of this binary in `count` processes at once, each with its number and these words, and returns what each of
/// them reported.
///
/// # Panics
///
/// When one of them fails.
pub(crate) fn run(name: &str, count: usize, words: &[&str]) -> Vec<Vec<u64>> {
    let this = std::env::current_exe().expect("this test's binary");
    let children: Vec<_> = (0..count)
        .map(|number| {
            Command::new(&this)
                .args(["--exact", name, "--nocapture"])
                .env(TASK, [&[number.to_string().as_str()], words].concat().join("\n"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("a process of this test's binary")
        })
        .collect();
    let reports = children.into_iter().map(|child| {
        let output = child.wait_with_output().expect("the process ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let numbers = |line: &str| line.split(' ').map(|number| number.parse().expect("a number")).collect();
        text.lines().find_map(|line| line.strip_prefix(REPORT)).map(numbers).expect("a report")
    });
    reports.collect()
}

/// The number of this process and its words, if it is one of [`run`]'s.
pub(crate) fn task() -> Option<(u64, Vec<String>)> {
    let task = std::env::var(TASK).ok()?;
    let mut words = task.split('\n').map(str::to_owned);
    let number = words.next()?.parse().expect("a number");
    Some((number, words.collect()))
}

/// Reports numbers to the test that runs this process.
pub(crate) fn report(numbers: &[u64]) {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    eprintln!("{REPORT}{}", numbers.join(" "));
}

const REPORT: &str = "report: ";
