//! The GitLab report: the demands of its schema, and its facts read back.

use std::collections::BTreeSet;

use keycull::finding::{Confidence, GapKind, ScanReport};
use keycull::report::{Format, ReportOptions, RepositoryInfo};
use serde_json::Value;

use super::parsed;
use super::sample::{clean_report, sample_report};

fn gitlab(report: &ScanReport, options: &ReportOptions) -> Value {
    parsed(report, Format::Gitlab, options)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| panic!("{key} is missing in {value}"))
}

/// `dddd-dd-ddTdd:dd:dd` and nothing behind it.
fn is_zoneless(time: &str) -> bool {
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }).collect();
    shape == "dddd-dd-ddTdd:dd:dd"
}

#[test]
fn what_the_schema_requires_is_there() {
    for report in [sample_report(), clean_report()] {
        let document = gitlab(&report, &ReportOptions::default());
        assert_eq!(document["version"], "15.0.4");
        let scan = &document["scan"];
        assert_eq!((text(scan, "type"), text(scan, "status")), ("secret_detection", "success"));
        assert!(is_zoneless(text(scan, "start_time")) && is_zoneless(text(scan, "end_time")));
        for tool in ["analyzer", "scanner"] {
            for key in ["id", "name", "version"] {
                text(&scan[tool], key);
            }
            text(&scan[tool]["vendor"], "name");
        }
        for one in document["vulnerabilities"].as_array().expect("a list") {
            assert!(text(one, "name").chars().count() <= 255);
            assert!(text(one, "solution").chars().count() <= 7000);
            assert!(["Info", "Low", "Medium", "High", "Critical"].contains(&text(one, "severity")));
            for identifier in one["identifiers"].as_array().expect("a list") {
                for key in ["type", "name", "value"] {
                    text(identifier, key);
                }
            }
            assert!(text(&one["location"]["commit"], "sha").len() >= 40);
            assert!(one["location"]["start_line"].as_u64() <= one["location"]["end_line"].as_u64());
        }
    }
}

#[test]
fn every_counted_place_is_there_once() {
    let document = gitlab(&sample_report(), &ReportOptions::default());
    let found = document["vulnerabilities"].as_array().expect("a list");
    assert_eq!(found.len(), 10);
    let ids: BTreeSet<&str> = found.iter().map(|one| text(one, "id")).collect();
    assert_eq!(ids.len(), 10);
    assert!(ids.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'8'), "{ids:?}");
    assert_eq!(found[0]["location"]["file"], "src/über dir/a#b.rs");
    assert_eq!(found[0]["identifiers"][0]["value"], "github-pat");
    assert_eq!(found[0]["raw_source_code_extract"], "ghp_…3aB3");
    assert_eq!(found[0]["severity"], "Critical");
}

#[test]
fn commits_are_the_introducing_the_scanned_or_none() {
    let sha = |options: &ReportOptions, n: usize| {
        gitlab(&sample_report(), options)["vulnerabilities"][n]["location"]["commit"]["sha"].clone()
    };
    let plain = ReportOptions::default();
    let revision = "ab".repeat(20);
    let repository = RepositoryInfo { revision: Some(revision.clone()), ..RepositoryInfo::default() };
    let known = ReportOptions { repository: Some(repository), ..ReportOptions::default() };
    assert_eq!(sha(&plain, 0), "0".repeat(40));
    assert_eq!(sha(&known, 0), revision);
    assert_eq!(sha(&known, 3), "1".repeat(40));
}

#[test]
fn gaps_times_and_doubts_are_told() {
    let mut report = sample_report();
    report.findings[0].confidence = Confidence::Low;
    let options = ReportOptions { time: Some((1_709_294_400, 1_709_294_461)), ..ReportOptions::default() };
    let document = gitlab(&report, &options);
    assert_eq!(document["scan"]["start_time"], "2024-03-01T12:00:00");
    assert_eq!(document["scan"]["end_time"], "2024-03-01T12:01:01");
    let levels: Vec<&str> = document["scan"]["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| text(one, "level"))
        .collect();
    assert_eq!(levels, ["warn", "info"]);
    assert_eq!(document["vulnerabilities"][0]["flags"][0]["type"], "flagged-as-likely-false-positive");
    report.coverage.gap(GapKind::Interrupted, "scan", "stopped by a signal");
    assert_eq!(gitlab(&report, &options)["scan"]["status"], "failure");
}
