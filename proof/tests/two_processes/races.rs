//! Races of store calls: create, update, touch and delete on one record.

use sessions_proof::history::check::check;
use sessions_proof::history::process::{soon, wait_for_start};
use sessions_proof::history::record::Recorder;
use sessions_proof::history::{Answer, Call, History, Number, Operation, Seen};

use crate::pair::{Pair, times};

/// Rounds of each race in which both processes were at it at the same time.
const ROUNDS: usize = 16;

/// Every race, on a session of its own each round. Afterwards all answers together are checked to be linearizable.
pub(crate) async fn have_exact_outcomes(pair: Pair) {
    let mut track = Track { pair, history: History::default(), session: 0, call: 0, version: 100, rounds: 0 };
    let races: [(&str, AsyncRace); 7] = [
        ("creators", |track| Box::pin(of_creators(track))),
        ("updates", |track| Box::pin(of_updates(track))),
        ("deletions", |track| Box::pin(of_deletions(track))),
        ("touches and updates", |track| Box::pin(of_touches_and_updates(track))),
        ("updates and deletions", |track| Box::pin(of_updates_and_deletions(track))),
        ("creators and deletions", |track| Box::pin(of_creators_and_deletions(track))),
        ("touches and deletions", |track| Box::pin(of_touches_and_deletions(track))),
    ];
    for (name, race) in races {
        let mut met = 0;
        while met < ROUNDS * times() {
            track.session += 1;
            met += usize::from(race(&mut track).await);
        }
        assert!(met >= ROUNDS, "{name}");
    }
    let figures = check(&track.history.by_session()).unwrap_or_else(|violation| panic!("{violation}"));
    let backend = track.pair.place.backend.name();
    println!("proof: two processes, store calls: server={backend}; races={}; {figures}", track.rounds);
    track.pair.stop().await;
}

type AsyncRace = for<'a> fn(&'a mut Track) -> std::pin::Pin<Box<dyn Future<Output = bool> + 'a>>;

async fn of_creators(track: &mut Track) -> bool {
    let (a, b) = (track.creators(4), track.creators(4));
    let round = track.race(&a, &b).await;
    let winner = round.only_done(|call| matches!(call, Call::Create(_)));
    let Call::Create(seen) = winner else { unreachable!("only creators") };
    round.all_others(winner, Answer::There(seen));
    assert_eq!(track.stored().await, Some(seen));
    round.met
}

async fn of_updates(track: &mut Track) -> bool {
    let first = track.create().await;
    let (a, b) = (track.updates(first, 4), track.updates(first, 4));
    let round = track.race(&a, &b).await;
    let winner = round.only_done(|_| true);
    let Call::Update { version, .. } = winner else { unreachable!("only updates") };
    let seen = Seen { version, ..first };
    round.all_others(winner, Answer::There(seen));
    assert_eq!(track.stored().await, Some(seen));
    round.met
}

async fn of_deletions(track: &mut Track) -> bool {
    track.create().await;
    let round = track.race(&[Call::Delete; 3], &[Call::Delete; 3]).await;
    assert_eq!(round.count(|_, answer| answer == Answer::Done), 1, "{round:?}");
    assert_eq!(round.count(|_, answer| answer == Answer::Absent), 5, "{round:?}");
    assert_eq!(track.stored().await, None);
    round.met
}

/// Every touch that was done came before the update, whose version no touch expected.
async fn of_touches_and_updates(track: &mut Track) -> bool {
    let first = track.create().await;
    let (touches, updates) = (track.touches(first, 3), track.updates(first, 3));
    let round = track.race(&touches, &updates).await;
    let Call::Update { version, .. } = round.only_done(|call| matches!(call, Call::Update { .. })) else {
        unreachable!("an update")
    };
    let marks: Vec<_> =
        round.done().filter_map(|call| if let Call::Touch { mark, .. } = call { Some(mark) } else { None }).collect();
    let stored = track.stored().await.expect("nobody deleted it");
    assert_eq!(stored.version, version);
    assert!(
        if marks.is_empty() { stored.mark == first.mark } else { marks.contains(&stored.mark) },
        "{stored} {round:?}"
    );
    round.met
}

/// Deleted stays deleted, whatever was on its way.
async fn of_updates_and_deletions(track: &mut Track) -> bool {
    let first = track.create().await;
    let updates = track.updates(first, 4);
    let round = track.race(&updates, &[Call::Delete; 2]).await;
    round.only_done(|call| call == Call::Delete);
    assert!(round.count(|call, answer| call != Call::Delete && answer == Answer::Done) <= 1, "{round:?}");
    assert_eq!(track.stored().await, None);
    round.met
}

async fn of_touches_and_deletions(track: &mut Track) -> bool {
    let first = track.create().await;
    let touches = track.touches(first, 4);
    let round = track.race(&touches, &[Call::Delete; 2]).await;
    round.only_done(|call| call == Call::Delete);
    assert_eq!(track.stored().await, None);
    round.met
}

/// Whoever creates after a deletion is there, and nobody else.
async fn of_creators_and_deletions(track: &mut Track) -> bool {
    track.create().await;
    let creators = track.creators(3);
    let round = track.race(&creators, &[Call::Delete; 3]).await;
    let done = |wanted: fn(Call) -> bool| round.done().filter(|call| wanted(*call)).count();
    let (created, deleted) = (done(|call| call != Call::Delete), done(|call| call == Call::Delete));
    let left = (1 + created).checked_sub(deleted).expect("no more are deleted than there were");
    assert!(left <= 1, "{round:?}");
    assert_eq!(track.stored().await.is_some(), left == 1, "{round:?}");
    round.met
}

