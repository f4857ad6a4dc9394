//! The line a secret stands on, safe to print: every secret masked, nothing invisible.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::lines::Lines;
use super::rulebook::{RuleBook, redaction};
use crate::finding::{Decoded, Match, Secret, Span};

/// Columns an excerpt is cut to.
const COLUMNS: usize = 160;
/// Most bytes [`COLUMNS`] characters can take.
const COLUMN_BYTES: usize = COLUMNS * 4;
/// Repetitions of longer secrets are looked for only this far beyond the shown part.
const LONGEST_ECHO: usize = 8192;
/// Shorter secrets are not looked for elsewhere in a line: `id` would be everywhere.
const SHORTEST_ECHO: usize = 4;
/// From this length on a repetition is masked inside words too.
const FREE_ECHO: usize = 8;
/// What stands for a secret that may not be shown at all.
const HIDDEN: &str = "[redacted]";

/// Everything in one content that must not be shown.
pub(super) struct Masks {
    /// Disjoint, ascending.
    spans: Vec<(Span, String)>,
    /// Finds the secrets where they stand a second time without being matched.
    echoes: Option<AhoCorasick>,
    /// Length of the longest secret, at most [`LONGEST_ECHO`].
    reach: usize,
}

/// Whether repetitions of short secrets are masked inside words too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Echo {
    Sensible,
    All,
}

/// Finds `secrets`. Only a few lines are searched with it, so what counts is that it is made fast.
fn searcher(secrets: Vec<&[u8]>) -> Option<AhoCorasick> {
    AhoCorasick::builder().kind(Some(AhoCorasickKind::NoncontiguousNFA)).prefilter(false).build(secrets).ok()
}

impl Masks {
    /// Masks for all of `matches` in `bytes`.
    pub(super) fn new(bytes: &[u8], matches: &[Match], rules: &dyn RuleBook) -> Self {
        let mut spans: Vec<(Span, String)> = matches
            .iter()
            .map(|hit| match hit.decoded {
                Some(_) => (hit.secret, HIDDEN.to_owned()),
                None => (hit.secret, label(rules, hit.rule, hit.secret.of(bytes))),
            })
            .collect();
        sort_masks(&mut spans);
        let mut secrets: Vec<&[u8]> = matches.iter().map(|hit| hit.secret_bytes(bytes)).collect();
        secrets.retain(|secret| secret.len() >= SHORTEST_ECHO);
        secrets.sort_unstable();
        secrets.dedup();
        let reach = secrets.iter().map(|secret| secret.len()).max().unwrap_or(0).min(LONGEST_ECHO);
        // NOTE: building fails only beyond billions of states; without it the spans still mask.
        Self { spans: joined(spans), echoes: searcher(secrets), reach }
    }

    /// The line around `secret`, cut to about [`COLUMNS`] columns.
    pub(super) fn excerpt(&self, bytes: &[u8], lines: &mut Lines<'_>, secret: Span) -> String {
        let mut line = lines.around(secret.start);
        if bytes[line.clone()].ends_with(b"\r") {
            line.end -= 1;
        }
        let visible = Span::new(secret.start, secret.end.min(line.end).max(secret.start + 1));
        self.render(bytes, line, visible, &[], Echo::Sensible)
    }

    /// The decoded line around a secret that was found inside an encoded run.
    pub(super) fn decoded_excerpt(&self, decoded: &Decoded, rules: &dyn RuleBook, rule: u16) -> String {
        let text = &decoded.excerpt;
        let secret = decoded.excerpt_secret;
        let line = Lines::new(text).around(secret.start);
        let mask = (secret, label(rules, rule, decoded.secret.expose()));
        let visible = Span::new(secret.start, secret.end.min(line.end).max(secret.start + 1));
        Self { spans: Vec::new(), echoes: self.echoes.clone(), reach: self.reach }.render(
            text,
            line,
            visible,
            &[mask],
            Echo::All,
        )
    }

    /// `text` (a part of `bytes`) in printable form with every secret masked, uncut.
    pub(super) fn safe_text(&self, bytes: &[u8], text: Range<usize>) -> String {
        let masks = self.masks_in(bytes, &text, &[], Echo::Sensible);
        pieces(bytes, text, &masks)
    }

