//! What a process of these tests does: what it is told.

use std::ops::Range;
use std::sync::Arc;

use sessions_core::{CookieChange, Error, Outcome, SessionId, SessionManager, SessionStore, Token};
use sessions_proof::history::drive::{Workload, drive, look};
use sessions_proof::history::pair::{self, Process};

/// What the increments of one process came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Increments {
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
}

/// Works until home is gone; returns at once where this process has none.
pub(crate) fn work() {
    pair::work(obey);
}

async fn obey(Process { home, store, recorder }: &mut Process) {
    let voice = home.voice();
    while let Some(line) = home.hear().await {
        let (verb, rest) = line.split_once(' ').expect("a verb and more");
        match verb {
            "drive" => drive(recorder, &workload(home.number, rest)).await,
            "look" => look(recorder, home.number, sessions(&mut rest.split(' '))).await,
            "increment" => {
                let Increments { acknowledged, refused, unknown } = increment(Arc::clone(store), rest).await;
                voice.say(format_args!("{acknowledged} {refused} {unknown}"));
            }
            "sign" => {
                for id in sign_in_and_out(Arc::clone(store), rest).await {
                    voice.say(hex(&id));
                }
            }
            other => panic!("no such order: {other}"),
        }
        voice.say("done");
    }
}

/// `SEED TASKS CALLS FIRST END`
fn workload(process: u16, order: &str) -> Workload {
    let mut words = order.split(' ');
    let mut next = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
    let (seed, tasks, calls) = (next(), next(), next());
    let small = "a small number";
    let (tasks, calls) = (u16::try_from(tasks).expect(small), u32::try_from(calls).expect(small));
    Workload { seed, process, tasks, calls, sessions: sessions(&mut words) }
}

fn sessions<'a>(words: &mut impl Iterator<Item = &'a str>) -> Range<u64> {
    let mut next = || words.next().and_then(|word| word.parse().ok()).expect("a number");
    next()..next()
}

/// `TOKEN TASKS EACH`: increments a counter of a session, in a request for each increment.
async fn increment(store: Arc<dyn SessionStore>, order: &str) -> Increments {
    let words: Vec<_> = order.split(' ').collect();
    let [token, tasks, each] = words[..] else { panic!("no such order: {order}") };
    let manager = SessionManager::builder(store).build().expect("valid settings");
    let each: u32 = each.parse().expect("a number");
    let mut counting = tokio::task::JoinSet::new();
    for _ in 0..tasks.parse::<u32>().expect("a number") {
        let (manager, token) = (manager.clone(), Token::parse(token.as_bytes()).expect("a token"));
        counting.spawn(async move {
            let mut sum = Increments::default();
            for _ in 0..each {
                match increment_once(&manager, &token).await {
                    Ok(Outcome::Written) => sum.acknowledged += 1,
                    Ok(outcome) => panic!("nobody ended the session: {outcome:?}"),
                    Err(error) if error.is_indeterminate() => sum.unknown += 1,
                    Err(error) if error.is_unavailable() || error.is_contended() => sum.refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            sum
        });
    }
    let sum = |sum: Increments, more: Increments| Increments {
        acknowledged: sum.acknowledged + more.acknowledged,
        refused: sum.refused + more.refused,
        unknown: sum.unknown + more.unknown,
    };
    counting.join_all().await.into_iter().fold(Increments::default(), sum)
}

async fn increment_once(manager: &SessionManager, token: &Token) -> Result<Outcome, Error> {
    let session = manager.begin(Some(token.clone()));
    manager.open(&session).await?;
    session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1)?;
    Ok(manager.commit(&session).await?.outcome)
}

/// `TASKS EACH`: begins sessions and ends them. Those whose end was acknowledged.
async fn sign_in_and_out(store: Arc<dyn SessionStore>, order: &str) -> Vec<SessionId> {
    let (tasks, each) = order.split_once(' ').expect("two numbers");
    let manager = SessionManager::builder(store).build().expect("valid settings");
    let each: u32 = each.parse().expect("a number");
    let mut signing = tokio::task::JoinSet::new();
    for _ in 0..tasks.parse::<u32>().expect("a number") {
        let manager = manager.clone();
        signing.spawn(async move {
            let mut over = Vec::new();
            for _ in 0..each {
                over.extend(sign_in_and_out_once(&manager).await.ok());
            }
            over
        });
    }
    signing.join_all().await.concat()
}

async fn sign_in_and_out_once(manager: &SessionManager) -> Result<SessionId, Error> {
    let session = manager.new_session();
    session.insert("name", &"alice")?;
    let CookieChange::Set { token, .. } = manager.commit(&session).await?.cookie else { panic!("a token") };
    let session = manager.begin(Some(token.clone()));
    manager.open(&session).await?;
    session.destroy()?;
    manager.commit(&session).await?;
    Ok(token.id())
}

fn hex(id: &SessionId) -> String {
    id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
