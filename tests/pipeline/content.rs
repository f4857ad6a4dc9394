//! Forms of content: windows, encodings, binary.

use keycull::finding::ScanReport;
use keycull::pipeline::Scope;
use keycull::source::Windows;
use keycull::source::tree::TreeOptions;

use super::{lines, password, request, scan, token};

fn scan_file(content: &[u8], windows: Windows) -> ScanReport {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("data.txt"), content).expect("a file");
    let options = TreeOptions { windows, ..TreeOptions::new(directory.path()) };
    scan(&request(vec![Scope::Files { options, tracked: false }]))
}

#[test]
fn windows_find_what_the_whole_finds() {
    let mut text = String::new();
    for n in 0..60 {
        text.push_str(&"filler text, ".repeat(97 * (n % 7) + 11));
        text.push_str(&format!("\nGITHUB_TOKEN={}\n", token(&n.to_string())));
    }
    // Line hashes cover more than a window; content that is cut has none.
    let comparable = |mut report: ScanReport| {
        let places = report.findings.iter_mut().flat_map(|finding| &mut finding.occurrences);
        places.for_each(|place| place.line_hash = None);
        report
    };
    let whole = comparable(scan_file(text.as_bytes(), Windows::default()));
    assert_eq!(whole.findings.len(), 60);
    let overlap = keycull::engine::REACH;
    for size in [2_003, 7_919, 40_000] {
        let cut = comparable(scan_file(text.as_bytes(), Windows { whole_up_to: 0, size, overlap }));
        assert_eq!(lines(&cut), lines(&whole), "{size}");
        assert_eq!(format!("{:#?}", cut.findings), format!("{:#?}", whole.findings), "{size}");
    }
}

#[test]
fn wide_encodings_are_read() {
    let text = format!("x\r\nTOKEN={}\r\n", token("wide"));
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for mark in [&[0xff, 0xfe][..], &[]] {
        let report = scan_file(&[mark, &units].concat(), Windows::default());
        assert_eq!(lines(&report), ["github-pat: file data.txt:2"]);
    }
}

#[test]
fn binary_content_gives_exact_forms_only() {
    let mut bytes = vec![0, 1, 2, 0xff, 0xfe, 0];
    bytes.extend(format!("password = \"{}\"\n{}", password("3"), token("binary")).bytes());
    bytes.extend([0; 64]);
    let report = scan_file(&bytes, Windows::default());
    let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule.id.as_str()).collect();
    assert_eq!(rules, ["github-pat"]);
}
