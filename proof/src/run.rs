//! One run: the requests of a scenario under one list of choices.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sessions_conformance::reference::Reference;
use sessions_core::{CookieChange, ManualClock, SessionId, SessionManager, SessionStore, Timestamp, Token};

use crate::explore::Choices;
use crate::gate::{Applied, Fate, Gate, now};
use crate::request::{Act, COUNTER, Handle, OWNER, Response, resume, serve};
use crate::scenario::Scenario;

/// What a run left behind, for the verdict.
pub(crate) struct Run {
    pub(crate) acts: Vec<Act>,
    pub(crate) responses: Vec<Response>,
    /// The steps in words, for whoever reads a failure.
    pub(crate) steps: Vec<String>,
    pub(crate) log: Vec<Applied>,
    pub(crate) calls: Vec<usize>,
    /// The step at which a request's session was loaded.
    pub(crate) loaded_at: Vec<Option<usize>>,
    /// The step at which time ran out.
    pub(crate) expired_at: Option<usize>,
    pub(crate) id: SessionId,
    pub(crate) token: Token,
    /// Looks at the store directly.
    pub(crate) manager: SessionManager,
}

type Pending = Pin<Box<dyn Future<Output = Response>>>;

/// Runs a scenario. All its futures are polled here, on this thread, when the choices say so.
pub(crate) fn run(scenario: &Scenario, choices: &mut Choices) -> Run {
    let clock = ManualClock::at(Timestamp::from_millis(1_000_000_000));
    let store = Reference::new(clock.clone());
    let behind: Arc<dyn SessionStore> = match scenario.breakage {
        None => Arc::new(store.clone()),
        Some(breakage) => breakage.wrap(store.clone()),
    };
    let gate = Gate::new(Arc::clone(&behind), scenario.acts.len());
    let manager = |store: Arc<dyn SessionStore>| {
        let builder = SessionManager::builder(store).clock(clock.clone());
        let touches = scenario.acts.contains(&Act::Touch);
        let builder = if touches { builder.idle_timeout(Duration::from_secs(600)).touch_fraction(0) } else { builder };
        builder.build().expect("valid settings")
    };
    let direct = manager(Arc::new(store));
    let gated = manager(Arc::new(gate.clone()));
    let token = now(log_in(&direct));
    // Long enough for the first token to be no young one, and for touches to be due.
    clock.advance(Duration::from_secs(60));

    let count = scenario.acts.len();
    let mut run = Run {
        acts: scenario.acts.clone(),
        responses: Vec::new(),
        steps: Vec::new(),
        log: Vec::new(),
        calls: Vec::new(),
        loaded_at: vec![None; count],
        expired_at: None,
        id: token.id(),
        token: token.clone(),
        manager: direct,
    };
    let mut requests: Vec<Option<Pending>> = Vec::with_capacity(count);
    let mut responses: Vec<Option<Response>> = Vec::with_capacity(count);
    let mut handles: Vec<Handle> = Vec::with_capacity(count);
    for (number, act) in scenario.acts.iter().enumerate() {
        let handle = Handle::default();
        handles.push(Arc::clone(&handle));
        let request = serve(*act, number, gated.clone(), gate.clone(), clock.clone(), token.clone(), handle);
        requests.push(Some(Box::pin(request)));
        responses.push(None);
        poll(&gate, number, &mut requests, &mut responses);
    }

    let (mut faults, mut drops) = (scenario.faults, scenario.drops);
    loop {
        let mut steps = Vec::new();
        for number in 0..count {
            let Some(call) = gate.waiting(number) else { continue };
            steps.push(Step::Release(number, Fate::Answered));
            // Time does not fail, and a lost answer to a read is the same as a refusal for all that follows.
            let possible: &[Fate] = match call {
                _ if faults == 0 => &[],
                "expire" => &[],
                "load" | "owned_by" => &[Fate::Refused],
                _ => &[Fate::Refused, Fate::Swallowed, Fate::Delayed],
            };
            steps.extend(possible.iter().map(|fate| Step::Release(number, *fate)));
            if drops > 0 && !matches!(scenario.acts[number], Act::Expire | Act::DeleteByOwner) {
                steps.push(Step::Drop(number, false));
                if !matches!(call, "load" | "owned_by") {
                    steps.push(Step::Drop(number, true));
                }
            }
        }
        let done = steps.is_empty();
        steps.extend((0..gate.late()).map(Step::Arrive));
        if done {
            // What is late may also never arrive.
            steps.push(Step::Stop);
        }
        let step = steps[choices.choose(steps.len())];
        let at = run.steps.len();
        gate.begin_step(at);
        run.steps.push(step.describe(&gate, &scenario.acts));
        match step {
            Step::Stop => break,
            Step::Arrive(at) => gate.arrive(at),
            Step::Drop(number, sent) => {
                drops -= 1;
                // The future goes first: what it waits at is what is abandoned.
                requests[number] = None;
                gate.abandon(number, sent);
                requests[number] = Some(Box::pin(resume(gated.clone(), Arc::clone(&handles[number]))));
                poll(&gate, number, &mut requests, &mut responses);
            }
            Step::Release(number, fate) => {
                faults -= usize::from(fate != Fate::Answered);
                match gate.waiting(number) {
                    Some("load") if run.loaded_at[number].is_none() => run.loaded_at[number] = Some(at),
                    Some("expire") => run.expired_at = Some(at),
                    _ => {}
                }
                gate.release(number, fate);
                poll(&gate, number, &mut requests, &mut responses);
            }
        }
    }
    run.responses = responses.into_iter().map(|response| response.expect("every request has ended")).collect();
    run.log = gate.log();
    run.calls = (0..count).map(|number| gate.calls(number)).collect();
    run
}

#[derive(Clone, Copy)]
enum Step {
    Release(usize, Fate),
    Arrive(usize),
    /// The future is dropped at its call, which was sent or not, and the commit is taken up again.
    Drop(usize, bool),
    Stop,
}

impl Step {
    fn describe(self, gate: &Gate, acts: &[Act]) -> String {
        match self {
            Self::Release(number, fate) => {
                format!("{number} {:?}: {} {fate:?}", acts[number], gate.waiting(number).unwrap_or("?"))
            }
            Self::Arrive(at) => format!("delayed call {at} arrives"),
            Self::Drop(number, sent) => {
                let call = gate.waiting(number).unwrap_or("?");
                format!("{number} {:?}: dropped at {call}, {}", acts[number], if sent { "sent" } else { "not sent" })
            }
            Self::Stop => "end".to_owned(),
        }
    }
}

/// Polls a request until it waits at the gate or is done.
fn poll(gate: &Gate, number: usize, requests: &mut [Option<Pending>], responses: &mut [Option<Response>]) {
    gate.poll_as(number);
    let Some(request) = &mut requests[number] else { return };
    if let Poll::Ready(response) = request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        (responses[number], requests[number]) = (Some(response), None);
    }
}

async fn log_in(manager: &SessionManager) -> Token {
    let session = manager.new_session();
    session.set_owner(OWNER).expect("a valid owner");
    session.insert(COUNTER, &0u64).expect("a small value");
    match manager.commit(&session).await.expect("an empty store").cookie {
        CookieChange::Set { token, .. } => token,
        other => panic!("a new session has a token: {other:?}"),
    }
}
