//! The command line as it is typed. What it means is worked out in `settings` and `target`.
//!
//! The only file that knows clap. Doc comments here are the text of `--help`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

mod ci;
mod keys;
mod upload;

pub(super) use ci::CiArgs;
pub(super) use keys::{
    ApplyArgs, AuditCommand, ConsentArgs, DrillArgs, FindingsArgs, MockArgs, NetworkArgs, OneArgs, PlaceArgs,
    PlanArgs, RecordArgs, RevokeCommand, ValidateArgs, VerifyArgs,
};
pub(super) use upload::{GithubArgs, UploadCommand};

/// What makes no sense beside a range.
const RANGE_CONFLICTS: [&str; 6] =
    ["staged", "no_history", "history_only", "reachable", "no_ignore", "stdin_name"];

/// Hooks keycull can be.
const HOOKS: [&str; 6] =
    ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push", "pre-receive", "update"];

const LEVELS: [&str; 5] = ["info", "low", "medium", "high", "critical"];

/// Finds leaked credentials in git, proves whether they are live, and kills them.
#[derive(Debug, Parser)]
#[command(
    name = "keycull",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Examples:
  keycull scan                     this repository: working tree and full history
  keycull scan --staged            what the next commit would add
  keycull scan --range main..HEAD  what this branch adds to main
  keycull scan src config.yml      these files only
  keycull validate                 which of the keys found here are live
  keycull revoke plan              which of them can be revoked from here
  keycull rules list               what it looks for
  keycull hook install             scan before every commit

Exit codes of scans: 0 clean, 1 findings, 2 usage or configuration error,
3 nothing found but something could not be read, 130 or 143 after a signal."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub voice: Voice,
}

/// How much keycull says about its work.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct Voice {
    /// Say more on standard error; twice says more still
    #[arg(short, long, action = ArgAction::Count, global = true, conflicts_with = "quiet")]
    pub verbose: u8,

    /// Say nothing on standard error but errors: no progress, no warnings
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Colours in text reports; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", value_parser = PossibleValuesParser::new(["auto", "always", "never"]))]
    pub color: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look for leaked credentials
    Scan(Box<ScanArgs>),
    /// Scan what a pipeline is about: the change, or everything on a schedule
    Ci(Box<CiArgs>),
    /// Send a report to a service that shows it
    #[command(subcommand)]
    Upload(UploadCommand),
    /// Ask providers whether leaked keys are live
    Validate(Box<ValidateArgs>),
    /// Kill leaked keys, and prove that they are dead
    #[command(subcommand)]
    Revoke(RevokeCommand),
    /// Check the log of what was revoked
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Serve a provider on this machine that issues keys and misbehaves on request, for rehearsals
    MockProvider(MockArgs),
    /// Accept what is known today: create, update or prune the baseline
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Tell why something is, or is not, reported
    ///
    /// Looks at everything rules find, whatever its confidence and whoever allowed it.
    Explain(ExplainArgs),
    /// Carry over what other tools were told: gitleaks, detect-secrets and others
    ///
    /// Writes keycull.toml and a baseline, and says what has no counterpart. Existing files are never
    /// overwritten.
    Migrate(MigrateArgs),
    /// List, show, check and test rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Write a commented keycull.toml into the repository
    ///
    /// An existing file is never overwritten.
    Init(InitArgs),
    /// Scan before commits and pushes, here or on a server
    #[command(subcommand)]
    Hook(HookCommand),
    /// Print a completion script for a shell
    ///
    /// Example: keycull completions bash > ~/.local/share/bash-completion/completions/keycull
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    ///
    /// Example: keycull man > ~/.local/share/man/man1/keycull.1
    Man,
}

/// Look for leaked credentials.
#[derive(Clone, Debug, Default, Args)]
#[command(
    next_help_heading = "What to scan",
    after_long_help = "What a PATH stands for:
  none                    the repository around the current directory: its files and its history
  a repository            its files and its history; a worktree, a submodule, a bare repository
                          and a .git directory count as repositories
  another directory       the files in it; repositories below it are named, not scanned
  a file                  that file
  -                       standard input
  several repositories    each of them, in one report; see also --repos-from

