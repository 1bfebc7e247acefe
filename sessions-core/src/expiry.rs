//! All arithmetic on time. Nobody else adds two times.
//!
//! Three limits bound a session, and the store's time to live is the least of them: the **lifetime** from when the token
//! was issued, the **idle timeout** from the last activity, and the **absolute timeout** from creation, which nothing
//! extends (ASVS 7.3.1, 7.3.2).

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::MAX_TTL;

/// The limits of a manager, or of one session with its overrides applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) lifetime: Duration,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) absolute_timeout: Option<Duration>,
    pub(crate) rotate_threshold: Duration,
    /// A touch is due when 1/`touch_fraction` of the idle window has passed; 0 means always.
    pub(crate) touch_fraction: u32,
}

/// What one session has instead of the manager's defaults; sticky, kept in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Overrides {
    pub(crate) lifetime: Option<Duration>,
    /// `Some(None)` is "no idle timeout".
    pub(crate) idle_timeout: Option<Option<Duration>>,
    pub(crate) persistent: Option<bool>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lifetime: Duration::from_secs(24 * 60 * 60),
            idle_timeout: None,
            absolute_timeout: None,
            rotate_threshold: Duration::from_secs(2 * 60),
            touch_fraction: 16,
        }
    }
}

impl Limits {
    /// These limits with a session's own in their place. The absolute timeout cannot be overridden.
    pub(crate) fn with(&self, overrides: &Overrides) -> Self {
        Self {
            lifetime: overrides.lifetime.unwrap_or(self.lifetime),
            idle_timeout: overrides.idle_timeout.unwrap_or(self.idle_timeout),
            ..*self
        }
    }

    /// When a session opens for nobody any more, whatever its activity.
    pub(crate) fn deadline(&self, created_at: Timestamp, issued_at: Timestamp) -> Timestamp {
        let by_lifetime = issued_at.after(self.lifetime);
        match self.absolute_timeout {
            Some(absolute) => by_lifetime.min(created_at.after(absolute)),
            None => by_lifetime,
        }
    }

    /// The time to live that the store is given now; `None` when the deadline has passed.
    pub(crate) fn ttl(&self, deadline: Timestamp, now: Timestamp) -> Option<Duration> {
        let left = deadline.since(now);
        let ttl = self.idle_timeout.map_or(left, |idle| left.min(idle));
        (!ttl.is_zero()).then_some(ttl)
    }

    /// Whether enough of the idle window has passed since the stored expiry was set to write a new one.
    pub(crate) fn touch_due(&self, expires_at: Timestamp, deadline: Timestamp, now: Timestamp) -> bool {
        let Some(idle) = self.idle_timeout else { return false };
        let fresh = now.after(idle);
        let step = idle.checked_div(self.touch_fraction).unwrap_or(Duration::ZERO);
        fresh.min(deadline) > expires_at && fresh.since(expires_at) >= step
    }

    /// How long a renewed token stays valid: at most half of a lifetime. As long as a grace runs, the session is not renewed
    /// again, and it must come to that before its lifetime ends.
    pub(crate) fn grace(&self, renew_grace: Duration) -> Duration {
        renew_grace.min(self.lifetime / 2)
    }

    /// Whether so little of the lifetime is left that the token should be renewed. Never when renewing would not help,
    /// because the absolute timeout is what ends the session.
    pub(crate) fn should_rotate(&self, created_at: Timestamp, deadline: Timestamp, now: Timestamp) -> bool {
        deadline.since(now) < self.rotate_threshold && self.deadline(created_at, now) > deadline
    }

    /// The last activity that the stored expiry tells of; `None` when the expiry does not depend on activity.
    pub(crate) fn last_active(&self, expires_at: Timestamp, deadline: Timestamp) -> Option<Timestamp> {
        let idle = u64::try_from(self.idle_timeout?.as_millis()).ok()?;
        (expires_at < deadline).then(|| Timestamp::from_millis(expires_at.as_millis().saturating_sub(idle)))
    }
}

