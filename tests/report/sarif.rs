//! SARIF within the rules of GitHub code scanning, asserted one by one.

use keycull::finding::{GapKind, ScanReport, Severity};
use keycull::report::{Format, ReportOptions, RepositoryInfo};
use serde_json::Value;

use super::parsed;
use super::sample::{clean_report, file, finding, rule, sample_report, token};

fn sarif(report: &ScanReport) -> Value {
    parsed(report, Format::Sarif, &ReportOptions::default())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn results(document: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    list(&document["runs"])
        .iter()
        .flat_map(|run| list(&run["results"]).iter().map(move |result| (run, result)))
}

#[test]
fn two_runs_with_a_category_each() {
    let document = sarif(&sample_report());
    assert_eq!(document["version"], "2.1.0");
    let named: Vec<(&str, &str)> = list(&document["runs"])
        .iter()
        .map(|run| (text(&run["tool"]["driver"]["name"]), text(&run["automationDetails"]["id"])))
        .collect();
    assert_eq!(named, [("keycull", "keycull/tree/"), ("keycull-history", "keycull/history/")]);
}

#[test]
fn a_scan_without_history_leaves_the_history_category_alone() {
    let document = sarif(&clean_report());
    assert_eq!(list(&document["runs"]).len(), 1);
    assert_eq!(document["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn every_place_in_the_tree_and_every_secret_of_history_is_a_result() {
    let document = sarif(&sample_report());
    let uris = |run: usize| -> Vec<&str> {
        list(&document["runs"][run]["results"])
            .iter()
            .map(|result| text(&result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]))
            .collect()
    };
    assert_eq!(
        uris(0),
        [
            "src/%C3%BCber%20dir/a%23b.rs",
            "c%3Adrive/100%25.txt",
            "new%0Aline/%1B%5B31mred.env",
            "conf/%FF%FE.ini",
            "bin/app.bin",
            "keys/bet_%E2%80%A6Mn4M.pem",
            "pack.zip%21in%20side.env",
        ]
    );
    // The path at the introducing commit, though another one sorts first.
    assert_eq!(uris(1), ["old%20dir/bot.yml", &format!("commit/{}", "6".repeat(40))]);
    let history = &document["runs"][1]["results"][0];
    assert_eq!(history["properties"]["commit"], "1".repeat(40));
    assert_eq!(history["properties"]["removedBy"], "3".repeat(40));
    let related = list(&history["relatedLocations"]);
    assert_eq!(related.len(), 1);
    assert_eq!(related[0]["physicalLocation"]["artifactLocation"]["uri"], "late.yml");
}

#[test]
fn locations_are_relative_and_regions_are_utf16() {
    let document = sarif(&sample_report());
    for (_, result) in results(&document) {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = text(&place["artifactLocation"]["uri"]);
        assert!(!uri.starts_with('/') && !uri.contains(':') && uri.is_ascii(), "{uri}");
        assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        for key in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(place["region"][key].as_u64().is_some_and(|n| n >= 1), "{key} of {uri}");
        }
    }
    let region = &document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startColumn"], &region["endColumn"]), (&10.into(), &50.into()));
}

#[test]
fn every_result_has_a_line_hash_and_history_keeps_its_own() {
    let document = sarif(&sample_report());
    for (_, result) in results(&document) {
        let hash = text(&result["partialFingerprints"]["primaryLocationLineHash"]);
        let (hex, n) = hash.split_once(':').expect("hash and count");
        assert!(hex.len() <= 16 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{hash}");
        assert!(n.parse::<u32>().is_ok_and(|n| n > 0), "{hash}");
    }
    let report = sample_report();
    let given = report.findings[0].occurrences[0].line_hash.clone().unwrap();
    assert_eq!(document["runs"][0]["results"][0]["partialFingerprints"]["primaryLocationLineHash"], given);
    // A history result stays the same alert when its path and line change.
    let mut moved = sample_report();
    for place in &mut moved.findings[1].occurrences {
        place.path = Some("elsewhere.txt".into());
        place.region.start.line = 99;
        place.line_hash = None;
    }
    let hash = |document: &Value| document["runs"][1]["results"][0]["partialFingerprints"].clone();
    assert_eq!(hash(&sarif(&moved)), hash(&document));
}

#[test]
fn rules_carry_what_github_shows() {
    let document = sarif(&sample_report());
    for run in list(&document["runs"]) {
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["semanticVersion"], env!("CARGO_PKG_VERSION"));
        for rule in list(&driver["rules"]) {
            let properties = &rule["properties"];
            let tags: Vec<&str> = list(&properties["tags"]).iter().map(text).collect();
            assert!(tags.len() <= 10 && tags.contains(&"security"), "{tags:?}");
            assert!(
                text(&properties["security-severity"]).parse::<f64>().is_ok_and(|n| n > 0.0 && n <= 10.0)
            );
            assert!(["very-high", "high", "medium", "low"].contains(&text(&properties["precision"])));
            assert!(["error", "warning", "recommendation"].contains(&text(&properties["problem.severity"])));
            assert!(["error", "warning", "note"].contains(&text(&rule["defaultConfiguration"]["level"])));
            assert!(text(&rule["name"]).len() <= 255);
            for key in ["shortDescription", "fullDescription"] {
                assert!((1..=1024).contains(&text(&rule[key]["text"]).chars().count()), "{key}");
            }
            assert!(text(&rule["help"]["text"]).contains("then delete this one."));
            assert!(text(&rule["help"]["markdown"]).contains("keycull:allow["));
        }
        for result in list(&run["results"]) {
            let index = result["ruleIndex"].as_u64().expect("a position") as usize;
            assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
            assert!(!text(&result["message"]["text"]).is_empty());
        }
    }
    let first = &document["runs"][0]["results"][0];
    assert!(text(&first["message"]["text"]).starts_with("GitHub personal access token ghp_…3aB3. "));
    assert_eq!(first["level"], "error");
}

#[test]
fn long_descriptions_are_cut() {
    let mut long = (*rule("acme-key", "Acme key", Severity::High, false)).clone();
    long.description = "ü".repeat(3000);
    long.name = "n".repeat(400);
    let findings = vec![finding(&long.into(), token("acm", "z8"), vec![file("a", 1)])];
    let document = sarif(&ScanReport { findings, ..ScanReport::default() });
    let rule = &document["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(text(&rule["fullDescription"]["text"]).chars().count(), 1024);
    assert!(text(&rule["shortDescription"]["text"]).chars().count() <= 256);
}

fn assert_no_empty_text(value: &Value, at: &str) {
    match value {
        Value::String(text) => assert!(!text.trim().is_empty(), "{at} is empty"),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| assert_no_empty_text(item, &format!("{at}/{i}")));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, item)| assert_no_empty_text(item, &format!("{at}/{key}")));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn no_text_is_empty_even_when_rules_say_nothing() {
    let mut bare = (*rule("acme-key", "", Severity::Info, true)).clone();
    bare.description = String::new();
    bare.rotate = String::new();
    bare.provider = String::new();
    bare.references = Vec::new();
    let mut at = file("", 1);
    at.line_hash = Some(String::new());
    at.excerpt = String::new();
    let mut report = sample_report();
    report.findings.push(finding(&bare.into(), token("acm", "z8"), vec![at]));
    report.coverage.gap(GapKind::Unreadable, "", "");
    let options = ReportOptions {
        suppressed: true,
        repository: Some(RepositoryInfo {
            uri: Some(String::new()),
            revision: Some(String::new()),
            branch: None,
        }),
        ..ReportOptions::default()
    };
    assert_no_empty_text(&parsed(&report, Format::Sarif, &options), "");
}

#[test]
fn suppressed_findings_come_only_on_request() {
    assert!(results(&sarif(&sample_report())).all(|(_, result)| result.get("suppressions").is_none()));
    let options = ReportOptions { suppressed: true, ..ReportOptions::default() };
    let document = parsed(&sample_report(), Format::Sarif, &options);
    let told: Vec<(&str, &str)> = results(&document)
        .flat_map(|(_, result)| list(&result["suppressions"]))
        .map(|one| (text(&one["kind"]), text(&one["justification"])))
        .collect();
    assert_eq!(
        told,
        [
            ("external", "in the baseline: known since 2020"),
            ("inSource", "gitleaks:allow"),
            ("external", "keycull.toml [[allow]] #2: test data"),
            ("external", "published sample"),
        ]
    );
}

#[test]
fn a_new_place_in_history_counts_when_the_one_in_the_tree_is_allowed() {
    let mut report = sample_report();
    let mut at = file("allowed.txt", 1);
    at.disposition = report.findings[0].occurrences[3].disposition.clone();
    report.findings[1].occurrences.insert(0, at);
    let document = sarif(&report);
    let rule = &report.findings[1].rule.id;
    let runs: Vec<&str> = results(&document)
        .filter(|(_, result)| result["ruleId"] == **rule)
        .map(|(run, _)| text(&run["tool"]["driver"]["name"]))
        .collect();
    assert_eq!(runs, ["keycull-history"]);
}

#[test]
fn gaps_are_notifications_and_the_run_is_not_called_successful() {
    let document = sarif(&sample_report());
    let invocation = &document["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["exitCodeDescription"], "secrets found, and not everything in scope could be read");
    let told: Vec<(&str, &str)> = list(&invocation["toolExecutionNotifications"])
        .iter()
        .map(|one| (text(&one["level"]), text(&one["message"]["text"])))
        .collect();
    assert_eq!(told[0].0, "warning");
    assert!(told[0].1.starts_with("Missing: blob 0123456789ab: partial clone"), "{told:?}");
    assert_eq!(told[1].0, "note");
    assert_eq!(sarif(&clean_report())["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn provenance_is_public_and_links_history_to_its_commit() {
    let repository = RepositoryInfo {
        uri: Some(format!("https://user:{}@github.com/o/r.git", "x".repeat(8))),
        revision: Some("ab".repeat(20)),
        branch: Some("main".to_owned()),
    };
    let options = ReportOptions { repository: Some(repository), ..ReportOptions::default() };
    let document = parsed(&sample_report(), Format::Sarif, &options);
    let provenance = &document["runs"][0]["versionControlProvenance"][0];
    assert_eq!(provenance["repositoryUri"], "https://github.com/o/r.git");
    assert_eq!(provenance["revisionId"], "ab".repeat(20));
    let message = text(&document["runs"][1]["results"][0]["message"]["text"]);
    let link = format!("[Show the commit](https://github.com/o/r/commit/{})", "1".repeat(40));
    assert!(message.contains(&link), "{message}");
    assert!(message.contains("Deleting it did not revoke it."), "{message}");
}

#[test]
fn more_results_than_github_takes_are_cut_aloud_and_by_severity() {
    let low = rule("low-key", "Low key", Severity::Low, false);
    let high = rule("top-key", "Top key", Severity::Critical, false);
    let many = (1..=25_001).map(|line| file("many.txt", line)).collect();
    let findings = vec![
        finding(&low, token("low", "z8"), many),
        finding(&high, token("top", "z9"), vec![file("one.txt", 1), file("two.txt", 1)]),
    ];
    let document = sarif(&ScanReport { findings, ..ScanReport::default() });
    let run = &document["runs"][0];
    let results = list(&run["results"]);
    assert_eq!(results.len(), 25_000);
    assert_eq!(results.iter().filter(|result| result["ruleId"] == "top-key").count(), 2);
    let notice = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert!(text(&notice["message"]["text"]).starts_with("3 results were left out"), "{notice}");
}
