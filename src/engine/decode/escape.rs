//! Text with escapes in it: finds them, and decodes the text around those that can hide something.
//!
//! Escapes near one another on a line make one unit, which is decoded as a whole with what stands
//! on the line beside it. Its first escape is the trigger.

use std::ops::Range;

use super::family::{FAMILIES, Family};
use super::join;
use super::layer::{Edit, Layer, Map};
use super::place::{Place, Places};
use crate::engine::trace::Copied;
use crate::finding::Span;

/// Bytes of plain text between escapes of one unit.
const GAP: usize = 256;
/// Plain text that is read on either side of a unit.
const CONTEXT: usize = 512;
/// Longest unit; a longer one is cut at an escape.
const MAX_UNIT: usize = 24 << 10;
/// Bytes before the triggers asked for that are searched for the start of a unit.
const BEFORE: usize = 2 * GAP + 256;
/// Farthest an escape's first byte is from the byte that it is found by.
const FOUND_BY: usize = 64;
/// Bytes by which the search goes on where a unit is not at its end.
const STEP: usize = 4096;

/// Farthest behind a change that an escape may begin and still depend on it: a line that mail wrapped,
/// a row of backslashes. Only what joins two lines reads farther, over [`between`] alone.
const BEHIND: usize = 88;
/// Most bytes of a kind that a join reads over, on either side of its line feed.
const MAX_BETWEEN: usize = 320;
/// What is read beyond the text that is decoded: the rest of an escape.
const BEYOND: usize = 16;
/// A unit this much shorter than the longest was not cut: no escape and the gap before it are longer.
const UNCUT: usize = 1024;

/// The escapes of one content that are worth a look, by family.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    by_family: [Places; FAMILIES.len()],
}

impl Found {
    /// Begins to gather what concerns units that begin in `triggers`: finds what stands before.
    ///
    /// Then come the escapes found in `triggers`, in order, by [`mark`](Self::mark); then
    /// [`finish`](Self::finish).
    pub(super) fn begin(&mut self, bytes: &[u8], triggers: &Range<usize>) {
        self.by_family.iter_mut().for_each(Places::clear);
        self.search(bytes, triggers.start.saturating_sub(BEFORE)..triggers.start);
    }

    /// Finds what stands behind `triggers` and concerns units that begin in them.
    pub(super) fn finish(&mut self, bytes: &[u8], triggers: &Range<usize>) {
        let mut end = bytes.len().min(triggers.end.saturating_add(FOUND_BY + GAP));
        self.search(bytes, triggers.end..end);
        // A unit that begins here may go on for long.
        while end < bytes.len() && self.is_open(triggers, end) {
            let next = bytes.len().min(end + STEP);
            self.search(bytes, end..next);
            end = next;
        }
    }

