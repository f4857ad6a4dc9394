//! Token rules: an anchor literal with shapes around it, tested at one position.

use super::edge::is_left_edge;
use super::entropy::{distinct, shannon};
use crate::engine::checksum;
use crate::finding::{Checksum, Confidence, Match, Span};
use crate::rule::class::ByteSet;
use crate::rule::shape::{match_backward, match_forward};
use crate::rule::{Branch, Rule, RuleSet};

/// Whether the anchor of `branch` stands at `at`.
#[inline]
pub(super) fn has_anchor(branch: &Branch, bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + branch.prefix.len()).is_some_and(|anchor| {
        if branch.fold { anchor.eq_ignore_ascii_case(&branch.prefix) } else { *anchor == *branch.prefix }
    })
}

/// Tests `branch`, whose anchor stands at `at`. Reads no more than the shapes allow, and one byte
/// (six for escapes) beyond on either side.
#[must_use]
pub(super) fn verify(rules: &RuleSet, branch: &Branch, bytes: &[u8], at: usize) -> Option<Match> {
    let start = match_backward(&branch.before, bytes, at)?;
    let body = at + branch.prefix.len();
    let end = match_forward(&branch.body, bytes, body)?;
    // An anchor such as `/services/` starts with a byte no word has; it needs no edge.
    let edge = !ByteSet::WORD.has(bytes[start]) || is_left_edge(bytes, start);
    if !edge || bytes.get(end).is_some_and(|&next| branch.not_after.has(next)) {
        return None;
    }
    let rule = rules.get(branch.rule);
    let secret = if branch.secret_is_body { Span::new(body, end) } else { Span::new(start, end) };
    let variable = if branch.before.is_empty() { &bytes[body..end] } else { &bytes[start..end] };
    if rule.min_entropy > 0 && shannon(variable) < rule.min_entropy {
        return None;
    }
    let (confidence, checksum) = judge(rule, secret.of(bytes), variable);
    Some(Match {
        rule: branch.rule,
        trigger: at,
        span: Span::new(start, end),
        secret,
        confidence,
        checksum,
        decoded: None,
        traits: 0,
    })
}

/// Confidence of a well-formed token: raised by a right checksum, lowered by a wrong one and by
/// values nobody generates.
pub(super) fn judge(rule: &Rule, secret: &[u8], variable: &[u8]) -> (Confidence, Checksum) {
    let checked = rule.checksum.map_or(Checksum::Absent, |algorithm| checksum::check(algorithm, secret));
    let confidence = match checked {
        Checksum::Passed => Confidence::High,
        Checksum::Failed => Confidence::Low,
        Checksum::Absent if is_dull(variable) => Confidence::Low,
        Checksum::Absent => rule.confidence,
    };
    (confidence, checked)
}

/// Whether a value is too regular to have been generated: few different characters, or a
/// placeholder or a plain sequence.
fn is_dull(variable: &[u8]) -> bool {
    let few = if variable.len() >= 16 { 6 } else { 3 };
    distinct(variable) < few || super::placeholder::is_dummy_token(variable)
}
