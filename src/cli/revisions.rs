//! From `--range`, `--since`, `--since-date` and `--branch` to commits.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::source::git::Repository;
use crate::source::git::range::{self, RangeOptions};

use super::args::ScanArgs;
use super::failure::{Failure, Outcome};

/// A range as it was asked for.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    /// `A..B`, `A...B`, `A^!`.
    Range(&'a str),
    /// What `HEAD` has and a revision has not.
    Since(&'a str),
    /// Commits of `HEAD` from a time on.
    SinceTime(Timestamp, &'a str),
    /// The history of a branch.
    Branch(&'a str),
}

/// Whether `args` ask for a range.
pub(super) fn is_wanted(args: &ScanArgs) -> bool {
    args.range.is_some() || args.since.is_some() || args.since_date.is_some() || args.branch.is_some()
}

/// The range that `args` ask for, if any.
///
/// # Errors
/// For a date that is none.
pub(super) fn wanted(args: &ScanArgs) -> Outcome<Option<Wanted<'_>>> {
    let date = args
        .since_date
        .as_deref()
        .map(|text| Ok::<_, Failure>(Wanted::SinceTime(time(text, Timestamp::now())?, text)));
    Ok(args
        .range
        .as_deref()
        .map(Wanted::Range)
        .or(args.since.as_deref().map(Wanted::Since))
        .or(args.branch.as_deref().map(Wanted::Branch))
        .or(date.transpose()?))
}

impl Wanted<'_> {
    /// The commits in `repository`.
    ///
    /// # Errors
    /// When a revision leads nowhere.
    pub(super) fn resolve(&self, repository: &Repository) -> Outcome<RangeOptions> {
        Ok(match self {
            Self::Range(text) => range::resolve(repository, text)?,
            Self::Since(revision) => range::since(repository, revision)?,
            Self::SinceTime(time, text) => {
                range::since_time(repository, time.as_second(), format!("commits since {text}"))?
            }
            Self::Branch(name) => range::branch(repository, name)?,
        })
    }
}

/// All history whose paths are known, for a scan of some paths.
///
/// # Errors
/// When the refs cannot be read.
pub(super) fn of_paths(repository: &Repository, reachable: bool) -> Outcome<RangeOptions> {
    Ok(if reachable {
        range::reachable(repository, "history of all refs")?
    } else {
        range::history(repository, "history of all refs and reflogs")?
    })
}

/// A day, a time or an age, as seen from `now`.
fn time(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let utc = |date: DateTime| date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).ok();
    let day = || text.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0)).and_then(utc);
    let found = text
        .parse::<Timestamp>()
        .ok()
        // NOTE: a time without a zone also parses as a day, which would drop the time.
        .or_else(|| text.contains(['T', ':']).then(|| text.parse::<DateTime>().ok().and_then(utc))?)
        .or_else(day)
        .or_else(|| {
            let age: Span = text.strip_suffix(" ago").unwrap_or(text).parse().ok()?;
            let before = now.to_zoned(TimeZone::UTC).checked_sub(age.abs()).ok()?;
            Some(before.timestamp())
        });
    let found = found.ok_or_else(|| {
        Failure::new(format!("`{text}` is no date")).hint(
            "--since-date takes a day (2026-01-31), a time (2026-01-31T12:00:00Z) or an age (2 weeks, 30d)",
        )
    })?;
    if found > now {
        return Err(Failure::new(format!("{text} is in the future: no commit is that young"))
            .hint("give the day to begin with, for example `--since-date 2026-01-31`"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_ages_are_understood() {
        let now: Timestamp = "2026-03-15T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T10:30:00Z", "2026-01-31T10:30:00Z"),
            ("2026-01-31T10:30:00+02:00", "2026-01-31T08:30:00Z"),
            ("2026-01-31 10:30:00", "2026-01-31T10:30:00Z"),
            ("2 weeks", "2026-03-01T12:00:00Z"),
            ("2 weeks ago", "2026-03-01T12:00:00Z"),
            ("30d", "2026-02-13T12:00:00Z"),
            ("1 month", "2026-02-15T12:00:00Z"),
        ] {
            assert_eq!(time(text, now).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "yesterday-ish", "2026-13-01", "31.1.2026", "2030-01-01"] {
            assert!(time(text, now).is_err(), "{text}");
        }
    }
}
