//! Locks: one value behind many of them, picked by session.

use std::array;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sessions_core::SessionId;

/// Many times the threads of a machine, so that two of them seldom meet; few enough to walk through all of them.
const SHARDS: usize = 64;

/// A value for each shard of the ids, behind its own lock.
#[derive(Debug)]
pub(crate) struct Shards<T>([Mutex<T>; SHARDS]);

impl<T> Shards<T> {
    /// Locks the shard that `id` belongs to.
    pub(crate) fn lock(&self, id: &SessionId) -> MutexGuard<'_, T> {
        // Ids are random, so that any byte would do; the sum also spreads those that are numbered.
        let sum = id.as_bytes().iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        lock(&self.0[usize::from(sum) % SHARDS])
    }

    /// Locks one shard after the other, never two at once.
    pub(crate) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.0.iter().map(lock)
    }
}

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self(array::from_fn(|_| Mutex::default()))
    }
}

/// Locks, also after a panic: under the locks of this crate runs no code but its own, and it does not panic half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