    /// Takes over the escapes of `base` that are found at places in `range` of the content, which lies
    /// in one of the copies. Passes by those copies that end before.
    pub(super) fn take_over(&mut self, base: &Self, range: Range<usize>, copies: &mut &[Copied]) {
        if range.is_empty() {
            return;
        }
        let passed = copies.iter().take_while(|copy| copy.target_end() < range.end).count();
        *copies = &copies[passed..];
        let Some(&copy) = copies.first() else { return };
        let there = |at: usize| at - copy.target + copy.base;
        let (first, last) = (there(range.start), there(range.end));
        for (own, found) in self.by_family.iter_mut().zip(&base.by_family) {
            let inside = found.from(first).take_while(|escape| escape.found_at < last);
            own.extend(inside.map(|escape| escape.moved(copy.base, copy.target)));
        }
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> Vec<(Span, usize)> {
        self.by_family.iter().flat_map(Places::iter).map(|escape| (escape.source, escape.found_at)).collect()
    }

    /// Whether a unit that begins in `triggers` may go on behind `end`.
    fn is_open(&self, triggers: &Range<usize>, end: usize) -> bool {
        let mut last = self.by_family.iter().filter_map(Places::last);
        last.any(|escape| {
            escape.source.end + FOUND_BY + GAP >= end && escape.source.start < triggers.end + MAX_UNIT
        })
    }

    /// Finds the escapes that are found at places in `range`, which must not be before any that are
    /// known.
    pub(super) fn search(&mut self, bytes: &[u8], range: Range<usize>) {
        range.for_each(|at| self.mark(bytes, at));
    }

    /// Notes the escape that is found by the byte at `at`, if there is one: by `%`, `\`, `&`, `=` or a
    /// line feed.
    #[inline]
    pub(super) fn mark(&mut self, bytes: &[u8], at: usize) {
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        let family = match bytes[at] {
            b'\n' if at > 0 && join::may_end(bytes[at - 1]) => Family::Joined,
            b'=' if matches!(next, b'3' | b'\r' | b'\n') => Family::Quoted,
            b'%' => Family::Percent,
            b'\\' if !matches!(next, b'n' | b'"' | b'\\') => Family::Backslash,
            b'&' => Family::Entity,
            _ => return,
        };
        if let Some(escape) = family.trigger(bytes, at) {
            self.by_family[family as usize].push(escape.place());
        }
    }

    /// The same by asking at every place, for the reference engine.
    pub(super) fn search_naively(&mut self, bytes: &[u8]) {
        for family in FAMILIES {
            let found = &mut self.by_family[family as usize];
            let escapes = (0..bytes.len()).filter_map(|at| family.trigger(bytes, at));
            found.extend(escapes.map(|escape| escape.place()));
        }
    }

    /// Every unit that begins in `triggers`.
    pub(super) fn units(&self, bytes: &[u8], triggers: &Range<usize>, mut take: impl FnMut(Unit<'_>)) {
        let mut escapes = Vec::new();
        for family in FAMILIES {
            let mut rest = self.by_family[family as usize].iter().peekable();
            let mut cut = false;
            while let Some(first) = rest.next().filter(|first| first.source.start < triggers.end) {
                escapes.clear();
                escapes.push(first);
                let mut last = first;
                while let Some(next) = rest.next_if(|next| is_linked(bytes, &first, &last, next)) {
                    escapes.push(next);
                    last = next;
                }
                let mut unit = Unit { family, escapes: &escapes, cut };
                cut = unit.end() - unit.trigger() > MAX_UNIT - UNCUT;
                unit.cut |= cut;
                if triggers.contains(&first.source.start) {
                    take(unit);
                }
            }
        }
    }
}

/// Whether `next` belongs to the unit that begins with `first` and has `last` as its last so far.
fn is_linked(bytes: &[u8], first: &Place, last: &Place, next: &Place) -> bool {
    let (end, start) = (last.source.end, next.source.start);
    let near = start <= end || start - end <= GAP && memchr::memchr(b'\n', &bytes[end..start]).is_none();
    near && next.source.end - first.source.start <= MAX_UNIT
}

/// Escapes that are decoded together.
pub(super) struct Unit<'a> {
    family: Family,
    /// At least one, ascending.
    escapes: &'a [Place],
    /// It, or the one before, is so long that it may have been cut.
    cut: bool,
}

impl Unit<'_> {
    /// Offset of the first escape.
    pub(super) fn trigger(&self) -> usize {
        self.escapes[0].source.start
    }

    /// Offset behind the last escape.
    fn end(&self) -> usize {
        self.escapes[self.escapes.len() - 1].source.end
    }

    /// The text around it that is decoded: its lines, at most [`CONTEXT`] bytes on either side.
    fn text(&self, bytes: &[u8]) -> Range<usize> {
        let (first, last) = (self.trigger(), self.end());
        let from = first.saturating_sub(CONTEXT);
        let start = memchr::memrchr(b'\n', &bytes[from..first]).map_or(from, |at| from + at + 1);
        let to = bytes.len().min(last + CONTEXT);
        start..memchr::memchr(b'\n', &bytes[last..to]).map_or(to, |at| last + at)
    }

    /// All that decides which escapes it has and what they are decoded to; may end behind `bytes`.
    ///
    /// None where a longer row of escapes was cut: where it is cut is decided far away.
    pub(super) fn reads(&self, bytes: &[u8]) -> Option<Range<usize>> {
        if self.cut {
            return None;
        }
        // Escapes of other lines have no part in it. Whether the lines are joined with those above and
        // below is decided by what stands there.
        let Range { mut start, mut end } = self.text(bytes);
        if self.family == Family::Joined {
            start -= usize::from(bytes[..start].ends_with(b"\n"));
            start -= between(bytes[..start].iter().rev());
            end += usize::from(bytes[end..].starts_with(b"\n"));
            end += between(bytes[end..].iter());
        }
        Some(start.saturating_sub(BEHIND)..end + BEYOND)
    }

