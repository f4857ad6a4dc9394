//! Rules given as regular expressions, and rules served by hand-written verifiers.

use std::ops::Range;

use regex::bytes::{Captures, Regex};

use super::{entropy, format, look_alike, placeholder, token};
use crate::finding::{Confidence, Match, Span};
use crate::rule::{FormatUse, Group, Pattern, RuleSet};

/// Searches `pattern` around its keyword at `keyword`; only matches that contain the keyword count.
///
/// The window is the pattern's reach on either side, and one byte more, so that `\b` sees its
/// neighbour.
pub(super) fn scan(
    rules: &RuleSet,
    pattern: &Pattern,
    regex: &Regex,
    bytes: &[u8],
    keyword: Range<usize>,
    out: &mut Vec<Match>,
) {
    let reach = pattern.reach as usize + 1;
    let start = keyword.start.saturating_sub(reach);
    let end = bytes.len().min(keyword.end.saturating_add(reach));
    for captures in regex.captures_iter(&bytes[start..end]) {
        let Some(whole) = captures.get(0) else { continue };
        let span = Span::new(start + whole.start(), start + whole.end());
        if span.start <= keyword.start && keyword.end <= span.end {
            out.extend(matched(rules, pattern, bytes, keyword.start, span, start, &captures));
        }
    }
}

/// Searches a pattern without keywords in the whole content; its matches are their own triggers.
pub(super) fn scan_whole(
    rules: &RuleSet,
    pattern: &Pattern,
    regex: &Regex,
    bytes: &[u8],
    triggers: &Range<usize>,
    out: &mut Vec<Match>,
) {
    let reach = pattern.reach as usize + 1;
    let start = triggers.start.saturating_sub(reach);
    let end = bytes.len().min(triggers.end.saturating_add(reach));
    for captures in regex.captures_iter(&bytes[start..end]) {
        let Some(whole) = captures.get(0) else { continue };
        let span = Span::new(start + whole.start(), start + whole.end());
        if triggers.contains(&span.start) {
            out.extend(matched(rules, pattern, bytes, span.start, span, start, &captures));
        }
    }
}

fn matched(
    rules: &RuleSet,
    pattern: &Pattern,
    bytes: &[u8],
    trigger: usize,
    span: Span,
    offset: usize,
    captures: &Captures<'_>,
) -> Option<Match> {
    let group = match &pattern.group {
        Group::First => captures.iter().skip(1).flatten().find(|group| !group.is_empty()),
        Group::Number(number) => captures.get(usize::from(*number)),
        Group::Named(name) => captures.name(name),
    };
    let secret = match group {
        Some(group) => Span::new(offset + group.start(), offset + group.end()),
        None if pattern.group == Group::First => span,
        None => return None,
    };
    if secret.is_empty() {
        return None;
    }
    let rule = rules.get(pattern.rule);
    let text = secret.of(bytes);
    if rule.min_entropy > 0 && entropy::shannon(text) < rule.min_entropy {
        return None;
    }
    let (mut confidence, checksum) = token::judge(rule, text, text);
    let mut traits = 0;
    if rule.chosen && (placeholder::of(text, b"").is_some() || look_alike::is_message(text)) {
        confidence = Confidence::Low;
        traits = Match::TRAIT_PLACEHOLDER;
    }
    Some(Match { rule: pattern.rule, trigger, span, secret, confidence, checksum, decoded: None, traits })
}

/// Runs the verifier of `used` with its literal at `at`.
pub(super) fn verify_format(rules: &RuleSet, used: &FormatUse, bytes: &[u8], at: usize) -> Option<Match> {
    let hit = format::verify(used.format, &used.labels, bytes, at)?;
    let rule = rules.get(used.rule);
    let checksum = rule.checksum.map_or(crate::finding::Checksum::Absent, |algorithm| {
        super::checksum::check(algorithm, hit.secret.of(bytes))
    });
    let confidence = match checksum {
        crate::finding::Checksum::Failed => Confidence::Low,
        crate::finding::Checksum::Passed | crate::finding::Checksum::Absent => {
            hit.confidence_under(rule.confidence)
        }
    };
    Some(Match {
        rule: used.rule,
        trigger: at,
        span: hit.span,
        secret: hit.secret,
        confidence,
        checksum,
        decoded: None,
        traits: if hit.placeholder { Match::TRAIT_PLACEHOLDER } else { 0 },
    })
}
