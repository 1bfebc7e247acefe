//! Every run of something that makes choices: depth first, by replaying.

use std::fmt;

/// The choices of one run, in order, each with the number of its alternatives.
///
/// A run asks [`choose`](Self::choose) wherever it could go on in several ways. [`advance`](Self::advance) then moves to
/// the next run, until every one has been made.
#[derive(Clone, Default)]
pub struct Choices {
    made: Vec<(usize, usize)>,
    at: usize,
    random: Option<fastrand::Rng>,
}

impl Choices {
    /// The first of all runs.
    #[must_use]
    pub fn first() -> Self {
        Self::default()
    }

    /// A random run of this seed.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        Self { random: Some(fastrand::Rng::with_seed(seed)), ..Self::default() }
    }

    /// One of `alternatives`, which is at least 1.
    ///
    /// # Panics
    ///
    /// When the run that is replayed had another number of alternatives here.
    pub fn choose(&mut self, alternatives: usize) -> usize {
        if self.at == self.made.len() {
            let choice = self.random.as_mut().map_or(0, |random| random.usize(..alternatives));
            self.made.push((choice, alternatives));
        }
        let (choice, known) = self.made[self.at];
        assert_eq!(known, alternatives, "a run that depends on anything but its choices cannot be replayed");
        self.at += 1;
        choice
    }

    /// Moves to the next run; `false` when all were made.
    pub fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, alternatives)) = self.made.pop() {
            if choice + 1 < alternatives {
                self.made.push((choice + 1, alternatives));
                return true;
            }
        }
        false
    }
}

impl fmt::Debug for Choices {
    /// The choices alone: what a failure prints, and a replay takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.made.iter().map(|(choice, _)| choice)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_made_once() {
        let mut runs = Vec::new();
        let mut choices = Choices::first();
        loop {
            let first = choices.choose(2);
            // The second choice exists after one of the first only.
            runs.push(if first == 0 { (first, choices.choose(3)) } else { (first, 0) });
            if !choices.advance() {
                break;
            }
        }
        assert_eq!(runs, [(0, 0), (0, 1), (0, 2), (1, 0)]);
    }
}
