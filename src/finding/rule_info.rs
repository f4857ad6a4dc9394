//! What reports, validators and revokers need to know of the rule behind a finding.

use super::{Confidence, Severity};

/// Whether a credential opens production or a sandbox, as far as its form tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialMode {
    /// The form says nothing, or says production.
    Live,
    /// The form says test or sandbox.
    Test,
}

/// The part of a rule that describes it to people and other tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Stable kebab-case id, never reused or renamed.
    pub id: String,
    /// Short name, for example `GitHub personal access token`.
    pub name: String,
    /// What the credential opens and what an attacker does with it.
    pub description: String,
    /// Whose credential it is, for example `github`; `generic` when unknown.
    pub provider: String,
    /// Kind of rule: `token`, `assignment`, `block`, `uri` or `generic`.
    pub kind: &'static str,
    /// Severity before context (test key, client-exposed name) changes it.
    pub severity: Severity,
    /// Confidence before structure and context change it.
    pub confidence: Confidence,
    /// Pages that document the format.
    pub references: Vec<String>,
    /// Where and how to rotate by hand.
    pub rotate: String,
    /// Publishable by design: reported only on request.
    pub public: bool,
    /// Whether people choose such secrets: selects the slow fingerprint and full redaction.
    pub guessable: bool,
}

impl RuleInfo {
    /// A rule of which nothing but its `id` is known: a token, of high severity and confidence.
    #[must_use]
    pub fn unknown(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            description: String::new(),
            provider: String::new(),
            kind: "token",
            severity: Severity::High,
            confidence: Confidence::High,
            references: Vec::new(),
            rotate: String::new(),
            public: false,
            guessable: false,
        }
    }
}
