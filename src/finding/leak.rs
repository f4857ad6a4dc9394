//! A leaked secret with all its places, and the report that holds them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
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

/// What a line beside a secret says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// Who logs in with it.
    User,
    /// The machine or service it opens.
    Host,
    /// The database it opens.
    Database,
    /// The public half of a client's credential.
    ClientId,
    /// The account it belongs to.
    Account,
}

impl Facet {
    /// Every facet, in the order they are told.
    pub const ALL: [Facet; 5] = [Self::User, Self::Host, Self::Database, Self::ClientId, Self::Account];

    /// The stable name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Host => "host",
            Self::Database => "database",
            Self::ClientId => "client_id",
            Self::Account => "account",
        }
    }
}

/// A fact about what a secret opens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Detail {
    /// What is told.
    pub facet: Facet,
    /// Printable ASCII, bounded.
    pub value: String,
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
    /// What it opens, as far as lines beside it say; printable ASCII, no secrets.
    pub context: Vec<Detail>,
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
    /// Other halves of the credential, each with the places where it stands beside this one; there they
    /// are no findings of their own. Sorted; they have no components themselves.
    pub components: Vec<Finding>,
    /// All places, sorted by path, object and position; never empty.
    pub occurrences: Vec<Occurrence>,
    /// `New` if any occurrence is; else that of the first one.
    pub disposition: Disposition,
    /// Remarks that hold for the secret as such.
    pub notes: Vec<Note>,
}

impl Finding {
    /// It and its components: everything with a secret of its own.
    pub fn halves(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(self).chain(&self.components)
    }

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

/// Each half of a credential as a finding of its own, companions of each other: for whatever deals with
/// keys one by one. A half that also stands elsewhere alone is one finding with all its places.
#[must_use]
pub fn apart(findings: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut known: HashMap<(String, Fingerprint), usize> = HashMap::new();
    for mut whole in findings {
        let mut halves = std::mem::take(&mut whole.components);
        halves.insert(0, whole);
        let prints: Vec<Fingerprint> = halves.iter().map(|half| half.fingerprint.clone()).collect();
        for mut half in halves {
            half.companions.extend(prints.iter().filter(|print| **print != half.fingerprint).cloned());
            half.companions.sort();
            half.companions.dedup();
            match known.entry((half.rule.id.clone(), half.fingerprint.clone())) {
                Entry::Occupied(known) => all[*known.get()].absorb(half),
                Entry::Vacant(unknown) => {
                    unknown.insert(all.len());
                    all.push(half);
                }
            }
        }
    }
    all
}

impl Finding {
    /// Adds the places of `other`, the same secret under the same rule elsewhere, and what they change:
    /// confidence and disposition are those of the places that count. Places are not sorted anew.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.severity = self.severity.max(other.severity);
        match (self.disposition.is_new(), other.disposition.is_new()) {
            (true, false) => {}
            (false, true) => {
                self.confidence = other.confidence;
                self.disposition = other.disposition;
            }
            (true, true) | (false, false) => self.confidence = self.confidence.max(other.confidence),
        }
        if self.validation == Validation::NotAttempted {
            self.validation = other.validation;
        }
        self.companions.extend(other.companions);
        self.companions.sort();
        self.companions.dedup();
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        for part in other.components {
            let same = |one: &&mut Self| one.fingerprint == part.fingerprint && one.rule.id == part.rule.id;
            match self.components.iter_mut().find(same) {
                Some(known) => known.absorb(part),
                None => self.components.push(part),
            }
        }
        self.occurrences.extend(other.occurrences);
    }
}

impl ScanReport {
    /// Findings that count for the exit code.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.disposition.is_new())
    }
}
