//! Arguments of the commands that talk to providers: `validate`, `revoke`, `audit`, `mock-provider`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Subcommand, ValueHint};

/// Where secrets are read again, and by which rules.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Where the secrets are")]
pub(in crate::cli) struct PlaceArgs {
    /// What paths in the findings are relative to [default: the repository around the current directory, else this directory]
    ///
    /// Of findings in several repositories it is what their names are relative to [default: the current directory,
    /// then that of the findings]. Names are followed downwards only.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Where the repository is that the findings call NAME; PATH alone if they call it so (repeatable)
    #[arg(long = "repo", value_name = "NAME=PATH")]
    pub repositories: Vec<String>,

    /// Where all of them are: the list that was given to `keycull scan --repos-from`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub repos_from: Option<PathBuf>,

    /// Know the rules of FILE, too (repeatable)
    ///
    /// The scanned tree's keycull.toml is not read: it must not decide what is sent.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub rules: Vec<PathBuf>,
}

/// How providers are reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Network")]
pub(in crate::cli) struct NetworkArgs {
    /// Your own file: addresses, limits, revokers, policy [default: operator.toml beside the user's configuration, if there is one]
    ///
    /// It must lie outside the scanned tree, and nobody else may be able to write it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,

    /// Send requests through this proxy; the environment is not asked
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Send nothing at all
    #[arg(long)]
    pub offline: bool,
}

/// Which findings a command is about.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Findings")]
pub(in crate::cli) struct FindingsArgs {
    /// Findings of `keycull scan --format jsonl` or `json`; `-` is standard input; none scans the repository here
    #[arg(value_name = "FINDINGS", value_hint = ValueHint::FilePath)]
    pub findings: Option<PathBuf>,

    /// The same as FINDINGS
    #[arg(long, value_name = "FINDINGS", value_hint = ValueHint::FilePath, conflicts_with = "findings")]
    pub from: Option<PathBuf>,

    /// Only this item, rule or fingerprint (repeatable)
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
}

/// Ask providers whether leaked keys are live.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 nothing live and nothing unknown, 1 something is live, 2 usage error,
5 nothing live, but something unknown, 130 or 143 after a signal.

Examples:
  keycull validate
  keycull scan --format jsonl | keycull validate -
  keycull validate findings.jsonl --format jsonl"
)]
pub(in crate::cli) struct ValidateArgs {
    #[command(flatten)]
    pub findings: FindingsArgs,

    /// Format [default: text]
    #[arg(long, short, value_name = "FORMAT", help_heading = "Output", value_parser = PossibleValuesParser::new(["text", "jsonl"]))]
    pub format: Option<String>,

    #[command(flatten)]
    pub places: PlaceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RevokeCommand {
    /// Say what would be done to which key; changes nothing
    ///
    /// Asks every provider whether its key is live. The plan holds fingerprints and places, no
    /// secrets, and is good for 15 minutes.
    Plan(PlanArgs),
    /// Carry a plan out, or go on where it was interrupted; a dry run without --yes
    Apply(Box<ApplyArgs>),
    /// Look again at everything that was sent under a plan
    Verify(VerifyArgs),
    /// Revoke one key that is handed in on standard input; a dry run without --yes
    One(Box<OneArgs>),
    /// Rehearse: plant keys of a mock provider, find them, kill them, be killed at every step, prove it
    Drill(DrillArgs),
}

/// Say what would be done to which key.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  keycull revoke plan                                  keys of the repository here
  keycull revoke plan findings.jsonl -o plan.json
  keycull scan --format jsonl | keycull revoke plan --from - --format json > plan.json")]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    pub findings: FindingsArgs,

    /// Write the plan to FILE, readable by you alone; what it says is still told
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// On standard output: words, or the plan itself [default: text]
    #[arg(long, short, value_name = "FORMAT", help_heading = "Output", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub format: Option<String>,

    /// Take the final way where a provider offers a reversible one, too
    #[arg(long, help_heading = "Policy")]
    pub delete: bool,

    /// Use an administrator's credential of your own file, where the block has such a way
    #[arg(long, help_heading = "Policy", conflicts_with = "delete")]
    pub admin: bool,

    /// Plan for a run without a person: your own file must enable it
    #[arg(long, help_heading = "Policy")]
    pub unattended: bool,

    #[command(flatten)]
    pub places: PlaceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// What may be done, and what a person says about it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Policy")]
pub(in crate::cli) struct ConsentArgs {
    /// Do it; without this nothing is sent
    #[arg(long)]
    pub yes: bool,

    /// A new key is in place wherever the old one is still in use
    #[arg(long, conflicts_with = "emergency")]
    pub replaced: bool,

    /// Kill keys that are still in use, whatever breaks
    #[arg(long)]
    pub emergency: bool,

    /// Most keys in one run [default: 10]
    #[arg(long, value_name = "N")]
    pub max: Option<usize>,

    /// What may be done: what the provider can undo, what the key may do to itself, or everything planned [default: admin]
    #[arg(long, value_name = "CLASS", value_parser = PossibleValuesParser::new(["reversible", "self", "admin"]))]
    pub allow: Option<String>,

    /// Nobody is watching: your own file's policy decides
    #[arg(long, conflicts_with_all = ["replaced", "emergency"])]
    pub unattended: bool,
}

/// What is written down.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct RecordArgs {
    /// Format on standard output [default: text]
    #[arg(long, short, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub format: Option<String>,

    /// Write what came of each key into FILE: a JSON, JSON lines or SARIF report, or a baseline (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub receipt: Vec<PathBuf>,

