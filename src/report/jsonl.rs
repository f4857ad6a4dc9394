//! JSON lines: one finding per line, each the finding object of the JSON report.
//!
//! No line for coverage, so that every line is a finding; the exit code tells whether the scan
//! was complete.

use std::io;

use super::json::Finding;
use super::view::View;
use super::visible::write_json;

/// Writes all findings, suppressed ones included (their `disposition` says so).
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &view.report.findings {
        write_json(&Finding::of(view, finding), false, out)?;
    }
    Ok(())
}
