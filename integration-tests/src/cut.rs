//! Dropping a future in the middle (G11).

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// Goes through all the places where a future can be dropped: after 0, 1, 2… polls until it ends by itself, first when it
/// waits and then when it is woken.
#[derive(Debug)]
pub(crate) struct Cuts {
    polls: usize,
    when: Option<Cut>,
}

impl Cuts {
    /// More polls than any operation needs.
    const MOST_POLLS: usize = 10_000;

    pub(crate) const fn new() -> Self {
        Self { polls: 0, when: Some(Cut::Waiting) }
    }

    /// Whether there is another place.
    pub(crate) const fn are_left(&self) -> bool {
        self.when.is_some()
    }

    /// Drops this future at the next place; its output, if it ended by itself.
    pub(crate) async fn cut<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let output = cut(future, self.polls, self.when?).await;
        self.polls += 1;
        assert!(self.polls < Self::MOST_POLLS, "the operation does not end");
        if output.is_some() {
            self.polls = 0;
            self.when = if self.when == Some(Cut::Waiting) { Some(Cut::Woken) } else { None };
        }
        output
    }
}

/// When a future is dropped, after it was polled a number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// As soon as it waits: what it asked for may be on its way.
    Waiting,
    /// When it is woken: what it waited for has come, and it never learns.
    Woken,
}

/// Polls a future at most `polls` times and drops it; its output, if it came to one.
async fn cut<F: Future>(future: F, polls: usize, when: Cut) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 && when == Cut::Waiting => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_is_dropped_at_each_of_its_awaits() {
        for when in [Cut::Waiting, Cut::Woken] {
            for polls in 0..4 {
                let mut reached = 0;
                let steps = async {
                    for _ in 0..2 {
                        reached += 1;
                        tokio::task::yield_now().await;
                    }
                    reached += 1;
                };
                let finished = cut(steps, polls, when).await.is_some();
                assert_eq!((reached, finished), (polls.min(3), polls >= 3), "{polls} polls, {when:?}");
            }
        }
    }

    #[tokio::test]
    async fn every_place_is_visited_in_both_ways() {
        let mut cuts = Cuts::new();
        let mut ended = Vec::new();
        while cuts.are_left() {
            ended.push(cuts.cut(tokio::task::yield_now()).await.is_some());
        }
        assert_eq!(ended, [false, false, true, false, false, true]);
    }
}
