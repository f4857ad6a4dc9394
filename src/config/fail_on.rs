//! Which findings make the exit code 1.

use std::fmt;
use std::str::FromStr;

use crate::finding::{Confidence, Severity};

/// Conditions all of which a finding must meet to fail a scan.
///
/// Written as words between commas: a severity, `confidence=LEVEL`, and `new` (the default: only
/// what nobody accepted) or `any` (what is in the baseline fails, too).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailOn {
    /// Least severity.
    pub severity: Severity,
    /// Least confidence.
    pub confidence: Confidence,
    /// What is in the baseline fails, too.
    pub baselined: bool,
}

impl Default for FailOn {
    fn default() -> Self {
        Self { severity: Severity::Info, confidence: Confidence::Low, baselined: false }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut conditions = Self::default();
        for word in text.split(',').map(str::trim) {
            match word.split_once('=') {
                Some(("confidence", level)) => {
                    conditions.confidence = level.trim().parse().map_err(|error| format!("{error}"))?;
                }
                Some(("severity", level)) => {
                    conditions.severity = level.trim().parse().map_err(|error| format!("{error}"))?;
                }
                Some((other, _)) => return Err(format!("unknown condition `{other}`, expected {FORMS}")),
                None if word == "new" => conditions.baselined = false,
                None if word == "any" => conditions.baselined = true,
                None => {
                    conditions.severity =
                        word.parse().map_err(|_| format!("unknown condition `{word}`, expected {FORMS}"))?;
                }
            }
        }
        Ok(conditions)
    }
}

/// What can be written.
const FORMS: &str = "info, low, medium, high, critical, confidence=LEVEL, new or any, several with commas";

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = if self.baselined { "any" } else { "new" };
        write!(f, "{},confidence={},{whose}", self.severity, self.confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_written() {
        let on: FailOn = "high, confidence=medium".parse().unwrap();
        assert_eq!((on.severity, on.confidence, on.baselined), (Severity::High, Confidence::Medium, false));
        assert_eq!(on.to_string().parse::<FailOn>().unwrap(), on);
        assert_eq!("new".parse::<FailOn>().unwrap(), FailOn::default());
        assert!("any".parse::<FailOn>().unwrap().baselined);
        for junk in ["", "hihg", "confidence=sure", "colour=red", "high,,low"] {
            assert!(junk.parse::<FailOn>().is_err(), "{junk}");
        }
    }
}
