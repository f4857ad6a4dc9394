//! Text with escapes in it: finds them, and decodes the text around those that can hide something.
//!
//! Escapes near one another on a line make one unit, which is decoded as a whole with what stands
//! on the line beside it. Its first escape is the trigger.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::family::{Escape, FAMILIES, Family};
use super::layer::{Edit, Layer, Map};
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

/// Farthest a byte is from an escape that it has a part in: two indented lines.
const NEAR: usize = 512;

static EQUALS_SIGN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("=3D"));

/// The escapes of one content that are worth a look, by family.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    by_family: [Vec<Escape>; FAMILIES.len()],
    /// Up to where the content was searched.
    searched: usize,
}

impl Found {
    /// Finds what concerns units that begin in `triggers`.
    pub(super) fn search(&mut self, bytes: &[u8], triggers: &Range<usize>) {
        self.by_family.iter_mut().for_each(Vec::clear);
        self.searched = triggers.start.saturating_sub(BEFORE);
        let mut end = bytes.len().min(triggers.end.saturating_add(FOUND_BY + GAP));
        self.search_to(bytes, end);
        // A unit that begins here may go on for long.
        while end < bytes.len() && self.is_open(triggers, end) {
            end = bytes.len().min(end + STEP);
            self.search_to(bytes, end);
        }
    }

    /// Finds what a change of `windows` can have made: escapes in them, or so near that the change
    /// has a part in them.
    pub(super) fn renew(&mut self, bytes: &[u8], windows: &[Range<usize>]) {
        self.by_family.iter_mut().for_each(Vec::clear);
        self.searched = 0;
        for window in windows {
            self.searched = self.searched.max(window.start.saturating_sub(NEAR));
            let end = bytes.len().min(window.end + NEAR);
            if self.searched < end {
                self.search_to(bytes, end);
            }
        }
    }

    /// Takes over the escapes of `base`, a content of `base_len` bytes, that `copy` holds with all
    /// that has a part in them. `len` is the length of the content here.
    pub(super) fn take_over(&mut self, base: &Self, copy: &Copied, base_len: usize, len: usize) {
        let begins = copy.base == 0 && copy.target == 0;
        let (base_end, end) = (copy.base + copy.length, copy.target + copy.length);
        let first = if begins { 0 } else { copy.base + NEAR };
        let last = if base_end == base_len && end == len { usize::MAX } else { base_end };
        for (own, found) in self.by_family.iter_mut().zip(&base.by_family) {
            let from = found.partition_point(|escape| escape.source.start < first);
            let inside =
                found[from..].iter().take_while(|escape| escape.source.end.saturating_add(NEAR) <= last);
            own.extend(inside.map(|escape| escape.moved(copy.base, copy.target)));
        }
    }

    /// Sorts what was gathered from several places.
    pub(super) fn settle(&mut self) {
        for found in &mut self.by_family {
            found.sort_unstable_by_key(|escape| escape.source);
            found.dedup();
        }
    }

    /// Whether a unit that begins in `triggers` may go on behind `end`.
    fn is_open(&self, triggers: &Range<usize>, end: usize) -> bool {
        let mut last = self.by_family.iter().filter_map(|found| found.last());
        last.any(|escape| {
            escape.source.end + FOUND_BY + GAP >= end && escape.source.start < triggers.end + MAX_UNIT
        })
    }

