//! Time as a dependency: points in time, and who tells them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time: milliseconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
///
/// It has no arithmetic operators on purpose: sums of times are made in one place of the library, saturating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest point in time there is: "never".
    pub const MAX: Self = Self(u64::MAX);

    /// The point `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after.
    ///
    /// ```
    /// use sessions_core::Timestamp;
    /// use std::time::Duration;
    ///
    /// let (a, b) = (Timestamp::from_millis(1_000), Timestamp::from_millis(3_500));
    /// assert_eq!(b.since(a), Duration::from_millis(2_500));
    /// assert_eq!(a.since(b), Duration::ZERO);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point `duration` later; [`Timestamp::MAX`] when that cannot be represented.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl From<SystemTime> for Timestamp {
    /// Times before the epoch become the epoch.
    fn from(time: SystemTime) -> Self {
        Self::default().after(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// Tells the time. Cloned with the manager, asked a few times a request.
///
/// It may jump: every use of it in this library saturates, and a jump never makes a dead session live again on a store
/// that has its own clock.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// A clock that moves when it is told to: for tests. Clones are the same clock.
///
/// ```
/// use sessions_core::{Clock, ManualClock, Timestamp};
/// use std::time::Duration;
///
/// let clock = ManualClock::at(Timestamp::from_millis(1_000));
/// let same = clock.clone();
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(same.now(), Timestamp::from_millis(3_000));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(now.as_millis())))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().after(duration));
    }

    /// Sets the clock, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_system_counts_from_the_epoch() {
        assert_eq!(Timestamp::from(UNIX_EPOCH + Duration::from_micros(1_500_999)), Timestamp::from_millis(1_500));
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), Timestamp::from_millis(0));
    }

    #[test]
    fn the_clock_of_the_system_tells_its_time() {
        let before = Timestamp::from(SystemTime::now());
        let now = Arc::new(SystemClock).now();
        assert!(before <= now && now <= SystemTime::now().into(), "unless the clock was set back meanwhile");
        assert!(before > Timestamp::from_millis(1_600_000_000_000), "in 2020 this was not written yet");
    }

    #[test]
    fn a_clock_behind_an_arc_is_the_same_clock() {
        let clock = ManualClock::at(Timestamp::from_millis(7));
        assert_eq!(Arc::new(clock).now(), Timestamp::from_millis(7));
    }
}
