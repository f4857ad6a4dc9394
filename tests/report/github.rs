//! Workflow commands and the step summary.

use keycull::finding::{ScanReport, Severity};
use keycull::report::{Format, ReportOptions, step_summary};

use super::rendered;
use super::sample::{clean_report, file, finding, rule, sample_report, token};

fn commands(report: &ScanReport) -> Vec<String> {
    let output = rendered(report, Format::Github, &ReportOptions::default());
    output.lines().map(str::to_owned).collect()
}

#[test]
fn annotations_point_at_the_place() {
    let lines = commands(&sample_report());
    let expected = "::error file=src/über dir/a#b.rs,line=12,endLine=12,col=10,endColumn=50,\
                    title=GitHub personal access token ghp_…3aB3::GitHub personal access token ghp_…3aB3. ";
    assert!(lines[0].starts_with(expected), "{}", lines[0]);
    assert!(
        lines.iter().any(|line| line.starts_with("::error file=c%3Adrive/100%25.txt,line=13,")),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.starts_with("::warning file=conf/\\xff\\xfe.ini,")), "{lines:#?}");
    let history = lines.iter().find(|line| line.contains("title=Slack bot token")).expect("history is told");
    assert!(history.starts_with("::error title=") && history.contains("late.yml:7:11: "), "{history}");
    assert!(
        lines.iter().any(|line| line.starts_with("::warning title=keycull: scan incomplete::")),
        "{lines:#?}"
    );
    let inert = "::notice title=keycull: suppressions::Suppressions that do nothing:%0Akeycull.toml:7 [[allow]]: unused: ";
    assert!(lines.iter().any(|line| line.starts_with(inert)), "{lines:#?}");
    assert_eq!(
        lines.last().map(String::as_str),
        Some("keycull: 7 secrets in 10 places, 4 allowed or in the baseline, 2 below the threshold")
    );
}

#[test]
fn every_secret_is_annotated_before_any_twice() {
    let rule = rule("acme-key", "Acme key", Severity::High, false);
    let many = (1..=15).map(|line| file("many.txt", line)).collect();
    let findings = vec![
        finding(&rule, token("acm", "z8"), many),
        finding(&rule, token("acm", "y7"), vec![file("one.txt", 1)]),
    ];
    let lines = commands(&ScanReport { findings, ..ScanReport::default() });
    let annotated: Vec<&String> = lines.iter().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(annotated.len(), 10);
    assert!(annotated[1].contains("file=one.txt"), "{annotated:#?}");
    // What GitHub would drop is in the log.
    assert_eq!(lines.iter().filter(|line| line.starts_with("  high: many.txt:")).count(), 6);
}

#[test]
fn names_cannot_start_commands_of_their_own() {
    let rule = rule("acme-key", "Acme key", Severity::High, false);
    let at = file("x\n::set-env name=PATH::evil,line=1", 1);
    let findings = vec![finding(&rule, token("acm", "z8"), vec![at])];
    let lines = commands(&ScanReport { findings, ..ScanReport::default() });
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(
        lines[0].starts_with("::error file=x\\x0a%3A%3Aset-env name=PATH%3A%3Aevil%2Cline=1,line=1,"),
        "{lines:#?}"
    );
}

#[test]
fn the_summary_is_a_table_that_no_name_breaks() {
    let rule = rule("acme-key", "Acme key", Severity::High, false);
    let mut report = sample_report();
    report.findings.push(finding(&rule, token("acm", "z8"), vec![file("a|b`<img src=x>[l](u).txt", 1)]));
    let summary = step_summary(&report, &ReportOptions::default());
    let rows: Vec<&str> = summary.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 1 + 8);
    assert!(rows[1].starts_with("| critical | GitHub personal access token ghp"), "{}", rows[1]);
    assert!(summary.contains("a\\|b\\`&lt;img src=x&gt;\\[l\\](u).txt:1:11"), "{summary}");
    assert!(summary.contains("incomplete") && summary.contains("* missing: blob 0123456789ab"), "{summary}");
    assert!(
        summary.contains("### Suppressions that do nothing\n\n* keycull.toml:7 \\[\\[allow\\]\\]: unused: "),
        "{summary}"
    );
    assert_eq!(step_summary(&clean_report(), &ReportOptions::default()), "## keycull\n\nNo secrets found.\n");
}

#[test]
fn a_huge_report_still_fits_the_summary() {
    let rule = rule("acme-key", "Acme key", Severity::High, false);
    let name = "d/".repeat(2000) + "x";
    let findings =
        (0..2000).map(|n| finding(&rule, token("acm", &format!("{n:04}")), vec![file(&name, 1)])).collect();
    let summary = step_summary(&ScanReport { findings, ..ScanReport::default() }, &ReportOptions::default());
    assert!(summary.len() < 100_000, "{}", summary.len());
    assert!(summary.contains("… and 1900 more"), "the rest is counted");
}
