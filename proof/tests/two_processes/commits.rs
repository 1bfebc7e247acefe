//! Races of whole commits: each has loaded the session before any of them commits.

use sessions_proof::history::process::soon;

use crate::pair::{Pair, times};

const ROUNDS: usize = 6;

/// Every race, on a session of its own each round.
pub(crate) async fn have_exact_outcomes(mut pair: Pair) {
    let mut commits = 0;
    for round in 0..ROUNDS * times() {
        let pair = &mut pair;
        commits += of_rotations(pair, round).await;
        commits += of_renewals(pair, round).await;
        commits += of_a_rotation_and_a_renewal(pair, round).await;
        commits += of_logouts(pair, round).await;
        commits += of_a_logout_and_everything_else(pair, round).await;
        commits += of_a_rotation_and_increments(pair, round).await;
        commits += of_logins(pair, round).await;
    }
    let increments = every_increment_counts(&mut pair).await;
    let backend = pair.place.backend.name();
    println!(
        "proof: two processes, commits: server={backend}; commits in races={commits}; increments={increments}; \
         counted={increments}"
    );
    pair.stop().await;
}

/// One rotation wins, and nobody else has written.
async fn of_rotations(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["rotate", "rotate"], &["rotate", "rotate"]).await;
    let new = ends.only_token();
    assert_eq!(ends.outcomes(), ["Lost", "Lost", "Lost", "Written"], "{ends:?}");
    pair.assert_opens(&new, 1).await;
    pair.assert_over(&old).await;
    ends.0.len()
}

/// One makes a new token; the others are content with it. The old one is good for its grace.
async fn of_renewals(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["renew", "renew"], &["renew", "renew"]).await;
    let new = ends.only_token();
    assert_eq!(ends.outcomes(), ["Unchanged", "Unchanged", "Unchanged", "Written"], "{ends:?}");
    pair.assert_opens(&new, 1).await;
    pair.assert_opens(&old, 1).await;
    ends.0.len()
}

/// The rotation stands in any case, and ends every other token.
async fn of_a_rotation_and_a_renewal(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["rotate"], &["renew"]).await;
    let new = ends.of("a0").token().expect("the rotation stands");
    let renewed = ends.of("b0");
    match renewed.outcome.as_str() {
        "Written" => pair.assert_over(&renewed.token().expect("it was first")).await,
        outcome => assert_eq!((outcome, renewed.cookie.as_str()), ("Lost", "keep")),
    }
    pair.assert_opens(&new, 1).await;
    pair.assert_over(&old).await;
    ends.0.len()
}

/// One of them ended it, and its response alone removes the cookie.
async fn of_logouts(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["destroy", "destroy"], &["destroy", "destroy"]).await;
    assert_eq!(ends.outcomes(), ["Deleted"; 4], "{ends:?}");
    assert_eq!(ends.0.iter().filter(|end| end.cookie == "remove").count(), 1, "{ends:?}");
    pair.assert_over(&old).await;
    ends.0.len()
}

/// Whatever else is on its way: afterwards the session is over, for every token that was given out.
async fn of_a_logout_and_everything_else(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["destroy"], &["add", "rotate", "renew", "login"]).await;
    assert_eq!((ends.of("a0").outcome.as_str(), ends.of("a0").cookie.as_str()), ("Deleted", "remove"), "{ends:?}");
    for end in ends.0.iter().filter(|end| end.slot != "a0") {
        assert!(["Written", "Lost", "Unchanged"].contains(&end.outcome.as_str()), "{ends:?}");
        if let Some(token) = end.token() {
            pair.assert_over(&token).await;
        }
    }
    pair.assert_over(&old).await;
    ends.0.len()
}

/// The increments that came before the rotation count, the others are told that they were lost.
async fn of_a_rotation_and_increments(pair: &mut Pair, round: usize) -> usize {
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["rotate"], &["add", "add", "add"]).await;
    let new = ends.of("a0").token().expect("the rotation stands");
    let added = ends.0.iter().filter(|end| end.slot != "a0" && end.outcome == "Written").count();
    let lost = ends.0.iter().filter(|end| end.outcome == "Lost").count();
    assert_eq!(added + lost, 3, "{ends:?}");
    pair.assert_opens(&new, 1 + added).await;
    pair.assert_over(&old).await;
    ends.0.len()
}