With --staged, --history-only or a range, a PATH below the root of a repository limits the scan to
that path; without one, all of the repository counts, wherever in it the command runs.

Examples:
  keycull scan
  keycull scan --staged
  keycull scan --range origin/main..HEAD
  keycull scan --since v1.2 src
  keycull scan --no-history
  keycull scan path/to/repository.git
  keycull scan service-a service-b library
  find . -name .git -prune | keycull scan --repos-from -
  keycull scan --report sarif=keycull.sarif --report json=keycull.json
  keycull scan --rule 'github-*' --format jsonl
  git show HEAD:config.yml | keycull scan - --stdin-name config.yml"
)]
pub(super) struct ScanArgs {
    /// Repositories, directories or files; `-` is standard input
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// Scan the repositories that FILE lists, one path a line
    ///
    /// Relative paths count from the directory of FILE; `-` reads the list from standard input.
    /// Empty lines and lines that begin with `#` are passed over. Each repository is scanned with
    /// its own keycull.toml, as it would be alone; one that cannot be scanned is a gap and does
    /// not stop the others.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["paths", "stdin_name"])]
    pub repos_from: Option<PathBuf>,

    /// Scan the submodules as well, and theirs: each is a repository of its own in the report
    ///
    /// One that is not checked out is a gap.
    #[arg(long, conflicts_with_all = ["staged", "stdin_name", "range_of", "incremental"])]
    pub recurse_submodules: bool,

    /// Scan what the next commit would add: the index against HEAD
    #[arg(long, conflicts_with_all = ["no_history", "history_only", "no_ignore", "stdin_name"])]
    pub staged: bool,

    /// Scan what the commits A..B bring in: those that B reaches and A does not
    ///
    /// Everything that any of these commits adds counts, also what a later one removes again. What
    /// A holds already is not new, wherever it was moved to. A side left out is HEAD; `A...B` is
    /// what only one of the two has, `A^!` what the commit A adds itself.
    #[arg(long, value_name = "A..B", group = "range_of", conflicts_with_all = RANGE_CONFLICTS)]
    pub range: Option<String>,

    /// Scan what the commits since REV bring in: short for --range REV..HEAD
    #[arg(long, value_name = "REV", group = "range_of", conflicts_with_all = RANGE_CONFLICTS)]
    pub since: Option<String>,

    /// Scan what the commits of HEAD since DATE bring in
    ///
    /// DATE is a day (2026-01-31), a time (2026-01-31T12:00:00Z) or an age (2 weeks, 30d); days
    /// begin in UTC. The date of a commit is its committer's.
    #[arg(long, value_name = "DATE", group = "range_of", conflicts_with_all = RANGE_CONFLICTS)]
    pub since_date: Option<String>,

    /// Scan the whole history of the branch NAME, and nothing else
    #[arg(long, value_name = "NAME", group = "range_of", conflicts_with_all = RANGE_CONFLICTS)]
    pub branch: Option<String>,

    /// Scan the files only, not the history
    #[arg(long)]
    pub no_history: bool,

    /// Scan the history only, not the files; with paths, the history of these paths
    #[arg(long, conflicts_with = "no_history")]
    pub history_only: bool,

    /// Go on from where the last incremental scan of the history left off
    ///
    /// The report is the same as that of a full scan. What was seen is kept in the git directory,
    /// without secrets, and everything is scanned again when rules or settings have changed.
    #[arg(long, conflicts_with_all = ["staged", "no_history"])]
    pub incremental: bool,

    /// Leave out the objects of the history that no ref reaches: dangling ones, reflogs
    #[arg(long, conflicts_with_all = ["no_history", "staged"])]
    pub reachable: bool,

    /// Leave out paths that match GLOB (repeatable)
    ///
    /// A glob without a slash matches names at any depth, one with a slash is anchored at the
    /// root; a directory that matches is left out whole. Excluded paths are counted.
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Scan untracked files that git ignores, too
    #[arg(long)]
    pub no_ignore: bool,

