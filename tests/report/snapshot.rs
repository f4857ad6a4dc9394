//! Every format, byte for byte: what a report says changes on purpose only.

use std::fs;
use std::path::Path;

use super::{rendered, sample};
use keycull::report::{Format, ReportOptions};

/// Two whole seconds in November 2023, for the one format that demands times.
const TIMES: (i64, i64) = (1_700_000_000, 1_700_000_002);

#[test]
fn reports_are_as_they_were() {
    let mut other = Vec::new();
    for format in Format::ALL {
        let options = ReportOptions {
            time: Some(TIMES).filter(|_| format == Format::Gitlab),
            version: "0.0.0",
            ..ReportOptions::default()
        };
        let now = rendered(&sample::sample_report(), format, &options);
        let name = format!("{format}.txt");
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports").join(&name);
        let before = fs::read_to_string(&kept).unwrap_or_default();
        if now != before {
            let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
            fs::write(&new, &now).expect("a file");
            let line = now.lines().zip(before.lines()).position(|(now, before)| now != before);
            let line = line.unwrap_or(now.lines().count().min(before.lines().count())) + 1;
            other.push(format!(
                "{} differs from line {line} on; the new one is {}",
                kept.display(),
                new.display()
            ));
        }
    }
    assert!(other.is_empty(), "copy what is meant to change:\n{}", other.join("\n"));
}
