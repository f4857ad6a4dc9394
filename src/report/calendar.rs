//! Dates as reports write them: UTC, and never a failure for an odd commit date.

use jiff::Timestamp;

/// `2024-03-01`, or `@<seconds>` for a date no calendar has.
pub(super) fn day(seconds: i64) -> String {
    format(seconds, "%Y-%m-%d")
}

/// `2024-03-01T12:30:00Z` (RFC 3339), or `@<seconds>` for a date no calendar has.
pub(super) fn instant(seconds: i64) -> String {
    format(seconds, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2024-03-01T12:30:00`: UTC without saying so, as GitLab's schema wants it.
pub(super) fn zoneless(seconds: i64) -> String {
    let clamped = seconds.clamp(0, 253_402_207_200);
    format(clamped, "%Y-%m-%dT%H:%M:%S")
}

fn format(seconds: i64, pattern: &str) -> String {
    match Timestamp::from_second(seconds) {
        Ok(instant) => instant.strftime(pattern).to_string(),
        Err(_) => format!("@{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc_and_odd_ones_survive() {
        assert_eq!(day(1_709_294_400), "2024-03-01");
        assert_eq!(instant(1_709_294_400), "2024-03-01T12:00:00Z");
        assert_eq!(zoneless(0), "1970-01-01T00:00:00");
        assert_eq!(zoneless(i64::MAX).len(), 19);
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(day(i64::MAX), "@9223372036854775807");
    }
}
