//! Decoded text that knows where in the encoded text each of its bytes came from.

use crate::finding::{Decoded, Match, Secret, Span};

/// Bytes of the decoded line that are kept on either side of a secret, for display.
const EXCERPT: usize = 256;

/// One decoding of one stretch of text.
#[derive(Debug)]
pub(super) struct Layer {
    /// The encoded text: from the trigger to the end of what was read.
    pub(super) span: Span,
    /// The decoded text.
    pub(super) text: Vec<u8>,
    /// Names of the encodings, from the outside in.
    pub(super) chain: Vec<&'static str>,
    /// Where the text came from.
    pub(super) map: Map,
    /// All of the stretch was encoded; else it is plain text with escapes in it.
    pub(super) whole: bool,
    /// There was more than a budget allows.
    pub(super) cut: bool,
}

/// From offsets of decoded text to offsets of the encoded text.
#[derive(Debug)]
pub(super) enum Map {
    /// Nothing is known but the whole.
    Whole,
    /// `bytes` decoded bytes came from `digits` characters each, which stand in pieces.
    Digits {
        /// Offset and length of each piece.
        pieces: Vec<(usize, usize)>,
        /// Characters of one group.
        digits: usize,
        /// Bytes one group stands for.
        bytes: usize,
    },
    /// Text copied from `start` on, but for these replacements, in order.
    Edits {
        /// Offset of the first byte.
        start: usize,
        /// The replacements.
        edits: Vec<Edit>,
    },
}

/// One replacement: `len` bytes at `at` of the text stand for `source` of the encoded text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) source: Span,
    /// Name of the encoding.
    pub(super) name: &'static str,
    /// It can have hidden something; escapes that every string holds (`\n`) do not count.
    pub(super) strong: bool,
}

impl Layer {
    /// `hit`, found in the decoded text, as a match of the encoded text. None where no escape had
    /// a part in it: then it is found without decoding.
    pub(super) fn lift(&self, hit: Match) -> Option<Match> {
        let mut chain = match &self.map {
            Map::Whole | Map::Digits { .. } => self.chain.clone(),
            Map::Edits { edits, .. } => escapes_at(edits, hit.span)?,
        };
        let secret = self.source(hit.secret);
        let decoded = match hit.decoded {
            Some(inner) => {
                chain.extend(inner.chain);
                Decoded { chain, ..*inner }
            }
            None => {
                let shown = line_around(&self.text, hit.secret);
                let excerpt_secret = Span::new(hit.secret.start - shown.start, hit.secret.end - shown.start);
                Decoded {
                    chain,
                    secret: Secret::new(hit.secret.of(&self.text)),
                    excerpt: shown.of(&self.text).to_vec(),
                    excerpt_secret,
                }
            }
        };
        Some(Match {
            trigger: self.span.start,
            span: self.span,
            secret,
            decoded: Some(Box::new(decoded)),
            ..hit
        })
    }

    /// Where `span` of the decoded text came from; never empty, always inside `self.span`.
    fn source(&self, span: Span) -> Span {
        let last = span.end.max(span.start + 1) - 1;
        match &self.map {
            Map::Whole => self.span,
            Map::Digits { pieces, digits, bytes } => {
                // A byte shares its first digit with the byte before, its last with the one after.
                let first = |byte: usize| byte / bytes * digits + byte % bytes;
                let start = place(pieces, first(span.start));
                let end = place(pieces, first(last) + 1) + 1;
                Span::new(start.min(self.span.end - 1), end.clamp(start + 1, self.span.end))
            }
            Map::Edits { start, edits } => {
                let from = origin(*start, edits, span.start).start;
                let to = origin(*start, edits, last).end;
                Span::new(from, to.clamp(from + 1, self.span.end.max(from + 1)))
            }
        }
    }
}

/// Place of the `number`th character of the pieces; the last one when there are fewer.
fn place(pieces: &[(usize, usize)], mut number: usize) -> usize {
    for &(start, len) in pieces {
        if number < len {
            return start + number;
        }
        number -= len;
    }
    pieces.last().map_or(0, |&(start, len)| start + len.max(1) - 1)
}

/// Where the byte at `at` of the decoded text came from.
fn origin(start: usize, edits: &[Edit], at: usize) -> Span {
    let before = edits.partition_point(|edit| edit.at <= at);
    // Of replacements by nothing at the same place the last one counts.
    match before.checked_sub(1).map(|index| edits[index]) {
        Some(edit) if at < edit.at + edit.len => edit.source,
        Some(edit) => {
            let from = edit.source.end + (at - edit.at - edit.len);
            Span::new(from, from + 1)
        }
        None => Span::new(start + at, start + at + 1),
    }
}

/// The encodings of the replacements in or next to `span`; none where there are none.
fn escapes_at(edits: &[Edit], span: Span) -> Option<Vec<&'static str>> {
    let mut names: Vec<&'static str> = edits
        .iter()
        .filter(|edit| edit.strong && edit.at <= span.end + NEAR && span.start <= edit.at + edit.len + NEAR)
        .map(|edit| edit.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

/// An escape this near to a match may have hidden it: the quote or the `=` in front of a value.
const NEAR: usize = 32;

/// The lines of `span`, cut to [`EXCERPT`] bytes on either side.
fn line_around(text: &[u8], span: Span) -> Span {
    let from = span.start.saturating_sub(EXCERPT);
    let to = text.len().min(span.end + EXCERPT);
    let start = memchr::memrchr(b'\n', &text[from..span.start]).map_or(from, |at| from + at + 1);
    let end = memchr::memchr(b'\n', &text[span.end..to]).map_or(to, |at| span.end + at);
    Span::new(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(span: Span, pieces: Vec<(usize, usize)>, digits: usize, bytes: usize) -> Layer {
        let map = Map::Digits { pieces, digits, bytes };
        Layer { span, text: Vec::new(), chain: Vec::new(), map, whole: true, cut: false }
    }

    #[test]
    fn digits_map_to_the_characters_that_hold_a_bit_of_them() {
        let layer = digits(Span::new(10, 30), vec![(10, 8), (20, 8)], 4, 3);
        assert_eq!(layer.source(Span::new(0, 1)), Span::new(10, 12));
        assert_eq!(layer.source(Span::new(0, 3)), Span::new(10, 14));
        assert_eq!(layer.source(Span::new(1, 2)), Span::new(11, 13));
        assert_eq!(layer.source(Span::new(3, 9)), Span::new(14, 24));
        let hex = digits(Span::new(5, 25), vec![(5, 20)], 2, 1);
        assert_eq!(hex.source(Span::new(0, 1)), Span::new(5, 7));
        assert_eq!(hex.source(Span::new(2, 4)), Span::new(9, 13));
    }

    #[test]
    fn edits_map_around_the_replaced() {
        let edit = |at, len, start, end| Edit {
            at,
            len,
            source: Span::new(start, end),
            name: "percent",
            strong: true,
        };
        // "a%41b%42" from offset 100
        let edits = vec![edit(1, 1, 101, 104), edit(3, 1, 105, 108)];
        let layer = Layer {
            span: Span::new(100, 108),
            text: b"aAbB".to_vec(),
            chain: Vec::new(),
            map: Map::Edits { start: 100, edits },
            whole: false,
            cut: false,
        };
        assert_eq!(layer.source(Span::new(0, 1)), Span::new(100, 101));
        assert_eq!(layer.source(Span::new(1, 2)), Span::new(101, 104));
        assert_eq!(layer.source(Span::new(2, 4)), Span::new(104, 108));
    }
}
