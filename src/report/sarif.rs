//! SARIF 2.1.0 as GitHub code scanning reads it.
//!
//! Two runs, because GitHub closes the alerts of a category that a later upload no longer holds:
//! `keycull/tree/` lists places that hold a secret now, one result each, and closes when they are
//! clean. `keycull/history/`, under a driver name of its own, lists secrets that only history
//! holds, one result each; deleting a file does not revoke a key, so they stay until they are
//! dealt with.
//!
//! Limits and field rules are those of GitHub's page "SARIF support for code scanning".

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::{Value, json};
use serde_sarif::sarif;
use sha2::{Digest, Sha256};

use super::place;
use super::view::View;
use super::visible::write_json;
use super::wording;
use crate::finding::{
    AllowSource, Confidence, Disposition, Finding, GapKind, Occurrence, RuleInfo, Severity, Validation,
};

/// Most results GitHub takes in one run.
const MAX_RESULTS: usize = 25_000;

/// Most related locations given for one secret; GitHub refuses more than 1,000.
const MAX_RELATED: usize = 50;

/// Most gaps spelled out; the rest is counted.
const MAX_GAPS: usize = 100;

/// Most characters of a rule's descriptions.
const MAX_DESCRIPTION: usize = 1024;

/// Most characters of a rule's name.
const MAX_NAME: usize = 255;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The base all locations are relative to: the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// Writes the log, indented, with a line end.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let log = sarif::Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(runs(view)).build();
    write_json(&log, true, out)
}

/// A result on its way into a run.
struct Row<'a> {
    finding: &'a Finding,
    result: sarif::Result,
    suppressed: bool,
}

/// Which of the two runs.
#[derive(Clone, Copy)]
enum Part {
    Tree,
    History,
}

impl Part {
    const fn driver(self) -> &'static str {
        match self {
            Self::Tree => "keycull",
            Self::History => "keycull-history",
        }
    }

    /// Everything up to the last `/` is the category on GitHub.
    const fn category(self) -> &'static str {
        match self {
            Self::Tree => "keycull/tree/",
            Self::History => "keycull/history/",
        }
    }
}

fn runs(view: &View<'_>) -> Vec<sarif::Run> {
    let mut tree = Vec::new();
    let mut history = Vec::new();
    for finding in &view.report.findings {
        let suppressed = !finding.disposition.is_new();
        if suppressed && !view.options.suppressed {
            continue;
        }
        let row = |result| Row { finding, result, suppressed };
        let places = finding.occurrences.iter().filter(|at| suppressed || at.disposition.is_new());
        // A line that is committed is in the files and at HEAD; it is one place.
        let mut seen = BTreeSet::new();
        let present: Vec<&Occurrence> = places
            .filter(|at| place::is_present(at))
            .filter(|at| seen.insert((place::uri(view, at), at.region.start.line, at.region.start.column)))
            .collect();
        if present.is_empty() {
            history.push(row(history_result(view, finding)));
        } else {
            let message = wording::place_message(view, finding);
            tree.extend(present.into_iter().map(|at| row(tree_result(view, finding, at, &message))));
        }
    }
    let mut runs = vec![run(view, Part::Tree, tree)];
    // A scan that saw no history must not close the alerts of one that did.
    if !history.is_empty() || view.report.coverage.commits > 0 {
        runs.push(run(view, Part::History, history));
    }
    runs
}

fn run(view: &View<'_>, part: Part, rows: Vec<Row<'_>>) -> sarif::Run {
    let (rows, left_out) = most_severe(rows);
    let mut rules: BTreeMap<&str, &RuleInfo> = BTreeMap::new();
    for row in &rows {
        rules.entry(&row.finding.rule.id).or_insert(&row.finding.rule);
    }
    let ids: Vec<&str> = rules.keys().copied().collect();
    let results: Vec<sarif::Result> = rows
        .iter()
        .map(|row| {
            let mut result = row.result.clone();
            result.rule_index = ids.binary_search(&row.finding.rule.id.as_str()).ok().map(|i| i as i64);
            result
        })
        .collect();
    let descriptors: Vec<sarif::ReportingDescriptor> =
        rules.into_values().map(|rule| descriptor(view, rule)).collect();
    let mut run = sarif::Run::builder()
        .tool(sarif::Tool::from(driver(view, part, descriptors)))
        .invocations(vec![invocation(view, left_out)])
        .automation_details(sarif::RunAutomationDetails::builder().id(part.category()).build())
        .column_kind(json!("utf16CodeUnits"))
        .results(results)
        .build();
    run.version_control_provenance = provenance(view).map(|details| vec![details]);
    run
}

