//! What triage asks about rules: facts, never patterns.
//!
//! A trait, so that triage can be tested with hand-made facts and does not depend on how rule
//! tables are stored.

use std::sync::Arc;

use crate::finding::{Redaction, RepoPath, RuleInfo, Severity};
use crate::import::gitleaks::Allowlist;

/// Another rule that completes a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partner {
    /// Index of the other rule.
    pub rule: u16,
    /// How many lines away the other half may stand.
    pub within_lines: u16,
    /// Without the other half this one opens nothing.
    pub required: bool,
    /// The other one is the secret half; this one is told as a part of it.
    pub part_of: bool,
}

/// The rules in force, by the index that matches carry.
pub trait RuleBook: Sync {
    /// Description of a rule.
    fn info(&self, rule: u16) -> &Arc<RuleInfo>;

    /// Rules that complete this one's credential.
    fn partners(&self, rule: u16) -> Vec<Partner>;

    /// Severity of the secret if its form says test or sandbox, else `None`.
    fn test_severity(&self, rule: u16, secret: &[u8]) -> Option<Severity>;

    /// Whether a checksum that passes speaks for the issuer: anybody can make a wallet's key or a
    /// token of JSON, with a checksum that holds.
    fn issuer_checks(&self, rule: u16) -> bool {
        let _ = rule;
        true
    }

    /// Allowlists of an imported configuration, by number.
    fn allowlist(&self, index: u16) -> Option<&Allowlist> {
        let _ = index;
        None
    }

    /// Numbers of the allowlists that may speak of a rule's findings.
    fn allowlists_of(&self, rule: u16) -> Vec<u16> {
        let _ = rule;
        Vec::new()
    }

    /// Whether a rule looks at content at `path` at all.
    fn looks_at(&self, rule: u16, path: Option<&RepoPath>) -> bool {
        let _ = (rule, path);
        true
    }

    /// Bytes at the secret's start that are the public marker of its kind (`ghp_`).
    fn visible_prefix(&self, rule: u16, secret: &[u8]) -> Option<usize>;
}

/// How much of a secret of this rule may be shown: a marker and an end for prefixed tokens that
/// nobody could guess, nothing of anything else.
pub(super) fn redaction(rules: &dyn RuleBook, rule: u16, secret: &[u8]) -> Redaction {
    let info = rules.info(rule);
    if info.kind != "token" || info.guessable {
        return Redaction::Full;
    }
    match rules.visible_prefix(rule, secret) {
        Some(prefix) if prefix > 0 => Redaction::Prefixed { prefix },
        Some(_) | None => Redaction::Full,
    }
}