    /// Decodes its text.
    pub(super) fn decode(&self, bytes: &[u8]) -> Layer {
        let Range { start, end } = self.text(bytes);
        let mut text = Vec::with_capacity(end - start);
        let mut edits = Vec::with_capacity(self.escapes.len());
        let mut joins = self.escapes.iter().filter(|_| self.family == Family::Joined).peekable();
        let mut at = start;
        while at < end {
            // Until an escape can begin, all is plain.
            let next = match (self.family.lead(), joins.peek()) {
                (Some(lead), _) => memchr::memchr(lead, &bytes[at..end]).map_or(end, |plain| at + plain),
                (None, join) => join.map_or(end, |join| join.source.start.clamp(at, end)),
            };
            text.extend_from_slice(&bytes[at..next]);
            at = next;
            if at == end {
                break;
            }
            let escape = match joins.next_if(|join| join.source.start <= at) {
                Some(join) => join::at(bytes, join.found_at),
                None => self.family.escape(bytes, at),
            };
            match escape {
                Some(escape) => {
                    let source = Span::new(at.min(escape.source.start), escape.source.end);
                    edits.push(Edit {
                        at: text.len(),
                        len: escape.text().len(),
                        source,
                        name: escape.name,
                        strong: escape.strong,
                    });
                    text.extend_from_slice(escape.text());
                    at = escape.source.end.max(at + 1);
                }
                None => {
                    text.push(bytes[at]);
                    at += 1;
                }
            }
        }
        Layer {
            span: Span::new(self.trigger(), end.max(self.end())),
            text,
            chain: Vec::new(),
            map: Map::Edits { start, edits },
            whole: false,
            cut: false,
        }
    }
}

/// The places whose escapes a change in `window` can have made or undone; the change ends `right`
/// bytes before the window does.
pub(super) fn widened(bytes: &[u8], window: &Range<usize>, right: usize) -> Range<usize> {
    let start = window.start - between(bytes[..window.start].iter().rev());
    let end = bytes.len().min(window.end.saturating_sub(right) + BEHIND.max(right));
    start..end + between(bytes[end..].iter())
}

/// How many of `bytes`, up to the first line feed and with it, are of what a join reads over: blanks,
/// quotes and operators.
fn between<'a>(mut bytes: impl Iterator<Item = &'a u8> + Clone) -> usize {
    let is_between = |byte: u8| {
        matches!(
            byte,
            b' ' | b'\t'
                | b'\r'
                | b'"'
                | b'\''
                | b'`'
                | b'\\'
                | b'+'
                | b'.'
                | b'&'
                | b'<'
                | b'_'
                | b','
                | b'n'
        )
    };
    let count = bytes.clone().take(MAX_BETWEEN).take_while(|&&byte| is_between(byte)).count();
    count + usize::from(bytes.nth(count) == Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, triggers: Range<usize>) -> Vec<(String, Span)> {
        let mut found = Found::default();
        found.begin(text.as_bytes(), &triggers);
        found.search(text.as_bytes(), triggers.clone());
        found.finish(text.as_bytes(), &triggers);
        let mut out = Vec::new();
        found.units(text.as_bytes(), &triggers, |unit| {
            let layer = unit.decode(text.as_bytes());
            out.push((String::from_utf8_lossy(&layer.text).into_owned(), layer.span));
        });
        out
    }

    #[test]
    fn a_line_is_decoded_with_what_stands_beside() {
        let text = "one\ntoken: %61%62%63 end\nlast\n";
        assert_eq!(units(text, 0..text.len()), [("token: abc end".to_owned(), Span::new(11, 24))]);
    }

    #[test]
    fn families_are_decoded_apart() {
        let text = "%41 \\x42 &#67;";
        let decoded: Vec<String> = units(text, 0..text.len()).into_iter().map(|unit| unit.0).collect();
        assert_eq!(decoded, ["A \\x42 &#67;", "%41 B &#67;", "%41 \\x42 C"]);
    }

    #[test]
    fn every_unit_belongs_to_one_window() {
        let mut text = String::new();
        for line in 0..40 {
            text.push_str(&format!("line {line} %41{}%42 &quot;x&quot;\n", "-".repeat(line * 9)));
            text.push_str("s = \"abc\" +\n    \"def\" +\n  \"ghi\"\n");
        }
        let mut whole = units(&text, 0..text.len());
        for step in [1, 7, 100, 1000] {
            let mut cut: Vec<_> = (0..text.len())
                .step_by(step)
                .flat_map(|at| units(&text, at..text.len().min(at + step)))
                .collect();
            cut.sort_by_key(|unit| unit.1);
            whole.sort_by_key(|unit| unit.1);
            assert_eq!(cut, whole, "windows of {step}");
        }
    }

    #[test]
    fn naive_search_finds_the_same() {
        let text = "%41%zz \\u0041 \\\\u0041 &#65; =3D =\n".repeat(20) + "\"a\"\n\"b\"";
        let (mut fast, mut slow) = (Found::default(), Found::default());
        fast.search(text.as_bytes(), 0..text.len());
        slow.search_naively(text.as_bytes());
        assert_eq!(fast.places(), slow.places());
        assert!(fast.places().len() > 60);
    }
}
