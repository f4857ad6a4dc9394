//! Sentences several formats share.

use super::calendar::day;
use super::place;
use super::view::View;
use crate::finding::{
    Checksum, CredentialMode, Evidence, Facet, Finding, Occurrence, Reachability, RuleInfo, Timeline,
    Validation,
};

/// `text` as a sentence: a full stop at its end; None when it is empty.
pub(super) fn sentence(text: &str) -> Option<String> {
    let text = text.trim();
    let stopped = text.ends_with(['.', '!', '?', ':']);
    match text {
        "" => None,
        _ if stopped => Some(text.to_owned()),
        _ => Some(format!("{text}.")),
    }
}

/// The rule's name, or its id when it has none.
pub(super) fn rule_name(rule: &RuleInfo) -> &str {
    if rule.name.trim().is_empty() { &rule.id } else { rule.name.trim() }
}

/// The rule's name and, where some of the secret may be shown, that: `GitHub token ghp_…wxyz`.
pub(super) fn title(view: &View<'_>, finding: &Finding) -> String {
    let name = view.prose(rule_name(&finding.rule));
    match finding.redacted.as_str() {
        "" | "[redacted]" => name,
        shown => format!("{name} {}", view.prose(shown)),
    }
}

/// How sure, and by what: `high confidence, checksum correct`.
pub(super) fn certainty(finding: &Finding) -> String {
    let mut words = vec![format!("{} confidence", finding.confidence)];
    match finding.checksum {
        Checksum::Absent => {}
        Checksum::Passed => words.push("checksum correct".to_owned()),
        Checksum::Failed => words.push("checksum wrong: invented, cut or altered".to_owned()),
    }
    if finding.mode == CredentialMode::Test {
        words.push("test credential".to_owned());
    }
    words.join(", ")
}

/// What the provider said of it, in words; None where it was not asked.
///
/// Whom it belongs to is personal data: `who` says whether that is shown.
pub(super) fn validity(finding: &Finding, who: bool) -> Option<String> {
    let words = |verdict: &str, evidence: &Evidence| {
        let mut words = vec![verdict.to_owned()];
        words.extend(evidence.identity.as_ref().filter(|_| who).map(|name| format!("belongs to {name}")));
        if !evidence.scopes.is_empty() {
            words.push(format!("may {}", evidence.scopes.join(", ")));
        }
        words.extend(evidence.expires.as_ref().map(|date| format!("expires {date}")));
        words.join("; ")
    };
    match &finding.validation {
        Validation::NotAttempted => None,
        Validation::Live(evidence) => Some(words("live: its provider accepts it", evidence)),
        Validation::Dead(evidence) => Some(words("dead: its provider refuses it", evidence)),
        Validation::Unknown(reason) => Some(format!("unknown whether it is live: {reason}")),
    }
}

