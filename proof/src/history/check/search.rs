//! The search itself.

use std::collections::HashSet;

use super::{Found, Violation};
use crate::history::model::step;
use crate::history::{Answer, Call, Operation, Seen};

pub(super) struct Search {
    /// In the order in which they began, those with an end first.
    operations: Vec<Operation>,
    /// How many have an end.
    ended: usize,
    taken: Taken,
    order: Vec<usize>,
    tried: HashSet<(Taken, Option<Seen>)>,
    steps: usize,
    /// The longest order so far, and the state after it.
    best: (Vec<usize>, Option<Seen>),
}

/// A point of the search.
struct Frame {
    /// What is stored.
    state: Option<Seen>,
    /// What could be next and was not tried.
    untried: Vec<usize>,
}

enum Outcome {
    Found,
    Exhausted,
    TooLong,
}

impl Search {
    /// The first order that is found.
    pub(super) fn of(operations: &[Operation]) -> Result<Found, Box<Violation>> {
        let mut search = Self::new(operations);
        match search.run() {
            Outcome::Found => {
                let open = search.order.iter().map(|at| search.operations[*at]).filter(|one| one.end.is_none());
                let (repeats, asked): (Vec<_>, Vec<_>) = open.partition(|one| one.repeat);
                Ok(Found { took_effect: asked.len(), repeated: repeats.len(), steps: search.steps })
            }
            Outcome::Exhausted => Err(Box::new(search.violation(true))),
            Outcome::TooLong => Err(Box::new(search.violation(false))),
        }
    }

    fn new(operations: &[Operation]) -> Self {
        let traces = Traces::of(operations);
        let mut operations = operations.to_vec();
        operations.retain(|operation| operation.end.is_some() || traces.may_show(operation.call));
        operations.sort_by_key(|operation| (operation.end.is_none(), operation.from));
        let ended = operations.iter().filter(|operation| operation.end.is_some()).count();
        let taken = Taken(vec![0; operations.len().div_ceil(64)].into());
        let tried = HashSet::new();
        Self { operations, ended, taken, order: Vec::new(), tried, steps: 0, best: (Vec::new(), None) }
    }

