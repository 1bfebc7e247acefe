//! A lane over a database that does as it is told.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use sessions_core::StoreError;

use super::doubler::{Doubler, Told, Turn};
use super::driver::STATEMENTS_PER_TURN;
use super::*;
use crate::deadline::Attempt;

const LIMIT: Duration = Duration::from_secs(2);

fn lane(doubler: &Doubler) -> Arc<Lane<Doubler>> {
    Arc::new(Lane::new(doubler.clone(), 1, LIMIT))
}

/// Writes a number under a deadline, as an operation of a store does.
async fn write(lane: &Lane<Doubler>, number: u64) -> Result<u64, StoreError> {
    let attempt = Attempt::new(LIMIT);
    attempt.run(async { Ok(lane.write(number, &attempt).await?.answer) }).await
}

/// Writes numbers at the same time.
async fn write_all(
    lane: &Arc<Lane<Doubler>>,
    numbers: impl IntoIterator<Item = u64>,
) -> HashMap<u64, Result<u64, StoreError>> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in numbers {
        let lane = Arc::clone(lane);
        tasks.spawn(async move { (number, write(&lane, number).await) });
    }
    tasks.join_all().await.into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_share_statements_and_get_their_own_answers() {
    let doubler = Doubler::default();
    let answers = write_all(&lane(&doubler), 0..10).await;
    assert!(answers.into_iter().all(|(number, answer)| answer.expect("an answer") == number * 2));
    let statements = doubler.statements();
    assert!(statements.len() < 10 && statements.iter().all(|jobs| jobs.len() <= 4), "{statements:?}");
    assert_eq!(statements.concat().len(), 10, "each ran once");
}

