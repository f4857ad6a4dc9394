//! Time as a thing that can be handed in: schedules of an hour are tested in no time.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall time, steady time and waiting.
pub trait Clock: Sync {
    /// Seconds since 1970-01-01 UTC; may jump.
    fn now(&self) -> i64;
    /// Time since some fixed point; never runs back.
    fn steady(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts counting now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn steady(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A clock that stands still until somebody sleeps on it or moves it.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(i64, Duration)>,
}

impl ManualClock {
    /// Starts at `now`, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Moves wall time alone, as a clock jump does.
    pub fn jump(&self, seconds: i64) {
        self.locked().0 += seconds;
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, (i64, Duration)> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        let state = self.locked();
        state.0 + i64::try_from(state.1.as_secs()).unwrap_or(i64::MAX)
    }

    fn steady(&self) -> Duration {
        self.locked().1
    }

    fn sleep(&self, time: Duration) {
        self.locked().1 += time;
    }
}
