//! The terminal report says what a reader needs, and nothing a terminal would act on.

use keycull::finding::{GapKind, ScanReport};
use keycull::report::{Format, ReportOptions};

use super::rendered;
use super::sample::{clean_report, file, finding, rule, sample_report, token};

fn plain(report: &ScanReport) -> String {
    rendered(report, Format::Text, &ReportOptions::default())
}

#[test]
fn a_block_tells_what_where_why_and_what_next() {
    let text = plain(&sample_report());
    for part in [
        "critical  GitHub personal access token  [github-pat]",
        "ghp_…3aB3  (high confidence, checksum correct)",
        "src/über dir/a#b.rs:12:11",
        "new\\x0aline/\\x1b[31mred.env:14:11",
        "    12 │ let key = \"abc_…\";",
        "… and 1 allowed or in the baseline",
        "Whoever has this GitHub personal access token acts as its owner.",
        "the name is sent to browsers.",
        "Make a new one under Settings > Tokens, then delete this one.",
        "no secret? put `keycull:allow[github-pat] reason` beside it",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn history_is_told_with_its_commits() {
    let text = plain(&sample_report());
    for part in [
        "old dir/bot.yml:7:11  (in history)",
        "introduced in 111111111111 2024-03-02 Jane Roe: add xob_…Zq7Z again",
        "removed in    333333333333 2024-03-10 Jane Roe: remove it",
        "it stood there 8 days",
        "reachable from refs/heads/main, 3 more",
        "commit 666666666666:4:11  (in history)",
        "reachable from no ref; `git gc --prune=now`",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_summary_counts_everything() {
    let text = plain(&sample_report());
    for part in [
        "7 secrets found in 10 places",
        "severity: 1 critical, 1 high, 1 medium, 4 low; confidence: 6 high, 1 medium",
        "not counted: 1 in the baseline, 1 allowed beside the secret, 1 allowed by configuration, 1 known as a published sample",
        "2 more are below the asked-for confidence or severity",
        "scanned working tree, full history: 90 files, 4 refs, 1,234 commits, 5,678 blobs, 12.3 MB",
        "skipped 1 git-ignored, 1 encrypted",
        "scan them by name: vendor/lib",
        "INCOMPLETE 1 thing in scope was not read:",
        "missing: blob 0123456789ab: partial clone; run `git fetch --refetch`",
        "shallow: history: cut by a shallow clone (accepted)",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn the_most_severe_comes_first() {
    let text = plain(&sample_report());
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing"));
    assert!(at("[github-pat]") < at("[slack-bot]"));
    assert!(at("[slack-bot]") < at("[generic-password]"));
    assert!(at("[generic-password]") < at("[beta-key]"));
}

#[test]
fn nothing_found_is_one_line_and_what_was_scanned() {
    assert_eq!(plain(&clean_report()), "No secrets found.\nscanned index: 2 index entries, 312 bytes\n");
    let quiet = ReportOptions { quiet: true, ..ReportOptions::default() };
    assert_eq!(rendered(&clean_report(), Format::Text, &quiet), "");
}

#[test]
fn an_incomplete_scan_is_never_called_clean() {
    let mut report = clean_report();
    report.coverage.gap(GapKind::Interrupted, "scan", "stopped by a signal");
    for quiet in [false, true] {
        let options = ReportOptions { quiet, ..ReportOptions::default() };
        let text = rendered(&report, Format::Text, &options);
        assert!(text.contains("INCOMPLETE interrupted; 1 thing in scope was not read:"), "{text}");
        assert!(!text.contains("No secrets found.\n"), "{text}");
    }
}

#[test]
fn many_places_are_cut_and_counted() {
    let rule = rule("acme-key", "Acme key", keycull::finding::Severity::High, false);
    let places = (1..=9).map(|line| file("same.txt", line)).collect();
    let report =
        ScanReport { findings: vec![finding(&rule, token("acm", "z8"), places)], ..ScanReport::default() };
    let text = plain(&report);
    assert_eq!(text.matches("same.txt:").count(), 5, "{text}");
    assert!(text.contains("… and 4 more places"), "{text}");
}

#[test]
fn long_lines_are_cut_to_the_terminal() {
    let rule = rule("acme-key", "Acme key", keycull::finding::Severity::High, false);
    let mut at = file("min.js", 1);
    at.excerpt = "x".repeat(500);
    let findings = vec![finding(&rule, token("acm", "z8"), vec![at])];
    let report = ScanReport { findings, ..ScanReport::default() };
    let options = ReportOptions { width: Some(60), ..ReportOptions::default() };
    let text = rendered(&report, Format::Text, &options);
    let line = text.lines().find(|line| line.contains("xxx")).expect("the excerpt is shown");
    assert_eq!(line.chars().count(), 60, "{line}");
    assert!(line.ends_with('…'));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = sample_report();
    let options = ReportOptions { color: true, ..ReportOptions::default() };
    let coloured = rendered(&report, Format::Text, &options);
    assert!(coloured.contains("\x1b["));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = after.split_once('m').expect("a colour code ends with m").1;
    }
    bare.push_str(rest);
    assert_eq!(bare, plain(&report));
}
