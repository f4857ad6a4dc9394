//! No format shows more of a secret than its redacted form.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use keycull::finding::{RepoPath, ScanReport};
use keycull::report::{Format, ReportOptions, step_summary};

use super::rendered;
use super::sample::{AUTHOR, sample_report};

/// What must not appear: every secret, plain and in the encodings that travel in URLs and JSON.
fn forbidden(report: &ScanReport) -> Vec<String> {
    let forms = |raw: &[u8]| {
        vec![
            String::from_utf8(raw.to_vec()).expect("samples are ASCII"),
            STANDARD.encode(raw),
            STANDARD_NO_PAD.encode(raw),
            URL_SAFE_NO_PAD.encode(raw),
            RepoPath::new(raw).to_uri(),
            raw.iter().map(|byte| format!("{byte:02x}")).collect(),
        ]
    };
    let halves = report.findings.iter().flat_map(keycull::finding::Finding::halves);
    halves.flat_map(|half| forms(half.secret.expose())).collect()
}

#[test]
fn no_format_shows_a_secret_unasked() {
    let report = sample_report();
    let options = ReportOptions { color: true, suppressed: true, ..ReportOptions::default() };
    let mut outputs: Vec<(&str, String)> =
        Format::ALL.iter().map(|format| (format.as_str(), rendered(&report, *format, &options))).collect();
    outputs.push(("step summary", step_summary(&report, &options)));
    for (name, output) in outputs {
        assert!(!output.is_empty(), "{name}");
        for secret in forbidden(&report) {
            assert!(!output.contains(&secret), "{name} shows {secret}");
        }
    }
}

#[test]
fn formats_made_for_upload_never_show_secrets() {
    let report = sample_report();
    let options = ReportOptions { show_secrets: true, ..ReportOptions::default() };
    for format in [Format::Sarif, Format::Gitlab, Format::Junit, Format::Github] {
        let output = rendered(&report, format, &options);
        assert!(forbidden(&report).iter().all(|secret| !output.contains(secret)), "{format}");
    }
    for format in [Format::Text, Format::Json, Format::Jsonl, Format::Gitleaks] {
        let output = rendered(&report, format, &options);
        let raw = std::str::from_utf8(report.findings[0].secret.expose()).expect("ASCII");
        assert!(output.contains(raw), "{format}");
    }
}

#[test]
fn formats_made_for_upload_name_no_persons() {
    let report = sample_report();
    for format in [Format::Sarif, Format::Gitlab, Format::Junit, Format::Github] {
        assert!(!rendered(&report, format, &ReportOptions::default()).contains(AUTHOR), "{format}");
    }
}

#[test]
fn nothing_a_terminal_acts_on_gets_out() {
    let report = sample_report();
    for format in Format::ALL {
        let output = rendered(&report, format, &ReportOptions::default());
        let odd = output.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "{format}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for format in Format::ALL {
        let options = ReportOptions::default();
        let (one, two) = (sample_report(), sample_report());
        assert_eq!(rendered(&one, format, &options), rendered(&two, format, &options), "{format}");
    }
}
