//! GitHub workflow commands (annotations in a job's log) and the step summary.
//!
//! Syntax: GitHub's page "Workflow commands for GitHub Actions".

use std::cmp::Reverse;
use std::io;

use super::place;
use super::tally::{Tally, count};
use super::view::View;
use super::wording;
use super::{Format, ReportOptions};
use crate::finding::{Finding, InertEntry, Occurrence, ScanReport, Severity};

/// Annotations GitHub shows per type and step; more are log lines only.
const MAX_ANNOTATIONS: usize = 10;

/// Most rows of the step summary.
const MAX_ROWS: usize = 100;

/// Writes annotations for the most severe places, log lines for all others, and the figures.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut given = [0; Level::ALL.len()];
    for (finding, at) in ranked(view.report) {
        let level = Level::of(finding.severity);
        let given = &mut given[level as usize];
        *given += 1;
        if *given <= MAX_ANNOTATIONS {
            annotation(view, level, finding, at, out)?;
        } else {
            let (label, title) = (place::label(view, at), wording::title(view, finding));
            writeln!(out, "  {}: {label}: {title}", finding.severity)?;
        }
    }
    // One command each would push the findings out of GitHub's ten.
    let open: Vec<String> =
        view.report.coverage.gaps.iter().filter(|gap| !gap.accepted).map(|gap| view.gap(gap)).collect();
    if !open.is_empty() {
        let message = format!("Not everything in scope was read:\n{}", open.join("\n"));
        writeln!(out, "::warning title=keycull: scan incomplete::{}", data(&message))?;
    }
    let inert = inert(view);
    if !inert.is_empty() {
        let message = format!("Suppressions that do nothing:\n{}", inert.join("\n"));
        writeln!(out, "::notice title=keycull: suppressions::{}", data(&message))?;
    }
    writeln!(out, "keycull: {}", figures(&Tally::of(view.report)))
}

/// The suppressions that do nothing, one a line.
fn inert(view: &View<'_>) -> Vec<String> {
    let line = |entry: &InertEntry| {
        let (name, text) = (view.prose(&entry.entry), view.prose(&entry.text));
        format!("{name}: {}: {text}", entry.why.as_str())
    };
    view.report.inert.iter().map(line).collect()
}

#[derive(Clone, Copy)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Level; 3] = [Self::Error, Self::Warning, Self::Notice];

    const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low | Severity::Info => Self::Notice,
        }
    }

    const fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Places that count: severe first, and every secret once before any secret again.
fn ranked(report: &ScanReport) -> Vec<(&Finding, &Occurrence)> {
    let places = report.new_findings().flat_map(|finding| {
        place::counted(finding)
            .enumerate()
            .map(move |(nth, at)| (Reverse(finding.severity), nth > 0, finding, at))
    });
    let mut places: Vec<_> = places.collect();
    places.sort_by_key(|&(severity, again, _, _)| (severity, again));
    places.into_iter().map(|(_, _, finding, at)| (finding, at)).collect()
}

fn annotation(
    view: &View<'_>,
    level: Level,
    finding: &Finding,
    at: &Occurrence,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut properties = Vec::new();
    let mut message = wording::place_message(view, finding);
    if place::is_present(at) {
        let (start, end) = (at.region.start, at.region.end);
        properties.push(format!("file={}", property(&place::name(view, at))));
        properties.push(format!("line={},endLine={}", start.line, end.line.max(start.line)));
        // Columns are only understood within one line.
        if start.line == end.line {
            properties.push(format!("col={},endColumn={}", start.column_utf16, end.column_utf16));
        }
    } else {
        message = format!("{}: {}", place::label(view, at), wording::history_message(view, finding));
    }
    properties.push(format!("title={}", property(&wording::title(view, finding))));
    writeln!(out, "::{} {}::{}", level.command(), properties.join(","), data(&message))
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

fn figures(tally: &Tally) -> String {
    let secrets = count(tally.findings as u64, "secret", "secrets");
    let suppressed: usize = tally.suppressed.values().sum();
    format!(
        "{secrets} in {}, {suppressed} allowed or in the baseline, {} below the threshold",
        count(tally.places as u64, "place", "places"),
        tally.below_threshold
    )
}

/// The report as Markdown for `$GITHUB_STEP_SUMMARY`: a table of secrets, far below the 1 MiB
/// GitHub takes.
#[must_use]
pub fn step_summary(report: &ScanReport, options: &ReportOptions) -> String {
    let view = &View::new(report, options, Format::Github);
    let tally = Tally::of(report);
    let mut lines = vec!["## keycull".to_owned(), String::new()];
    lines.push(match (tally.findings, report.coverage.is_complete()) {
        (0, true) => "No secrets found.".to_owned(),
        (0, false) => "**Incomplete:** no secrets found in what could be read.".to_owned(),
        (_, true) => format!("**{}**", figures(&tally)),
        (_, false) => format!("**{}**; the scan is **incomplete**.", figures(&tally)),
    });
    let mut findings: Vec<&Finding> = report.new_findings().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    if !findings.is_empty() {
        lines.push(String::new());
        lines.push("| Severity | Secret | Where | Places | Fingerprint |".to_owned());
        lines.push("|---|---|---|--:|---|".to_owned());
    }
    lines.extend(findings.iter().take(MAX_ROWS).map(|finding| row(view, finding)));
    if let Some(more) = findings.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
        lines.push(format!("\n… and {more} more, see the log or another report format."));
    }
    let gaps: Vec<String> = report.coverage.gaps.iter().map(|gap| view.gap(gap)).collect();
    for (title, items) in [("Not read", gaps), ("Suppressions that do nothing", inert(view))] {
        if !items.is_empty() {
            lines.push(format!("\n### {title}\n"));
        }
        lines.extend(items.iter().take(MAX_ROWS).map(|item| format!("* {}", markdown(item))));
        if let Some(more) = items.len().checked_sub(MAX_ROWS).filter(|more| *more > 0) {
            lines.push(format!("* … and {more} more"));
        }
    }
    lines.join("\n") + "\n"
}

fn row(view: &View<'_>, finding: &Finding) -> String {
    let at = finding.primary();
    let place = markdown(&wording::cut(&place::label(view, at), 200));
    let past = if place::is_present(at) { "" } else { " (history)" };
    let title = markdown(&wording::cut(&wording::title(view, finding), 200));
    let places = place::counted(finding).count();
    format!("| {} | {title} | {place}{past} | {places} | `{}` |", finding.severity, finding.fingerprint)
}

/// Escapes what Markdown or HTML would act on.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_cannot_be_broken_out_of() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
    }

    #[test]
    fn markdown_is_inert() {
        assert_eq!(markdown("<img> [a](b) |`c`\n"), "&lt;img&gt; \\[a\\](b) \\|\\`c\\` ");
    }
}