/// Keeps what GitHub accepts, counted findings and high severity first; the order stays.
fn most_severe(rows: Vec<Row<'_>>) -> (Vec<Row<'_>>, usize) {
    let left_out = rows.len().saturating_sub(MAX_RESULTS);
    if left_out == 0 {
        return (rows, 0);
    }
    let mut ranked: Vec<(usize, Row<'_>)> = rows.into_iter().enumerate().collect();
    ranked.sort_by_key(|(at, row)| (row.suppressed, std::cmp::Reverse(row.finding.severity), *at));
    ranked.truncate(MAX_RESULTS);
    ranked.sort_by_key(|(at, _)| *at);
    (ranked.into_iter().map(|(_, row)| row).collect(), left_out)
}

fn driver(view: &View<'_>, part: Part, rules: Vec<sarif::ReportingDescriptor>) -> sarif::ToolComponent {
    let mut driver = sarif::ToolComponent::builder()
        .name(part.driver())
        .full_name(format!("{} {}", part.driver(), view.options.version))
        .semantic_version(view.options.version)
        .rules(rules)
        .notifications(notification_kinds())
        .build();
    let page = env!("CARGO_PKG_REPOSITORY");
    driver.information_uri = (!page.is_empty()).then(|| page.to_owned());
    driver
}

/// What the rule is, how bad, and what to do: GitHub shows `help.markdown` beside each alert.
fn descriptor(view: &View<'_>, rule: &RuleInfo) -> sarif::ReportingDescriptor {
    let text = |text: String| sarif::MultiformatMessageString::builder().text(text).build();
    let name = wording::cut(&view.prose(wording::rule_name(rule)), MAX_NAME);
    let about = wording::sentence(&view.prose(&rule.description)).unwrap_or_else(|| format!("{name}."));
    let mut descriptor = sarif::ReportingDescriptor::builder()
        .id(rule.id.as_str())
        .name(pascal_case(&rule.id))
        .short_description(text(format!("{name}.")))
        .full_description(text(wording::cut(&about, MAX_DESCRIPTION)))
        .help(help(view, rule, &about))
        .default_configuration(
            sarif::ReportingConfiguration::builder().level(json!(level(rule.severity))).build(),
        )
        .properties(rule_properties(rule))
        .build();
    descriptor.help_uri = rule.references.iter().find(|page| is_web_page(page)).cloned();
    descriptor
}

fn is_web_page(page: &str) -> bool {
    page.starts_with("https://") && page.bytes().all(|b| b.is_ascii_graphic())
}

fn help(view: &View<'_>, rule: &RuleInfo, about: &str) -> sarif::MultiformatMessageString {
    let rotate = view.prose(&wording::rotate(rule));
    let allow = wording::allow_hint(rule);
    let pages: Vec<&String> = rule.references.iter().filter(|page| is_web_page(page)).collect();
    let mut text = format!("{about}\n\nWhat to do: {rotate}\n\nNo secret? Put this beside it: {allow}");
    let mut markdown = format!(
        "{about}\n\n**What to do**\n\n{rotate} Removing the text is not enough: whoever has a copy of the \
         repository has the secret.\n\n**No secret?**\n\nPut `{allow}` beside it."
    );
    if !pages.is_empty() {
        markdown.push_str("\n\n**References**\n");
        text.push_str("\n\nReferences:");
    }
    for page in pages {
        markdown.push_str(&format!("\n* <{page}>"));
        text.push_str(&format!(" {page}"));
    }
    sarif::MultiformatMessageString::builder().text(text).markdown(markdown).build()
}

fn rule_properties(rule: &RuleInfo) -> sarif::PropertyBag {
    let mut tags = vec!["security".to_owned(), "secret".to_owned(), "external/cwe/cwe-798".to_owned()];
    for tag in [rule.provider.as_str(), rule.kind] {
        if !tag.is_empty() && !tags.iter().any(|have| have == tag) {
            tags.push(tag.to_owned());
        }
    }
    let precision = match rule.confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let problem = match rule.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    };
    let more = [
        ("precision", json!(precision)),
        ("problem.severity", json!(problem)),
        ("security-severity", json!(security_severity(rule.severity))),
    ];
    properties(Some(tags), more)
}