    fn run(&mut self) -> Outcome {
        if self.ended == 0 {
            return Outcome::Found;
        }
        let mut frames = vec![self.frame(None, None)];
        loop {
            let Some(frame) = frames.last_mut() else { return Outcome::Exhausted };
            let state = frame.state;
            let Some(at) = frame.untried.pop() else {
                frames.pop();
                if let Some(at) = self.order.pop() {
                    self.taken.toggle(at);
                }
                continue;
            };
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Outcome::TooLong;
            }
            let operation = self.operations[at];
            let (before, (_, state)) = (state, step(state, operation.call));
            self.taken.toggle(at);
            if !self.tried.insert((self.taken.clone(), state)) {
                self.taken.toggle(at);
                continue;
            }
            self.order.push(at);
            if self.order.len() > self.best.0.len() {
                self.best = (self.order.clone(), state);
            }
            if self.first_left().is_none() {
                return Outcome::Found;
            }
            frames.push(self.frame(state, operation.end.is_none().then_some(before)));
        }
    }

    fn first_left(&self) -> Option<usize> {
        (0..self.ended).find(|at| !self.taken.contains(*at))
    }

    /// What fits next. The last one is tried first: of those with an end, the one that ended first; second copies at last. When a
    /// call without an end came last, `without` is what would be stored had it not come.
    fn frame(&self, state: Option<Seen>, without: Option<Option<Seen>>) -> Frame {
        let mut untried = Vec::new();
        // Deletions without an end differ in nothing from here on: one of a kind is enough.
        let mut deletes = [false; 2];
        for at in self.candidates() {
            let Operation { call, end, repeat, .. } = self.operations[at];
            if (call, end) == (Call::Delete, None) && std::mem::replace(&mut deletes[usize::from(repeat)], true) {
                continue;
            }
            let given = end.map(|(_, answer)| answer);
            let (answer, next) = step(state, call);
            let fits = given.map_or(next != state, |given| given == answer);
            let needs_the_last = without.is_none_or(|without| {
                let (answer, other) = step(without, call);
                other != next || given.is_some_and(|given| given != answer)
            });
            if fits && next == state {
                return Frame { state, untried: vec![at] };
            }
            if fits && needs_the_last {
                untried.push(at);
            }
        }
        untried.sort_by_key(|at| {
            let Operation { end, repeat, .. } = self.operations[*at];
            std::cmp::Reverse((end.map_or(u64::MAX, |(until, _)| until), repeat))
        });
        Frame { state, untried }
    }

    /// Those that are left and before which no other has to come: none that is left had ended before they began.
    fn candidates(&self) -> Vec<usize> {
        let mut candidates = Vec::new();
        let mut first_end = u64::MAX;
        for at in self.first_left().unwrap_or(self.ended)..self.ended {
            let Operation { from, end, .. } = self.operations[at];
            if from > first_end {
                break;
            }
            if let (false, Some((until, _))) = (self.taken.contains(at), end) {
                first_end = first_end.min(until);
                candidates.push(at);
            }
        }
        // One that began later may have ended first, and have pushed the bound before those that were taken in already.
        candidates.retain(|at| self.operations[*at].from <= first_end);
        let open = self.ended..self.operations.len();
        candidates.extend(open.filter(|at| !self.taken.contains(*at) && self.operations[*at].from <= first_end));
        candidates
    }

    fn violation(&mut self, exhausted: bool) -> Violation {
        let (order, state) = std::mem::take(&mut self.best);
        self.taken = Taken(vec![0; self.operations.len().div_ceil(64)].into());
        order.iter().for_each(|at| self.taken.toggle(*at));
        let all = |places: Vec<usize>| places.into_iter().map(|at| self.operations[at]).collect();
        let next = all(self.candidates());
        let session = self.operations.first().map_or(0, |operation| operation.session);
        Violation { session, order: all(order), state, next, exhausted }
    }
}

/// What of the calls without an end can show in the answers to others. Each version and each mark has one writer.
struct Traces {
    /// Versions that were seen, or that somebody builds on.
    versions: HashSet<u64>,
    marks: HashSet<u64>,
    /// Versions that were looked for by a touch, and not found.
    missed: HashSet<u64>,
}

impl Traces {
    fn of(operations: &[Operation]) -> Self {
        let mut traces = Self { versions: HashSet::new(), marks: HashSet::new(), missed: HashSet::new() };
        for Operation { call, end, .. } in operations {
            if let Call::Update { expected, .. } | Call::Touch { expected, .. } = *call {
                traces.versions.insert(expected);
            }
            match (end, *call) {
                (Some((_, Answer::There(seen))), _) => {
                    traces.versions.insert(seen.version);
                    traces.marks.insert(seen.mark);
                }
                (Some((_, Answer::Refused)), Call::Touch { expected, .. }) => {
                    traces.missed.insert(expected);
                }
                _ => {}
            }
        }
        traces
    }

    fn may_show(&self, call: Call) -> bool {
        match call {
            Call::Load => false,
            Call::Create(_) | Call::Delete => true,
            Call::Update { expected, version, .. } => {
                self.versions.contains(&version) || self.missed.contains(&expected)
            }
            Call::Touch { mark, .. } => self.marks.contains(&mark),
        }
    }
}

/// A set of operations.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Taken(Box<[u64]>);

impl Taken {
    fn contains(&self, at: usize) -> bool {
        self.0[at / 64] & 1 << (at % 64) != 0
    }

    fn toggle(&mut self, at: usize) {
        self.0[at / 64] ^= 1 << (at % 64);
    }
}

/// More steps than any history of a store that works has taken by far.
const MAX_STEPS: usize = 5_000_000;
