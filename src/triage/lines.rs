//! The lines that matches stand on, each looked for once.

use std::collections::BTreeMap;
use std::ops::Range;

/// Finds and remembers line bounds, so that many matches on one very long line cost one look.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    /// Start of a known line → its end, without the line feed.
    known: BTreeMap<usize, usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, known: BTreeMap::new() }
    }

    /// The line that holds the byte at `offset`, without its line feed.
    pub(super) fn around(&mut self, offset: usize) -> Range<usize> {
        if let Some((&start, &end)) = self.known.range(..=offset).next_back()
            && offset <= end
        {
            return start..end;
        }
        let start = memchr::memrchr(b'\n', &self.bytes[..offset]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &self.bytes[offset..]).map_or(self.bytes.len(), |at| offset + at);
        self.known.insert(start, end);
        start..end
    }

    /// The line before the one that starts at `start`.
    pub(super) fn above(&mut self, start: usize) -> Option<Range<usize>> {
        start.checked_sub(1).map(|line_feed| self.around(line_feed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_lines_and_the_ones_above() {
        let mut lines = Lines::new(b"one\n\nthree");
        assert_eq!(lines.around(7), 5..10);
        assert_eq!(lines.above(5), Some(4..4));
        assert_eq!(lines.above(4), Some(0..3));
        assert_eq!(lines.above(0), None);
        assert_eq!(lines.around(3), 0..3, "a line feed belongs to the line it ends");
        assert_eq!(lines.around(6), 5..10);
    }
}
