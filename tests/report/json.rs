//! The JSON report against its published schema, and its facts read back.

use keycull::finding::ScanReport;
use keycull::report::{Format, ReportOptions, RepositoryInfo};
use serde_json::Value;

use super::sample::{ODD_PATHS, clean_report, sample_report};
use super::{parsed, rendered};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");

fn schema() -> Value {
    let text = std::fs::read_to_string(SCHEMA).expect("the schema is in docs/");
    serde_json::from_str(&text).expect("the schema is JSON")
}

fn json(report: &ScanReport) -> Value {
    parsed(report, Format::Json, &ReportOptions::default())
}

/// Every report shape the schema must cover.
fn documents() -> Vec<Value> {
    let repository = RepositoryInfo {
        uri: Some("https://user:pass@example.org/a/b.git".to_owned()),
        revision: Some("ab".repeat(20)),
        branch: None,
    };
    let rich = ReportOptions { show_secrets: true, repository: Some(repository), ..ReportOptions::default() };
    let mut binary = sample_report();
    binary.findings[0].secret = keycull::finding::Secret::new(b"\xff\xfe\x00bytes".to_vec());
    vec![
        json(&sample_report()),
        json(&clean_report()),
        parsed(&sample_report(), Format::Json, &rich),
        parsed(&binary, Format::Json, &rich),
    ]
}

/// Walks document and schema together: keys, required keys, enumerations, types.
fn walk(schema: &Value, root: &Value, value: &Value, at: &str, seen: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} at {at}"));
        return walk(target, root, value, at, seen);
    }
    if let Some(expected) = schema.get("const") {
        assert_eq!(value, expected, "{at}");
    }
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value} is none of {allowed:?}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            assert_eq!(schema["additionalProperties"], Value::Bool(false), "{at} is not strict");
            let object = value.as_object().unwrap_or_else(|| panic!("{at} is no object"));
            for key in schema["required"].as_array().expect("required is listed") {
                assert!(object.contains_key(key.as_str().expect("a key")), "{at} lacks {key}");
            }
            for (key, inner) in object {
                let expected =
                    schema["properties"].get(key).unwrap_or_else(|| panic!("{at}.{key} is undocumented"));
                let place = format!("{at}.{key}");
                walk(expected, root, inner, &place, seen);
                seen.push(place.replace("[]", ""));
            }
        }
        Some("array") => {
            for inner in value.as_array().unwrap_or_else(|| panic!("{at} is no array")) {
                walk(&schema["items"], root, inner, &format!("{at}[]"), seen);
            }
        }
        Some("string") => assert!(value.is_string(), "{at}: {value}"),
        Some("integer") => {
            let number = value.as_u64().unwrap_or_else(|| panic!("{at}: {value}"));
            assert!(number >= schema["minimum"].as_u64().unwrap_or_default(), "{at}: {value}");
        }
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        Some(other) => panic!("{at}: the walk does not know type {other}"),
        None => assert!(schema.get("const").is_some() || schema.get("enum").is_some(), "{at} is untyped"),
    }
}

#[test]
fn documents_are_what_the_schema_says() {
    let schema = schema();
    let mut seen = Vec::new();
    for document in documents() {
        walk(&schema, &schema, &document, "$", &mut seen);
    }
    // The samples reach the optional keys too, so none of them is only on paper.
    for key in [
        "$.repository.uri",
        "$.findings.secret",
        "$.findings.secret_base64",
        "$.findings.disposition.reason",
        "$.findings.occurrences.disposition.until",
        "$.findings.occurrences.path_base64",
        "$.findings.occurrences.origin.container.object",
        "$.findings.occurrences.timeline.last_seen.subject",
        "$.findings.occurrences.line_hash",
        "$.findings.occurrences.context.user",
        "$.findings.components.occurrences.start.line",
        "$.coverage.skipped.git-ignored",
    ] {
        assert!(seen.iter().any(|place| place == key), "{key} is never written");
    }
}

#[test]
fn facts_can_be_read_back() {
    let document = json(&sample_report());
    assert_eq!(document["schema"], "keycull/report/1");
    assert_eq!(document["summary"]["findings"], 7);
    assert_eq!(document["summary"]["places"], 10);
    assert_eq!(document["summary"]["by_severity"]["critical"], 1);
    assert_eq!(document["summary"]["suppressed"]["known_sample"], 1);
    assert_eq!(document["summary"]["complete"], false);
    assert_eq!(document["coverage"]["gaps"][1]["accepted"], true);
    let first = &document["findings"][0];
    assert_eq!((&first["rule"], &first["redacted"]), (&"github-pat".into(), &"ghp_…3aB3".into()));
    let paths: Vec<&str> =
        first["occurrences"].as_array().unwrap().iter().filter_map(|place| place["path"].as_str()).collect();
    assert_eq!(paths, [ODD_PATHS[0], ODD_PATHS[1], ODD_PATHS[2], "docs/example.md"]);
    assert_eq!(first["occurrences"][0]["start"]["line"], 12);
    assert_eq!(first["occurrences"][0]["end"]["column_utf16"], 50);
}

#[test]
fn paths_that_are_no_text_keep_their_bytes() {
    let document = json(&sample_report());
    let place = &document["findings"][2]["occurrences"][0];
    assert_eq!(place["path"], "conf/\\xff\\xfe.ini");
    assert_eq!(place["path_base64"], "Y29uZi///i5pbmk=");
}

#[test]
fn raw_secrets_come_only_when_asked_for() {
    let report = sample_report();
    assert!(json(&report)["findings"][0].get("secret").is_none());
    let options = ReportOptions { show_secrets: true, ..ReportOptions::default() };
    let document = parsed(&report, Format::Json, &options);
    let raw = std::str::from_utf8(report.findings[0].secret.expose()).unwrap();
    assert_eq!(document["findings"][0]["secret"], raw);
}

#[test]
fn credentials_in_the_repository_url_are_left_out() {
    let document = &documents()[2];
    assert_eq!(document["repository"]["uri"], "https://example.org/a/b.git");
}

#[test]
fn json_lines_are_the_findings_of_the_document() {
    let report = sample_report();
    let lines: Vec<Value> = rendered(&report, Format::Jsonl, &ReportOptions::default())
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    assert_eq!(Value::Array(lines), json(&report)["findings"]);
    assert_eq!(rendered(&clean_report(), Format::Jsonl, &ReportOptions::default()), "");
}
