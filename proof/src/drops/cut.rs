//! Dropping a future in the middle.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A place where a future can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    polls: u32,
    when: When,
}

/// When a future is dropped, after it was polled that often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// As soon as it waits.
    Waiting,
    /// When it is woken.
    Woken,
}

impl Place {
    /// The first of all: before it is polled at all.
    pub(crate) const FIRST: Self = Self { polls: 0, when: When::Waiting };

    /// More polls than anything needs.
    const MOST_POLLS: u32 = 10_000;

    /// Whether nothing of the future has run.
    pub(crate) const fn is_before_everything(self) -> bool {
        self.polls == 0
    }

    /// The place after this one; `None` when the future has completed in both ways.
    pub(crate) fn next(self, completed: bool) -> Option<Self> {
        assert!(self.polls < Self::MOST_POLLS, "it does not end");
        match (completed, self.when) {
            (false, when) => Some(Self { polls: self.polls + 1, when }),
            (true, When::Waiting) => Some(Self { polls: 0, when: When::Woken }),
            (true, When::Woken) => None,
        }
    }

    /// Drops the future here; its output, if it completes before.
    pub(crate) async fn drop<T>(self, mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Option<T> {
        let mut left = self.polls;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if left == 0 && self.when == When::Waiting => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.when == When::Waiting { "as it waited" } else { "as it was woken" };
        write!(f, "dropped {when} after {} polls", self.polls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_place_is_visited_in_both_ways() {
        let (mut place, mut reached) = (Some(Place::FIRST), Vec::new());
        while let Some(here) = place {
            let mut steps = 0;
            let output = here
                .drop(Box::pin(async {
                    for _ in 0..2 {
                        steps += 1;
                        tokio::task::yield_now().await;
                    }
                    steps += 1;
                }))
                .await;
            reached.push((steps, output.is_some()));
            place = here.next(output.is_some());
        }
        let once = [(0, false), (1, false), (2, false), (3, true)];
        assert_eq!(reached, [once, once].concat());
    }
}
