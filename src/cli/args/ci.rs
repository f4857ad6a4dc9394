//! Arguments of `keycull ci`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use super::{ConfigArgs, LEVELS, ScanArgs};

/// Scan what a pipeline is about.
#[derive(Debug, Args)]
#[command(
    after_long_help = "The environment of the job tells what is scanned: what a pull or merge request adds, what was
pushed, or the whole repository on a schedule and when it was started by hand. It is printed. When
it cannot be told, or a commit it takes is not in the clone, the exit code is 2.

Known are GitHub Actions (Gitea and Forgejo, too), GitLab CI, Azure Pipelines, Bitbucket Pipelines,
Buildkite, CircleCI, Drone, Jenkins, Travis CI and Woodpecker.

Exit codes are those of `keycull scan`.

Examples:
  keycull ci
  keycull ci --dry-run
  keycull ci --report sarif=keycull.sarif
  keycull ci --base origin/main"
)]
pub(crate) struct CiArgs {
    /// Scan what HEAD (or --head) has and REV has not, whatever the environment says
    #[arg(long, value_name = "REV", help_heading = "What to scan")]
    pub base: Option<String>,

    /// With --base: the side that is judged [default: HEAD]
    #[arg(long, value_name = "REV", requires = "base", help_heading = "What to scan")]
    pub head: Option<String>,

    /// Scan all files and the whole history, whatever the environment says
    #[arg(long, conflicts_with = "base", help_heading = "What to scan")]
    pub full: bool,

    /// Say what would be scanned, and scan nothing
    #[arg(long, help_heading = "What to scan")]
    pub dry_run: bool,

    /// Leave out paths that match GLOB (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = "What to scan")]
    pub exclude: Vec<String>,

    /// Least confidence that is reported [default: medium]
    #[arg(long, value_name = "LEVEL", help_heading = "What counts", value_parser = PossibleValuesParser::new(["low", "medium", "high"]))]
    pub confidence: Option<String>,

    /// Least severity that is reported [default: info]
    #[arg(long, value_name = "LEVEL", help_heading = "What counts", value_parser = PossibleValuesParser::new(LEVELS))]
    pub severity: Option<String>,

    /// What makes the exit code 1, as for `keycull scan` [default: info]
    #[arg(long, value_name = "CONDITIONS", help_heading = "What counts")]
    pub fail_on: Option<String>,

    /// Take FILE as the baseline instead of keycull.baseline.toml
    #[arg(long, value_name = "FILE", help_heading = "What counts", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Exit with 1 for expired and unused entries of the baseline and [[allow]] tables, too
    #[arg(long, help_heading = "What counts")]
    pub fail_on_stale: bool,

    /// Let markers count that come with the range itself
    #[arg(long, help_heading = "What counts")]
    pub allow_new_markers: bool,

    /// Report what markers, [[allow]] tables and the baseline would silence, too
    #[arg(long, help_heading = "What counts")]
    pub no_allow: bool,

    /// Accept a gap: KIND or KIND:GLOB (repeatable)
    #[arg(long, value_name = "KIND[:GLOB]", help_heading = "What counts")]
    pub accept_incomplete: Vec<String>,

    /// Add the rules of FILE (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub rules: Vec<PathBuf>,

    /// Format of the report [default: github in GitHub Actions, else text]
    #[arg(long, short, value_name = "FORMAT", help_heading = "Output", value_parser = PossibleValuesParser::new(super::super::formats::names()))]
    pub format: Option<String>,

    /// Write the report to FILE instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Write one more report (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    pub report: Vec<OsString>,

    #[command(flatten)]
    pub config: ConfigArgs,
}

impl CiArgs {
    /// The scan that is asked for, but for what it is of.
    pub(crate) fn scan(&self) -> ScanArgs {
        ScanArgs {
            exclude: self.exclude.clone(),
            confidence: self.confidence.clone(),
            severity: self.severity.clone(),
            fail_on: self.fail_on.clone(),
            baseline: self.baseline.clone(),
            fail_on_stale: self.fail_on_stale,
            allow_new_markers: self.allow_new_markers,
            no_allow: self.no_allow,
            accept_incomplete: self.accept_incomplete.clone(),
            rules: self.rules.clone(),
            format: self.format.clone(),
            output: self.output.clone(),
            report: self.report.clone(),
            config: self.config.clone(),
            ..ScanArgs::default()
        }
    }
}
