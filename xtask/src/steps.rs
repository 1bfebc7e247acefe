//! Steps of a longer command, with a heading and the time each took.

use std::time::Instant;

use crate::error::Error;

/// Runs steps one after the other. A step that fails does not keep the others from running: one run shows all that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    failures: Vec<String>,
}

impl Steps {
    /// Runs a step.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<(), Error>) {
        if let Err(error) = step(name, work) {
            eprintln!("{error}");
            self.failures.push(name.to_owned());
        }
    }

    /// Fails if a step did.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.failures.as_slice() {
            [] => Ok(()),
            names => Err(Error::failed(format!("failed: {}", names.join(", ")))),
        }
    }
}

/// Runs one step that everything after it needs.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    eprintln!("\n== {name}");
    let start = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    eprintln!("== {name}: {verdict}, {:.1} s", start.elapsed().as_secs_f32());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_and_every_failure_is_named() {
        let mut steps = Steps::default();
        steps.step("one", || Err(Error::failed("no")));
        steps.step("two", || Ok(()));
        steps.step("three", || Err(Error::failed("no")));
        assert_eq!(steps.finish(), Err(Error::failed("failed: one, three")));
    }

    #[test]
    fn nothing_wrong_is_fine() {
        let mut steps = Steps::default();
        steps.step("one", || Ok(()));
        assert_eq!(steps.finish(), Ok(()));
    }
}
