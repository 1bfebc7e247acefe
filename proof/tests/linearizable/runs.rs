//! The runs: who does what, and what is made of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sessions_core::{CookieChange, SessionManager};
use sessions_proof::history::backend::{Backend, Place};
use sessions_proof::history::broken::Flaw;
use sessions_proof::history::check::{Figures, Violation, check};

use crate::cuts::Troubled;
use crate::pair::{Load, Pair};

/// Sessions that are shared in one round: few, so that all meet at each.
const SESSIONS: u64 = 3;
const TASKS: u16 = 4;
/// Rounds after which a store that must be caught goes unnoticed.
const UNNOTICED: u64 = 100;

pub(crate) fn undisturbed(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    let Some(place) = Place::given(backend, folder.path()) else { return };
    run(async |seed| {
        let mut pair = Pair::start([&place, &place]).await;
        let mut sum = Figures::default();
        for round in 0..2 * times() {
            sum += round_of(&mut pair, seed, round, CALLS).await.unwrap_or_else(|violation| panic!("{violation}"));
        }
        pair.stop().await;
        println!("proof: linearizability: server={}; trouble=none; {sum}", backend.name());
    });
}

pub(crate) fn with_a_killed_process(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    let Some(place) = Place::given(backend, folder.path()) else { return };
    run(async |seed| {
        let mut sum = Figures::default();
        for round in 0..times() {
            let mut pair = Pair::start([&place, &place]).await;
            let sessions = sessions_of(round);
            let lines = fastrand::Rng::with_seed(seed ^ round).usize(100..400);
            let load = Load { seed: seed.wrapping_add(round), tasks: TASKS, calls: CALLS };
            let mut history = pair.drive_and_kill(load, &sessions, lines).await;
            pair.look(&sessions, &mut history).await;
            sum += check(&history.by_session()).unwrap_or_else(|violation| panic!("{violation}"));
            pair.a.stop().await;
        }
        println!("proof: linearizability: server={}; trouble=a process killed; {sum}", backend.name());
    });
}

pub(crate) fn with_cut_connections(backend: Backend) {
    run(async |seed| {
        let Some(troubled) = Troubled::start(backend, seed).await else { return };
        let mut pair = Pair::start([&troubled.places[0], &troubled.places[1]]).await;
        let mut sum = Figures::default();
        let mut rounds = 0;
        // Until enough answers went missing of writes that were applied all the same.
        while rounds < times() || sum.took_effect < 10 {
            sum +=
                cut_round(&troubled, &mut pair, seed, rounds).await.unwrap_or_else(|violation| panic!("{violation}"));
            rounds += 1;
        }
        pair.stop().await;
        println!("{}: {}", backend.name(), troubled.cuts());
        let cuts = troubled.cuts().total();
        println!("proof: linearizability: server={}; trouble={cuts} connections cut; {sum}", backend.name());
    });
}

/// Counters through `update`, committed by the manager: what is acknowledged counts once, what is unknown once at most.
pub(crate) fn increments_with_cut_connections(backend: Backend) {
    run(async |seed| {
        let Some(troubled) = Troubled::start(backend, seed).await else { return };
        let mut pair = Pair::start([&troubled.places[0], &troubled.places[1]]).await;
        let store = troubled.direct.open().await.expect("the store opens");
        let manager = SessionManager::builder(store).build().expect("valid settings");
        let session = manager.new_session();
        session.insert("count", &0u64).expect("an open session");
        let committed = manager.commit(&session).await.expect("the store works");
        let CookieChange::Set { token, .. } = committed.cookie else { panic!("a new session has a token") };
        let (mut acknowledged, mut unknown, mut refused) = (0, 0, 0);
        for _ in 0..times() {
            troubled.cut();
            for increments in pair.increment(token.encode().as_str(), TASKS.into(), 100).await {
                acknowledged += increments.acknowledged;
                unknown += increments.unknown;
                refused += increments.refused;
            }
            troubled.calm_down().await;
        }
        let session = manager.begin(Some(token));
        manager.open(&session).await.expect("the store works");
        let count = session.get::<u64>("count").expect("a number").unwrap_or(0);
        let cuts = troubled.cuts().total();
        println!(
            "proof: increments over connections that are cut: server={}; cuts={cuts}; acknowledged={acknowledged}; \
             unknown={unknown}; refused={refused}; counted={count}",
            backend.name()
        );
        assert!((acknowledged..=acknowledged + unknown).contains(&count), "{count}");
        manager.stop().await.expect("the store stops");
        pair.stop().await;
    });
}

