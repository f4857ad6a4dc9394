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
