//! Two processes on one store, and what they tell.

use std::ops::Range;

use sessions_core::SessionId;
use sessions_proof::history::History;
use sessions_proof::history::backend::Place;
use sessions_proof::history::pair;
use sessions_proof::history::process::Worker;

use crate::worker::Increments;

pub(crate) struct Pair {
    pub(crate) a: Worker,
    pub(crate) b: Worker,
}

/// How much both processes do in one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    /// Of each process.
    pub(crate) tasks: u16,
    /// Of each task.
    pub(crate) calls: u32,
}

impl Pair {
    /// Starts both, each with its own way to the store.
    pub(crate) async fn start(places: [&Place; 2]) -> Self {
        let [a, b] = pair::start(places).await;
        Self { a, b }
    }

    /// Has both at the same sessions, and gives what they told.
    pub(crate) async fn drive(&mut self, load: Load, sessions: &Range<u64>) -> History {
        let order = order(load, sessions);
        self.a.tell(&order).await;
        self.b.tell(&order).await;
        let (a, b) = tokio::join!(told(&mut self.a), told(&mut self.b));
        history(a.into_iter().chain(b))
    }

    /// The same, and kills the second process once it has told so much.
    pub(crate) async fn drive_and_kill(&mut self, load: Load, sessions: &Range<u64>, lines: usize) -> History {
        let order = order(load, sessions);
        self.a.tell(&order).await;
        self.b.tell(&order).await;
        let b = async {
            let mut told = Vec::new();
            while told.len() < lines {
                told.push(self.b.hear().await);
            }
            self.b.kill().await;
            while let Some(line) = self.b.next().await {
                told.push(line);
            }
            told
        };
        let (a, b) = tokio::join!(told(&mut self.a), b);
        history(a.into_iter().chain(b))
    }

    /// Adds what is stored in the end, as the first process sees it.
    pub(crate) async fn look(&mut self, sessions: &Range<u64>, history: &mut History) {
        self.a.tell(format_args!("look {} {}", sessions.start, sessions.end)).await;
        for line in told(&mut self.a).await {
            assert!(history.hear(&line), "{line}");
        }
    }

    /// Has both increment a counter.
    pub(crate) async fn increment(&mut self, token: &str, tasks: u32, each: usize) -> [Increments; 2] {
        let order = format!("increment {token} {tasks} {each}");
        self.a.tell(&order).await;
        self.b.tell(&order).await;
        let (a, b) = tokio::join!(told(&mut self.a), told(&mut self.b));
        [a, b].map(|lines| {
            let numbers: Vec<u64> = lines[0].split(' ').map(|word| word.parse().expect("a number")).collect();
            Increments { acknowledged: numbers[0], refused: numbers[1], unknown: numbers[2] }
        })
    }

    /// Has both begin sessions and end them: the ids of those that are over.
    pub(crate) async fn sign_in_and_out(&mut self, tasks: u32, each: usize) -> Vec<SessionId> {
        let order = format!("sign {tasks} {each}");
        self.a.tell(&order).await;
        self.b.tell(&order).await;
        let (a, b) = tokio::join!(told(&mut self.a), told(&mut self.b));
        let byte = |text: &str, at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal");
        let id = |text: String| SessionId::from_bytes(std::array::from_fn(|at| byte(&text, at)));
        a.into_iter().chain(b).map(id).collect()
    }

    pub(crate) async fn stop(self) {
        tokio::join!(self.a.stop(), self.b.stop());
    }
}

fn order(load: Load, sessions: &Range<u64>) -> String {
    let Load { seed, tasks, calls } = load;
    format!("drive {seed} {tasks} {calls} {} {}", sessions.start, sessions.end)
}

async fn told(worker: &mut Worker) -> Vec<String> {
    let mut lines = Vec::new();
    worker.hear_until("done", |line| lines.push(line)).await;
    lines
}

fn history(lines: impl Iterator<Item = String>) -> History {
    let mut history = History::default();
    for line in lines {
        assert!(history.hear(&line), "{line}");
    }
    history
}
