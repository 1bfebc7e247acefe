//! Names for the writes that hand out no token. Those that do draw theirs with it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::random::Random;
use crate::store::{SessionStore, Version};

/// How a manager names its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Versions {
    /// Drawn: no two are alike, whichever process they are of.
    #[default]
    Drawn,
    /// Counted: no two of this process are alike.
    Counted,
}

/// One for all managers, because two of them may have one store. It begins anywhere, so that it meets neither a version that
/// was drawn nor one of a caller's choice, which is a small number.
static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(anywhere()));

fn anywhere() -> u64 {
    RandomState::new().hash_one(0)
}

impl Versions {
    pub(crate) fn of(store: &dyn SessionStore) -> Self {
        if store.is_process_local() { Self::Counted } else { Self::Drawn }
    }

    pub(crate) fn next(self, random: &dyn Random) -> Result<Version, Error> {
        let number = match self {
            Self::Drawn => {
                let mut bytes = [0; 8];
                random.fill(&mut bytes).map_err(Error::random)?;
                u64::from_le_bytes(bytes)
            }
            Self::Counted => NEXT.fetch_add(1, Ordering::Relaxed),
        };
        Ok(Version::from_u64(number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::random::OsRandom;

    /// Many short rounds from a barrier: threads that begin one after the other would not meet.
    #[test]
    fn no_two_are_alike_whoever_asks() {
        for (versions, rounds, each) in [(Versions::Drawn, 1, 1_000), (Versions::Counted, 40, 20_000)] {
            for _ in 0..rounds {
                let start = Barrier::new(4);
                let some = || {
                    let mut some = Vec::with_capacity(each);
                    start.wait();
                    some.extend((0..each).map(|_| versions.next(&OsRandom).expect("OS randomness")));
                    some
                };
                let mut all: Vec<_> = std::thread::scope(|scope| {
                    let threads = [(); 4].map(|()| scope.spawn(some));
                    threads.into_iter().flat_map(|thread| thread.join().expect("it does not panic")).collect()
                });
                all.sort_unstable();
                all.dedup();
                assert_eq!(all.len(), 4 * each, "{versions:?}");
            }
        }
    }

    #[test]
    fn counting_begins_anywhere() {
        assert_ne!(anywhere(), anywhere());
        let one = Versions::Counted.next(&OsRandom).expect("it draws nothing");
        assert!(one.as_u64() > 1 << 24, "{one:?}");
    }
}
