//! The terminal report: one block per secret, then what it all comes to.

mod account;
mod block;
mod style;

use std::cmp::Reverse;
use std::io;

use super::view::View;
use style::Palette;

/// Writes all findings that count, most severe first, then summary and coverage.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let palette = Palette::new(view.options.color);
    let mut findings: Vec<_> = view.report.new_findings().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    for finding in &findings {
        block::write(view, &palette, finding, out)?;
        writeln!(out)?;
    }
    if view.options.quiet {
        // Who is stopped, and thought that it was settled, has to learn why it is not.
        if !findings.is_empty() {
            account::write_not_in_force(view, &palette, out)?;
        }
        return account::write_gaps(view, &palette, out);
    }
    account::write(view, &palette, out)
}