/// When it came and went, without personal data: `came with 0123456789ab on 2024-03-01, …`.
pub(super) fn course(timeline: &Timeline) -> Option<String> {
    let mut words = Vec::new();
    if let Some(commit) = &timeline.introduced {
        words.push(format!("came with commit {} on {}", commit.id.short(12), day(commit.date)));
    }
    if let Some(commit) = &timeline.removed {
        let after = place::days(timeline).map(|count| format!(" after {}", days(count)));
        words.push(format!(
            "was removed by {} on {}{}",
            commit.id.short(12),
            day(commit.date),
            after.unwrap_or_default()
        ));
    }
    if timeline.at_head {
        words.push("is still there at HEAD".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// A number of whole days in words.
pub(super) fn days(days: i64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// From where history still reaches it, and what that means.
pub(super) fn reach(view: &View<'_>, reachable: &Reachability) -> Option<String> {
    match reachable {
        Reachability::Refs { names, more } => {
            let mut refs: Vec<String> = names.iter().map(|name| view.prose(name)).collect();
            if *more > 0 {
                refs.push(format!("{more} more"));
            }
            (!refs.is_empty()).then(|| format!("reachable from {}", refs.join(", ")))
        }
        Reachability::Reflog => Some(
            "reachable only from the reflog; `git reflog expire --expire=now --all && git gc --prune=now` \
             removes it from this clone"
                .to_owned(),
        ),
        Reachability::Unreachable => Some(
            "reachable from no ref; `git gc --prune=now` removes it from this clone, others may still hold it"
                .to_owned(),
        ),
        Reachability::Unknown => None,
    }
}

/// What a secret opens at a place: `for admin at db.example.org`; None when nothing is known.
pub(super) fn context(view: &View<'_>, at: &Occurrence) -> Option<String> {
    let words: Vec<String> = at
        .context
        .iter()
        .map(|detail| {
            let before = match detail.facet {
                Facet::User => "for",
                Facet::Host => "at",
                Facet::Database => "database",
                Facet::ClientId => "client",
                Facet::Account => "account",
            };
            format!("{before} {}", view.prose(&detail.value))
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The other halves of the credential, each a clause: `AWS access key id AKIA…wxyz in line 3`.
pub(super) fn components(view: &View<'_>, finding: &Finding) -> Vec<String> {
    let clause = |half: &Finding| {
        let at = half.primary();
        let line = at.region.start.line;
        let same = finding.occurrences.iter().any(|place| place.origin == at.origin && place.path == at.path);
        let place = if same { format!("line {line}") } else { place::label(view, at) };
        format!("{} in {place}", title(view, half))
    };
    finding.components.iter().map(clause).collect()
}

/// The sentence on the other halves, if there are any.
fn together(view: &View<'_>, finding: &Finding) -> Option<String> {
    let halves = components(view, finding);
    (!halves.is_empty()).then(|| format!("Together with {}.", halves.join(" and ")))
}

/// What to do about the secret itself.
pub(super) fn rotate(rule: &RuleInfo) -> String {
    sentence(&rule.rotate).unwrap_or_else(|| {
        "Issue a new credential, move everything that uses the old one, then revoke the old one.".to_owned()
    })
}

/// How to say that a finding is none.
pub(super) fn allow_hint(rule: &RuleInfo) -> String {
    format!("keycull:allow[{}] reason", rule.id)
}

/// A place's message for tools that show one line per place.
pub(super) fn place_message(view: &View<'_>, finding: &Finding) -> String {
    let mut sentences = vec![format!("{}.", title(view, finding))];
    sentences.extend(sentence(&view.prose(&finding.rule.description)));
    sentences.extend(together(view, finding));
    sentences.push(format!("{} severity, {}.", capital(finding.severity.as_str()), certainty(finding)));
    sentences.extend(validity(finding, false).map(|text| format!("{}.", view.prose(&capital(&text)))));
    sentences.extend(view.notes(finding).into_iter().filter_map(|note| sentence(&view.prose(&note.text))));
    sentences.push(view.prose(&rotate(&finding.rule)));
    sentences.push(format!("Fingerprint {}.", finding.fingerprint));
    sentences.join(" ")
}

/// A message for a secret that only history holds.
pub(super) fn history_message(view: &View<'_>, finding: &Finding) -> String {
    let timeline = place::course(finding);
    let mut sentences = vec![format!("{} in the history.", title(view, finding))];
    if let Some(course) = timeline.as_ref().and_then(course) {
        sentences.push(format!("It {course}."));
    }
    sentences.push("Deleting it did not revoke it.".to_owned());
    if let Some(reach) = timeline.as_ref().and_then(|timeline| reach(view, &timeline.reachable)) {
        sentences.push(format!("{}.", capital(&reach)));
    }
    let others = place::counted(finding).count().saturating_sub(1);
    if others > 0 {
        sentences.push(format!("History holds it in {others} more places."));
    }
    sentences.extend(together(view, finding));
    sentences.push(format!("{} severity, {}.", capital(finding.severity.as_str()), certainty(finding)));
    sentences.extend(validity(finding, false).map(|text| format!("{}.", view.prose(&capital(&text)))));
    sentences.push(view.prose(&rotate(&finding.rule)));
    sentences.push(format!("Fingerprint {}.", finding.fingerprint));
    sentences.join(" ")
}

/// `text` with its first letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// At most `max` characters of `text`, the last one an ellipsis when some are missing.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_once() {
        assert_eq!(sentence(" a b "), Some("a b.".to_owned()));
        assert_eq!(sentence("a!"), Some("a!".to_owned()));
        assert_eq!(sentence("  "), None);
        assert_eq!(capital("über"), "Über");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
