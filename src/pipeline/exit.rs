//! The exit code of every command that scans, in one place.

use crate::finding::ScanReport;

/// Clean and complete.
const CLEAN: u8 = 0;
/// New findings.
const FINDINGS: u8 = 1;
/// Nothing found, but part of the scope was not read.
const INCOMPLETE: u8 = 3;
/// Added to a signal's number, as shells do.
const SIGNAL: u8 = 128;
/// Number of the signal Ctrl-C sends.
const SIGINT: u8 = 2;

/// The exit code for `report`; 2 (nothing was decided) is for errors and never comes from here.
///
/// `signal` is the number of the signal that ended the scan, where one did. An interrupted scan
/// says so even if it has findings: nobody must take a partial report for the whole.
#[must_use]
pub fn exit_code(report: &ScanReport, signal: Option<u8>) -> u8 {
    if report.coverage.is_interrupted() {
        SIGNAL + signal.unwrap_or(SIGINT).min(u8::MAX - SIGNAL)
    } else if report.new_findings().next().is_some() {
        FINDINGS
    } else if report.coverage.is_complete() {
        CLEAN
    } else {
        INCOMPLETE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::*;

    fn finding(disposition: Disposition) -> Finding {
        let place = Position { line: 1, column: 1, column_utf16: 1 };
        Finding {
            rule: Arc::new(RuleInfo::unknown("r")),
            fingerprint: Fingerprint::of(&Secret::new("s"), false, None),
            secret: Secret::new("s"),
            redacted: "[redacted]".into(),
            severity: Severity::High,
            confidence: Confidence::High,
            mode: CredentialMode::Live,
            checksum: Checksum::Absent,
            validation: Validation::NotAttempted,
            companions: Vec::new(),
            components: Vec::new(),
            occurrences: vec![Occurrence {
                repository: None,
                origin: Origin::Stdin { name: None },
                path: None,
                object: None,
                span: Span::new(0, 1),
                region: Region { start: place, end: place },
                excerpt: String::new(),
                line_hash: None,
                timeline: None,
                decoded: Vec::new(),
                context: Vec::new(),
                confidence: Confidence::High,
                disposition: disposition.clone(),
                notes: Vec::new(),
            }],
            disposition,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_table_of_exit_codes() {
        let allowed = Disposition::Allowed { by: AllowSource::KnownSample, reason: None, until: None };
        let missing = Some((GapKind::Missing, false));
        let cut = Some((GapKind::Interrupted, false));
        let cases = [
            (None, None, None, 0),
            (None, Some((GapKind::Missing, true)), None, 0),
            (None, missing, None, 3),
            (Some(Disposition::New), None, None, 1),
            (Some(Disposition::New), missing, None, 1),
            (Some(allowed.clone()), None, None, 0),
            (Some(Disposition::Baselined { reason: None }), None, None, 0),
            (Some(allowed), missing, None, 3),
            (None, cut, None, 130),
            (None, cut, Some(15), 143),
            (Some(Disposition::New), cut, Some(2), 130),
        ];
        for (found, gap, signal, code) in cases {
            let mut report = ScanReport::default();
            report.findings.extend(found.clone().map(finding));
            if let Some((kind, accepted)) = gap {
                report.coverage.gap(kind, "x", "y");
                report.coverage.gaps[0].accepted = accepted;
            }
            assert_eq!(exit_code(&report, signal), code, "{found:?} {gap:?} {signal:?}");
        }
    }
}
