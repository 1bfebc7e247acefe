//! The bounds, and what is used of them (G17).

use std::sync::Mutex;

use crate::shards::lock;

/// Counts sessions and record bytes against their bounds. It refuses; it never makes room.
///
/// Invariant: every slot that is not dead is counted once, with the length of its record. One lock keeps the two numbers
/// together, so that a refusal is never due to a half-taken place.
#[derive(Debug)]
pub(crate) struct Meter {
    max: Amount,
    used: Mutex<Amount>,
}

/// A number of sessions and a number of record bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) sessions: usize,
    pub(crate) bytes: usize,
}

impl Meter {
    pub(crate) fn new(max: Amount) -> Self {
        Self { max, used: Mutex::default() }
    }

    /// Takes one place and `bytes`, both or neither.
    pub(crate) fn enter(&self, bytes: usize) -> bool {
        let mut used = lock(&self.used);
        let fits = used.sessions < self.max.sessions && bytes <= self.max.bytes - used.bytes;
        if fits {
            *used = Amount { sessions: used.sessions + 1, bytes: used.bytes + bytes };
        }
        fits
    }

    /// Exchanges a record of `from` bytes for one of `to`. One that does not grow always fits.
    pub(crate) fn resize(&self, from: usize, to: usize) -> bool {
        if from == to {
            return true;
        }
        let mut used = lock(&self.used);
        let others = used.bytes - from;
        let fits = to < from || to <= self.max.bytes - others;
        if fits {
            used.bytes = others + to;
        }
        fits
    }

    /// Gives back one place and `bytes`.
    pub(crate) fn leave(&self, bytes: usize) {
        let mut used = lock(&self.used);
        *used = Amount { sessions: used.sessions - 1, bytes: used.bytes - bytes };
    }

    pub(crate) fn max(&self) -> Amount {
        self.max
    }

    pub(crate) fn used(&self) -> Amount {
        *lock(&self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(sessions: usize, bytes: usize) -> Meter {
        Meter::new(Amount { sessions, bytes })
    }

    #[test]
    fn g17_a_refusal_takes_neither_place_nor_bytes() {
        let meter = meter(2, 10);
        assert!(meter.enter(6));
        assert!(!meter.enter(5), "bytes");
        assert_eq!(meter.used(), Amount { sessions: 1, bytes: 6 });
        assert!(meter.enter(4));
        assert!(!meter.enter(0), "places");
        meter.leave(6);
        meter.leave(4);
        assert_eq!(meter.used(), Amount::default());
    }

    #[test]
    fn g17_a_record_that_does_not_grow_always_fits() {
        let meter = meter(1, 10);
        assert!(meter.enter(10));
        assert!(meter.resize(10, 10));
        assert!(!meter.resize(10, 11));
        assert!(meter.resize(10, 3));
        assert!(meter.resize(3, 10));
        assert_eq!(meter.used(), Amount { sessions: 1, bytes: 10 });
    }

    #[test]
    fn a_bound_of_everything_does_not_overflow() {
        let meter = meter(usize::MAX, usize::MAX);
        assert!(meter.enter(usize::MAX));
        assert!(!meter.enter(1));
        assert!(meter.resize(usize::MAX, 1));
        assert!(meter.enter(usize::MAX - 1));
    }
}
