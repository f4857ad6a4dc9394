//! JUnit XML: well-formed, and its counts are those of its cases.

use keycull::finding::ScanReport;
use keycull::report::{Format, ReportOptions};

use super::rendered;
use super::sample::{clean_report, sample_report};

fn junit(report: &ScanReport) -> String {
    rendered(report, Format::Junit, &ReportOptions::default())
}

/// Checks nesting, quoting and escapes; returns the names of all elements in order.
fn elements(xml: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    let mut parts = body.split('<');
    assert_eq!(parts.next(), Some(""));
    for part in parts {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        for raw in [tag, text] {
            let escaped = raw
                .split('&')
                .skip(1)
                .all(|rest| ["amp;", "lt;", "gt;", "quot;"].iter().any(|entity| rest.starts_with(entity)));
            assert!(escaped && !text.contains('>'), "{raw}");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        assert!(tag.matches('"').count() % 2 == 0, "{tag}");
        let name = tag.split([' ', '/']).next().unwrap_or_default().to_owned();
        all.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}

fn attribute(xml: &str, name: &str) -> usize {
    let value = xml.split_once(&format!(" {name}=\"")).expect("the attribute").1;
    value.split_once('"').expect("its end").0.parse().expect("a number")
}

#[test]
fn the_document_is_well_formed_and_counts_right() {
    let xml = junit(&sample_report());
    let all = elements(&xml);
    let count = |name: &str| all.iter().filter(|element| *element == name).count();
    assert_eq!((count("testcase"), count("failure"), count("skipped"), count("error")), (12, 7, 4, 1));
    for (name, element) in
        [("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped"), ("errors", "error")]
    {
        assert_eq!(attribute(&xml, name), count(element), "{name}");
    }
}

#[test]
fn a_failed_case_names_secret_and_place() {
    let xml = junit(&sample_report());
    let case = "<testcase classname=\"keycull.github-pat\" name=\"GitHub personal access token ghp_…3aB3 in \
                src/über dir/a#b.rs:12:11\" file=\"src/über dir/a#b.rs\" line=\"12\">";
    assert!(xml.contains(case), "{xml}");
    assert!(xml.contains("<skipped message=\"known since 2020\"/>"), "{xml}");
    assert!(xml.contains("Settings &gt; Tokens"), "{xml}");
}

#[test]
fn a_clean_scan_is_one_passed_case() {
    let xml = junit(&clean_report());
    assert_eq!(elements(&xml), ["testsuites", "testsuite", "testcase"]);
    assert_eq!(attribute(&xml, "failures"), 0);
}