fn properties<const N: usize>(tags: Option<Vec<String>>, more: [(&str, Value); N]) -> sarif::PropertyBag {
    let mut bag = sarif::PropertyBag::builder()
        .additional_properties(
            more.map(|(key, value)| (key.to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>(),
        )
        .build();
    bag.tags = tags;
    bag
}

/// A string by GitHub's rules: above 9.0 is critical, from 7.0 high, from 4.0 medium, else low.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "1.0",
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

const fn result_level(severity: Severity) -> sarif::ResultLevel {
    match severity {
        Severity::Critical | Severity::High => sarif::ResultLevel::Error,
        Severity::Medium => sarif::ResultLevel::Warning,
        Severity::Low | Severity::Info => sarif::ResultLevel::Note,
    }
}

/// `aws-access-key` as `AwsAccessKey`, the form SARIF asks of names.
fn pascal_case(id: &str) -> String {
    id.split(|c: char| !c.is_alphanumeric()).map(wording::capital).collect()
}

fn tree_result(view: &View<'_>, finding: &Finding, at: &Occurrence, message: &str) -> sarif::Result {
    let hash = at.line_hash.clone().filter(|hash| !hash.is_empty());
    let hash = hash.unwrap_or_else(|| stable_hash(&[finding.fingerprint.as_str(), &place::uri(view, at)]));
    let mut result = result(finding, message, location(view, at), hash);
    result.related_locations = related(view, finding, at, false);
    result.properties = Some(result_properties(view, finding, at));
    result.suppressions = suppressions(view, &at.disposition);
    result
}

/// One result for the secret, at the path where history first held it.
fn history_result(view: &View<'_>, finding: &Finding) -> sarif::Result {
    let at = place::earliest(finding);
    let mut message = wording::history_message(view, finding);
    let introduced = at.timeline.as_ref().and_then(|timeline| timeline.introduced.as_ref());
    let repository = view.options.repository.as_ref();
    let page = introduced.and_then(|commit| repository?.commit_page(&commit.id.to_string()));
    if let Some(page) = page {
        message.push_str(&format!(" [Show the commit]({page})."));
    }
    let hash = stable_hash(&[&finding.rule.id, finding.fingerprint.as_str()]);
    let mut result = result(finding, &message, location(view, at), hash);
    result.related_locations = related(view, finding, at, true);
    let mut bag = result_properties(view, finding, at);
    if let Some(days) = place::course(finding).as_ref().and_then(place::days) {
        bag.additional_properties.insert("exposedDays".to_owned(), json!(days));
    }
    result.properties = Some(bag);
    result.suppressions = suppressions(view, &finding.disposition);
    result
}

fn result(finding: &Finding, message: &str, at: sarif::Location, hash: String) -> sarif::Result {
    sarif::Result::builder()
        .rule_id(finding.rule.id.as_str())
        .level(result_level(finding.severity))
        .message(message)
        .locations(vec![at])
        .partial_fingerprints(BTreeMap::from([("primaryLocationLineHash".to_owned(), hash)]))
        .fingerprints(BTreeMap::from([("keycull/v1".to_owned(), finding.fingerprint.to_string())]))
        .build()
}

fn result_properties(view: &View<'_>, finding: &Finding, at: &Occurrence) -> sarif::PropertyBag {
    let mut bag = properties(
        None,
        [("severity", json!(finding.severity.as_str())), ("confidence", json!(finding.confidence.as_str()))],
    );
    if finding.validation != Validation::NotAttempted {
        bag.additional_properties.insert("validation".to_owned(), json!(finding.validation.as_str()));
    }
    if !finding.components.is_empty() {
        let half = |half: &Finding| {
            json!({
                "rule": half.rule.id,
                "fingerprint": half.fingerprint.as_str(),
                "redacted": view.prose(&half.redacted),
            })
        };
        let halves: Vec<Value> = finding.components.iter().map(half).collect();
        bag.additional_properties.insert("components".to_owned(), Value::Array(halves));
    }
    if !at.context.is_empty() {
        let facts = at
            .context
            .iter()
            .map(|detail| (detail.facet.as_str().to_owned(), json!(view.prose(&detail.value))));
        bag.additional_properties.insert("context".to_owned(), Value::Object(facts.collect()));
    }
    let timeline = at.timeline.as_ref();
    let commit = timeline.and_then(|timeline| timeline.introduced.as_ref());
    let removed = timeline.and_then(|timeline| timeline.removed.as_ref());
    for (key, commit) in [("commit", commit), ("removedBy", removed)] {
        if let Some(commit) = commit {
            bag.additional_properties.insert(key.to_owned(), json!(commit.id.to_string()));
        }
    }
    bag
}

/// The other halves beside it, and with `history` the other places of the secret, each path once.
fn related(
    view: &View<'_>,
    finding: &Finding,
    at: &Occurrence,
    history: bool,
) -> Option<Vec<sarif::Location>> {
    let mut seen = vec![place::uri(view, at)];
    let mut related = Vec::new();
    for (half, place) in place::beside(finding, at).take(MAX_RELATED) {
        let mut location = location(view, place);
        location.id = Some(related.len() as i64 + 1);
        let name = view.prose(wording::rule_name(&half.rule));
        location.message =
            Some(sarif::Message::from(format!("{name}: the other half of the credential.").as_str()));
        related.push(location);
    }
    if !history {
        return (!related.is_empty()).then_some(related);
    }
    for other in &finding.occurrences {
        let uri = place::uri(view, other);
        if related.len() == MAX_RELATED {
            break;
        }
        if seen.contains(&uri) {
            continue;
        }
        seen.push(uri);
        let mut location = location(view, other);
        location.id = Some(related.len() as i64 + 1);
        location.message = Some(sarif::Message::from("The same secret."));
        related.push(location);
    }
    (!related.is_empty()).then_some(related)
}

fn location(view: &View<'_>, at: &Occurrence) -> sarif::Location {
    let (start, end) = (at.region.start, at.region.end);
    let region = sarif::Region::builder()
        .start_line(start.line.max(1) as i64)
        .start_column(start.column_utf16.max(1) as i64)
        .end_line(end.line.max(start.line).max(1) as i64)
        .end_column(end.column_utf16.max(1) as i64)
        .build();
    let file = sarif::ArtifactLocation::builder().uri(place::uri(view, at)).uri_base_id(ROOT).build();
    let physical = sarif::PhysicalLocation::builder().artifact_location(file).region(region).build();
    sarif::Location::builder().physical_location(physical).build()
}

/// A line hash for places GitHub cannot hash itself; the same in every scan.
fn stable_hash(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}:1")
}

fn suppressions(view: &View<'_>, disposition: &Disposition) -> Option<Vec<sarif::Suppression>> {
    let (kind, by, reason) = match disposition {
        Disposition::New => return None,
        Disposition::Baselined { reason } => ("external", "in the baseline".to_owned(), reason),
        Disposition::Allowed { by, reason, .. } => match by {
            AllowSource::Inline { marker } => ("inSource", view.prose(marker), reason),
            AllowSource::Config { entry } => ("external", view.prose(entry), reason),
            AllowSource::KnownSample => ("external", "published sample".to_owned(), reason),
        },
    };
    let justification = match reason.as_deref().map(|reason| view.prose(reason)) {
        Some(reason) if !reason.is_empty() => format!("{by}: {reason}"),
        Some(_) | None => by,
    };
    let suppression = sarif::Suppression::builder()
        .kind(json!(kind))
        .status(json!("accepted"))
        .justification(justification)
        .build();
    Some(vec![suppression])
}

fn provenance(view: &View<'_>) -> Option<sarif::VersionControlDetails> {
    let repository = view.options.repository.as_ref()?;
    let mut details =
        sarif::VersionControlDetails::builder().repository_uri(repository.public_uri()?).build();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    details.revision_id = given(&repository.revision);
    details.branch = given(&repository.branch).map(|branch| view.prose(&branch));
    details.mapped_to = Some(sarif::ArtifactLocation::builder().uri_base_id(ROOT).build());
    Some(details)
}

fn invocation(view: &View<'_>, left_out: usize) -> sarif::Invocation {
    let coverage = &view.report.coverage;
    let outcome = match (coverage.is_interrupted(), view.report.new_findings().next(), coverage.is_complete())
    {
        (true, _, _) => "interrupted: this report is incomplete",
        (false, Some(_), true) => "secrets found",
        (false, Some(_), false) => "secrets found, and not everything in scope could be read",
        (false, None, true) => "nothing found, everything in scope was read",
        (false, None, false) => "nothing found, but not everything in scope could be read",
    };
    let mut notifications = Vec::new();
    for gap in coverage.gaps.iter().take(MAX_GAPS) {
        let level = match (gap.accepted, gap.kind) {
            (true, _) => "note",
            (false, GapKind::Interrupted) => "error",
            (false, GapKind::Shallow | GapKind::Missing | GapKind::Unreadable | GapKind::Budget) => "warning",
        };
        notifications.push(notification(Notice::Gap, level, &wording::capital(&view.gap(gap))));
    }
    if let Some(more) = coverage.gaps.len().checked_sub(MAX_GAPS).filter(|more| *more > 0) {
        notifications.push(notification(
            Notice::Gap,
            "warning",
            &format!("{more} more gaps, see the JSON report"),
        ));
    }
    if left_out > 0 {
        let text = format!(
            "{left_out} results were left out, the least severe ones: a run holds at most {MAX_RESULTS}; \
             the JSON report has all"
        );
        notifications.push(notification(Notice::LeftOut, "warning", &text));
    }
    let mut invocation = sarif::Invocation::builder()
        .execution_successful(coverage.is_complete())
        .exit_code_description(outcome)
        .build();
    invocation.tool_execution_notifications = (!notifications.is_empty()).then_some(notifications);
    invocation
}

/// What a notification is about; the position is its index in the driver's list.
#[derive(Clone, Copy)]
enum Notice {
    Gap,
    LeftOut,
}

impl Notice {
    const ALL: [(Notice, &'static str, &'static str); 2] = [
        (Self::Gap, "coverage-gap", "Something in the requested scope could not be read."),
        (Self::LeftOut, "results-left-out", "There are more results than one run may hold."),
    ];
}

fn notification_kinds() -> Vec<sarif::ReportingDescriptor> {
    let text = |text: &str| sarif::MultiformatMessageString::builder().text(text).build();
    Notice::ALL
        .into_iter()
        .map(|(_, id, about)| {
            sarif::ReportingDescriptor::builder()
                .id(id)
                .name(pascal_case(id))
                .short_description(text(about))
                .full_description(text(about))
                .help(text("The JSON report lists all of them."))
                .build()
        })
        .collect()
}

fn notification(notice: Notice, level: &str, message: &str) -> sarif::Notification {
    let (_, id, _) = Notice::ALL[notice as usize];
    let descriptor = sarif::ReportingDescriptorReference::builder().id(id).index(notice as i64).build();
    let message = wording::sentence(message).unwrap_or_else(|| id.to_owned());
    sarif::Notification::builder()
        .descriptor(descriptor)
        .level(json!(level))
        .message(message.as_str())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_fall_into_githubs_bands() {
        let score = |severity| security_severity(severity).parse::<f64>().expect("a number");
        assert!(score(Severity::Critical) > 9.0);
        assert!((7.0..9.0).contains(&score(Severity::High)));
        assert!((4.0..7.0).contains(&score(Severity::Medium)));
        assert!((0.1..4.0).contains(&score(Severity::Low)) && (0.1..4.0).contains(&score(Severity::Info)));
    }

    #[test]
    fn names_are_pascal_case() {
        assert_eq!(pascal_case("aws-access-key-2"), "AwsAccessKey2");
    }

    #[test]
    fn stable_hashes_look_like_line_hashes() {
        let hash = stable_hash(&["a", "b"]);
        assert_eq!(hash.len(), 18);
        assert!(hash.ends_with(":1"), "{hash}");
        assert_ne!(hash, stable_hash(&["ab", ""]));
    }
}
