//! The JSON report: schema `keycull/report/1`, described by `docs/report.schema.json`.
//!
//! Has structs of its own, so that a change of the types inside cannot change what others parse.
//! Additions that old readers can ignore keep the schema's number; everything else raises it.

mod account;
mod finding;

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::tally::{Suppressor, Tally};
use super::view::View;
use super::visible::write_json;
use crate::finding::{Confidence, InertEntry, RuleInfo, Severity};

pub(super) use finding::Finding;

/// Name and number of the schema.
const SCHEMA: &str = "keycull/report/1";

/// Writes the document, indented, with a line end.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    write_json(&Document::of(view), true, out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<Repository<'a>>,
    summary: Summary,
    rules: Vec<Rule<'a>>,
    findings: Vec<Finding<'a>>,
    inert_suppressions: Vec<Inert>,
    coverage: account::Coverage<'a>,
}

impl<'a> Document<'a> {
    fn of(view: &View<'a>) -> Self {
        let findings = &view.report.findings;
        let mut rules: BTreeMap<&str, &RuleInfo> = BTreeMap::new();
        for finding in findings.iter().flat_map(crate::finding::Finding::halves) {
            rules.entry(&finding.rule.id).or_insert(&finding.rule);
        }
        Self {
            schema: SCHEMA,
            tool: Tool { name: "keycull", version: view.options.version },
            repository: view.options.repository.as_ref().map(|repository| Repository {
                uri: repository.public_uri(),
                revision: repository.revision.as_deref(),
                branch: repository.branch.as_deref(),
            }),
            summary: Summary::of(&Tally::of(view.report), view.report.coverage.is_complete()),
            rules: rules.into_values().map(Rule::of).collect(),
            findings: findings.iter().map(|finding| Finding::of(view, finding)).collect(),
            inert_suppressions: view.report.inert.iter().map(|entry| Inert::of(view, entry)).collect(),
            coverage: account::Coverage::of(view),
        }
    }
}

/// A suppression that does nothing.
#[derive(Serialize)]
struct Inert {
    entry: String,
    why: &'static str,
    text: String,
}

impl Inert {
    fn of(view: &View<'_>, entry: &InertEntry) -> Self {
        Self { entry: view.masked(&entry.entry), why: entry.why.as_str(), text: view.masked(&entry.text) }
    }
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Repository<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary {
    complete: bool,
    findings: usize,
    places: usize,
    by_severity: BTreeMap<&'static str, usize>,
    by_confidence: BTreeMap<&'static str, usize>,
    suppressed: SuppressedCounts,
    below_threshold: u64,
}

#[derive(Serialize)]
struct SuppressedCounts {
    baseline: usize,
    inline: usize,
    config: usize,
    known_sample: usize,
}

impl Summary {
    fn of(tally: &Tally, complete: bool) -> Self {
        let severity = |level: Severity| tally.by_severity.get(&level).copied().unwrap_or_default();
        let confidence = |level: Confidence| tally.by_confidence.get(&level).copied().unwrap_or_default();
        Self {
            complete,
            findings: tally.findings,
            places: tally.places,
            by_severity: Severity::ALL.map(|level| (level.as_str(), severity(level))).into(),
            by_confidence: Confidence::ALL.map(|level| (level.as_str(), confidence(level))).into(),
            suppressed: SuppressedCounts {
                baseline: tally.suppressed(Suppressor::Baseline),
                inline: tally.suppressed(Suppressor::Inline),
                config: tally.suppressed(Suppressor::Config),
                known_sample: tally.suppressed(Suppressor::KnownSample),
            },
            below_threshold: tally.below_threshold,
        }
    }
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    provider: &'a str,
    kind: &'static str,
    severity: &'static str,
    confidence: &'static str,
    references: &'a [String],
    rotate: &'a str,
    public: bool,
    guessable: bool,
}

impl<'a> Rule<'a> {
    fn of(rule: &'a RuleInfo) -> Self {
        Self {
            id: &rule.id,
            name: &rule.name,
            description: &rule.description,
            provider: &rule.provider,
            kind: rule.kind,
            severity: rule.severity.as_str(),
            confidence: rule.confidence.as_str(),
            references: &rule.references,
            rotate: &rule.rotate,
            public: rule.public,
            guessable: rule.guessable,
        }
    }
}
