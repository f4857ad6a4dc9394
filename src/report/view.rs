//! What formats see of a report: texts already masked and safe to print.

use super::veil::Veil;
use super::visible::visible;
use super::{Format, ReportOptions};
use crate::finding::{Finding, Gap, Note, Occurrence, RepoPath, ScanReport};

/// A report with its options; the only way from findings to printed text.
pub(super) struct View<'a> {
    pub(super) report: &'a ScanReport,
    pub(super) options: &'a ReportOptions,
    /// None when raw secrets may be shown anyway.
    veil: Option<Veil>,
}

impl<'a> View<'a> {
    pub(super) fn new(report: &'a ScanReport, options: &'a ReportOptions, format: Format) -> Self {
        let raw = options.show_secrets && carries_raw_secrets(format);
        let veil = (!raw).then(|| Veil::new(&report.findings));
        Self { report, options, veil }
    }

    /// Whether this format and these options show raw secrets.
    pub(super) fn shows_secrets(&self) -> bool {
        self.veil.is_none()
    }

    /// Text with secrets masked; control characters stay (for formats that escape them).
    pub(super) fn masked(&self, text: &str) -> String {
        self.veil.as_ref().map_or_else(|| text.to_owned(), |veil| veil.prose(text))
    }

    /// Text with secrets masked and everything invisible spelled out.
    pub(super) fn prose(&self, text: &str) -> String {
        visible(&self.masked(text))
    }

    /// A path with secrets masked.
    pub(super) fn path(&self, path: &RepoPath) -> RepoPath {
        self.veil.as_ref().map_or_else(|| path.clone(), |veil| veil.path(path))
    }

    /// The path of a place, masked; none when it has none or an empty one.
    pub(super) fn path_of(&self, place: &Occurrence) -> Option<RepoPath> {
        place.path.as_ref().filter(|path| !path.as_bytes().is_empty()).map(|path| self.path(path))
    }

    /// What to show for the secret itself: raw only when that was asked for.
    pub(super) fn secret(&self, finding: &Finding) -> String {
        if self.shows_secrets() {
            return visible(&String::from_utf8_lossy(finding.secret.expose()));
        }
        visible(&finding.redacted)
    }

    /// Remarks on a finding and on its places, each once, in order.
    pub(super) fn notes(&self, finding: &'a Finding) -> Vec<&'a Note> {
        let places = finding.occurrences.iter().filter(|place| place.disposition.is_new());
        let mut notes: Vec<&Note> = Vec::new();
        for note in finding.notes.iter().chain(places.flat_map(|place| &place.notes)) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// A gap in one line.
    pub(super) fn gap(&self, gap: &Gap) -> String {
        let accepted = if gap.accepted { " (accepted)" } else { "" };
        format!("{}: {}: {}{accepted}", gap.kind.as_str(), self.prose(&gap.what), self.prose(&gap.why))
    }
}

/// The formats for machines and eyes on this computer; the others are made to be uploaded.
fn carries_raw_secrets(format: Format) -> bool {
    match format {
        Format::Text | Format::Json | Format::Jsonl | Format::Gitleaks => true,
        Format::Sarif | Format::Gitlab | Format::Junit | Format::Github => false,
    }
}
