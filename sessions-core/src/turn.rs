//! One at a time: whose turn it is to open or to commit a session, which takes longer than one would hold a lock.
//!
//! It is almost never contended, so that it costs nothing until it is: a flag, and the wakers of those who wait. Both lie
//! under the lock of the session's state, so that a turn begins and ends together with the first and the last that is done
//! in it. Everyone who waits is woken, whoever comes first goes on; a waiter that is dropped takes nobody's turn along.

use std::task::{Context, Poll, Waker};

#[derive(Debug, Default)]
pub(crate) struct Turn {
    taken: bool,
    waiting: Vec<Waker>,
}

/// Those to wake once the lock is free again.
#[must_use]
#[derive(Debug)]
pub(crate) struct Waiting(Vec<Waker>);

impl Turn {
    /// Takes the turn if nobody has it; else the task is woken when it has ended. Its waker is cloned under the lock, and woken
    /// and dropped outside of it.
    pub(crate) fn poll_take(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.taken {
            if !self.waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
                self.waiting.push(context.waker().clone());
            }
            return Poll::Pending;
        }
        self.taken = true;
        Poll::Ready(())
    }

    pub(crate) fn end(&mut self) -> Waiting {
        self.taken = false;
        Waiting(std::mem::take(&mut self.waiting))
    }
}

impl Waiting {
    pub(crate) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_kit::Wakes;
    use std::sync::Arc;

    #[test]
    fn one_at_a_time_and_everyone_who_waits_is_woken_once() {
        let mut turn = Turn::default();
        let (first, second) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        let (first_waker, second_waker) = (Arc::clone(&first).into(), Arc::clone(&second).into());
        let (first_cx, second_cx) = (Context::from_waker(&first_waker), Context::from_waker(&second_waker));

        assert!(turn.poll_take(&first_cx).is_ready(), "it is free");
        assert!(turn.poll_take(&first_cx).is_pending());
        assert!(turn.poll_take(&second_cx).is_pending());
        assert!(turn.poll_take(&second_cx).is_pending());

        turn.end().wake();
        assert_eq!((first.count(), second.count()), (1, 1));
        assert!(turn.poll_take(&second_cx).is_ready());
        turn.end().wake();
        assert_eq!((first.count(), second.count()), (1, 1), "nobody waits any more");
    }
}
