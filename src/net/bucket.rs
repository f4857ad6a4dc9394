//! A budget of requests per host.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::Clock;

/// How fast one host may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests that may go at once.
    pub burst: u32,
    /// Time after which one more may go.
    pub every: Duration,
}

impl Default for Rate {
    /// Five at once, then two a second: below every documented limit of the built-in providers.
    fn default() -> Self {
        Self { burst: 5, every: Duration::from_millis(500) }
    }
}

/// Token buckets, one per host.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// When the bucket of a host would be full again.
    full_at: Mutex<HashMap<String, Duration>>,
}

impl Buckets {
    /// Takes one token of `host` and waits for it if that takes at most `patience`.
    ///
    /// Returns the time it would take when that is longer; no token is taken then.
    pub(super) fn take(
        &self,
        host: &str,
        rate: Rate,
        patience: Duration,
        clock: &dyn Clock,
    ) -> Result<(), Duration> {
        let wait = {
            let mut hosts = self.full_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let now = clock.steady();
            let full_at = hosts.get(host).copied().unwrap_or(now).max(now);
            let level = rate.every * rate.burst.saturating_sub(1);
            let wait = full_at.saturating_sub(now + level);
            if wait > patience {
                return Err(wait);
            }
            hosts.insert(host.to_owned(), full_at + rate.every);
            wait
        };
        if !wait.is_zero() {
            clock.sleep(wait);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ManualClock;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_waits() {
        let (buckets, clock) = (Buckets::default(), ManualClock::new(0));
        let rate = Rate { burst: 3, every: Duration::from_secs(1) };
        for _ in 0..3 {
            assert_eq!(buckets.take("a", rate, Duration::ZERO, &clock), Ok(()));
        }
        assert_eq!(buckets.take("a", rate, Duration::ZERO, &clock), Err(Duration::from_secs(1)));
        assert_eq!(buckets.take("b", rate, Duration::ZERO, &clock), Ok(()), "hosts do not share");
        assert_eq!(buckets.take("a", rate, Duration::from_secs(5), &clock), Ok(()));
        assert_eq!(clock.steady(), Duration::from_secs(1));
    }
}
