//! The gitleaks array: its keys, its order, its meaning.

use keycull::report::{Format, ReportOptions};
use serde_json::{Value, json};

use super::sample::{AUTHOR, clean_report, sample_report};
use super::{parsed, rendered};

/// Keys of gitleaks 8.30.1 in its order.
const KEYS: [&str; 18] = [
    "RuleID",
    "Description",
    "StartLine",
    "EndLine",
    "StartColumn",
    "EndColumn",
    "Match",
    "Secret",
    "File",
    "SymlinkFile",
    "Commit",
    "Entropy",
    "Author",
    "Email",
    "Date",
    "Message",
    "Tags",
    "Fingerprint",
];

fn entries(options: &ReportOptions) -> Vec<Value> {
    let Value::Array(entries) = parsed(&sample_report(), Format::Gitleaks, options) else {
        panic!("not an array")
    };
    entries
}

#[test]
fn entries_have_gitleaks_keys_in_its_order() {
    let output = rendered(&sample_report(), Format::Gitleaks, &ReportOptions::default());
    let first = output.split_once('}').expect("an entry ends").0;
    let positions: Vec<usize> = KEYS
        .iter()
        .map(|key| first.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key}")))
        .collect();
    assert!(positions.is_sorted());
    for entry in entries(&ReportOptions::default()) {
        let keys = entry.as_object().expect("an object");
        assert!(KEYS.iter().all(|key| keys.contains_key(*key)), "{keys:?}");
        let more: Vec<&str> = keys.keys().map(String::as_str).filter(|key| !KEYS.contains(key)).collect();
        assert!(more == ["Rotation"] || more == ["Components", "Rotation"], "{more:?}");
    }
    assert_eq!(rendered(&clean_report(), Format::Gitleaks, &ReportOptions::default()), "[]\n");
}

/// What a reader knows of an entry, read as Go reads it: keys it does not know are passed over.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Known {
    #[serde(rename = "RuleID")]
    rule_id: String,
    description: String,
    message: String,
    tags: Vec<String>,
}

#[test]
fn the_steps_by_hand_are_told_where_they_group_nothing() {
    let report = sample_report();
    let steps = |id: &str| {
        let finding = report.findings.iter().find(|finding| finding.rule.id == id).expect("a finding of it");
        finding.rule.rotate.clone()
    };
    let output = rendered(&report, Format::Gitleaks, &ReportOptions::default());
    for entry in entries(&ReportOptions::default()) {
        let told = entry["Rotation"].as_str().expect("text");
        let known = steps(entry["RuleID"].as_str().expect("an id"));
        assert!(!told.is_empty() && told.starts_with(known.trim_end_matches('.')), "{told}");
    }
    // Titles, messages and labels are those of a report without the steps.
    let read: Vec<Known> = serde_json::from_str(&output).expect("reads as gitleaks' own");
    for entry in read {
        let rule =
            &report.findings.iter().find(|finding| finding.rule.id == entry.rule_id).expect("one").rule;
        assert_eq!(entry.description, rule.name);
        assert_eq!(entry.tags, std::slice::from_ref(&rule.provider));
        assert!(rule.rotate.is_empty() || !entry.message.contains(&rule.rotate));
    }
}

#[test]
fn facts_can_be_read_back() {
    let entries = entries(&ReportOptions::default());
    assert_eq!(entries.len(), 10);
    let tree = &entries[0];
    assert_eq!(tree["Secret"], "ghp_…3aB3");
    assert_eq!((&tree["StartColumn"], &tree["EndColumn"]), (&json!(11), &json!(50)));
    assert_eq!(tree["Fingerprint"], "src/über dir/a#b.rs:github-pat:12");
    assert_eq!((&tree["Commit"], &tree["Author"]), (&json!(""), &json!("")));
    let history = &entries[3];
    let commit = "1".repeat(40);
    assert_eq!(history["Fingerprint"], format!("{commit}:late.yml:slack-bot:7"));
    assert_eq!(history["Author"], AUTHOR);
    assert_eq!(history["Date"], "2024-03-04T12:00:00Z");
    assert_eq!(history["Message"], "add xob_…Zq7Z again");
}

#[test]
fn entropy_does_not_narrow_passwords_down() {
    let entries = entries(&ReportOptions::default());
    let entropy = |rule: &str| {
        let entry = entries.iter().find(|entry| entry["RuleID"] == rule).expect("a finding of the rule");
        entry["Entropy"].as_f64().expect("a number")
    };
    assert!(entropy("github-pat") > 1.0);
    assert!(entropy("generic-password").abs() < f64::EPSILON);
}

#[test]
fn raw_secrets_come_only_when_asked_for() {
    let options = ReportOptions { show_secrets: true, ..ReportOptions::default() };
    let report = sample_report();
    let raw = std::str::from_utf8(report.findings[0].secret.expose()).unwrap();
    assert_eq!(entries(&options)[0]["Secret"], raw);
}
