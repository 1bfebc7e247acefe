//! Lanes: requests that wait at the same time share a statement.
//!
//! Callers put a job into the lane's queue and wait for its answer. A driver, a task that lives as long as there are jobs,
//! holds one connection, takes as many jobs as fit together and runs them as one statement. A lone job is run alone and at
//! once; under load, one round trip, one wake-up and one `fsync` serve many sessions. Because the driver owns the
//! connection, a caller that goes away never interrupts a statement (G11).

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::deadline::Attempt;
use crate::error::Failure;

mod driver;

use driver::Driver;

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

    /// Whether the same jobs may be run again while the first run may be on its way. Only what the second run counts may be less.
    fn may_repeat(&self, jobs: &[Self::Job]) -> bool;

    /// Runs the jobs, all or none, and answers them in their order.
    fn run(
        &self,
        connection: &mut Self::Connection,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Self::Answer>, Failure>> + Send;

    /// Disposes of a connection on which a statement broke off.
    fn give_up(&self, connection: Self::Connection);

    /// For how long a connection is kept, also while there is nothing to do. A pool asks each connection that it gets back whether
    /// it is alive, which is a round trip for every lone job. `None`: the pool is not the lane's own, and gets it back at once.
    fn hold(&self) -> Option<Duration>;

    /// Gives a connection back that was kept; perhaps where there is no runtime any more.
    fn let_go(&self, connection: Self::Connection);
}

/// A queue with a number of drivers at most.
pub(crate) struct Lane<B: Batch>(Arc<Shared<B>>);

struct Shared<B: Batch> {
    batch: B,
    limit: Duration,
    drivers: usize,
    /// A connection was found to be broken, and none was asked since whether it answers.
    stale: AtomicBool,
    queue: Mutex<Queue<B>>,
}

struct Queue<B: Batch> {
    /// Invariant: in the order of their tickets.
    waiting: VecDeque<Waiting<B>>,
    next_ticket: u64,
    drivers: usize,
    /// Those that nobody uses at the moment.
    held: Vec<Held<B::Connection>>,
    /// No connection is held any more.
    closed: bool,
}

struct Held<C> {
    connection: C,
    since: Instant,
}

struct Waiting<B: Batch> {
    ticket: u64,
    job: B::Job,
    reply: Reply<B>,
}

type Reply<B> = oneshot::Sender<Result<Answered<<B as Batch>::Answer>, Failure>>;

/// The answer to one job.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    /// It ran a second time, and the first may have been applied: the answer is that of the second.
    pub(crate) repeated: bool,
}

impl<B: Batch> Lane<B> {
    /// A lane whose statements get `limit` each.
    pub(crate) fn new(batch: B, drivers: usize, limit: Duration) -> Self {
        let queue = Queue { waiting: VecDeque::new(), next_ticket: 0, drivers: 0, held: Vec::new(), closed: false };
        Self(Arc::new(Shared { batch, limit, drivers, stale: AtomicBool::new(false), queue: Mutex::new(queue) }))
    }

    /// Runs a job that only reads.
    pub(crate) async fn read(&self, job: B::Job) -> Result<B::Answer, Failure> {
        Ok(self.submit(job, None).await?.answer)
    }

    /// Runs a job that writes. A job that is still in the queue when its caller goes away was not sent and never is.
    pub(crate) async fn write(&self, job: B::Job, attempt: &Attempt) -> Result<Answered<B::Answer>, Failure> {
        attempt.write_sent();
        let answered = self.submit(job, Some(attempt)).await?;
        if answered.repeated {
            attempt.doubt();
        }
        attempt.write_answered();
        Ok(answered)
    }

    /// Lets all connections go, as soon as nothing is left to do.
    pub(crate) fn close(&self) {
        self.0.queue().closed = true;
        self.0.let_go_all();
    }

    async fn submit(&self, job: B::Job, attempt: Option<&Attempt>) -> Result<Answered<B::Answer>, Failure> {
        let (reply, answer) = oneshot::channel();
        let ticket = self.0.push(job, reply);
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

    fn let_go_all(&self) {
        let held = std::mem::take(&mut self.queue().held);
        held.into_iter().for_each(|held| self.batch.let_go(held.connection));
    }

    fn give_up_held(&self) {
        let held = std::mem::take(&mut self.queue().held);
        held.into_iter().for_each(|held| self.batch.give_up(held.connection));
    }

    fn push(self: &Arc<Self>, job: B::Job, reply: Reply<B>) -> u64 {
        let mut queue = self.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(Waiting { ticket, job, reply });
        if queue.drivers < self.drivers {
            queue.drivers += 1;
            drop(queue);
            tokio::spawn(Driver::new(Arc::clone(self)).drive());
        }
        ticket
    }
}

impl<B: Batch> Drop for Shared<B> {
    fn drop(&mut self) {
        self.let_go_all();
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

#[cfg(test)]
mod doubler;
#[cfg(test)]
mod tests;
