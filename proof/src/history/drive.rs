//! Tasks that call a store at random, on few sessions, so that they meet.

use std::ops::Range;

use super::record::Recorder;
use super::{Answer, Call, Number, Seen};

/// What one process does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The same seed makes the same choices, as far as the answers are the same.
    pub seed: u64,
    /// The number of the process: below 4.
    pub process: u16,
    /// Tasks at the same time: at most 16.
    pub tasks: u16,
    /// Calls of each task.
    pub calls: u32,
    /// The sessions that all processes share.
    pub sessions: Range<u64>,
}

/// Runs a workload to its end.
///
/// # Panics
///
/// When a call panics.
pub async fn drive(recorder: &Recorder, workload: &Workload) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..workload.tasks {
        let mut task = Task::new(workload.clone(), number);
        let recorder = recorder.clone();
        tasks.spawn(async move { task.run(&recorder).await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panics");
    }
}

/// Loads every session, after everything else: what is stored in the end is a part of the history.
pub async fn look(recorder: &Recorder, process: u16, sessions: Range<u64>) {
    for (session, call) in sessions.zip(0..) {
        recorder.perform(Number { process, task: LOOKING, call }, session, Call::Load).await;
    }
}

/// A task number that no workload has.
const LOOKING: u16 = u16::MAX;

struct Task {
    workload: Workload,
    number: u16,
    random: fastrand::Rng,
    /// The version of each session that this task saw last.
    known: Vec<Option<u64>>,
}

impl Task {
    fn new(workload: Workload, number: u16) -> Self {
        let place = u64::from(workload.process) << 32 | u64::from(number) << 16;
        let random = fastrand::Rng::with_seed(workload.seed ^ place);
        let known = workload.sessions.clone().map(|_| None).collect();
        Self { workload, number, random, known }
    }

    async fn run(&mut self, recorder: &Recorder) {
        for call in 0..self.workload.calls {
            let at = self.random.usize(..self.known.len());
            let session = self.workload.sessions.clone().nth(at).unwrap_or_default();
            let number = Number { process: self.workload.process, task: self.number, call };
            let asked = self.choose(at, number);
            if let Some(answer) = recorder.perform(number, session, asked).await {
                self.learn(at, asked, answer);
            }
        }
    }

    fn choose(&mut self, at: usize, number: Number) -> Call {
        let new = Seen { version: version(number), mark: mark(number) };
        let expected = self.known[at].unwrap_or(NEVER);
        match self.random.u8(..100) {
            0..35 => Call::Load,
            35..75 => {
                let mark = self.random.bool().then_some(new.mark);
                Call::Update { expected, version: new.version, mark }
            }
            75..85 => Call::Touch { expected, mark: new.mark },
            85..94 => Call::Create(new),
            _ => Call::Delete,
        }
    }

    fn learn(&mut self, at: usize, asked: Call, answer: Answer) {
        // Not always: writers that are late are what conflicts are made of.
        if self.random.u8(..8) == 0 {
            return;
        }
        match (answer, asked) {
            (Answer::There(seen), _) | (Answer::Done, Call::Create(seen)) => self.known[at] = Some(seen.version),
            (Answer::Done, Call::Update { version, .. }) => self.known[at] = Some(version),
            (Answer::Absent, _) | (Answer::Done, Call::Delete) => self.known[at] = None,
            (Answer::Done | Answer::Refused, _) => {}
        }
    }
}

/// The version that a call writes: readable, and no other call's.
fn version(number: Number) -> u64 {
    let Number { process, task, call } = number;
    (u64::from(process) * 100 + u64::from(task)) * 1_000_000 + u64::from(call) + 1
}

/// The mark of a call: no other call's, and small.
fn mark(number: Number) -> u64 {
    let Number { process, task, call } = number;
    (u64::from(call) * 16 + u64::from(task)) * 4 + u64::from(process) + 1
}

/// A version that nobody writes.
const NEVER: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use sessions_conformance::reference::Reference;
    use sessions_core::{Clock, SessionStore, SystemClock};

    use super::*;
    use crate::history::History;
    use crate::history::broken::Flaw;
    use crate::history::check::{Figures, Violation, check};

    /// Two "processes" of two tasks each, in threads of this one.
    async fn run(seed: u64, stores: [Arc<dyn SessionStore>; 2]) -> Result<Figures, Box<Violation>> {
        let history = Arc::new(Mutex::new(History::default()));
        let origin = SystemClock.now();
        let mut processes = tokio::task::JoinSet::new();
        for (process, store) in (0..).zip(stores) {
            let ears = Arc::clone(&history);
            let recorder = Recorder::new(store, origin, move |line| {
                assert!(ears.lock().unwrap_or_else(PoisonError::into_inner).hear(&line.to_string()));
            });
            let workload = Workload { seed, process, tasks: 2, calls: 400, sessions: 0..3 };
            processes.spawn(async move { drive(&recorder, &workload).await });
        }
        processes.join_all().await;
        let sessions = history.lock().unwrap_or_else(PoisonError::into_inner).by_session();
        check(&sessions)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_reference_store_is_linearizable() {
        let store = Reference::new(SystemClock);
        let figures = run(fastrand::u64(..), [Arc::new(store.clone()), Arc::new(store)]).await;
        assert_eq!(figures.expect("linearizable").operations, 1_600);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn every_broken_store_is_caught() {
        for flaw in Flaw::ALL.into_iter().filter(|flaw| *flaw != Flaw::Overconfident) {
            let mut caught = false;
            for seed in 0..100 {
                let store = Reference::new(SystemClock);
                let broken = || flaw.of(Arc::new(store.clone()) as Arc<dyn SessionStore>);
                caught = caught || run(seed, [broken(), broken()]).await.is_err();
            }
            assert!(caught, "{flaw} goes unnoticed");
        }
    }
}
