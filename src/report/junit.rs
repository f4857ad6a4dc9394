//! JUnit XML: one failed test case per secret, for the test pages of CI systems.
//!
//! Suppressed secrets are skipped cases; what could not be read is a case in error, so that an
//! incomplete scan is red there too.

use std::io;

use super::place;
use super::view::View;
use super::wording;
use crate::finding::{Disposition, Finding};

/// Most places listed per secret.
const MAX_PLACES: usize = 20;

/// Writes one test suite.
pub(super) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let findings = &view.report.findings;
    let failures = view.report.new_findings().count();
    let skipped = findings.len() - failures;
    let open: Vec<String> =
        view.report.coverage.gaps.iter().filter(|gap| !gap.accepted).map(|gap| view.gap(gap)).collect();
    let errors = usize::from(!open.is_empty());
    // The case for coverage is there in every report, so that a clean one is not empty.
    let tests = findings.len() + 1;
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}""#);
    writeln!(out, r#"<testsuites name="keycull" {counts}>"#)?;
    writeln!(out, r#"  <testsuite name="keycull" {counts}>"#)?;
    for finding in findings {
        case(view, finding, out)?;
    }
    coverage(&open, out)?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn case(view: &View<'_>, finding: &Finding, out: &mut dyn io::Write) -> io::Result<()> {
    let at = finding.primary();
    let title = wording::title(view, finding);
    let label = place::label(view, at);
    let name = escape(&format!("{title} in {label}"));
    let class = escape(&format!("keycull.{}", finding.rule.id));
    let file = escape(&place::name(view, at));
    let line = at.region.start.line;
    writeln!(out, r#"    <testcase classname="{class}" name="{name}" file="{file}" line="{line}">"#)?;
    match skip_reason(&finding.disposition) {
        Some(why) => writeln!(out, r#"      <skipped message="{}"/>"#, escape(&view.prose(&why)))?,
        None => failure(view, finding, &title, out)?,
    }
    writeln!(out, "    </testcase>")
}

fn failure(view: &View<'_>, finding: &Finding, title: &str, out: &mut dyn io::Write) -> io::Result<()> {
    let kind = finding.severity;
    let message = if place::is_present(finding.primary()) {
        wording::place_message(view, finding)
    } else {
        wording::history_message(view, finding)
    };
    let mut lines = vec![message];
    lines.extend(place::counted(finding).take(MAX_PLACES).map(|at| place::label(view, at)));
    if let Some(more) = place::counted(finding).count().checked_sub(MAX_PLACES).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more places"));
    }
    let body = escape(&lines.join("\n"));
    writeln!(out, r#"      <failure type="{kind}" message="{}">{body}</failure>"#, escape(title))
}

fn coverage(open: &[String], out: &mut dyn io::Write) -> io::Result<()> {
    let case = r#"    <testcase classname="keycull.coverage" name="everything in scope was read""#;
    if open.is_empty() {
        return writeln!(out, "{case}/>");
    }
    let body = escape(&open.join("\n"));
    writeln!(out, "{case}>")?;
    let count = open.len();
    writeln!(out, r#"      <error type="incomplete" message="{count} not read">{body}</error>"#)?;
    writeln!(out, "    </testcase>")
}

fn skip_reason(disposition: &Disposition) -> Option<String> {
    match disposition {
        Disposition::New => None,
        Disposition::Baselined { reason } => {
            Some(reason.clone().unwrap_or_else(|| "in the baseline".to_owned()))
        }
        Disposition::Allowed { reason, .. } => Some(reason.clone().unwrap_or_else(|| "allowed".to_owned())),
    }
}

/// For text and attributes; control characters are already spelled out, but for line ends.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in XML 1.0, whatever the escape.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<a b=\"c\">&\u{ffff}"), "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}");
    }
}