    fn search_to(&mut self, bytes: &[u8], end: usize) {
        let from = self.searched;
        self.searched = end;
        let text = &bytes[from..end];
        for at in memchr::memchr3_iter(b'%', b'\\', b'&', text) {
            let at = from + at;
            let family = match bytes[at] {
                b'%' => Family::Percent,
                b'\\' => Family::Backslash,
                _ => Family::Entity,
            };
            self.note(family, bytes, at);
        }
        let overlapping = from.saturating_sub(2);
        for at in EQUALS_SIGN.find_iter(&bytes[overlapping..end]) {
            self.note(Family::Quoted, bytes, overlapping + at);
        }
        for at in memchr::memchr_iter(b'\n', text) {
            let at = from + at;
            let line = bytes[..at].strip_suffix(b"\r").unwrap_or(&bytes[..at]);
            if line.last() == Some(&b'=') {
                self.note(Family::Quoted, bytes, line.len() - 1);
            }
            self.note(Family::Joined, bytes, at);
        }
        let quoted = &mut self.by_family[Family::Quoted as usize];
        quoted.sort_unstable_by_key(|escape| escape.source);
        quoted.dedup();
    }

    #[inline]
    fn note(&mut self, family: Family, bytes: &[u8], at: usize) {
        self.by_family[family as usize].extend(family.trigger(bytes, at));
    }

    /// The same by asking at every place, for the reference engine.
    pub(super) fn search_naively(&mut self, bytes: &[u8]) {
        for family in FAMILIES {
            let found = &mut self.by_family[family as usize];
            found.extend((0..bytes.len()).filter_map(|at| family.trigger(bytes, at)));
            found.sort_unstable_by_key(|escape| escape.source);
        }
    }

    /// Decodes the units that begin in `triggers`.
    pub(super) fn units(&self, bytes: &[u8], triggers: &Range<usize>, mut take: impl FnMut(&Layer)) {
        for family in FAMILIES {
            let mut rest = self.by_family[family as usize].as_slice();
            while let Some(first) = rest.first() {
                let len = unit_len(bytes, rest);
                let (unit, later) = rest.split_at(len);
                rest = later;
                if first.source.start >= triggers.end {
                    break;
                }
                if triggers.contains(&first.source.start) {
                    take(&decode(bytes, family, unit));
                }
            }
        }
    }
}

/// How many of `escapes` make one unit with the first.
fn unit_len(bytes: &[u8], escapes: &[Escape]) -> usize {
    let start = escapes[0].source.start;
    let near = |pair: &[Escape]| {
        let (end, next) = (pair[0].source.end, pair[1].source.start);
        next <= end || next - end <= GAP && memchr::memchr(b'\n', &bytes[end..next]).is_none()
    };
    let linked = escapes.windows(2).take_while(|pair| near(pair) && pair[1].source.end - start <= MAX_UNIT);
    1 + linked.count()
}

/// Decodes the text around `unit`: its line, at most [`CONTEXT`] bytes on either side.
fn decode(bytes: &[u8], family: Family, unit: &[Escape]) -> Layer {
    let (first, last) = (unit[0].source.start, unit[unit.len() - 1].source.end);
    let from = first.saturating_sub(CONTEXT);
    let start = memchr::memrchr(b'\n', &bytes[from..first]).map_or(from, |at| from + at + 1);
    let to = bytes.len().min(last + CONTEXT);
    let end = memchr::memchr(b'\n', &bytes[last..to]).map_or(to, |at| last + at);
    let mut text = Vec::with_capacity(end - start);
    let mut edits = Vec::with_capacity(unit.len());
    let mut joins = unit.iter().filter(|_| family == Family::Joined).peekable();
    let mut at = start;
    while at < end {
        let escape = match joins.next_if(|join| join.source.start <= at) {
            Some(join) => Some(*join),
            None => family.escape(bytes, at),
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
        span: Span::new(first, end.max(last)),
        text,
        chain: Vec::new(),
        map: Map::Edits { start, edits },
        whole: false,
        cut: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, triggers: Range<usize>) -> Vec<(String, Span)> {
        let mut found = Found::default();
        found.search(text.as_bytes(), &triggers);
        let mut out = Vec::new();
        found.units(text.as_bytes(), &triggers, |layer| {
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
        fast.search(text.as_bytes(), &(0..text.len()));
        slow.search_naively(text.as_bytes());
        assert_eq!(fast.by_family, slow.by_family);
    }
}
