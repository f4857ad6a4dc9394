//! The figures every summary shows.

use std::collections::BTreeMap;

use crate::finding::{AllowSource, Confidence, Disposition, ScanReport, Severity};

/// Counts over a report's findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Secrets that count.
    pub(super) findings: usize,
    /// Places where they stand and count.
    pub(super) places: usize,
    pub(super) by_severity: BTreeMap<Severity, usize>,
    pub(super) by_confidence: BTreeMap<Confidence, usize>,
    /// Secrets that do not count, by who said so.
    pub(super) suppressed: BTreeMap<Suppressor, usize>,
    /// New findings below the asked-for confidence or severity.
    pub(super) below_threshold: u64,
}

/// Who said that a finding does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suppressor {
    Baseline,
    Inline,
    Config,
    KnownSample,
}

impl Suppressor {
    pub(super) const ALL: [Suppressor; 4] = [Self::Baseline, Self::Inline, Self::Config, Self::KnownSample];

    /// For people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Baseline => "in the baseline",
            Self::Inline => "allowed beside the secret",
            Self::Config => "allowed by configuration",
            Self::KnownSample => "known as a published sample",
        }
    }

    /// None for what counts.
    pub(super) fn of(disposition: &Disposition) -> Option<Self> {
        match disposition {
            Disposition::New => None,
            Disposition::Baselined { .. } => Some(Self::Baseline),
            Disposition::Allowed { by, .. } => Some(match by {
                AllowSource::Inline { .. } => Self::Inline,
                AllowSource::Config { .. } => Self::Config,
                AllowSource::KnownSample => Self::KnownSample,
            }),
        }
    }
}

impl Tally {
    pub(super) fn of(report: &ScanReport) -> Self {
        let mut tally = Self { below_threshold: report.below_threshold, ..Self::default() };
        for finding in &report.findings {
            if let Some(by) = Suppressor::of(&finding.disposition) {
                *tally.suppressed.entry(by).or_default() += 1;
                continue;
            }
            tally.findings += 1;
            tally.places += super::place::counted(finding).count();
            *tally.by_severity.entry(finding.severity).or_default() += 1;
            *tally.by_confidence.entry(finding.confidence).or_default() += 1;
        }
        tally
    }

    pub(super) fn suppressed(&self, by: Suppressor) -> usize {
        self.suppressed.get(&by).copied().unwrap_or_default()
    }
}

/// `1 secret`, `2 secrets`: `many` is the plural.
pub(super) fn count(n: impl Into<u64>, one: &str, many: &str) -> String {
    let n = n.into();
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// `1,234,567`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(count(1u64, "place", "places"), "1 place");
        assert_eq!(count(0u64, "place", "places"), "0 places");
    }
}
