//! `--accept-incomplete KIND[:GLOB]`: gaps the user knows of and lives with.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use crate::finding::{Coverage, Gap, GapKind};

/// Gaps of one kind, perhaps only those of certain places, that do not change the exit code.
#[derive(Clone, Debug)]
pub struct Accept {
    kind: GapKind,
    what: Option<GlobMatcher>,
}

/// Text that names no acceptable gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseAcceptError {
    /// Not a kind of gap that can be accepted.
    Kind(String),
    /// A pattern that is none.
    Glob(String),
}

impl fmt::Display for ParseAcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(
                f,
                "`{kind}` is no kind of gap that can be accepted, expected one of shallow, missing, unreadable, \
                 budget, each perhaps with a pattern as in `unreadable:secure/**`"
            ),
            Self::Glob(reason) => write!(f, "bad pattern: {reason}"),
        }
    }
}

impl std::error::Error for ParseAcceptError {}

impl FromStr for Accept {
    type Err = ParseAcceptError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, glob) = match text.split_once(':') {
            Some((kind, glob)) => (kind, Some(glob)),
            None => (text, None),
        };
        let kind = [GapKind::Shallow, GapKind::Missing, GapKind::Unreadable, GapKind::Budget]
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| ParseAcceptError::Kind(kind.to_owned()))?;
        let what = glob
            .map(|glob| Glob::new(glob).map(|glob| glob.compile_matcher()))
            .transpose()
            .map_err(|error| ParseAcceptError::Glob(error.to_string()))?;
        Ok(Self { kind, what })
    }
}

impl Accept {
    fn covers(&self, gap: &Gap) -> bool {
        self.kind == gap.kind && self.what.as_ref().is_none_or(|glob| glob.is_match(&gap.what))
    }
}

/// Marks the gaps that `accepted` names; they stay in the report.
pub(super) fn mark(coverage: &mut Coverage, accepted: &[Accept]) {
    for gap in &mut coverage.gaps {
        gap.accepted |= accepted.iter().any(|accept| accept.covers(gap));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_pattern_must_both_fit() {
        let gaps =
            [(GapKind::Unreadable, "secure/a"), (GapKind::Unreadable, "b"), (GapKind::Missing, "blob 12")];
        let accepted = |patterns: &[&str]| {
            let mut coverage = Coverage::default();
            gaps.iter().for_each(|(kind, what)| coverage.gap(*kind, *what, "why"));
            let patterns: Vec<Accept> = patterns.iter().map(|text| text.parse().unwrap()).collect();
            mark(&mut coverage, &patterns);
            coverage.gaps.iter().map(|gap| gap.accepted).collect::<Vec<_>>()
        };
        assert_eq!(accepted(&[]), [false, false, false]);
        assert_eq!(accepted(&["unreadable:secure/**"]), [true, false, false]);
        assert_eq!(accepted(&["unreadable"]), [true, true, false]);
        assert_eq!(accepted(&["missing", "unreadable:b"]), [false, true, true]);
    }

    #[test]
    fn signals_and_nonsense_cannot_be_accepted() {
        for text in ["interrupted", "all", "", "Shallow"] {
            assert!(matches!(text.parse::<Accept>(), Err(ParseAcceptError::Kind(_))), "{text}");
        }
        assert!(matches!("missing:[".parse::<Accept>(), Err(ParseAcceptError::Glob(_))));
    }
}
