//! Lanes: requests that wait at the same time share a statement.
//!
//! Callers put a job into the lane's queue and wait for its answer. A driver, a task that lives as long as there are jobs,
//! holds one connection, takes as many jobs as fit together and runs them as one statement. A lone job is run alone and at
//! once; under load, one round trip, one wake-up and one `fsync` serve many sessions. Because the driver owns the
//! connection, a caller that goes away never interrupts a statement (G11).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::deadline::Attempt;
use crate::error::Failure;
use crate::verdict::Remedy;

/// After so many statements a driver gives its connection back and asks for one anew, behind all who wait for one: a pool may be
/// small, or shared with the application.
const STATEMENTS_PER_TURN: usize = 16;

/// What a lane does with its jobs.
pub(crate) trait Batch: Send + Sync + 'static {
    type Job: Send + Sync;
    type Answer: Send;
    type Connection: Send;

    /// Whether `job` can share a statement with those that were picked already, one at least.
    fn fits(&self, picked: &[Self::Job], job: &Self::Job) -> bool;

    /// A connection for a driver, which may be stale.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Failure>> + Send;

    /// A connection that answers: where one is stale, so are others.
    fn reconnect(&self) -> impl Future<Output = Result<Self::Connection, Failure>> + Send;

    /// Runs the jobs, all or none, and answers them in their order. Invariant: running the same jobs again is safe.
    fn run(
        &self,
        connection: &mut Self::Connection,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, Failure>> + Send;

    /// Disposes of a connection on which a statement broke off.
    fn give_up(&self, connection: Self::Connection);
}

/// A queue with a number of drivers at most.
pub(crate) struct Lane<B: Batch>(Arc<Shared<B>>);

struct Shared<B: Batch> {
    batch: B,
    limit: Duration,
    drivers: usize,
    queue: Mutex<Queue<B>>,
}

struct Queue<B: Batch> {
    /// Invariant: in the order of their tickets.
    waiting: VecDeque<Waiting<B>>,
    next_ticket: u64,
    drivers: usize,
}

struct Waiting<B: Batch> {
    ticket: u64,
    job: B::Job,
    reply: Reply<B>,
}

type Reply<B> = oneshot::Sender<Result<<B as Batch>::Answer, Failure>>;

impl<B: Batch> Lane<B> {
    /// A lane whose statements get `limit` each.
    pub(crate) fn new(batch: B, drivers: usize, limit: Duration) -> Self {
        let queue = Queue { waiting: VecDeque::new(), next_ticket: 0, drivers: 0 };
        Self(Arc::new(Shared { batch, limit, drivers, queue: Mutex::new(queue) }))
    }

    /// Runs a job that only reads.
    pub(crate) async fn read(&self, job: B::Job) -> Result<B::Answer, Failure> {
        self.submit(job, None).await
    }

    /// Runs a job that writes. A job that is still in the queue when its caller goes away was not sent and never is.
    pub(crate) async fn write(&self, job: B::Job, attempt: &Attempt) -> Result<B::Answer, Failure> {
        attempt.write_sent();
        let answer = self.submit(job, Some(attempt)).await?;
        attempt.write_answered();
        Ok(answer)
    }

    async fn submit(&self, job: B::Job, attempt: Option<&Attempt>) -> Result<B::Answer, Failure> {
        let (reply, answer) = oneshot::channel();
        let ticket = self.0.push(job, reply);
        // Dropped before `answer`: the job leaves the queue while its receiver is still there, see `Place`.
        let mut place = Place { lane: &*self.0, ticket: Some(ticket), attempt };
        let answer = answer.await;
        place.ticket = None;
        // No answer and no driver any more: its runtime was shut down.
        answer.unwrap_or(Err(Failure::Interrupted))
    }
}

impl<B: Batch> Shared<B> {
    fn queue(&self) -> MutexGuard<'_, Queue<B>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, job: B::Job, reply: Reply<B>) -> u64 {
        let mut queue = self.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(Waiting { ticket, job, reply });
        if queue.drivers < self.drivers {
            queue.drivers += 1;
            drop(queue);
            tokio::spawn(Driver { lane: Arc::clone(self), counted: true }.drive());
        }
        ticket
    }
}

/// A job's place in the queue. Who leaves it takes the job along, if it was not picked yet.
struct Place<'a, B: Batch> {
    lane: &'a Shared<B>,
    ticket: Option<u64>,
    attempt: Option<&'a Attempt>,
}

