//! GitLab's secret-detection report: schema 15.0.4, one vulnerability per place.
//!
//! Field rules are those of `secret-detection-report-format.json` in GitLab's
//! `security-report-schemas`.

use std::io;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::calendar::zoneless;
use super::place;
use super::view::View;
use super::visible::write_json;
use super::wording;
use crate::finding::{Confidence, Finding, Occurrence};

const SCHEMA_VERSION: &str = "15.0.4";

/// Longest name and solution the schema takes, in characters.
const MAX_NAME: usize = 255;
const MAX_SOLUTION: usize = 7000;

/// Stands for no commit, where the schema demands one.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Writes the document, indented, with a line end.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let places = view
        .report
        .new_findings()
        .flat_map(|finding| place::counted(finding).map(move |at| vulnerability(view, finding, at)));
    let document = json!({
        "version": SCHEMA_VERSION,
        "scan": scan(view),
        "vulnerabilities": places.collect::<Vec<_>>(),
    });
    write_json(&document, true, out)
}

fn scan(view: &View<'_>) -> Value {
    let tool = json!({
        "id": "keycull",
        "name": "keycull",
        "version": view.options.version,
        "vendor": { "name": "keycull" },
    });
    let (start, end) = view.options.time.unwrap_or_default();
    let coverage = &view.report.coverage;
    let messages: Vec<Value> = coverage
        .gaps
        .iter()
        .map(|gap| json!({ "level": if gap.accepted { "info" } else { "warn" }, "value": view.gap(gap) }))
        .collect();
    json!({
        "type": "secret_detection",
        "status": if coverage.is_interrupted() { "failure" } else { "success" },
        "start_time": zoneless(start),
        "end_time": zoneless(end),
        "analyzer": tool,
        "scanner": tool,
        "messages": messages,
    })
}

fn vulnerability(view: &View<'_>, finding: &Finding, at: &Occurrence) -> Value {
    let rule = &finding.rule;
    let mut value = json!({
        "id": id(view, finding, at),
        "name": wording::cut(&view.prose(wording::rule_name(rule)), MAX_NAME),
        "description": description(view, finding, at),
        "severity": wording::capital(finding.severity.as_str()),
        "solution": wording::cut(&view.prose(&wording::rotate(rule)), MAX_SOLUTION),
        "identifiers": [
            { "type": "keycull_rule_id", "name": format!("keycull rule {}", rule.id), "value": rule.id },
            {
                "type": "cwe",
                "name": "CWE-798",
                "value": "798",
                "url": "https://cwe.mitre.org/data/definitions/798.html",
            },
        ],
        "location": {
            "file": place::exact_name(view, at),
            "start_line": at.region.start.line,
            "end_line": at.region.end.line,
            "commit": { "sha": commit(view, at) },
        },
        "raw_source_code_extract": view.prose(&finding.redacted),
    });
    if finding.confidence == Confidence::Low {
        value["flags"] = json!([{
            "type": "flagged-as-likely-false-positive",
            "origin": "keycull",
            "description": "Low confidence.",
        }]);
    }
    value
}

fn description(view: &View<'_>, finding: &Finding, at: &Occurrence) -> String {
    if place::is_present(at) {
        wording::place_message(view, finding)
    } else {
        wording::history_message(view, finding)
    }
}

/// The commit that brought it, else the scanned one.
fn commit(view: &View<'_>, at: &Occurrence) -> String {
    let introduced = at.timeline.as_ref().and_then(|timeline| timeline.introduced.as_ref());
    let scanned = || view.options.repository.as_ref()?.revision.clone().filter(|id| !id.is_empty());
    introduced.map(|commit| commit.id.to_string()).or_else(scanned).unwrap_or_else(|| NO_COMMIT.to_owned())
}

/// A UUID (version 8, RFC 9562) made from what the place is, the same in every scan.
fn id(view: &View<'_>, finding: &Finding, at: &Occurrence) -> String {
    let object = at.object.map(|id| id.to_string()).unwrap_or_default();
    let place = format!("{}\0{}\0{object}\0{}", finding.fingerprint, place::uri(view, at), at.span.start);
    let digest = Sha256::digest(format!("{}\0{place}", finding.rule.id).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
