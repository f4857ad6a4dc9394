//! The two scales a finding is ranked on: how bad it is and how sure we are.
//!
//! Kept free of any other module so that `build.rs` can compile it with the
//! rule tables.

use std::fmt;
use std::str::FromStr;

/// What the holder of the credential can do, from harmless to owning the account.
///
/// Ordered: `Info < Low < Medium < High < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Publishable by design, or only half of a credential.
    Info,
    /// Test or sandbox credential; nothing of value behind it.
    Low,
    /// Limited reach: one service, read-only, or short-lived.
    Medium,
    /// Reads or changes data of a service.
    High,
    /// Opens an account, a cloud, a code host or money.
    Critical,
}

impl Severity {
    /// Every value, from least to most severe.
    pub const ALL: [Severity; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The stable lower-case name used in rule files, settings and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure keycull is that the text is a secret of the kind it names.
///
/// Ordered: `Low < Medium < High`. The default gate is [`Confidence::Medium`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A coin toss: placeholders, documentation samples, failed checksums.
    Low,
    /// Probably a secret; worth blocking a commit for.
    Medium,
    /// Distinctive form, or a random value under a telling name.
    High,
}

impl Confidence {
    /// Every value, from least to most sure.
    pub const ALL: [Confidence; 3] = [Self::Low, Self::Medium, Self::High];

    /// The stable lower-case name used in rule files, settings and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// One step less sure; [`Confidence::Low`] stays.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }

    /// One step surer; [`Confidence::High`] stays.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium | Self::High => Self::High,
        }
    }
}

/// A level name that is not one of the scale's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel {
    got: String,
    expected: &'static str,
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown level `{}`, expected one of {}", self.got, self.expected)
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Severity {
    type Err = UnknownLevel;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == s)
            .ok_or_else(|| UnknownLevel { got: s.to_owned(), expected: "info, low, medium, high, critical" })
    }
}

impl FromStr for Confidence {
    type Err = UnknownLevel;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == s)
            .ok_or_else(|| UnknownLevel { got: s.to_owned(), expected: "low, medium, high" })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for level in Severity::ALL {
            assert_eq!(level.as_str().parse::<Severity>(), Ok(level));
        }
        for level in Confidence::ALL {
            assert_eq!(level.as_str().parse::<Confidence>(), Ok(level));
        }
        assert!("High".parse::<Confidence>().is_err());
    }

    #[test]
    fn raising_and_lowering_stop_at_the_ends() {
        assert_eq!(Confidence::High.raised(), Confidence::High);
        assert_eq!(Confidence::Low.lowered(), Confidence::Low);
        assert_eq!(Confidence::Low.raised(), Confidence::Medium);
    }
}
