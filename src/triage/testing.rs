//! Hand-made rules for the unit tests of triage.

use std::sync::Arc;

use super::rulebook::{Partner, RuleBook};
use crate::finding::{Checksum, Confidence, Match, RuleInfo, Severity, Span};

/// Rules whose facts are written down, not compiled.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) rules: Vec<(Arc<RuleInfo>, Vec<Partner>)>,
}

/// A rule called `id`; its provider is the part before the first `-`.
pub(crate) fn info(id: &str, kind: &'static str) -> RuleInfo {
    let provider = id.split('-').next().unwrap_or_default().to_owned();
    RuleInfo { provider, kind, ..RuleInfo::unknown(id) }
}

/// Id of the rule for passwords.
const CHOSEN: &str = "generic-password";

/// The same rule for secrets that people choose.
fn guessable(rule: RuleInfo) -> RuleInfo {
    RuleInfo { guessable: true, ..rule }
}

impl Book {
    /// The book of rules these tests speak of; see the indices below.
    pub(crate) fn standard() -> Self {
        let mut book = Self::default();
        book.add(info("acme-token", "token"));
        book.add(guessable(info(CHOSEN, "generic")));
        book.add(info("acme-id", "token"));
        book.add(info("other-key", "assignment"));
        book.add(RuleInfo { public: true, ..info("acme-publishable", "token") });
        book.add(info("generic-key-block", "block"));
        book.add(guessable(info("acme-uri", "uri")));
        book.add(info("acme-key-id", "token"));
        book.rules[usize::from(KEY_ID)].1.push(Partner {
            rule: ACME,
            within_lines: 3,
            required: false,
            part_of: true,
        });
        book.rules[usize::from(ACME_ID)].1.push(Partner {
            rule: ACME,
            within_lines: 3,
            required: true,
            part_of: false,
        });
        book
    }

    pub(crate) fn add(&mut self, info: RuleInfo) {
        self.rules.push((Arc::new(info), Vec::new()));
    }
}

/// Token `acme_…`; a secret that contains `test` is a test key; four bytes of it are visible.
pub(crate) const ACME: u16 = 0;
/// Generic and guessable.
pub(crate) const PASSWORD: u16 = 1;
/// Needs [`ACME`] within three lines.
pub(crate) const ACME_ID: u16 = 2;
/// Assignment of another provider.
pub(crate) const OTHER: u16 = 3;
/// Publishable token.
pub(crate) const PUBLIC: u16 = 4;
/// Password in a URL.
pub(crate) const URI: u16 = 6;
/// A part of an [`ACME`] within three lines.
pub(crate) const KEY_ID: u16 = 7;
/// Key block.
pub(crate) const BLOCK: u16 = 5;

impl RuleBook for Book {
    fn info(&self, rule: u16) -> &Arc<RuleInfo> {
        &self.rules[usize::from(rule)].0
    }

    fn partners(&self, rule: u16) -> Vec<Partner> {
        self.rules[usize::from(rule)].1.clone()
    }

    fn test_severity(&self, rule: u16, secret: &[u8]) -> Option<Severity> {
        let test = rule == ACME && memchr::memmem::find(secret, b"test").is_some();
        test.then_some(Severity::Low)
    }

    fn visible_prefix(&self, rule: u16, _secret: &[u8]) -> Option<usize> {
        (rule == ACME).then_some(5)
    }
}

/// Matches of `rule` wherever `needle` stands in `text`.
pub(crate) fn hits(text: &[u8], rule: u16, needle: &str) -> Vec<Match> {
    memchr::memmem::find_iter(text, needle)
        .map(|at| {
            let span = Span::new(at, at + needle.len());
            Match {
                rule,
                trigger: at,
                span,
                secret: span,
                confidence: Confidence::High,
                checksum: Checksum::Absent,
                decoded: None,
                traits: 0,
            }
        })
        .collect()
}

/// A token of the kind of [`ACME`], different for each `seed`.
pub(crate) fn acme(seed: u8) -> String {
    format!("acme_{}", char::from(b'a' + seed).to_string().repeat(30))
}
