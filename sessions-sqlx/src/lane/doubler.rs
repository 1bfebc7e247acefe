//! A database that does as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Batch;
use crate::error::Failure;
use crate::verdict::{Remedy, Verdict};

/// What the database does with the next statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    /// It answers at once.
    Answer,
    /// It never does.
    Hang,
    /// The connection breaks.
    Break,
    /// It ends the connection, and says so.
    End,
    /// Another statement is in the way, for some milliseconds.
    Busy,
}

/// Doubles numbers, but refuses 13, and statements with it. 17 may not be doubled twice.
#[derive(Clone, Default)]
pub(super) struct Doubler(pub(super) Arc<Told>);

#[derive(Default)]
pub(super) struct Told {
    pub(super) turns: Mutex<VecDeque<Turn>>,
    pub(super) statements: Mutex<Vec<Vec<u64>>>,
    pub(super) connections: AtomicUsize,
    /// Of these, the ones that were asked whether they answer.
    pub(super) asked: AtomicUsize,
    pub(super) given_up: AtomicUsize,
    pub(super) let_go: AtomicUsize,
    pub(super) holds: Option<Duration>,
    pub(super) refuses_connections: AtomicBool,
    pub(super) withholds_connections: AtomicBool,
}

impl Doubler {
    pub(super) fn that(turns: impl IntoIterator<Item = Turn>) -> Self {
        let told = Told { turns: Mutex::new(turns.into_iter().collect()), ..Told::default() };
        Self(Arc::new(told))
    }
    pub(super) fn statements(&self) -> Vec<Vec<u64>> {
        self.0.statements.lock().expect("not poisoned").clone()
    }
    pub(super) fn given_up(&self) -> usize {
        self.0.given_up.load(Ordering::SeqCst)
    }
}

impl Batch for Doubler {
    type Job = u64;
    type Answer = u64;
    type Connection = usize;

    fn fits(&self, picked: &[u64], job: &u64) -> bool {
        picked.len() < 4 && !picked.contains(job)
    }

    async fn connect(&self) -> Result<usize, Failure> {
        if self.0.refuses_connections.load(Ordering::SeqCst) {
            return Err(Failure::connection(sqlx::Error::PoolTimedOut));
        }
        if self.0.withholds_connections.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(self.0.connections.fetch_add(1, Ordering::SeqCst))
    }

    async fn reconnect(&self) -> Result<usize, Failure> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        self.connect().await
    }

    fn may_repeat(&self, jobs: &[u64]) -> bool {
        !jobs.contains(&17)
    }

    async fn run(&self, _: &mut usize, jobs: &[u64]) -> Result<Vec<u64>, Failure> {
        self.0.statements.lock().expect("not poisoned").push(jobs.to_vec());
        let turn = self.0.turns.lock().expect("not poisoned").pop_front();
        tokio::task::yield_now().await;
        match turn.unwrap_or(Turn::Answer) {
            Turn::Answer if jobs.contains(&13) => Err(Failure::ForeignRow("number")),
            Turn::Answer => Ok(jobs.iter().map(|job| job * 2).collect()),
            Turn::Hang => std::future::pending().await,
            Turn::Break => Err(Failure::statement(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into())),
            Turn::End => {
                Err(Failure::Statement(sqlx::Error::RowNotFound.into(), Verdict::known(true, Remedy::Reconnect)))
            }
            Turn::Busy => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let verdict = Verdict::known(false, Remedy::Again);
                Err(Failure::Statement(sqlx::Error::RowNotFound.into(), verdict))
            }
        }
    }

    fn give_up(&self, _: usize) {
        self.0.given_up.fetch_add(1, Ordering::SeqCst);
    }

    fn hold(&self) -> Option<Duration> {
        self.0.holds
    }

    fn let_go(&self, _: usize) {
        self.0.let_go.fetch_add(1, Ordering::SeqCst);
    }
}
