//! Offsets to lines and columns, in one pass over the content.
//!
//! Only as far as the last match, and without a table of lines: content without matches, which
//! is nearly all of it, costs nothing.

use crate::chunk::{Chunk, Window};
use crate::finding::{Position, Region, Span};

/// Positions of `offsets`, which must ascend; each is an index into the chunk's bytes.
fn positions(chunk: &Chunk<'_>, offsets: &[usize]) -> Vec<Position> {
    let Window { first_line, first_column, first_column_utf16, .. } = chunk.window;
    let mut here = Position { line: first_line, column: first_column, column_utf16: first_column_utf16 };
    let mut at = 0;
    let mut found = Vec::with_capacity(offsets.len());
    for &offset in offsets {
        let passed = &chunk.bytes[at..offset];
        if let Some(last) = memchr::memrchr(b'\n', passed) {
            here.line += memchr::memchr_iter(b'\n', passed).count();
            (here.column, here.column_utf16) = (1, 1);
            at += last + 1;
        }
        let rest = &chunk.bytes[at..offset];
        here.column += rest.len();
        here.column_utf16 += utf16_units(rest);
        at = offset;
        found.push(here);
    }
    found
}

/// Regions of `spans`, in their order.
pub(super) fn regions(chunk: &Chunk<'_>, spans: &[Span]) -> Vec<Region> {
    let mut offsets: Vec<usize> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let places = positions(chunk, &offsets);
    let place = |offset: usize| match offsets.binary_search(&offset) {
        Ok(index) => places[index],
        // NOTE: every end of every span was put into `offsets` above.
        Err(_) => unreachable!("offset of a span was not located"),
    };
    spans.iter().map(|span| Region { start: place(span.start), end: place(span.end) }).collect()
}

/// Length in UTF-16 code units; a byte that is not UTF-8 counts as one.
fn utf16_units(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    bytes.utf8_chunks().map(|chunk| chunk.valid().encode_utf16().count() + chunk.invalid().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::Encoding;
    use crate::finding::Origin;

    fn chunk<'a>(bytes: &'a [u8], origin: &'a Origin) -> Chunk<'a> {
        Chunk::whole(bytes, origin, Encoding::Plain)
    }

    #[test]
    fn columns_count_bytes_and_utf16_units() {
        let origin = Origin::Stdin { name: None };
        let text = "a\r\nü𝄞x\n\nlast".as_bytes();
        let x = text.iter().position(|&b| b == b'x').unwrap();
        let last = text.len() - 4;
        let found = regions(&chunk(text, &origin), &[Span::new(last, text.len()), Span::new(x, x + 1)]);
        assert_eq!(found[0].start, Position { line: 4, column: 1, column_utf16: 1 });
        assert_eq!(found[0].end, Position { line: 4, column: 5, column_utf16: 5 });
        // ü is two bytes and one unit, the clef four bytes and two units.
        assert_eq!(found[1].start, Position { line: 2, column: 7, column_utf16: 4 });
    }

    #[test]
    fn bytes_that_are_no_utf8_count_one_each() {
        let origin = Origin::Stdin { name: None };
        let found = regions(&chunk(b"\xff\xfex", &origin), &[Span::new(2, 3)]);
        assert_eq!(found[0].start, Position { line: 1, column: 3, column_utf16: 3 });
    }

    #[test]
    fn windows_go_on_where_their_content_left_off() {
        let origin = Origin::Stdin { name: None };
        let window = Window {
            offset: 100,
            first_line: 7,
            first_column: 11,
            first_column_utf16: 9,
            own_start: 0,
            own_end: 5,
        };
        let chunk = Chunk { window, ..chunk(b"ab\nc", &origin) };
        let found = regions(&chunk, &[Span::new(1, 2), Span::new(3, 4)]);
        assert_eq!(found[0].start, Position { line: 7, column: 12, column_utf16: 10 });
        assert_eq!(found[1].start, Position { line: 8, column: 1, column_utf16: 1 });
    }
}
