//! What to explore: which requests, how many faults, on a correct store or a broken one.

use std::fmt;

use crate::controls::Breakage;
use crate::explore::Choices;
use crate::request::Act;
use crate::run::run;
use crate::verdict::{Finding, judge};

/// Requests on one session, at the same time.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub(crate) acts: Vec<Act>,
    pub(crate) faults: usize,
    pub(crate) drops: usize,
    pub(crate) breakage: Option<Breakage>,
}

/// What an exploration has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Runs, each with a schedule of its own.
    pub schedules: u64,
    /// Orders of responses that leave the browser with a cookie that opens nothing, for a reason that is documented.
    pub residues: u64,
}

/// A run that broke a promise.
#[derive(Debug)]
pub struct Broken {
    /// What was broken.
    pub finding: Finding,
    /// The choices that replay it.
    pub choices: Choices,
    /// The same in words.
    pub steps: Vec<String>,
}

impl Scenario {
    /// These requests, without faults, on a correct store.
    #[must_use]
    pub fn of(acts: &[Act]) -> Self {
        Self { acts: acts.to_vec(), faults: 0, drops: 0, breakage: None }
    }

    /// With up to so many faults in a run, at any calls.
    #[must_use]
    pub fn faults(self, faults: usize) -> Self {
        Self { faults, ..self }
    }

    /// With up to so many futures dropped in a run, at any call; a commit that had begun is then taken up again.
    #[must_use]
    pub fn drops(self, drops: usize) -> Self {
        Self { drops, ..self }
    }

    /// On a store that is broken in this way: the negative control.
    #[must_use]
    pub fn on(self, breakage: Breakage) -> Self {
        Self { breakage: Some(breakage), ..self }
    }

    /// Every schedule there is.
    ///
    /// # Errors
    ///
    /// The first run that broke a promise.
    pub fn explore_all(&self) -> Result<Report, Box<Broken>> {
        let mut report = Report::default();
        let mut choices = Choices::first();
        loop {
            report += self.explore_one(&mut choices)?;
            if !choices.advance() {
                return Ok(report);
            }
        }
    }

    /// Random schedules, from a seed that a failure's choices do not need.
    ///
    /// # Errors
    ///
    /// The first run that broke a promise.
    pub fn explore_some(&self, schedules: u64, seed: u64) -> Result<Report, Box<Broken>> {
        let mut report = Report::default();
        for number in 0..schedules {
            report += self.explore_one(&mut Choices::random(seed.wrapping_add(number)))?;
        }
        Ok(report)
    }

    fn explore_one(&self, choices: &mut Choices) -> Result<Report, Box<Broken>> {
        let run = run(self, choices);
        match judge(&run) {
            Ok(residues) => Ok(Report { schedules: 1, residues }),
            Err(finding) => Err(Box::new(Broken { finding, choices: choices.clone(), steps: run.steps })),
        }
    }
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.residues += other.residues;
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}, choices {:?}", self.finding, self.choices)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step}"))
    }
}
