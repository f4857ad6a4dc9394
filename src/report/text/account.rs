//! The end of the terminal report: figures, coverage, gaps.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::style::Palette;
use crate::finding::{Confidence, Gap, GapKind, InertEntry, Inertness, Severity};
use crate::report::tally::{Suppressor, Tally, count};
use crate::report::view::View;

/// Most gaps shown of each kind.
const MAX_GAPS: usize = 5;

/// Most suppressions shown that do nothing.
const MAX_INERT: usize = 10;

/// Most nested repositories named.
const MAX_NESTED: usize = 5;

/// Writes figures, coverage and gaps.
pub(super) fn write(view: &View<'_>, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    let tally = Tally::of(view.report);
    let complete = view.report.coverage.is_complete();
    if tally.findings > 0 {
        writeln!(out, "{}", palette.strong(found(&tally)))?;
        writeln!(out, "  {}", ranks(palette, &tally))?;
        let hint = "`keycull revoke plan` shows which of them can be revoked from here";
        writeln!(out, "  {}", palette.quiet(hint))?;
    } else if complete {
        writeln!(out, "{}", palette.good("No secrets found."))?;
    } else {
        writeln!(out, "{}", palette.alarm("No secrets found in what could be read."))?;
    }
    for line in silent(&tally) {
        writeln!(out, "  {line}")?;
    }
    write_inert(view, palette, &view.report.inert.iter().collect::<Vec<_>>(), out)?;
    scanned(view, palette, out)?;
    write_gaps(view, palette, out)
}

fn found(tally: &Tally) -> String {
    let secrets = count(tally.findings as u64, "secret", "secrets");
    format!("{secrets} found in {}", count(tally.places as u64, "place", "places"))
}

fn ranks(palette: &Palette, tally: &Tally) -> String {
    let severities = Severity::ALL.into_iter().rev().filter_map(|level| {
        let n = tally.by_severity.get(&level)?;
        Some(palette.severity(level, format!("{n} {level}")))
    });
    let confidences = Confidence::ALL.into_iter().rev().filter_map(|level| {
        let n = tally.by_confidence.get(&level)?;
        Some(format!("{n} {level}"))
    });
    let (severities, confidences) = (severities.collect::<Vec<_>>(), confidences.collect::<Vec<_>>());
    format!("severity: {}; confidence: {}", severities.join(", "), confidences.join(", "))
}

/// What was found and does not count.
fn silent(tally: &Tally) -> Vec<String> {
    let by: Vec<String> = Suppressor::ALL
        .into_iter()
        .filter(|by| tally.suppressed(*by) > 0)
        .map(|by| format!("{} {}", tally.suppressed(by), by.words()))
        .collect();
    let mut lines = Vec::new();
    if !by.is_empty() {
        lines.push(format!("not counted: {}", by.join(", ")));
    }
    if tally.below_threshold > 0 {
        let more = count(tally.below_threshold, "more is", "more are");
        lines.push(format!(
            "{more} below the asked-for confidence or severity (--confidence low shows uncertain ones)"
        ));
    }
    lines
}

fn scanned(view: &View<'_>, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    let coverage = &view.report.coverage;
    let mut parts = Vec::new();
    for (n, one, many) in [
        (coverage.files, "file", "files"),
        (coverage.index_entries, "index entry", "index entries"),
        (coverage.refs, "ref", "refs"),
        (coverage.commits, "commit", "commits"),
        (coverage.tags, "tag", "tags"),
        (coverage.trees, "tree", "trees"),
        (coverage.blobs, "blob", "blobs"),
    ] {
        if n > 0 {
            parts.push(count(n, one, many));
        }
    }
    parts.push(size(coverage.bytes));
    let scopes: Vec<String> = coverage.scopes.iter().map(|scope| view.prose(scope)).collect();
    let scopes = if scopes.is_empty() { String::new() } else { format!("{}: ", scopes.join(", ")) };
    writeln!(out, "{} {scopes}{}", palette.quiet("scanned"), parts.join(", "))?;

    let skipped: Vec<String> =
        coverage.skipped.iter().map(|(reason, n)| format!("{n} {}", reason.as_str())).collect();
    if !skipped.is_empty() {
        writeln!(out, "{} {}", palette.quiet("skipped"), skipped.join(", "))?;
    }
    if !coverage.nested.is_empty() {
        let mut nested: Vec<String> =
            coverage.nested.iter().take(MAX_NESTED).map(|path| view.prose(path)).collect();
        if let Some(more) = coverage.nested.len().checked_sub(MAX_NESTED).filter(|more| *more > 0) {
            nested.push(format!("{more} more"));
        }
        let label = palette.quiet("skipped");
        writeln!(out, "{label} repositories inside, scan them by name: {}", nested.join(", "))?;
    }
    Ok(())
}

/// Writes the suppressions that came with the very changes that are judged.
pub(super) fn write_not_in_force(view: &View<'_>, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    let inert: Vec<_> = view.report.inert.iter().filter(|entry| entry.why == Inertness::NotInForce).collect();
    write_inert(view, palette, &inert, out)
}

/// Writes suppressions that do nothing.
fn write_inert(
    view: &View<'_>,
    palette: &Palette,
    inert: &[&InertEntry],
    out: &mut dyn Write,
) -> io::Result<()> {
    if inert.is_empty() {
        return Ok(());
    }
    let what = count(inert.len() as u64, "suppression does", "suppressions do");
    writeln!(out, "{}", palette.strong(format!("{what} nothing:")))?;
    for entry in inert.iter().take(MAX_INERT) {
        let (name, text) = (view.prose(&entry.entry), view.prose(&entry.text));
        writeln!(out, "  {name}: {}: {text}", entry.why.as_str())?;
    }
    if let Some(more) = inert.len().checked_sub(MAX_INERT).filter(|more| *more > 0) {
        writeln!(out, "  … and {more} more (--format json lists all)")?;
    }
    Ok(())
}

/// Writes the gaps alone: what stands between this report and a complete one.
pub(super) fn write_gaps(view: &View<'_>, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    let coverage = &view.report.coverage;
    if coverage.gaps.is_empty() {
        return Ok(());
    }
    let open = coverage.gaps.iter().filter(|gap| !gap.accepted).count() as u64;
    if open > 0 {
        let what = if coverage.is_interrupted() { "interrupted; " } else { "" };
        let gaps = count(open, "thing in scope was", "things in scope were");
        writeln!(out, "{} {what}{gaps} not read:", palette.alarm("INCOMPLETE"))?;
    } else {
        writeln!(out, "{}", palette.quiet("not read, and accepted:"))?;
    }
    let mut by_kind: BTreeMap<(bool, GapKind), Vec<&Gap>> = BTreeMap::new();
    for gap in &coverage.gaps {
        by_kind.entry((gap.accepted, gap.kind)).or_default().push(gap);
    }
    for ((_, kind), gaps) in by_kind {
        for gap in gaps.iter().take(MAX_GAPS) {
            writeln!(out, "  {}", view.gap(gap))?;
        }
        if let Some(more) = gaps.len().checked_sub(MAX_GAPS).filter(|more| *more > 0) {
            writeln!(out, "  {}: … and {more} more (--format json lists all)", kind.as_str())?;
        }
    }
    Ok(())
}

/// `12.3 MB`, in powers of ten.
fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.into_iter().find(|&(_, unit)| bytes >= unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => count(bytes, "byte", "bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(12_340), "12.3 kB");
        assert_eq!(size(5_000_000_000), "5.0 GB");
    }
}
