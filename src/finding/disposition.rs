//! What triage decided about a finding, and why.

/// Who allowed a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AllowSource {
    /// A `keycull:allow` marker (or a foreign one it names) beside the secret.
    Inline {
        /// The marker as written, for example `keycull:allow` or `gitleaks:allow`.
        marker: String,
    },
    /// An entry of a configuration file.
    Config {
        /// Which entry, for people: `keycull.toml [[allow]] #2`.
        entry: String,
    },
    /// A published documentation or sample key that opens nothing.
    KnownSample,
}

/// Why an occurrence or finding is, or is not, reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Nothing speaks against it.
    New,
    /// In the baseline.
    Baselined {
        /// Reason given in the baseline, if any.
        reason: Option<String>,
    },
    /// Allowed by somebody.
    Allowed {
        /// By what.
        by: AllowSource,
        /// Reason given, if any.
        reason: Option<String>,
        /// Last day it holds (`YYYY-MM-DD`), if limited.
        until: Option<String>,
    },
}

impl Disposition {
    /// Whether the finding counts for the exit code.
    #[must_use]
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New)
    }
}
