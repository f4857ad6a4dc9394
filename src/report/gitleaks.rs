//! The JSON array of gitleaks 8, for dashboards that read it: one entry per place that counts.
//!
//! Differences, all on purpose: `Secret` and `Match` are redacted unless raw secrets are asked
//! for, columns are right on every line, `Email` is empty, and a key of its own at the end, `Rotation`,
//! says how to rotate by hand. No key of gitleaks has a place for that: dashboards make titles and
//! groups of `Description`, show `Message` as the commit's and labels of `Tags`, and gitleaks compares all
//! but `Tags` with its baseline. Keys they do not know they pass over, as gitleaks itself does; it has
//! added keys before.

use std::io;

use serde::Serialize;

use super::calendar::instant;
use super::place;
use super::view::View;
use super::visible::write_json;
use super::wording;
use crate::finding::{Finding, Occurrence};

/// Writes the array, indented, with a line end.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries: Vec<Entry<'_>> = view
        .report
        .new_findings()
        .flat_map(|finding| place::counted(finding).map(move |at| Entry::of(view, finding, at)))
        .collect();
    write_json(&entries, true, out)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(rename = "RuleID")]
    rule_id: &'a str,
    description: String,
    start_line: usize,
    end_line: usize,
    start_column: usize,
    end_column: usize,
    #[serde(rename = "Match")]
    matched: String,
    secret: String,
    file: String,
    symlink_file: &'static str,
    commit: String,
    entropy: f32,
    author: String,
    email: &'static str,
    date: String,
    message: String,
    tags: Vec<&'a str>,
    fingerprint: String,
    rotation: String,
    /// Other halves of the credential, which are no entries of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Component<'a> {
    #[serde(rename = "RuleID")]
    rule_id: &'a str,
    secret: String,
    start_line: usize,
}

/// What may be shown of a secret here.
fn shown(view: &View<'_>, finding: &Finding) -> String {
    if view.shows_secrets() {
        String::from_utf8_lossy(finding.secret.expose()).into_owned()
    } else {
        finding.redacted.clone()
    }
}

impl<'a> Entry<'a> {
    fn of(view: &View<'_>, finding: &'a Finding, at: &Occurrence) -> Self {
        let rule = &finding.rule;
        let secret = shown(view, finding);
        let introduced = at.timeline.as_ref().and_then(|timeline| timeline.introduced.as_ref());
        let commit = introduced.map(|commit| commit.id.to_string()).unwrap_or_default();
        let file = place::exact_name(view, at);
        let line = at.region.start.line;
        let place = format!("{file}:{}:{line}", rule.id);
        // Entropy narrows a guessable secret down.
        let entropy = if rule.guessable { 0.0 } else { shannon(finding.secret.expose()) };
        Self {
            rule_id: &rule.id,
            description: wording::rule_name(rule).to_owned(),
            start_line: line,
            end_line: at.region.end.line,
            start_column: at.region.start.column,
            // gitleaks counts the last column in.
            end_column: at.region.end.column.saturating_sub(1).max(1),
            matched: secret.clone(),
            secret,
            fingerprint: if commit.is_empty() { place } else { format!("{commit}:{place}") },
            file,
            symlink_file: "",
            commit,
            entropy,
            author: introduced.map(|commit| view.masked(&commit.author)).unwrap_or_default(),
            email: "",
            date: introduced.map(|commit| instant(commit.date)).unwrap_or_default(),
            message: introduced.map(|commit| view.masked(&commit.subject)).unwrap_or_default(),
            tags: Some(rule.provider.as_str()).filter(|tag| !tag.is_empty()).into_iter().collect(),
            rotation: view.masked(&wording::rotate(rule)),
            components: place::beside(finding, at)
                .map(|(half, place)| Component {
                    rule_id: &half.rule.id,
                    secret: shown(view, half),
                    start_line: place.region.start.line,
                })
                .collect(),
        }
    }
}

/// Bits per byte.
fn shannon(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = bytes.len() as f32;
    let share = |count: u32| count as f32 / total;
    counts.into_iter().filter(|count| *count > 0).map(|count| -share(count) * share(count).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(shannon(b""), 0.0);
        assert!(shannon(b"aaaa").abs() < 1e-6);
        assert!((shannon(b"abcd") - 2.0).abs() < 1e-6);
    }
}
