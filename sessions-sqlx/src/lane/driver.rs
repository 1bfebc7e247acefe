//! The task that works off a lane's queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, timeout};

use super::{Answered, Batch, Held, Reply, Shared, Waiting};
use crate::error::Failure;
use crate::verdict::Remedy;

/// After so many statements a driver gives back a connection that it may not hold, and asks for one anew, behind all who wait for
/// one: a pool may be small, or shared with the application.
pub(super) const STATEMENTS_PER_TURN: usize = 16;

/// What the jobs of one statement are answered, in their order, and whether they were run twice.
type Answers<B> = (Vec<<B as Batch>::Answer>, bool);

/// Works off the queue with one connection.
pub(super) struct Driver<B: Batch> {
    lane: Arc<Shared<B>>,
    counted: bool,
    hand: Option<Held<B::Connection>>,
    /// On the connection at hand.
    statements: usize,
}

impl<B: Batch> Driver<B> {
    /// One that was counted in already.
    pub(super) fn new(lane: Arc<Shared<B>>) -> Self {
        let hand = lane.queue().held.pop();
        Self { lane, counted: true, hand, statements: 0 }
    }

    pub(super) async fn drive(mut self) {
        while self.has_work() {
            if self.is_turn_over() {
                drop(self.hand.take());
            }
            if self.hand.is_none() {
                // Before jobs are picked: those that wait for a connection are known not to have been sent.
                let next_ticket = self.lane.queue().next_ticket;
                if let Err(failure) = self.connect().await {
                    self.refuse_waiting(next_ticket, &failure);
                    continue;
                }
            }
            let (jobs, replies) = self.pick();
            if !jobs.is_empty() {
                self.run(&jobs, replies).await;
            }
        }
    }

    /// Otherwise the driver is counted out, under the lock under which jobs come in: none is left without a driver.
    fn has_work(&mut self) -> bool {
        let keeps = self.lane.batch.hold().is_some();
        let mut queue = self.lane.queue();
        if queue.waiting.is_empty() {
            queue.drivers -= 1;
            self.counted = false;
            if keeps && !queue.closed {
                queue.held.extend(self.hand.take());
            }
        }
        self.counted
    }

    fn is_turn_over(&self) -> bool {
        match (&self.hand, self.lane.batch.hold()) {
            (None, _) => false,
            (Some(held), Some(hold)) => held.since.elapsed() >= hold,
            (Some(_), None) => self.statements >= STATEMENTS_PER_TURN,
        }
    }

    /// Those that came later have not waited for this connection.
    fn refuse_waiting(&self, next_ticket: u64, failure: &Failure) {
        let refused = {
            let mut queue = self.lane.queue();
            let at = queue.waiting.partition_point(|waiting| waiting.ticket < next_ticket);
            let later = queue.waiting.split_off(at);
            std::mem::replace(&mut queue.waiting, later)
        };
        for Waiting { reply, .. } in refused {
            // A caller that is gone needs no answer, here and below.
            let _ = reply.send(Err(failure.clone()));
        }
    }

    /// The first job, and those behind it that fit.
    fn pick(&self) -> (Vec<B::Job>, Vec<Reply<B>>) {
        let (mut jobs, mut replies) = (Vec::new(), Vec::new());
        let mut queue = self.lane.queue();
        let mut at = 0;
        while let Some(waiting) = queue.waiting.get(at) {
            if jobs.is_empty() || self.lane.batch.fits(&jobs, &waiting.job) {
                if let Some(Waiting { job, reply, .. }) = queue.waiting.remove(at) {
                    jobs.push(job);
                    replies.push(reply);
                }
            } else {
                at += 1;
            }
        }
        (jobs, replies)
    }