/// A setting that must be a real duration: 1 ms to 100 years.
pub(crate) fn check(name: &'static str, duration: Duration) -> Result<Duration, Error> {
    if duration < Duration::from_millis(1) {
        Err(Error::invalid_setting(name, "is under 1 ms: sessions would end before they begin"))
    } else if duration > MAX_TTL {
        Err(Error::invalid_setting(name, "is over 100 years"))
    } else {
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }
    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
    fn limits_of(lifetime: u64, idle: Option<u64>, absolute: Option<u64>) -> Limits {
        Limits {
            lifetime: ms(lifetime),
            idle_timeout: idle.map(ms),
            absolute_timeout: absolute.map(ms),
            ..Limits::default()
        }
    }

    #[test]
    fn asvs_7_3_2_the_absolute_cap_holds_however_often_the_token_is_issued_anew() {
        let limits = limits_of(1_000, None, Some(2_500));
        for issued in 0..10_000 {
            assert!(limits.deadline(at(0), at(issued)) <= at(2_500));
        }
    }

    #[test]
    fn the_ttl_is_the_least_of_the_three_and_never_zero() {
        let limits = limits_of(1_000, Some(100), Some(950));
        let deadline = limits.deadline(at(0), at(0));
        assert_eq!(deadline, at(950));
        assert_eq!(limits.ttl(deadline, at(0)), Some(ms(100)));
        assert_eq!(limits.ttl(deadline, at(900)), Some(ms(50)));
        assert_eq!(limits.ttl(deadline, at(950)), None);
        assert_eq!(limits.ttl(deadline, at(5_000)), None);
    }

    #[test]
    fn a_touch_is_due_after_a_sixteenth_of_the_idle_window() {
        let limits = limits_of(100_000, Some(1_600), None);
        let expires_at = at(1_600);
        assert!(!limits.touch_due(expires_at, at(100_000), at(99)));
        assert!(limits.touch_due(expires_at, at(100_000), at(100)));
        // At the deadline there is nothing to gain.
        assert!(!limits.touch_due(at(100_000), at(100_000), at(99_000)));
        let always = Limits { touch_fraction: 0, ..limits };
        assert!(always.touch_due(expires_at, at(100_000), at(1)));
        assert!(!always.touch_due(expires_at, at(100_000), at(0)));
    }

    #[test]
    fn nothing_overflows_and_a_clock_that_jumps_back_extends_nothing() {
        let limits = limits_of(u64::MAX, Some(u64::MAX), Some(u64::MAX));
        assert_eq!(limits.deadline(at(u64::MAX), at(u64::MAX)), Timestamp::MAX);
        assert!(!limits.touch_due(Timestamp::MAX, Timestamp::MAX, at(0)));
        assert!(!limits.should_rotate(at(0), Timestamp::MAX, at(0)));
        let limits = limits_of(1_000, Some(100), None);
        assert!(!limits.touch_due(at(10_100), at(11_000), at(0)), "10 s back");
    }

    #[test]
    fn renewing_is_not_asked_for_when_the_absolute_cap_ends_the_session() {
        let limits = limits_of(1_000_000, None, Some(1_100_000));
        let deadline = limits.deadline(at(0), at(0));
        assert!(!limits.should_rotate(at(0), deadline, at(800_000)));
        assert!(limits.should_rotate(at(0), deadline, at(900_000)));
        let capped = limits.deadline(at(0), at(900_000));
        assert!(!limits.should_rotate(at(0), capped, at(1_099_000)));
    }

    #[test]
    fn an_expiry_tells_of_the_last_activity_unless_it_is_the_deadline() {
        let limits = limits_of(1_000, Some(100), None);
        assert_eq!(limits.last_active(at(600), at(1_000)), Some(at(500)));
        assert_eq!(limits.last_active(at(999), at(1_000)), Some(at(899)));
        assert_eq!(limits.last_active(at(1_000), at(1_000)), None);
        assert_eq!(limits_of(1_000, None, None).last_active(at(600), at(1_000)), None);
    }

    #[test]
    fn durations_out_of_range_are_errors() {
        for bad in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            assert!(check("lifetime", bad).expect_err("out of range").is_invalid_setting());
        }
        assert_eq!(check("lifetime", ms(1)).expect("in range"), ms(1));
    }
}
