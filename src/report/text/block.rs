//! The block of one secret: what it is, where it stands, why it counts, what to do.

use std::io::{self, Write};

use super::style::Palette;
use crate::finding::{CommitInfo, Finding, Occurrence, Timeline, Validation};
use crate::report::calendar::day;
use crate::report::view::View;
use crate::report::{place, wording};

/// Most places shown per secret; the rest is counted.
const MAX_PLACES: usize = 5;

/// Width of source lines when the terminal's is not known.
const WIDTH: usize = 160;

/// Columns the label of a line takes.
const LABEL: usize = 13;

pub(super) fn write(
    view: &View<'_>,
    palette: &Palette,
    finding: &Finding,
    out: &mut dyn Write,
) -> io::Result<()> {
    let block = Block { view, palette, finding };
    block.head(out)?;
    block.places(out)?;
    block.why(out)?;
    block.history(out)?;
    block.next(out)
}

struct Block<'a> {
    view: &'a View<'a>,
    palette: &'a Palette,
    finding: &'a Finding,
}

impl Block<'_> {
    fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { view, palette, finding } = self;
        let rank = palette.severity(finding.severity, finding.severity);
        let name = palette.strong(view.prose(wording::rule_name(&finding.rule)));
        writeln!(out, "{rank}  {name}  {}", palette.quiet(format!("[{}]", finding.rule.id)))?;
        let secret = palette.strong(view.secret(finding));
        self.line("secret", &format!("{secret}  ({})", wording::certainty(finding)), out)?;
        self.line("fingerprint", finding.fingerprint.as_str(), out)?;
        let halves = wording::components(view, finding);
        for (i, (half, text)) in finding.components.iter().zip(&halves).enumerate() {
            let text = format!("{text}  {}", palette.quiet(format!("[{}]", half.rule.id)));
            self.line(if i == 0 { "other half" } else { "" }, &text, out)?;
        }
        let Some(validity) = wording::validity(finding, true) else { return Ok(()) };
        let validity = view.prose(&validity);
        let shown = match finding.validation {
            Validation::Live(_) => palette.alarm(validity),
            Validation::Dead(_) => palette.good(validity),
            Validation::Unknown(_) | Validation::NotAttempted => palette.strong(validity),
        };
        self.line("checked", &shown, out)
    }

    fn places(&self, out: &mut dyn Write) -> io::Result<()> {
        let repositories = place::repositories(self.view, self.finding);
        if repositories.len() > 1 {
            let shown = &repositories[..repositories.len().min(MAX_PLACES)];
            let more = match repositories.len() - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let text = format!("across {} repositories: {}{more}", repositories.len(), shown.join(", "));
            self.line("shared", &self.palette.strong(text), out)?;
        }
        let counted: Vec<&Occurrence> = place::counted(self.finding).collect();
        for at in counted.iter().take(MAX_PLACES) {
            self.place(at, out)?;
        }
        if let Some(more) = counted.len().checked_sub(MAX_PLACES).filter(|more| *more > 0) {
            let text = format!("  … and {more} more places (--format json lists all)");
            writeln!(out, "{}", self.palette.quiet(text))?;
        }
        let silent = self.finding.occurrences.len() - counted.len();
        if silent > 0 {
            let text = format!("  … and {silent} allowed or in the baseline");
            writeln!(out, "{}", self.palette.quiet(text))?;
        }
        Ok(())
    }

    fn place(&self, at: &Occurrence, out: &mut dyn Write) -> io::Result<()> {
        let mut remarks = Vec::new();
        if !place::is_present(at) {
            remarks.push("in history".to_owned());
        }
        if !at.decoded.is_empty() {
            remarks.push(format!("inside {}", at.decoded.join(", ")));
        }
        remarks.extend(wording::context(self.view, at));
        let label = self.palette.place(place::label(self.view, at));
        match remarks.is_empty() {
            true => writeln!(out, "  {label}")?,
            false => writeln!(out, "  {label}  {}", self.palette.quiet(format!("({})", remarks.join("; "))))?,
        }
        let excerpt = self.view.prose(at.excerpt.trim());
        if excerpt.is_empty() {
            return Ok(());
        }
        let number = format!("{:>6} │ ", at.region.start.line);
        let room = self.view.options.width.unwrap_or(WIDTH).saturating_sub(number.chars().count()).max(20);
        writeln!(out, "{}{}", self.palette.quiet(number), wording::cut(&excerpt, room))
    }

    fn why(&self, out: &mut dyn Write) -> io::Result<()> {
        let about = wording::sentence(&self.view.prose(&self.finding.rule.description));
        let notes = self.view.notes(self.finding);
        let remarks = notes.into_iter().filter_map(|note| wording::sentence(&self.view.prose(&note.text)));
        for (i, text) in about.into_iter().chain(remarks).enumerate() {
            self.line(if i == 0 { "why" } else { "" }, &text, out)?;
        }
        for (i, companion) in self.finding.companions.iter().enumerate() {
            let text = format!("{companion} completes it");
            self.line(if i == 0 { "with" } else { "" }, &text, out)?;
        }
        Ok(())
    }

    fn history(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(timeline) = place::course(self.finding) else { return Ok(()) };
        for (i, text) in self.events(&timeline).iter().enumerate() {
            self.line(if i == 0 { "history" } else { "" }, text, out)?;
        }
        Ok(())
    }

    fn events(&self, timeline: &Timeline) -> Vec<String> {
        let mut events = Vec::new();
        if let Some(commit) = &timeline.introduced {
            events.push(format!("introduced in {}", self.commit(commit)));
        }
        if let Some(commit) = &timeline.removed {
            events.push(format!("removed in    {}", self.commit(commit)));
            events
                .extend(place::days(timeline).map(|days| format!("it stood there {}", wording::days(days))));
        }
        if timeline.at_head {
            let so_far = place::days(timeline)
                .map(|days| format!(", {} after it came when the last commit was made", wording::days(days)));
            events.push(format!("still there at HEAD{}", so_far.unwrap_or_default()));
        } else if let (None, Some(commit)) = (&timeline.removed, &timeline.last_seen) {
            events.push(format!("last seen in  {}", self.commit(commit)));
        }
        events.extend(wording::reach(self.view, &timeline.reachable));
        events
    }

    fn commit(&self, commit: &CommitInfo) -> String {
        let (author, subject) = (self.view.prose(&commit.author), self.view.prose(&commit.subject));
        let subject = wording::cut(&subject, 72);
        format!("{} {} {author}: {subject}", commit.id.short(12), day(commit.date))
    }

    fn next(&self, out: &mut dyn Write) -> io::Result<()> {
        self.line("next", &self.view.prose(&wording::rotate(&self.finding.rule)), out)?;
        let allow = format!("no secret? put `{}` beside it", wording::allow_hint(&self.finding.rule));
        self.line("", &self.palette.quiet(allow), out)
    }

    fn line(&self, label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let label = self.palette.quiet(format!("{label:<LABEL$}"));
        writeln!(out, "  {label}{text}")
    }
}
