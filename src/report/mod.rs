//! Shows a [`ScanReport`] to people and to other tools: one file per format.
//!
//! Level 3, built on `finding` alone. Whatever a format prints passes a `View`, so
//! that masking and escaping are decided in one place and no format can forget them.

mod calendar;
mod file;
mod github;
mod gitlab;
mod gitleaks;
mod json;
mod jsonl;
mod junit;
mod place;
mod repository;
mod sarif;
mod tally;
mod text;
mod veil;
mod view;
mod visible;
mod wording;

use std::fmt;
use std::io;
use std::str::FromStr;

pub use file::{WriteFileError, write_file};
pub use github::step_summary;
pub use repository::RepositoryInfo;

use crate::finding::ScanReport;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people, in a terminal.
    Text,
    /// One documented, versioned JSON document (`docs/report.schema.json`).
    Json,
    /// One finding per line, each the finding object of [`Format::Json`].
    Jsonl,
    /// SARIF 2.1.0, within the rules of GitHub code scanning.
    Sarif,
    /// GitLab's secret-detection report, schema 15.
    Gitlab,
    /// JUnit XML: one failed test case per secret.
    Junit,
    /// GitHub workflow commands: annotations in a job's log.
    Github,
    /// The JSON array of gitleaks 8, for dashboards that read it.
    Gitleaks,
}

impl Format {
    /// Every format, in the order help texts list them.
    pub const ALL: [Format; 8] = [
        Self::Text,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Gitlab,
        Self::Junit,
        Self::Github,
        Self::Gitleaks,
    ];

    /// The stable lower-case name `--format` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Gitleaks => "gitleaks",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A format name that is none of [`Format::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Format::ALL.into_iter().map(Format::as_str).collect();
        write!(f, "unknown format `{}`, expected one of {}", self.0.escape_debug(), names.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == s).ok_or_else(|| UnknownFormat(s.to_owned()))
    }
}

/// What a report may show and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportOptions {
    /// Print raw secrets, in the formats that have a place for them (text, json, jsonl, gitleaks).
    /// SARIF, GitLab, JUnit and GitHub output never carry them: they are made to be uploaded.
    pub show_secrets: bool,
    /// Colour the text format.
    pub color: bool,
    /// Columns of the terminal, for cutting source lines; without it they are cut at 160.
    pub width: Option<usize>,
    /// Text format: findings, suppressions that the changes brought along, and gaps; no summary, and
    /// nothing at all when there is neither finding nor gap.
    pub quiet: bool,
    /// SARIF: list allowed and baselined findings too, as `suppressions`.
    ///
    /// Off by default, because GitHub code scanning ignores `suppressions` and opens an alert for
    /// each of them (github/codeql-action#1230).
    pub suppressed: bool,
    /// Where the scanned content comes from, if known.
    pub repository: Option<RepositoryInfo>,
    /// When the scan ran, in seconds since 1970-01-01 UTC, start and end: only for formats that
    /// demand it (GitLab). Without it they say 1970-01-01, so that reports stay reproducible.
    pub time: Option<(i64, i64)>,
    /// Version of keycull to name in reports.
    pub version: &'static str,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            show_secrets: false,
            color: false,
            width: None,
            quiet: false,
            suppressed: false,
            repository: None,
            time: None,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Writes `report` to `out`; the same report and options always give the same bytes.
///
/// # Errors
/// When `out` fails. A closed pipe is passed on as [`io::ErrorKind::BrokenPipe`].
pub fn write(
    report: &ScanReport,
    format: Format,
    options: &ReportOptions,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let view = view::View::new(report, options, format);
    match format {
        Format::Text => text::write(&view, out),
        Format::Json => json::write(&view, out),
        Format::Jsonl => jsonl::write(&view, out),
        Format::Sarif => sarif::write(&view, out),
        Format::Gitlab => gitlab::write(&view, out),
        Format::Junit => junit::write(&view, out),
        Format::Github => github::write(&view, out),
        Format::Gitleaks => gitleaks::write(&view, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_errors_list_them_all() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        let error = "SARIF\n".parse::<Format>().expect_err("names are lower case").to_string();
        assert!(error.starts_with("unknown format `SARIF\\n`"), "{error}");
        assert!(Format::ALL.iter().all(|format| error.contains(format.as_str())), "{error}");
    }
}