/// One login wins, and is the only session of its owner that is new.
async fn of_logins(pair: &mut Pair, round: usize) -> usize {
    let before = pair.owned().await;
    let old = pair.new_session(round).await;
    let ends = pair.race(&old, &["login", "login"], &["login", "login"]).await;
    let new = ends.only_token();
    assert_eq!(ends.outcomes(), ["Lost", "Lost", "Lost", "Written"], "{ends:?}");
    assert_eq!(pair.owned().await, before + 1);
    pair.assert_opens(&new, 1).await;
    pair.assert_over(&old).await;
    ends.0.len()
}

/// Tasks in both processes increment one counter, as fast as they can.
async fn every_increment_counts(pair: &mut Pair) -> usize {
    const TASKS: usize = 4;
    let each = 25 * times();
    let token = pair.new_session(0).await;
    let start = soon();
    for worker in [&mut pair.a, &mut pair.b] {
        worker.tell(format_args!("count {start} {token} {TASKS} {each}")).await;
    }
    for worker in [&mut pair.a, &mut pair.b] {
        assert_eq!(worker.hear().await, (TASKS * each).to_string(), "all are acknowledged");
        assert_eq!(worker.hear().await, "done");
    }
    pair.assert_opens(&token, 1 + 2 * TASKS * each).await;
    2 * TASKS * each
}

/// What the commits of a race came to.
#[derive(Debug)]
struct Ends(Vec<End>);

#[derive(Debug)]
struct End {
    /// `a` or `b` for the process, and a number.
    slot: String,
    outcome: String,
    /// `keep`, `remove` or a token.
    cookie: String,
}

impl End {
    fn token(&self) -> Option<String> {
        (self.cookie != "keep" && self.cookie != "remove").then(|| self.cookie.clone())
    }
}

impl Ends {
    fn outcomes(&self) -> Vec<&str> {
        let mut outcomes: Vec<_> = self.0.iter().map(|end| end.outcome.as_str()).collect();
        outcomes.sort_unstable();
        outcomes
    }

    fn of(&self, slot: &str) -> &End {
        self.0.iter().find(|end| end.slot == slot).expect("it ended")
    }

    fn only_token(&self) -> String {
        let tokens: Vec<_> = self.0.iter().filter_map(End::token).collect();
        assert_eq!(tokens.len(), 1, "one has a new token: {self:?}");
        tokens[0].clone()
    }
}

impl Pair {
    /// A session that counts to 1, through the one process or the other.
    async fn new_session(&mut self, round: usize) -> String {
        let worker = if round.is_multiple_of(2) { &mut self.a } else { &mut self.b };
        worker.tell("new").await;
        worker.hear().await
    }

    /// Opens a session for each act; when all are open, commits them at the same time.
    async fn race(&mut self, token: &str, a: &[&str], b: &[&str]) -> Ends {
        let mut slots = [Vec::new(), Vec::new()];
        let both = [(&mut self.a, "a", a), (&mut self.b, "b", b)];
        for ((worker, name, acts), slots) in both.into_iter().zip(&mut slots) {
            for (at, act) in acts.iter().enumerate() {
                let slot = format!("{name}{at}");
                worker.tell(format_args!("load {slot} {token}")).await;
                assert_eq!(worker.hear().await, "1");
                worker.tell(format_args!("act {slot} {act}")).await;
                slots.push(slot);
            }
        }
        let start = soon();
        self.a.tell(format_args!("commit {start} {}", slots[0].join(" "))).await;
        self.b.tell(format_args!("commit {start} {}", slots[1].join(" "))).await;
        let mut ends = Ends(Vec::new());
        for worker in [&mut self.a, &mut self.b] {
            worker
                .hear_until("done", |line| {
                    let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
                    let Ok([slot, outcome, cookie]) = <[String; 3]>::try_from(words) else { panic!("{line}") };
                    ends.0.push(End { slot, outcome, cookie });
                })
                .await;
        }
        ends
    }

    /// What a token's session counts, as each process sees it.
    async fn counts(&mut self, token: &str) -> [String; 2] {
        let mut counts = [String::new(), String::new()];
        for (worker, count) in [&mut self.a, &mut self.b].into_iter().zip(&mut counts) {
            worker.tell(format_args!("load look {token}")).await;
            *count = worker.hear().await;
        }
        counts
    }

    async fn assert_opens(&mut self, token: &str, count: usize) {
        assert_eq!(self.counts(token).await, [count.to_string(), count.to_string()]);
    }

    async fn assert_over(&mut self, token: &str) {
        assert_eq!(self.counts(token).await, ["0", "0"], "the token is over");
    }

    async fn owned(&mut self) -> usize {
        self.a.tell("owned alice").await;
        self.a.hear().await.parse().expect("a number")
    }
}