/// Where races are run.
struct Track {
    pair: Pair,
    history: History,
    session: u64,
    call: u32,
    version: u64,
    rounds: usize,
}

/// What the calls of one race came to.
#[derive(Debug)]
struct Round {
    outcomes: Vec<(Call, Answer)>,
    /// Whether calls of both processes overlapped.
    met: bool,
}

impl Track {
    fn new_seen(&mut self) -> Seen {
        self.version += 1;
        Seen { version: self.version, mark: self.version }
    }

    fn creators(&mut self, many: usize) -> Vec<Call> {
        (0..many).map(|_| Call::Create(self.new_seen())).collect()
    }

    fn updates(&mut self, of: Seen, many: usize) -> Vec<Call> {
        (0..many).map(|_| Call::Update { expected: of.version, version: self.new_seen().version, mark: None }).collect()
    }

    fn touches(&mut self, of: Seen, many: usize) -> Vec<Call> {
        (0..many).map(|_| Call::Touch { expected: of.version, mark: self.new_seen().mark }).collect()
    }

    /// Creates the session of this round, through the one process or the other.
    async fn create(&mut self) -> Seen {
        let seen = self.new_seen();
        let create = [Call::Create(seen)];
        let round =
            if self.session.is_multiple_of(2) { self.calls(&create, &[]) } else { self.calls(&[], &create) }.await;
        assert_eq!(round.outcomes, [(create[0], Answer::Done)]);
        seen
    }

    /// What is stored, as both see it.
    async fn stored(&mut self) -> Option<Seen> {
        let round = self.calls(&[Call::Load], &[Call::Load]).await;
        let answers: Vec<_> = round.outcomes.iter().map(|(_, answer)| *answer).collect();
        assert_eq!(answers[0], answers[1], "both processes see the same");
        match answers[0] {
            Answer::There(seen) => Some(seen),
            _ => None,
        }
    }

    async fn race(&mut self, a: &[Call], b: &[Call]) -> Round {
        self.rounds += 1;
        self.calls(a, b).await
    }

    /// Has both processes make calls on the session of this round, all at the same time.
    async fn calls(&mut self, a: &[Call], b: &[Call]) -> Round {
        self.call += 1;
        let start = soon();
        let order = |calls: &[Call]| {
            let calls: Vec<_> = calls.iter().map(ToString::to_string).collect();
            format!("race {start} {} {} {}", self.call, self.session, calls.join(" "))
        };
        let (for_a, for_b) = (order(a), order(b));
        let Pair { a, b, .. } = &mut self.pair;
        let mut lines = Vec::new();
        a.tell(for_a).await;
        b.tell(for_b).await;
        a.hear_until("done", |line| lines.push(line)).await;
        b.hear_until("done", |line| lines.push(line)).await;
        let mut heard = History::default();
        for line in lines {
            assert!(heard.hear(&line) && self.history.hear(&line), "{line}");
        }
        let operations = heard.by_session().remove(&self.session).unwrap_or_default();
        Round::of(&operations)
    }
}

impl Round {
    fn of(operations: &[Operation]) -> Self {
        let outcome = |operation: &Operation| (operation.call, operation.end.expect("no server was stopped").1);
        let met = |one: &Operation| {
            operations.iter().any(|other| other.number.process != one.number.process && other.overlaps(one))
        };
        Self { outcomes: operations.iter().map(outcome).collect(), met: operations.iter().any(met) }
    }

    fn done(&self) -> impl Iterator<Item = Call> {
        self.outcomes.iter().filter(|(_, answer)| *answer == Answer::Done).map(|(call, _)| *call)
    }

    fn count(&self, counts: impl Fn(Call, Answer) -> bool) -> usize {
        self.outcomes.iter().filter(|(call, answer)| counts(*call, *answer)).count()
    }

    /// The one of these calls that was done.
    #[track_caller]
    fn only_done(&self, of: impl Fn(Call) -> bool) -> Call {
        let done: Vec<_> = self.done().filter(|call| of(*call)).collect();
        assert_eq!(done.len(), 1, "one wins: {self:?}");
        done[0]
    }

    #[track_caller]
    fn all_others(&self, winner: Call, answer: Answer) {
        let others = self.count(|call, given| call != winner && given == answer);
        assert_eq!(others, self.outcomes.len() - 1, "all others are told {answer}: {self:?}");
    }
}

/// In the process: makes the calls of an order, each in a task of its own.
pub(crate) async fn perform(recorder: &Recorder, process: u16, order: &str) {
    let mut words = order.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
    let (start, call, session) = (number(), number(), number());
    let call = u32::try_from(call).expect("a small number");
    let mut tasks = tokio::task::JoinSet::new();
    for (task, asked) in (0..).zip(words) {
        let (recorder, asked) = (recorder.clone(), asked.parse::<Call>().expect("a call"));
        tasks.spawn(async move {
            wait_for_start(start).await;
            recorder.perform(Number { process, task, call }, session, asked).await
        });
    }
    tasks.join_all().await;
}