#[tokio::test(start_paused = true)]
async fn those_that_do_not_fit_wait_for_the_next_statement() {
    let doubler = Doubler::default();
    let lane = lane(&doubler);
    let (a, b, c) = tokio::join!(lane.read(1), lane.read(1), lane.read(2));
    assert_eq!((a.expect("a"), b.expect("b"), c.expect("c")), (2, 2, 4));
    assert_eq!(doubler.statements(), [vec![1, 2], vec![1]]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_refused_does_not_take_the_others_with_it() {
    let doubler = Doubler::default();
    for (number, answer) in write_all(&lane(&doubler), [11, 12, 13, 14]).await {
        assert_eq!(answer.is_ok(), number != 13, "{number}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_connection_is_replaced_once() {
    let doubler = Doubler::that([Turn::Break]);
    assert_eq!(write(&lane(&doubler), 1).await.expect("on the second connection"), 2);
    assert_eq!(doubler.given_up(), 1);

    let doubler = Doubler::that([Turn::Break, Turn::Break]);
    let error = write(&lane(&doubler), 1).await.expect_err("both broke");
    assert!(error.is_indeterminate(), "{error:?}");
    assert_eq!(doubler.statements().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_second_run_says_so_and_leaves_its_operation_in_doubt() {
    let doubler = Doubler::that([Turn::Answer, Turn::Break]);
    let lane = lane(&doubler);
    let attempt = Attempt::new(LIMIT);
    assert!(!lane.write(1, &attempt).await.expect("an answer").repeated);
    assert!(!attempt.is_in_doubt());
    let answered = lane.write(2, &attempt).await.expect("on the second connection");
    assert_eq!((answered.answer, answered.repeated), (4, true));
    let error = attempt.run(async { Err::<(), _>(Failure::Stopped) }).await.expect_err("it failed after that");
    assert!(error.is_indeterminate(), "what followed failed, the write may have been applied: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_repeated_fails_and_the_next_connection_is_one_that_answers() {
    let doubler = Doubler::that([Turn::Break]);
    let lane = lane(&doubler);
    assert!(write(&lane, 17).await.expect_err("unknown").is_indeterminate());
    assert_eq!((doubler.statements(), doubler.given_up()), (vec![vec![17]], 1));
    assert_eq!(write(&lane, 17).await.expect("an answer"), 34);
    assert_eq!(doubler.0.asked.load(Ordering::SeqCst), 1);
    // Those that are held are not tried one after the other.
    let told = Told { holds: Some(LIMIT), ..Told::default() };
    let doubler = Doubler(Arc::new(told));
    let lane = Arc::new(Lane::new(doubler.clone(), 4, LIMIT));
    for answer in write_all(&lane, 20..36).await.into_values() {
        answer.expect("an answer");
    }
    let held = doubler.0.connections.load(Ordering::SeqCst);
    assert!(held > 1, "{held}");
    doubler.0.turns.lock().expect("not poisoned").push_back(Turn::Break);
    write(&lane, 17).await.expect_err("unknown");
    assert_eq!(doubler.given_up(), held);
    // What was surely not applied, or surely is not under way, is run again.
    for turn in [Turn::Busy, Turn::End] {
        let doubler = Doubler::that([turn]);
        assert_eq!(write(&self::lane(&doubler), 17).await.expect("an answer"), 34, "{turn:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_waits_for_ever_is_not_waited_for() {
    let doubler = Doubler::default();
    doubler.0.withholds_connections.store(true, Ordering::SeqCst);
    let lane = lane(&doubler);
    assert!(write(&lane, 1).await.expect_err("no connection").is_unavailable());
    doubler.0.withholds_connections.store(false, Ordering::SeqCst);
    assert_eq!(write(&lane, 2).await.expect("the driver has asked again"), 4);
    assert_eq!(doubler.statements(), [[2]]);
}

#[tokio::test(start_paused = true)]
async fn what_broke_off_stays_unknown_when_no_other_connection_can_be_had() {
    let doubler = Doubler::that([Turn::Break]);
    let lane = lane(&doubler);
    let write = write(&lane, 1);
    let refuse = async {
        while doubler.statements().is_empty() {
            tokio::task::yield_now().await;
        }
        doubler.0.refuses_connections.store(true, Ordering::SeqCst);
    };
    let (outcome, ()) = tokio::join!(write, refuse);
    assert!(outcome.expect_err("it broke").is_indeterminate());
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_nothing_was_sent() {
    let doubler = Doubler::default();
    doubler.0.refuses_connections.store(true, Ordering::SeqCst);
    let lane = lane(&doubler);
    for outcome in write_all(&lane, 0..5).await.into_values() {
        assert!(outcome.expect_err("no connection").is_unavailable());
    }
    assert!(doubler.statements().is_empty());
    doubler.0.refuses_connections.store(false, Ordering::SeqCst);
    write(&lane, 1).await.expect("the lane works again");
}

#[tokio::test(start_paused = true)]
async fn busy_is_tried_again_and_in_the_end_surely_not_applied() {
    let doubler = Doubler::that([Turn::Busy, Turn::Busy]);
    assert_eq!(write(&lane(&doubler), 1).await.expect("the third time"), 2);

    let doubler = Doubler::that(std::iter::repeat_n(Turn::Busy, 1_000));
    assert!(write(&lane(&doubler), 1).await.expect_err("busy").is_unavailable());
    assert!(doubler.statements().len() > 100);
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_hangs_is_given_up_and_those_behind_it_were_not_sent() {
    let doubler = Doubler::that([Turn::Hang]);
    let lane = lane(&doubler);
    let first = write(&lane, 1);
    let behind = async {
        while doubler.statements().is_empty() {
            tokio::task::yield_now().await;
        }
        let attempt = Attempt::new(LIMIT / 2);
        attempt.run(async { Ok(lane.write(2, &attempt).await?.answer) }).await
    };
    let (first, behind) = tokio::join!(first, behind);
    assert!(first.expect_err("it hangs").is_indeterminate());
    assert!(behind.expect_err("it waits behind").is_unavailable());
    assert_eq!(write(&lane, 3).await.expect("the lane works again"), 6);
    assert_eq!(doubler.given_up(), 1);
    assert_eq!(doubler.statements(), [vec![1], vec![3]], "2 never ran");
}

#[tokio::test(start_paused = true)]
async fn g11_a_caller_that_goes_away_takes_its_job_along_or_leaves_it_whole() {
    let doubler = Doubler::default();
    let lane = lane(&doubler);
    let mut waiting = Box::pin(lane.read(1));
    let never_polled = lane.read(2);
    assert!(poll_once(waiting.as_mut()).await.is_none());
    drop((waiting, never_polled));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(doubler.statements().is_empty(), "it was taken back");
    assert_eq!(lane.read(3).await.expect("the lane works"), 6);
}

/// One poll; the output, if it was ready.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_driver_gives_its_connection_back_from_time_to_time() {
    let doubler = Doubler::default();
    let lane = lane(&doubler);
    write_all(&lane, 0..400).await;
    let statements = doubler.statements().len();
    assert!(statements >= 100);
    assert!(doubler.0.connections.load(Ordering::SeqCst) >= statements / STATEMENTS_PER_TURN);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_held_for_as_long_as_it_may_be_and_then_replaced() {
    let doubler = Doubler(Arc::new(Told { holds: Some(LIMIT), ..Told::default() }));
    let connections = || doubler.0.connections.load(Ordering::SeqCst);
    let lane = lane(&doubler);
    for number in 20..120 {
        assert_eq!(write(&lane, number).await.expect("an answer"), number * 2);
    }
    assert_eq!(connections(), 1, "idle in between, and kept");
    tokio::time::sleep(LIMIT).await;
    write(&lane, 1).await.expect("an answer");
    assert_eq!(connections(), 2);
    lane.close();
    assert_eq!(doubler.0.let_go.load(Ordering::SeqCst), 1);
    write(&lane, 1).await.expect("an answer");
    write(&lane, 1).await.expect("an answer");
    assert_eq!(connections(), 4, "no longer kept");
    drop(lane);
    assert_eq!(doubler.0.let_go.load(Ordering::SeqCst), 1);

    let (kept, again) = (self::lane(&doubler), self::lane(&doubler));
    write(&kept, 1).await.expect("an answer");
    drop((kept, again));
    tokio::task::yield_now().await;
    assert_eq!(doubler.0.let_go.load(Ordering::SeqCst), 2, "the store went away, and what it held");
}

#[test]
fn a_runtime_that_shuts_down_leaves_nobody_waiting() {
    let doubler = Doubler::that([Turn::Hang]);
    let lane = lane(&doubler);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let first = runtime();
    let (sender, receiver) = std::sync::mpsc::channel();
    let writer = Arc::clone(&lane);
    first.spawn(async move { sender.send(write(&writer, 1).await).expect("a receiver") });
    first.block_on(async {
        while doubler.statements().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    drop(first);
    assert!(receiver.recv().is_err(), "the writer went down with it");
    assert_eq!(runtime().block_on(write(&lane, 2)).expect("on another runtime"), 4);
}
