//! Reports, built by hand and read back by other means than the code that wrote them.

mod file;
mod github;
mod gitlab;
mod gitleaks;
mod json;
mod junit;
mod sample;
mod sarif;
mod secrecy;
mod snapshot;
mod text;
mod validators;

use keycull::finding::ScanReport;
use keycull::report::{Format, ReportOptions, write};
use serde_json::Value;

/// The report as text.
fn rendered(report: &ScanReport, format: Format, options: &ReportOptions) -> String {
    let mut out = Vec::new();
    write(report, format, options, &mut out).expect("writing to memory works");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The report parsed as JSON.
fn parsed(report: &ScanReport, format: Format, options: &ReportOptions) -> Value {
    serde_json::from_str(&rendered(report, format, options)).expect("the report is JSON")
}

#[test]
fn every_format_is_documented() {
    let page = include_str!("../../docs/formats.md");
    for format in Format::ALL {
        assert!(
            page.contains(&format!("| `{format}` |")) && page.contains(&format!("\n## {format}\n")),
            "{format}"
        );
    }
}

/// The steps by hand are in every format, for keys that nothing revokes from here.
#[test]
fn every_format_tells_how_to_rotate() {
    let report = sample::sample_report();
    for format in Format::ALL {
        let output = rendered(&report, format, &ReportOptions::default());
        assert!(output.contains("Make a new one under Settings"), "{format}");
        assert!(output.contains("then delete this one"), "{format}");
    }
}