    /// Name of standard input in reports
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<PathBuf>,

    /// Worker threads; 0, the default, stands for one per core
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,

    /// Bytes one container may unpack to [default: 1 GiB]
    #[arg(long, value_name = "BYTES", help_heading = "Budgets")]
    pub archive_bytes: Option<u64>,

    /// Times its own size a container may unpack to [default: 100]
    #[arg(long, value_name = "N", help_heading = "Budgets")]
    pub archive_ratio: Option<u64>,

    /// Containers inside one another that are opened; 0 opens none [default: 8]
    #[arg(long, value_name = "N", help_heading = "Budgets")]
    pub archive_depth: Option<u64>,

    /// Members of one container that are scanned [default: 100000]
    #[arg(long, value_name = "N", help_heading = "Budgets")]
    pub archive_entries: Option<u64>,

    /// Seconds that unpacking one container may take [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = "Budgets")]
    pub archive_time: Option<u64>,

    /// Bytes all containers of a scope may unpack to [default: 64 GiB]
    #[arg(long, value_name = "BYTES", help_heading = "Budgets")]
    pub archive_total: Option<u64>,

    /// Bytes of the largest object of git's that is held in memory [default: 104 MiB]
    ///
    /// Larger files that git stores whole are read in pieces and need no more; other larger objects are not read.
    #[arg(long, value_name = "BYTES", help_heading = "Budgets")]
    pub object_bytes: Option<u64>,

    /// Least confidence that is reported [default: medium]
    #[arg(long, value_name = "LEVEL", help_heading = "What counts", value_parser = PossibleValuesParser::new(["low", "medium", "high"]))]
    pub confidence: Option<String>,

    /// Least severity that is reported [default: info]
    #[arg(long, value_name = "LEVEL", help_heading = "What counts", value_parser = PossibleValuesParser::new(LEVELS))]
    pub severity: Option<String>,

    /// What makes the exit code 1 [default: info]
    ///
    /// `live` (with --validate) stands alone: 1 when a provider accepts something, 3 when of something
    /// that was asked about it is not known. Otherwise a severity, confidence=LEVEL, and `new` (the default) or `any` (what is in the baseline
    /// fails, too), several with commas. Findings below are reported all the same.
    #[arg(long, value_name = "CONDITIONS", help_heading = "What counts")]
    pub fail_on: Option<String>,

    /// Take FILE as the baseline instead of keycull.baseline.toml
    #[arg(long, value_name = "FILE", help_heading = "What counts", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Use the rules and allowlists of FILE, a configuration of gitleaks or betterleaks
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub import: Option<PathBuf>,

    /// Exit with 1 for expired and unused entries of the baseline and [[allow]] tables, too
    #[arg(long, help_heading = "What counts")]
    pub fail_on_stale: bool,

    /// Let markers count that come with the range itself
    #[arg(long, help_heading = "What counts")]
    pub allow_new_markers: bool,

    /// Ask providers whether what is found is live; the only option that opens sockets
    #[arg(long, help_heading = "What counts")]
    pub validate: bool,

    /// Report what markers, [[allow]] tables and the baseline would silence, too
    #[arg(long, help_heading = "What counts")]
    pub no_allow: bool,

    /// Accept a gap: KIND or KIND:GLOB (repeatable)
    ///
    /// KIND is shallow, missing, unreadable or budget. The gap stays in the report, but does not
    /// make the exit code 3.
    #[arg(long, value_name = "KIND[:GLOB]", help_heading = "What counts")]
    pub accept_incomplete: Vec<String>,

    /// Run only this rule: an id, or a glob over ids (repeatable)
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub rule: Vec<String>,

    /// Do not run this rule: an id, or a glob over ids (repeatable)
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub exclude_rule: Vec<String>,

    /// Add the rules of FILE (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub rules: Vec<PathBuf>,