impl<B: Batch> Drop for Place<'_, B> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut queue = self.lane.queue();
        if let Ok(at) = queue.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket) {
            queue.waiting.remove(at);
            if let Some(attempt) = self.attempt {
                attempt.write_answered();
            }
        }
    }
}

/// Works off the queue with one connection.
struct Driver<B: Batch> {
    lane: Arc<Shared<B>>,
    counted: bool,
}

impl<B: Batch> Driver<B> {
    async fn drive(mut self) {
        let mut connection = None;
        let mut statements = 0;
        while self.has_work() {
            if statements % STATEMENTS_PER_TURN == 0 {
                drop(connection.take());
            }
            if connection.is_none() {
                // Before jobs are picked: those that wait for a connection are known not to have been sent.
                match self.lane.batch.connect().await {
                    Ok(new) => connection = Some(new),
                    Err(failure) => {
                        self.refuse_waiting(&failure);
                        continue;
                    }
                }
            }
            let (jobs, replies) = self.pick();
            if jobs.is_empty() {
                continue;
            }
            statements += 1;
            self.run(&mut connection, &jobs, replies).await;
        }
    }

    /// Otherwise the driver is counted out, under the lock under which jobs come in: none is left without a driver.
    fn has_work(&mut self) -> bool {
        let mut queue = self.lane.queue();
        if queue.waiting.is_empty() {
            queue.drivers -= 1;
            self.counted = false;
        }
        self.counted
    }

    fn refuse_waiting(&self, failure: &Failure) {
        for Waiting { reply, .. } in std::mem::take(&mut self.lane.queue().waiting) {
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

    async fn run(&self, connection: &mut Option<B::Connection>, jobs: &[B::Job], replies: Vec<Reply<B>>) {
        match self.run_patiently(connection, jobs).await {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(Ok(answer));
                }
            }
            // All failed for the sake of one, perhaps: each gets its own verdict. Running them again is safe.
            Err(failure) if jobs.len() > 1 && failure.may_concern_one_job() => {
                for (reply, job) in replies.into_iter().zip(jobs) {
                    let answer = self.run_patiently(connection, std::slice::from_ref(job)).await;
                    let _ =
                        reply.send(answer.and_then(|answers| answers.into_iter().next().ok_or(Failure::Interrupted)));
                }
            }
            Err(failure) => {
                for reply in replies {
                    let _ = reply.send(Err(failure.clone()));
                }
            }
        }
    }

    /// Runs jobs, and once more on a new connection when the old one turns out to be broken: it may have been stale for long.
    async fn run_patiently(
        &self,
        connection: &mut Option<B::Connection>,
        jobs: &[B::Job],
    ) -> Result<Vec<B::Answer>, Failure> {
        let batch = &self.lane.batch;
        let mut current = match connection.take() {
            Some(current) => current,
            None => batch.connect().await?,
        };
        let mut earlier: Option<Failure> = None;
        loop {
            match tokio::time::timeout(self.lane.limit, self.run_until_accepted(&mut current, jobs)).await {
                Err(_) => {
                    batch.give_up(current);
                    return Err(Failure::Deadline(self.lane.limit));
                }
                Ok(Err(failure)) if failure.remedy() == Remedy::Reconnect && earlier.is_none() => {
                    batch.give_up(current);
                    // What the old connection did stays unknown when no new one can be had.
                    current = match tokio::time::timeout(self.lane.limit, batch.reconnect()).await {
                        Ok(Ok(alive)) => alive,
                        Ok(Err(_)) | Err(_) => return Err(failure),
                    };
                    earlier = Some(failure);
                }
                Ok(Err(failure)) => {
                    match failure.remedy() {
                        Remedy::Reconnect => batch.give_up(current),
                        Remedy::Again | Remedy::None => *connection = Some(current),
                    }
                    return Err(earlier.filter(Failure::may_have_been_applied).unwrap_or(failure));
                }
                Ok(Ok(answers)) => {
                    *connection = Some(current);
                    return Ok(answers);
                }
            }
        }
    }

    /// Again and again while the database says that it applied nothing because others were in the way; that word is worth more
    /// than a deadline's, so that it is passed on before the deadline.
    async fn run_until_accepted(
        &self,
        connection: &mut B::Connection,
        jobs: &[B::Job],
    ) -> Result<Vec<B::Answer>, Failure> {
        let until = Instant::now() + self.lane.limit * 3 / 4;
        loop {
            match self.lane.batch.run(connection, jobs).await {
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

#[cfg(test)]
mod tests;
