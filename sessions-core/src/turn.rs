//! One at a time: an asynchronous lock for the opening and the commit of one session.
//!
//! It is almost never contended, so that it costs nothing until it is: a flag, and the wakers of those who wait. Everyone
//! who waits is woken, whoever comes first goes on; a waiter that is dropped takes nobody's turn along.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    taken: bool,
    waiting: Vec<Waker>,
}

/// Ends the turn when dropped.
#[derive(Debug)]
pub(crate) struct TurnGuard<'a>(&'a Turn);

impl Turn {
    /// Waits until nobody else has the turn, and takes it.
    pub(crate) async fn take(&self) -> TurnGuard<'_> {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.taken {
                if !state.waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                return Poll::Pending;
            }
            state.taken = true;
            Poll::Ready(())
        })
        .await;
        TurnGuard(self)
    }

    fn state(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.state();
            state.taken = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn one_at_a_time_and_a_dropped_waiter_takes_no_turn_along() {
        let turn = Turn::default();
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let (first_waker, second_waker) = (Arc::clone(&first).into(), Arc::clone(&second).into());
        let (mut first_cx, mut second_cx) = (Context::from_waker(&first_waker), Context::from_waker(&second_waker));

        let Poll::Ready(guard) = pin!(turn.take()).poll(&mut first_cx) else { panic!("free") };
        let mut waits = Box::pin(turn.take());
        assert!(waits.as_mut().poll(&mut first_cx).is_pending());
        let mut also_waits = pin!(turn.take());
        assert!(also_waits.as_mut().poll(&mut second_cx).is_pending());
        assert!(also_waits.as_mut().poll(&mut second_cx).is_pending());

        drop(waits);
        drop(guard);
        assert_eq!(second.0.load(Ordering::SeqCst), 1, "woken once");
        assert!(also_waits.as_mut().poll(&mut second_cx).is_ready());
    }
}