    /// Format of the report [default: text]
    #[arg(long, short, value_name = "FORMAT", help_heading = "Output", value_parser = PossibleValuesParser::new(super::formats::names()))]
    pub format: Option<String>,

    /// Write the report to FILE instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Write one more report (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    pub report: Vec<OsString>,

    /// Put the raw secrets into the reports; refused for files that others can read
    #[arg(long, help_heading = "Output")]
    pub show_secrets: bool,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Which configuration file is read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct ConfigArgs {
    /// Read FILE instead of the repository's keycull.toml
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,

    /// Side of a range whose keycull.toml, baseline and imported files count [default: base]
    ///
    /// `base` is what the range is held against, so that a change cannot silence its own gate.
    /// With `head` the files in the working tree count, and markers that the range adds.
    #[arg(long, value_name = "SIDE", value_parser = PossibleValuesParser::new(["base", "head"]))]
    pub config_from: Option<String>,

    /// Read no configuration file, not even the user's own
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

impl ConfigArgs {
    /// Whether the range itself may say what counts.
    pub(super) fn head_decides(&self) -> bool {
        self.config_from.as_deref() == Some("head")
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum BaselineCommand {
    /// Write every finding of today into a new baseline
    ///
    /// An existing file is never overwritten.
    Create(BaselineArgs),
    /// Add what is new to the baseline; what stands in it stays as it is
    Update(BaselineArgs),
    /// Remove entries that are expired, or whose secret is found nowhere any more
    ///
    /// Looks at everything, whatever its confidence. Nothing is removed when something could not
    /// be read.
    Prune {
        /// Repository or directory [default: the repository around the current directory]
        #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
        path: Option<PathBuf>,

        /// The baseline [default: keycull.baseline.toml]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        baseline: Option<PathBuf>,

        /// Say what would be removed, and change nothing
        #[arg(long)]
        dry_run: bool,

        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Carry over what other tools were told.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// Repository [default: the repository around the current directory]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,

    /// A JSON report that gitleaks uses as its baseline (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Vec<PathBuf>,

    /// Say what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Tell why something is, or is not, reported.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A fingerprint out of a report, or FILE:LINE
    #[arg(value_name = "FINGERPRINT | FILE:LINE")]
    pub what: String,

    /// With a fingerprint: repository or directory [default: the repository around the current directory]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Option<PathBuf>,

    #[command(flatten)]
    pub config: ConfigArgs,
}

/// What goes into a baseline, and what is said about it.
#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    /// Repository, directory or files [default: the repository around the current directory]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    /// The baseline [default: keycull.baseline.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,

    /// Why these secrets do not count; written into every new entry
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Who decided so; written into every new entry
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,

    /// Last day the new entries hold, as YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,

    /// Scan the files only, not the history
    #[arg(long)]
    pub no_history: bool,

    /// Least confidence that is taken in [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(["low", "medium", "high"]))]
    pub confidence: Option<String>,

    /// Accept a gap: KIND or KIND:GLOB (repeatable)
    #[arg(long, value_name = "KIND[:GLOB]")]
    pub accept_incomplete: Vec<String>,

    #[command(flatten)]
    pub config: ConfigArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List all rules, one a line: id, severity, confidence, name
    List {
        /// Add the rules of FILE (repeatable)
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
        /// Only rules whose id matches: an id, or a glob over ids
        ids: Vec<String>,
    },
    /// Show everything about one rule
    Show {
        /// Id of the rule
        id: String,
        /// Add the rules of FILE (repeatable)
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
    },
    /// Check rule files: schema, ids, patterns, and every example through the whole engine
    ///
    /// Without FILE, checks the built-in rules.
    Check {
        /// Rule files
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Run the examples of rules, each by itself, or try a rule against a text
    ///
    /// `check` is for rule files: their form first, then all their examples. This is for rules: those of
    /// rule files, built-in ones by id or glob, or without NAME all built-in ones; each with its result.
    ///
    /// With --rule, NAME is a text, `-` for standard input: what the rule matches there, with secrets
    /// masked, and why a match would not be reported. Ends with 0 if a scan reports something, else with 1.
    #[command(after_help = "Examples:
  keycull rules test rules/acme.toml
  keycull rules test 'github-*'
  keycull rules test --rules rules/acme.toml --rule acme-api-key sample.env")]
    Test {
        /// Rule files, ids, or globs over ids; with --rule the file to try it on
        #[arg(value_name = "NAME", value_hint = ValueHint::AnyPath)]
        names: Vec<String>,
        /// Add the rules of FILE (repeatable)
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
        /// Try this rule against the text NAME
        #[arg(long, value_name = "ID")]
        rule: Option<String>,
    },
    /// Count the built-in rules by kind and by what they rest on
    Coverage {
        /// List every rule with its evidence
        #[arg(long)]
        each: bool,
    },
    /// Print the reference of all built-in rules as Markdown
    Reference,
    /// Show what each rule costs: how often it was triggered and tested, for how long, and what it found
    ///
    /// Scans the files of PATH on one thread and counts; findings are neither joined nor allowed.
    Cost {
        /// A file or directory
        #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
        path: PathBuf,
        /// Add the rules of FILE (repeatable)
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Vec<PathBuf>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}

/// Write a commented keycull.toml.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where to put it [default: the root of the repository around the current directory]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum HookCommand {
    /// Install git hooks: pre-commit, pre-merge-commit, commit-msg and pre-push
    ///
    /// In a bare repository: pre-receive. They go where git runs hooks from (core.hooksPath and
    /// linked worktrees are honoured), unless an option names another place. A hook that is there
    /// already keeps running; `uninstall` puts everything back as it was.
    Install {
        #[command(flatten)]
        place: HookPlace,
        /// Install this hook (repeatable): pre-commit, pre-merge-commit, commit-msg, pre-push, pre-receive or update
        #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(HOOKS))]
        hook: Vec<String>,
    },
    /// Remove what `install` put there, and nothing else
    Uninstall {
        #[command(flatten)]
        place: HookPlace,
    },
    /// Say which hooks scan, which do not, and which of keycull's hooks never run
    Status,
    /// Be a git hook: this is what installed hooks start
    Run(Box<HookRunArgs>),
}

/// Where hooks are put.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Place")]
pub(super) struct HookPlace {
    /// For all of your repositories: core.hooksPath of your own git configuration
    ///
    /// Git then passes over the repositories' own hooks, so they are passed on to them. With
    /// --config: into your own git configuration, which shadows nothing.
    #[arg(long)]
    pub global: bool,

    /// Into git's configuration, beside other hooks; needs git 2.54
    #[arg(long)]
    pub config: bool,

    /// Into the scripts that husky runs
    #[arg(long, conflicts_with_all = ["global", "config"])]
    pub husky: bool,

    /// Into what lefthook runs
    #[arg(long, conflicts_with_all = ["global", "config", "husky"])]
    pub lefthook: bool,
}

/// Be a git hook.
#[derive(Debug, Default, Args)]
#[command(after_long_help = "Exit codes are those of scans; git stops for every one but 0.")]
pub(super) struct HookRunArgs {
    /// Which hook
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(HOOKS))]
    pub name: String,

    /// What git passes to that hook
    #[arg(value_name = "ARG")]
    pub arguments: Vec<OsString>,

    /// Least confidence that stops [default: medium]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(["low", "medium", "high"]))]
    pub hook_confidence: Option<String>,

    /// On a server: time the scan may take [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub time_budget: Option<String>,

    /// On a server: what happens when the time is used up [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(["reject", "accept"]))]
    pub on_timeout: Option<String>,

    /// On a server: let the push option keycull.allow=REASON pass findings, and log it
    #[arg(long)]
    pub break_glass: bool,

    /// On a server: let keycull:allow markers in what is pushed count
    #[arg(long)]
    pub allow_markers: bool,

    #[command(flatten)]
    pub config: ConfigArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_argument_has_a_help_text() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