    fn render(
        &self,
        bytes: &[u8],
        line: Range<usize>,
        secret: Span,
        own: &[(Span, String)],
        echo: Echo,
    ) -> String {
        let shown_from = line.start.max(secret.start.saturating_sub(COLUMN_BYTES));
        let shown_to = line.end.min(secret.end.saturating_add(COLUMN_BYTES));
        let known =
            line.start.max(shown_from.saturating_sub(self.reach))..line.end.min(shown_to + self.reach);
        let masks = self.masks_in(bytes, &known, own, echo);
        // The mask over the secret itself is what the excerpt turns around.
        let pivot = masks.iter().position(|(span, _)| span.end > secret.start).unwrap_or(masks.len());
        let Some((center, shown)) = masks.get(pivot) else {
            // NOTE: the secret's own span is always among the masks; show nothing if it is not.
            return HIDDEN.to_owned();
        };
        let left = pieces(bytes, shown_from.min(center.start)..center.start, &masks);
        let right = pieces(bytes, center.end..shown_to.max(center.end), &masks);
        fit(
            if shown_from == line.start { left.trim_start() } else { &left },
            shown_from > line.start,
            shown,
            if shown_to == line.end { right.trim_end() } else { &right },
            shown_to < line.end,
        )
    }

    /// All masks that touch `window`, clipped to it, disjoint and ascending.
    fn masks_in(
        &self,
        bytes: &[u8],
        window: &Range<usize>,
        own: &[(Span, String)],
        echo: Echo,
    ) -> Vec<(Span, String)> {
        let whole = Span::new(window.start, window.end);
        let first = self.spans.partition_point(|(span, _)| span.end <= window.start);
        let known = self.spans[first..].iter().take_while(|(span, _)| span.start < window.end);
        let mut masks: Vec<(Span, String)> =
            known.chain(own).map(|(span, text)| (*span, text.clone())).collect();
        if let Some(echoes) = &self.echoes {
            let text = &bytes[window.clone()];
            for found in echoes.find_overlapping_iter(text) {
                if echo == Echo::All || found.len() >= FREE_ECHO || stands_alone(text, found.range()) {
                    let span = Span::new(window.start + found.start(), window.start + found.end());
                    masks.push((span, HIDDEN.to_owned()));
                }
            }
        }
        for (span, _) in &mut masks {
            *span = Span::new(span.start.max(whole.start), span.end.min(whole.end));
        }
        masks.retain(|(span, _)| !span.is_empty());
        sort_masks(&mut masks);
        joined(masks)
    }
}

/// By start, the longest first; among equals a label that shows a prefix before one that hides all.
fn sort_masks(masks: &mut [(Span, String)]) {
    masks.sort_by(|a, b| {
        (a.0.start, b.0.end, a.1 == HIDDEN, &a.1).cmp(&(b.0.start, a.0.end, b.1 == HIDDEN, &b.1))
    });
}

/// What is shown in place of a secret.
fn label(rules: &dyn RuleBook, rule: u16, secret: &[u8]) -> String {
    Secret::new(secret).redacted(redaction(rules, rule, secret))
}

/// Joins overlapping masks. A mask keeps its label as long as it covers all that it was joined
/// with, since a label speaks of its own bytes only.
fn joined(masks: Vec<(Span, String)>) -> Vec<(Span, String)> {
    let mut out: Vec<(Span, String)> = Vec::with_capacity(masks.len());
    for (span, text) in masks {
        match out.last_mut() {
            Some((last, shown)) if span.start < last.end => {
                if span.end > last.end {
                    last.end = span.end;
                    shown.clear();
                    shown.push_str(HIDDEN);
                }
            }
            _ => out.push((span, text)),
        }
    }
    out
}

/// Whether the bytes beside `range` do not continue a word.
fn stands_alone(text: &[u8], range: Range<usize>) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    !word(range.start.checked_sub(1).and_then(|at| text.get(at))) && !word(text.get(range.end))
}

