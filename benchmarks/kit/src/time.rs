//! Nanoseconds, in pairs of rounds: with sessions and without, one right after the other.

use std::hint::black_box;
use std::time::{Duration, Instant};

use http::HeaderValue;

use crate::case::{Case, Job, Preparation};
use crate::command::Contender;
use crate::runner::Runner;

/// Nanoseconds per request of each round; the two of one index were measured one right after the other.
#[derive(Debug, Default)]
pub struct Rounds {
    /// With sessions.
    pub with: Vec<f64>,
    /// Without.
    pub without: Vec<f64>,
}

/// Measures one case so many times.
pub async fn time<C: Contender>(make: &impl Fn() -> C, case: Case, rounds: usize) -> Rounds {
    let mut result = Rounds::default();
    let mut contender = make();
    let chunk_size = case.chunk();
    let mut cookies = prepare(&contender, case, chunk_size).await;
    check(&contender, case).await;
    for round in 0..rounds + WARM_UP {
        // Sessions that are used up are made anew, on a store as small as it was.
        if round > 0 && !matches!((case.before, case.job), (Preparation::One(_), _) | (_, Job::Nothing)) {
            contender = make();
            cookies = prepare(&contender, case, chunk_size).await;
        }
        let mut with = contender.with(case.job).await;
        let mut without = contender.without().await;
        let (a, b);
        if round % 2 == 0 {
            a = chunk(&mut with, &cookies, chunk_size).await;
            b = chunk(&mut without, &cookies, chunk_size).await;
        } else {
            b = chunk(&mut without, &cookies, chunk_size).await;
            a = chunk(&mut with, &cookies, chunk_size).await;
        }
        if round >= WARM_UP {
            result.with.push(per_request(a, chunk_size));
            result.without.push(per_request(b, chunk_size));
        }
    }
    result
}

async fn chunk(runner: &mut impl Runner, cookies: &[Option<HeaderValue>], count: usize) -> Duration {
    let start = Instant::now();
    run(runner, cookies, count).await;
    start.elapsed()
}

/// So many requests with these cookies in turn.
pub(crate) async fn run(runner: &mut impl Runner, cookies: &[Option<HeaderValue>], count: usize) {
    let mut next = 0;
    for _ in 0..count {
        black_box(runner.request(cookies[next].as_ref()).await);
        next = if next + 1 == cookies.len() { 0 } else { next + 1 };
    }
}

/// Makes the sessions of a case, and returns the cookies of its requests.
pub(crate) async fn prepare(contender: &impl Contender, case: Case, count: usize) -> Vec<Option<HeaderValue>> {
    let (job, count) = match case.before {
        Preparation::Nobody => return vec![None],
        Preparation::One(job) => (job, 1),
        Preparation::Each(job) => (job, count),
    };
    let mut maker = contender.with(job).await;
    let mut cookies = Vec::with_capacity(count);
    for _ in 0..count {
        cookies.push(Some(cookie_after(&mut maker, None).await.expect("a new session has a cookie")));
    }
    cookies
}

/// Sees that a request of this case does what it should: a contender that does nothing is fast.
pub(crate) async fn check(contender: &impl Contender, case: Case) {
    let cookie = prepare(contender, case, 1).await.remove(0);
    let mut subject = contender.with(case.job).await;
    let answer = cookie_after(&mut subject, cookie.as_ref()).await;
    match case.job {
        // The handlers panic when they do not find what they read.
        Job::Nothing | Job::Read | Job::Is(_) | Job::ReadText(_) => {}
        Job::ReadWrite => {
            cookie_after(&mut contender.with(Job::Is(Some(2))).await, cookie.as_ref()).await;
        }
        Job::Write | Job::SignUp { .. } | Job::Fill { .. } => {
            assert!(answer.is_some(), "{}: a cookie is set", case.name);
            cookie_after(&mut contender.with(Job::Read).await, answer.as_ref()).await;
        }
        Job::Login => {
            assert!(answer.is_some() && answer != cookie, "{}: another cookie is set", case.name);
            cookie_after(&mut contender.with(Job::Read).await, answer.as_ref()).await;
        }
        Job::Destroy => {
            cookie_after(&mut contender.with(Job::Is(None)).await, cookie.as_ref()).await;
        }
    }
}

async fn cookie_after<R: Runner>(runner: &mut R, cookie: Option<&HeaderValue>) -> Option<HeaderValue> {
    let response = runner.request(cookie).await;
    R::cookie(&response)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn per_request(elapsed: Duration, count: usize) -> f64 {
    (elapsed.as_nanos() as f64 * 10.0 / count as f64).round() / 10.0
}

const WARM_UP: usize = 3;
