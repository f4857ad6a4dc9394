//! A leaked secret with all its places, and the report that holds them.

use std::sync::Arc;

use super::{
    Checksum, Confidence, Coverage, CredentialMode, Disposition, Fingerprint, InertEntry, Oid, Origin,
    Region, RepoPath, RuleInfo, Secret, Severity, Span, Timeline, Validation,
};

/// A short, machine-readable remark on why a finding ranks as it does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Note {
    /// Stable kebab-case code, for example `checksum-failed`, `test-path`, `client-exposed-name`.
    pub code: &'static str,
    /// The same in plain words.
    pub text: String,
}

/// One place where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Name of the repository it was found in, when several were scanned.
    pub repository: Option<Arc<str>>,
    /// What was scanned.
    pub origin: Origin,
    /// Path to show: of the origin, or found by attribution.
    pub path: Option<RepoPath>,
    /// The blob, commit or tag the content was read from.
    pub object: Option<Oid>,
    /// Byte offsets of the secret in the content as scanned.
    pub span: Span,
    /// Lines and columns of the secret.
    pub region: Region,
    /// The line it stands on with every secret in it masked, cut for display, safe to print.
    pub excerpt: String,
    /// Hash GitHub uses to follow a finding through edits (`primaryLocationLineHash`).
    pub line_hash: Option<String>,
    /// When history brought and removed it; only for history scans.
    pub timeline: Option<Timeline>,
    /// Encodings it was wrapped in, from the outside in.
    pub decoded: Vec<&'static str>,
    /// Confidence at this place.
    pub confidence: Confidence,
    /// Why this place counts or not.
    pub disposition: Disposition,
    /// Remarks on this place.
    pub notes: Vec<Note>,
}

/// One leaked secret: identity, verdicts and all places.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Arc<RuleInfo>,
    /// Identity of the secret.
    pub fingerprint: Fingerprint,
    /// The raw value; leaves only through `--show-secrets`, `validate` and `revoke`.
    pub secret: Secret,
    /// The form that may be shown.
    pub redacted: String,
    /// Severity in its context.
    pub severity: Severity,
    /// The highest confidence among its counted places.
    pub confidence: Confidence,
    /// Test or live, as far as the form tells.
    pub mode: CredentialMode,
    /// Result of the offline checksum.
    pub checksum: Checksum,
    /// What the provider said of it, where it was asked (`--validate`).
    pub validation: Validation,
    /// Other findings near it that complete the credential (fingerprints).
    pub companions: Vec<Fingerprint>,
    /// All places, sorted by path, object and position; never empty.
    pub occurrences: Vec<Occurrence>,
    /// `New` if any occurrence is; else that of the first one.
    pub disposition: Disposition,
    /// Remarks that hold for the secret as such.
    pub notes: Vec<Note>,
}

impl Finding {
    /// The place to show first: the first that counts, else the first.
    #[must_use]
    pub fn primary(&self) -> &Occurrence {
        self.occurrences.iter().find(|place| place.disposition.is_new()).unwrap_or(&self.occurrences[0])
    }
}

/// Everything a reporter needs.
#[derive(Clone, Debug, Default)]
pub struct ScanReport {
    /// All findings, suppressed ones included, sorted; reporters look at the disposition.
    pub findings: Vec<Finding>,
    /// New findings below the asked-for confidence or severity, left out of `findings`.
    pub below_threshold: u64,
    /// What was looked at.
    pub coverage: Coverage,
    /// Suppressions that suppress nothing, sorted.
    pub inert: Vec<InertEntry>,
    /// Rules in force, sorted by id; reports describe the rules they cite from here.
    pub rules: Vec<Arc<RuleInfo>>,
}

impl ScanReport {
    /// Findings that count for the exit code.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.disposition.is_new())
    }
}