/// Printable text of `range` with the masks put in.
fn pieces(bytes: &[u8], range: Range<usize>, masks: &[(Span, String)]) -> String {
    let mut out = String::new();
    let mut at = range.start;
    let first = masks.partition_point(|(span, _)| span.end <= range.start);
    for (span, text) in masks[first..].iter().take_while(|(span, _)| span.start < range.end) {
        if span.start > at {
            push_printable(&mut out, &bytes[at..span.start]);
        }
        out.push_str(text);
        at = span.end.max(at);
    }
    if at < range.end {
        push_printable(&mut out, &bytes[at..range.end]);
    }
    out
}

/// Appends `bytes` as text that cannot move, hide or reorder anything on a screen.
pub(super) fn push_printable(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => out.push(' '),
                c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
                c if is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

/// Characters without a shape of their own: direction marks, zero widths, line separators, tags.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
        | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

/// Puts the parts together in about [`COLUMNS`] columns, the secret always among them.
fn fit(left: &str, left_cut: bool, secret: &str, right: &str, right_cut: bool) -> String {
    let count = |text: &str| text.chars().count();
    let room = COLUMNS.saturating_sub(count(secret)).max(COLUMNS / 4);
    let (left_len, right_len) = (count(left), count(right));
    let left_room = left_len.min((room / 2).max(room.saturating_sub(right_len)));
    let right_room = right_len.min(room - left_room);
    let mut out = String::new();
    if left_cut || left_room < left_len {
        out.push('…');
    }
    out.extend(left.chars().skip(left_len - left_room));
    out.push_str(secret);
    out.extend(right.chars().take(right_room));
    if right_cut || right_room < right_len {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Checksum, Confidence};
    use crate::triage::testing::{ACME, Book, PASSWORD, acme, hits};

    /// The excerpt around the first of `matches`.
    fn excerpt(text: &[u8], matches: &[Match]) -> String {
        let masks = Masks::new(text, matches, &Book::standard());
        masks.excerpt(text, &mut Lines::new(text), matches[0].secret)
    }

    #[test]
    fn every_secret_of_the_line_is_masked() {
        let token = acme(0);
        let text = format!("before\n  a = \"{token}\"; pw = 'hunter22'; # was hunter22\nafter");
        let mut matches = hits(text.as_bytes(), ACME, &token);
        let end = token.chars().last().unwrap().to_string().repeat(4);
        // The second `hunter22` is no match and is masked all the same.
        matches.extend(hits(text.as_bytes(), PASSWORD, "hunter22").into_iter().take(1));
        let shown = format!("a = \"acme_…{end}\"; pw = '[redacted]'; # was [redacted]");
        assert_eq!(excerpt(text.as_bytes(), &matches), shown);
    }

    #[test]
    fn short_secrets_are_masked_again_only_as_words() {
        let text = b"rooted root = root";
        let at = text.len() - 4;
        let matches: Vec<Match> =
            hits(text, PASSWORD, "root").into_iter().filter(|hit| hit.secret.start == at).collect();
        assert_eq!(excerpt(text, &matches), "rooted [redacted] = [redacted]");
    }

    #[test]
    fn overlapping_secrets_leave_nothing_over() {
        let text = b"x = abcdefghij end";
        let mut matches = hits(text, PASSWORD, "abcdefg");
        matches.extend(hits(text, ACME, "efghij"));
        assert_eq!(excerpt(text, &matches), "x = [redacted] end");
        matches.reverse();
        assert_eq!(excerpt(text, &matches), "x = [redacted] end");
    }

    #[test]
    fn long_lines_are_cut_around_the_secret() {
        let text = format!("{}SECRETVALUE{}", "a".repeat(5000), "b".repeat(5000));
        let shown = excerpt(text.as_bytes(), &hits(text.as_bytes(), PASSWORD, "SECRETVALUE"));
        assert!(shown.starts_with("…a") && shown.ends_with("b…"), "{shown}");
        assert!(shown.contains("a[redacted]b"), "{shown}");
        assert_eq!(shown.chars().count(), COLUMNS + 2);
        let text = format!("SECRETVALUE{}", "b".repeat(5000));
        let shown = excerpt(text.as_bytes(), &hits(text.as_bytes(), PASSWORD, "SECRETVALUE"));
        assert_eq!(shown.chars().count(), COLUMNS + 1, "an unused left side is given to the right");
    }

    #[test]
    fn a_repetition_cut_by_the_window_is_masked() {
        // The same secret once more, so far right that the shown part would end inside it.
        let secret = ["Tr0ub4dor", "-and-", "3-more"].concat();
        let secret = secret.as_str();
        for gap in 600..660 {
            let text = format!("{secret}{}{secret}", ".".repeat(gap));
            let first = hits(text.as_bytes(), PASSWORD, secret).remove(0);
            let masks = Masks::new(text.as_bytes(), std::slice::from_ref(&first), &Book::standard());
            let line = pieces(
                text.as_bytes(),
                0..(COLUMN_BYTES + secret.len()).min(text.len()),
                &masks.masks_in(text.as_bytes(), &(0..text.len()), &[], Echo::Sensible),
            );
            assert!(!line.contains("Tr0"), "{gap}: {line}");
        }
    }

    #[test]
    fn nothing_invisible_gets_through() {
        let text = "a\u{1b}[31m\u{202e}\tx = SECRETVALUE\r".as_bytes();
        let shown = excerpt(text, &hits(text, PASSWORD, "SECRETVALUE"));
        assert_eq!(shown, "a\\x1b[31m\\u{202e} x = [redacted]", "the line end is no content");
        let text = b"\xff\xfe SECRETVALUE";
        assert_eq!(excerpt(text, &hits(text, PASSWORD, "SECRETVALUE")), "\\xff\\xfe [redacted]");
    }

    #[test]
    fn secrets_of_several_lines_show_their_first() {
        let text = b"key: |\n  LINE-ONE-OF-IT\n  LINE-TWO-OF-IT\nend";
        let secret = "LINE-ONE-OF-IT\n  LINE-TWO-OF-IT";
        assert_eq!(excerpt(text, &hits(text, PASSWORD, secret)), "[redacted]");
    }

    #[test]
    fn decoded_secrets_show_the_decoded_line() {
        let token = acme(1);
        let inner = format!("user=me\ntoken={token} id=xyz\n");
        let at = inner.find(&token).unwrap();
        let decoded = Decoded {
            chain: vec!["base64"],
            secret: Secret::new(token.as_bytes()),
            excerpt: inner.clone().into_bytes(),
            excerpt_secret: Span::new(at, at + token.len()),
        };
        let hit = Match {
            rule: ACME,
            trigger: 0,
            span: Span::new(0, 8),
            secret: Span::new(0, 8),
            confidence: Confidence::High,
            checksum: Checksum::Absent,
            decoded: Some(Box::new(decoded.clone())),
            traits: 0,
        };
        let masks = Masks::new(b"QUJDREVG", std::slice::from_ref(&hit), &Book::standard());
        assert_eq!(masks.decoded_excerpt(&decoded, &Book::standard(), ACME), "token=acme_…bbbb id=xyz");
    }

    proptest::proptest! {
        #[test]
        fn no_excerpt_shows_a_secret(
            text in "[st.\n]{40,900}",
            places in proptest::collection::vec((0_usize..900, 8_usize..40, 0_u16..2), 1..5),
        ) {
            // Few letters, none of an escape, so that secrets repeat, overlap and span lines.
            let bytes = text.as_bytes();
            let matches: Vec<Match> = places
                .iter()
                .map(|&(at, len, rule)| {
                    let start = at % (bytes.len() - 8);
                    let span = Span::new(start, bytes.len().min(start + len));
                    Match { rule, span, secret: span, trigger: start, ..hits(b"x", rule, "x").remove(0) }
                })
                .collect();
            let masks = Masks::new(bytes, &matches, &Book::standard());
            for hit in &matches {
                let shown = masks.excerpt(bytes, &mut Lines::new(bytes), hit.secret);
                for secret in matches.iter().map(|other| &text[other.secret.start..other.secret.end]) {
                    proptest::prop_assert!(!shown.contains(secret), "{secret:?} in {shown:?}");
                }
                let whole = masks.safe_text(bytes, 0..bytes.len());
                let mut plain = String::new();
                push_printable(&mut plain, hit.secret.of(bytes));
                proptest::prop_assert!(!whole.contains(&plain), "{plain:?} in {whole:?}");
            }
        }
    }
}
