//! Blocks of allowed lines: from `keycull:allow-begin[rule] until=2027-01-31 -- reason` to
//! `keycull:allow-end`.
//!
//! An end closes the block that was opened last. A block that is never closed does not hold: a
//! lost line must not silence the rest of a file.

use std::ops::Range;

use super::marker::{self, Found};

/// Before `begin` and `end`.
const NAME: &str = "keycull:allow-";
const BEGIN: &str = "begin";
const END: &str = "end";
/// Blocks read from one content; more are noise.
const MOST: usize = 1000;

/// A stretch of text that a marker speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// From the first byte of the marker that begins it to that of the one that ends it.
    pub(super) range: Range<usize>,
    /// What the first marker says; faulty when there is no end.
    pub(super) found: Found,
}

/// All blocks of `bytes`, by where they begin. `line_around` gives the line that holds a place.
pub(super) fn find(bytes: &[u8], mut line_around: impl FnMut(usize) -> Range<usize>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for at in memchr::memmem::find_iter(bytes, NAME) {
        let word = at + NAME.len();
        if at.checked_sub(1).is_some_and(|before| marker::is_word(bytes[before])) {
            continue;
        }
        if is(bytes, word, BEGIN) && blocks.len() < MOST {
            let mut found =
                marker::colon_form(bytes, line_around(at), at, word + BEGIN.len(), "keycull:allow");
            let closed = found.allow.fault.take();
            found.allow.fault =
                Some(closed.unwrap_or_else(|| "its block has no keycull:allow-end".to_owned()));
            open.push(blocks.len());
            blocks.push(Block { range: at..bytes.len(), found });
        } else if is(bytes, word, END)
            && let Some(last) = open.pop()
        {
            let block = &mut blocks[last];
            block.range.end = at;
            let of_end = |fault: &mut String| fault.starts_with("its block has no");
            block.found.allow.fault.take_if(of_end);
        }
    }
    blocks
}

/// Whether `word` stands at `at`, whole.
fn is(bytes: &[u8], at: usize, word: &str) -> bool {
    bytes[at..].starts_with(word.as_bytes())
        && !bytes.get(at + word.len()).is_some_and(|&byte| marker::is_word(byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<(String, bool)> {
        let around = |at: usize| {
            let start = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
            start..text[at..].find('\n').map_or(text.len(), |feed| at + feed)
        };
        let found = find(text.as_bytes(), around);
        found.iter().map(|b| (text[b.range.clone()].to_owned(), b.found.allow.fault.is_none())).collect()
    }

    #[test]
    fn a_block_goes_from_its_beginning_to_its_end() {
        let text = "a\n# keycull:allow-begin[x] -- samples\nb\n# keycull:allow-end\nc\n";
        assert_eq!(blocks(text), [("keycull:allow-begin[x] -- samples\nb\n# ".to_owned(), true)]);
    }

    #[test]
    fn blocks_nest_and_open_ones_do_not_hold() {
        let text = "keycull:allow-begin 1\nkeycull:allow-begin 2\nx\nkeycull:allow-end\ny\n";
        let found = blocks(text);
        assert_eq!(found.iter().map(|block| block.1).collect::<Vec<_>>(), [false, true]);
        assert!(found[1].0.ends_with("x\n"));
    }

    #[test]
    fn other_words_and_faulty_rules_are_no_blocks() {
        assert_eq!(blocks("keycull:allow-beginning\nkeycull:allow-end\n"), []);
        assert_eq!(blocks("keycull:allow-end\n"), []);
        let faulty = blocks("keycull:allow-begin[]\nkeycull:allow-end\n");
        assert_eq!(faulty.len(), 1);
        assert!(!faulty[0].1, "an empty rule list is a fault, closed or not");
    }
}
