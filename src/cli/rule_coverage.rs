//! `keycull rules coverage` and `keycull rules reference`: what the built-in rules cover, and on
//! whose word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::rule::{Kind, Rule, RuleSet};

use super::failure::Outcome;
use super::say;

/// What a rule rests on, strongest first.
const EVIDENCE: [&str; 3] = ["documentation", "sdk", "peer"];

/// Prints how many kinds and providers there are, by kind and evidence, and each rule's.
pub(super) fn coverage(each: bool) -> Outcome<u8> {
    let set = RuleSet::builtin();
    let mut text = totals(set);
    if each {
        text.push('\n');
        for rule in sorted(set) {
            let _ = writeln!(
                text,
                "{:<44} {:<11} {:<14} {}",
                rule.id,
                rule.kind.as_str(),
                evidence(rule),
                rule.references.first().map_or("", AsRef::as_ref)
            );
        }
    }
    say(&text)
}

fn totals(set: &RuleSet) -> String {
    let rules = &set.rules;
    let providers: BTreeSet<&str> = rules.iter().map(|rule| rule.provider.as_ref()).collect();
    let structured = rules.iter().filter(|rule| has_structure(rule)).count();
    let mut text = format!(
        "{} kinds of credentials of {} providers\n{structured} with a literal, a structure or a checksum of their own\n\n",
        rules.len(),
        providers.len()
    );
    let mut counts: BTreeMap<(Kind, &str), usize> = BTreeMap::new();
    for rule in rules.iter() {
        *counts.entry((rule.kind, evidence(rule))).or_default() += 1;
    }
    let _ = writeln!(text, "{:<12}{}", "", EVIDENCE.map(|name| format!("{name:>15}")).concat());
    for kind in Kind::ALL {
        let row = EVIDENCE.map(|name| format!("{:>15}", counts.get(&(kind, name)).copied().unwrap_or(0)));
        let _ = writeln!(text, "{:<12}{}", kind.as_str(), row.concat());
    }
    text
}

/// Whether the secret can be told without its name.
fn has_structure(rule: &Rule) -> bool {
    match rule.kind {
        Kind::Token | Kind::Block | Kind::Uri => true,
        Kind::Assignment => rule.checksum.is_some() || !rule.markers.is_empty(),
        Kind::Generic | Kind::Imported => false,
    }
}

fn evidence(rule: &Rule) -> &str {
    if rule.evidence.is_empty() { "none" } else { &rule.evidence }
}

fn sorted(set: &RuleSet) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = set.rules.iter().collect();
    rules.sort_by(|a, b| (&a.provider, &a.id).cmp(&(&b.provider, &b.id)));
    rules
}

/// Prints `docs/rules-reference.md`.
pub(super) fn reference() -> Outcome<u8> {
    let set = RuleSet::builtin();
    let mut text = String::from(
        "# Rules\n\nEvery built-in rule, by provider. Written by `keycull rules reference`; the tests compare the two. `keycull rules show ID`\ntells the rest: how it is found, where the format is documented and how to rotate the credential.\n\nSeverity is what the credential opens; it changes with test keys and places. Evidence is what the format was learnt from: the\nprovider's documentation, the source of its tools, or what other scanners look for.\n",
    );
    let mut provider = "";
    for rule in sorted(set) {
        if rule.provider != provider {
            provider = &rule.provider;
            let _ = write!(
                text,
                "\n## {provider}\n\n| rule | credential | kind | severity | evidence |\n|---|---|---|---|---|\n"
            );
        }
        let public = if rule.public { " (publishable: only on request)" } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | {}{public} | {} | {} | {} |",
            rule.id,
            rule.name.replace('|', "\\|"),
            rule.kind.as_str(),
            rule.severity,
            evidence(rule)
        );
    }
    say(&text)
}
