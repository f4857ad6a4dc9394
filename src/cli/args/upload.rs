//! Arguments of `keycull upload`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::NetworkArgs;

/// Services that show reports.
#[derive(Debug, Subcommand)]
pub(crate) enum UploadCommand {
    /// Send a SARIF report to GitHub code scanning
    ///
    /// The token comes from GITHUB_TOKEN and goes nowhere but into one header. What is in the files
    /// and in the history are uploads of their own, so that cleaning a file does not close the
    /// alert for a key that is still in the history. Reports beyond GitHub's limits are divided.
    Github(GithubArgs),
}

/// Send a SARIF report to GitHub code scanning.
#[derive(Debug, Args)]
#[command(after_long_help = "In GitHub Actions everything but the file comes from the environment.

Exit codes: 0 taken and processed, 2 anything else.

Examples:
  keycull upload github keycull.sarif
  keycull upload github keycull.sarif --repository acme/shop --ref refs/heads/main --commit \"$(git rev-parse HEAD)\"")]
pub(crate) struct GithubArgs {
    /// The report, written by `keycull scan --report sarif=FILE`; `-` is standard input
    #[arg(value_name = "SARIF", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// The repository [default: GITHUB_REPOSITORY]
    #[arg(long, value_name = "OWNER/NAME")]
    pub repository: Option<String>,

    /// The commit that was scanned [default: GITHUB_SHA]
    #[arg(long, value_name = "SHA")]
    pub commit: Option<String>,

    /// The ref it was scanned for [default: GITHUB_REF]
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,

    /// Address of the API [default: GITHUB_API_URL, else https://api.github.com]
    #[arg(long, value_name = "URL")]
    pub api: Option<String>,

    /// Do not wait until GitHub has processed it
    #[arg(long, conflicts_with = "timeout")]
    pub no_wait: bool,

    /// How long to wait for that, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u64,

    /// Say what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub network: NetworkArgs,
}