/// Sessions that begin and end: once the end was acknowledged, nothing that arrives late brings one back.
pub(crate) fn logouts_with_cut_connections(backend: Backend) {
    run(async |seed| {
        let Some(troubled) = Troubled::start(backend, seed).await else { return };
        let mut pair = Pair::start([&troubled.places[0], &troubled.places[1]]).await;
        let store = troubled.direct.open().await.expect("the store opens");
        let (mut over, mut alive) = (0, 0);
        for _ in 0..times() {
            troubled.cut();
            let ids = pair.sign_in_and_out(TASKS.into(), 50).await;
            troubled.calm_down().await;
            for id in &ids {
                alive += usize::from(store.load(id).await.expect("the store works").is_some());
            }
            over += ids.len();
        }
        let cuts = troubled.cuts().total();
        let server = backend.name();
        println!(
            "proof: logouts over connections that are cut: server={server}; cuts={cuts}; over={over}; alive={alive}"
        );
        assert_eq!(alive, 0, "what is over stays over");
        store.stop().await.expect("the store stops");
        pair.stop().await;
    });
}

/// Runs until the flaw shows.
pub(crate) fn catch(flaw: Flaw) {
    let folder = tempfile::tempdir().expect("a folder for the test's file");
    run(async |seed| {
        for round in 0..UNNOTICED {
            let outcome = if flaw == Flaw::Overconfident {
                let Some(troubled) = Troubled::start(Backend::Redis, seed.wrapping_add(round)).await else { return };
                let places = troubled.places.clone().map(|place| Place { flaw: Some(flaw), ..place });
                let mut pair = Pair::start([&places[0], &places[1]]).await;
                let outcome = cut_round(&troubled, &mut pair, seed, round).await;
                pair.stop().await;
                outcome
            } else {
                let place = Place::given(Backend::Sqlite, folder.path()).expect("a file is always there");
                let place = Place { flaw: Some(flaw), ..place };
                let mut pair = Pair::start([&place, &place]).await;
                let outcome = round_of(&mut pair, seed, round, CALLS).await;
                pair.stop().await;
                outcome
            };
            if let Err(violation) = outcome {
                let (rounds, operations) = (round + 1, violation.order.len());
                println!(
                    "proof: linearizability: control, a store that {flaw}: caught, {rounds} rounds, {operations} operations"
                );
                return;
            }
        }
        panic!("{flaw}: {UNNOTICED} rounds, and nothing was noticed");
    });
}

async fn round_of(pair: &mut Pair, seed: u64, round: u64, calls: u32) -> Result<Figures, Box<Violation>> {
    let sessions = sessions_of(round);
    let load = Load { seed: seed.wrapping_add(round), tasks: TASKS, calls };
    let mut history = pair.drive(load, &sessions).await;
    pair.look(&sessions, &mut history).await;
    check(&history.by_session())
}

/// What is late arrives before it is looked at what is stored in the end.
async fn cut_round(troubled: &Troubled, pair: &mut Pair, seed: u64, round: u64) -> Result<Figures, Box<Violation>> {
    let sessions = sessions_of(round);
    let load = Load { seed: seed.wrapping_add(round), tasks: TASKS, calls: CALLS };
    troubled.cut();
    let mut history = pair.drive(load, &sessions).await;
    troubled.calm_down().await;
    pair.look(&sessions, &mut history).await;
    check(&history.with_repeats())
}

fn sessions_of(round: u64) -> std::ops::Range<u64> {
    round * SESSIONS..(round + 1) * SESSIONS
}

fn run(test: impl AsyncFnOnce(u64)) {
    let seed = seed();
    println!("SESSIONS_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let test = async { tokio::time::timeout(PATIENCE, test(seed)).await };
    runtime.expect("a runtime").block_on(test).expect("the test hangs");
}

fn seed() -> u64 {
    let given = std::env::var("SESSIONS_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()) << 20)
    })
}

/// How many times as many rounds as in the quick form.
fn times() -> u64 {
    if std::env::var("SESSIONS_PROOF_LONG").is_ok_and(|long| long == "1") { 20 } else { 1 }
}

/// Of each task, in each round.
const CALLS: u32 = 100;
const PATIENCE: Duration = Duration::from_secs(500);
