//! Values that only git hooks ask for: how long a scan may take, and what happens then.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Time a scan may take; more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeBudget(Duration);

impl TimeBudget {
    /// The time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for TimeBudget {
    type Err = String;

    /// Reads a whole number and a unit: `500ms`, `30s`, `2m`.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            _ => 0,
        };
        let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        match milliseconds {
            Some(0) if unit > 0 => Err(format!("`{text}` leaves no time to scan anything, try 30s")),
            Some(time) if unit > 0 => Ok(Self(Duration::from_millis(time))),
            _ => Err(format!("`{text}` is no time, write a number and a unit: 500ms, 30s, 2m")),
        }
    }
}

impl fmt::Display for TimeBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What happens to a push that could not be scanned in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// It is refused.
    #[default]
    Reject,
    /// It is accepted, with a warning to whoever pushes and a line in the log.
    Accept,
}

impl FromStr for OnTimeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reject" => Ok(Self::Reject),
            "accept" => Ok(Self::Accept),
            _ => Err(format!("`{text}` is neither reject nor accept")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_unit_and_some_time() {
        let read = |text: &str| text.parse::<TimeBudget>();
        assert_eq!(read("500ms").unwrap().duration(), Duration::from_millis(500));
        assert_eq!(read("2m").unwrap().duration(), Duration::from_secs(120));
        for text in ["0s", "00ms"] {
            assert!(read(text).unwrap_err().contains("no time to scan"), "{text}");
        }
        for text in
            ["", "30", "s", "-1s", "1.5s", "1h", "0", "99999999999999999999s", "18446744073709551615m"]
        {
            assert!(read(text).unwrap_err().contains("number and a unit"), "{text}");
        }
    }
}