    async fn run(&mut self, jobs: &[B::Job], replies: Vec<Reply<B>>) {
        match self.run_patiently(jobs, None).await {
            Ok((answers, repeated)) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(Ok(Answered { answer, repeated }));
                }
            }
            // All failed for the sake of one, perhaps: each gets its own verdict.
            Err(failure) if jobs.len() > 1 && failure.may_concern_one_job() && self.lane.batch.may_repeat(jobs) => {
                for (reply, job) in replies.into_iter().zip(jobs) {
                    let outcome = self.run_patiently(std::slice::from_ref(job), Some(failure.clone())).await;
                    let _ = reply.send(outcome.and_then(|(answers, repeated)| {
                        let answer = answers.into_iter().next().ok_or(Failure::Interrupted)?;
                        Ok(Answered { answer, repeated })
                    }));
                }
            }
            Err(failure) => {
                for reply in replies {
                    let _ = reply.send(Err(failure.clone()));
                }
            }
        }
    }

    /// Runs jobs, and once more on a new connection when the old one turns out to be broken, for it may have been stale for long;
    /// unless they may be on their way, and must not be then.
    /// `earlier` is what they failed with before.
    async fn run_patiently(&mut self, jobs: &[B::Job], earlier: Option<Failure>) -> Result<Answers<B>, Failure> {
        let lane = Arc::clone(&self.lane);
        // What may have been applied stays so, whatever is said of a later try.
        let mut doubt = earlier.filter(Failure::may_have_been_applied);
        let mut reconnected = false;
        loop {
            let mut held = match self.hand.take() {
                Some(held) => held,
                None => {
                    self.connect().await.map_err(|failure| doubt.clone().unwrap_or(failure))?;
                    continue;
                }
            };
            self.statements += 1;
            match timeout(lane.limit, Self::run_until_accepted(&lane, &mut held.connection, jobs)).await {
                Err(_) => {
                    lane.batch.give_up(held.connection);
                    return Err(Failure::Deadline(lane.limit));
                }
                Ok(Err(failure)) if failure.remedy() == Remedy::Reconnect => {
                    lane.batch.give_up(held.connection);
                    if failure.may_arrive_late() && !lane.batch.may_repeat(jobs) {
                        // Where one is stale, so are the others.
                        lane.stale.store(true, Ordering::Relaxed);
                        lane.give_up_held();
                        return Err(failure);
                    }
                    if reconnected {
                        return Err(doubt.unwrap_or(failure));
                    }
                    reconnected = true;
                    // What the old connection did stays unknown when no new one can be had.
                    let Ok(Ok(connection)) = timeout(lane.limit, lane.batch.reconnect()).await else {
                        return Err(doubt.unwrap_or(failure));
                    };
                    self.hold(connection);
                    doubt = doubt.or(Some(failure).filter(Failure::may_have_been_applied));
                }
                Ok(outcome) => {
                    self.hand = Some(held);
                    return match outcome {
                        Ok(answers) => Ok((answers, doubt.is_some())),
                        Err(failure) => Err(doubt.unwrap_or(failure)),
                    };
                }
            }
        }
    }

    /// A pool of the application may wait for longer than an operation does.
    async fn connect(&mut self) -> Result<(), Failure> {
        let connect = async {
            if !self.lane.stale.load(Ordering::Relaxed) {
                return self.lane.batch.connect().await;
            }
            let connection = self.lane.batch.reconnect().await?;
            self.lane.stale.store(false, Ordering::Relaxed);
            Ok(connection)
        };
        let connection = timeout(self.lane.limit, connect).await;
        self.hold(connection.unwrap_or_else(|_| Err(Failure::connection(sqlx::Error::PoolTimedOut)))?);
        Ok(())
    }

    fn hold(&mut self, connection: B::Connection) {
        self.hand = Some(Held { connection, since: Instant::now() });
        self.statements = 0;
    }

    /// Again and again while the database says that it applied nothing because others were in the way; that word is worth more
    /// than a deadline's, so that it is passed on before the deadline.
    async fn run_until_accepted(
        lane: &Shared<B>,
        connection: &mut B::Connection,
        jobs: &[B::Job],
    ) -> Result<Vec<B::Answer>, Failure> {
        let until = Instant::now() + lane.limit * 3 / 4;
        loop {
            match lane.batch.run(connection, jobs).await {
                Err(failure) if failure.remedy() == Remedy::Again && Instant::now() < until => {
                    tokio::task::yield_now().await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// A driver that ends early, with its runtime or by a panic, leaves nobody waiting for it.
impl<B: Batch> Drop for Driver<B> {
    fn drop(&mut self) {
        if self.counted {
            let mut queue = self.lane.queue();
            queue.drivers -= 1;
            if queue.drivers == 0 {
                queue.waiting.clear();
            }
        }
    }
}