    /// The audit log [default: keycull/audit.jsonl in the user's state directory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub audit_log: Option<PathBuf>,

    /// The journal [default: PLAN.journal]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub journal: Option<PathBuf>,
}

/// Carry a plan out.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 all revoked or dead already, or a dry run; 1 some may be live; 2 nothing was decided;
3 accepted, but not proven; 4 refused by the provider; 5 unknown; 6 refused by policy;
130 or 143 interrupted: run the same command again.

Examples:
  keycull revoke apply plan.json
  keycull revoke apply plan.json --yes --replaced --receipt findings.jsonl"
)]
pub(in crate::cli) struct ApplyArgs {
    /// The plan; `-` is standard input, and needs --journal
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,

    /// Only this item, rule or fingerprint (repeatable)
    #[arg(long, value_name = "ID", help_heading = "Policy")]
    pub only: Vec<String>,

    #[command(flatten)]
    pub consent: ConsentArgs,

    /// Do it only if the SSH key in FILE (one or more public keys) has signed the plan
    ///
    /// Sign with: ssh-keygen -Y sign -f KEY -n keycull plan.json
    #[arg(long, value_name = "FILE", help_heading = "Policy", value_hint = ValueHint::FilePath)]
    pub require_approval: Option<PathBuf>,

    /// The signature [default: PLAN.sig]
    #[arg(long, value_name = "FILE", help_heading = "Policy", value_hint = ValueHint::FilePath)]
    pub approval: Option<PathBuf>,

    #[command(flatten)]
    pub record: RecordArgs,

    #[command(flatten)]
    pub places: PlaceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    /// Die by SIGKILL at this point of the journal; for drills
    #[arg(long, value_name = "POINT", hide = true)]
    pub die_at: Option<String>,
}

/// Look again at everything that was sent under a plan.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,

    #[command(flatten)]
    pub record: RecordArgs,

    #[command(flatten)]
    pub places: PlaceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Revoke one key that is handed in on standard input.
#[derive(Debug, Args)]
#[command(
    after_long_help = "The secret comes on standard input, never as an argument: arguments are seen by every process.

Examples:
  keycull revoke one --rule github-pat < token.txt
  keycull revoke one --rule aws-access-key-id --part aws-secret-access-key=secret.txt --yes < id.txt"
)]
pub(in crate::cli) struct OneArgs {
    /// The rule that describes the key: `keycull rules list` shows all
    #[arg(long, value_name = "ID")]
    pub rule: String,

    /// What completes it: the rule of that part, and the file that holds it (repeatable)
    #[arg(long, value_name = "RULE=FILE")]
    pub part: Vec<String>,

    /// Take the final way where the provider offers a reversible one, too
    #[arg(long)]
    pub delete: bool,

    /// Use an administrator's credential of your own file, where the block has such a way
    #[arg(long, conflicts_with = "delete")]
    pub admin: bool,

    #[command(flatten)]
    pub consent: ConsentArgs,

    #[command(flatten)]
    pub record: RecordArgs,

    /// Know the rules of FILE, too (repeatable)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub rules: Vec<PathBuf>,

    #[command(flatten)]
    pub network: NetworkArgs,

    /// A secret given as an argument is refused: other processes see it
    #[arg(value_name = "SECRET", hide = true)]
    pub secret: Vec<String>,
}

/// Rehearse with keys of a mock provider.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Exit codes: 0 everything held, 1 something did not, 2 the drill could not be held.

Examples:
  keycull revoke drill
  keycull revoke drill --faults slow=2,error-after --format json"
)]
pub(in crate::cli) struct DrillArgs {
    /// How the provider misbehaves, as for `keycull mock-provider --faults`
    #[arg(long, value_name = "LIST")]
    pub faults: Option<String>,

    /// Makes the keys; another number, other keys [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Keep repository, plan, journal and log in this directory, which must be empty
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub keep: Option<PathBuf>,

    /// Format on standard output [default: text]
    #[arg(long, short, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    pub format: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Check that no line of the audit log was changed or taken out
    ///
    /// A cut end is found only by comparing the last hash with one noted elsewhere: --last.
    Verify {
        /// The log [default: keycull/audit.jsonl in the user's state directory]
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// The hash the last line must have
        #[arg(long, value_name = "HASH")]
        last: Option<String>,
    },
}

/// A provider on this machine that issues keys, checks them, kills them, and misbehaves on request.
#[derive(Debug, Args)]
#[command(
    after_long_help = "Listens on 127.0.0.1 until it is stopped, and then says which of its keys are live.

Faults, with commas between: redirect=307@127.0.0.1:PORT, echo, too-many=N, too-many-mutations,
error-after, hang-after, ignore, forbidden, slow=N, wrong-list, oversize, html, broken.

Example:
  keycull mock-provider --issue github=2 --keys keys.txt --operator ~/mock-operator.toml"
)]
pub(in crate::cli) struct MockArgs {
    /// Port; 0 picks a free one [default: 0]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,

    /// How it misbehaves
    #[arg(long, value_name = "LIST")]
    pub faults: Option<String>,

    /// Issue N keys of KIND: drill, listed, github, gitlab, aws or oauth (repeatable)
    #[arg(long, value_name = "KIND=N", action = ArgAction::Append)]
    pub issue: Vec<String>,

    /// Makes the keys; another number, other keys [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Write the issued keys to FILE, readable by you alone: `kind secret [companion]` a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub keys: Option<PathBuf>,

    /// Write an operator's file to FILE that sends these providers' requests here and nowhere else
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
}
