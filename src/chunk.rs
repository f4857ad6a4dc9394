//! Content on its way from a source to the engine.

use std::ops::Range;

use crate::finding::Origin;

/// What the bytes of a chunk were before they became UTF-8 (or stayed raw).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// Text or anything ASCII-compatible, scanned as it is.
    Plain,
    /// UTF-16 or UTF-32, transcoded; offsets count the transcoded bytes.
    Transcoded(&'static str),
    /// Binary content: scanned for tokens and blocks, lines have no meaning.
    Binary,
}

/// Which part of a large content a chunk holds, and which triggers are its own.
///
/// Neighbouring windows overlap, so that a match may read beyond its trigger on both sides; each
/// trigger is owned by exactly one window. Positions inside the chunk become positions in the
/// whole content by adding `offset`, `first_line - 1` and, on the first line, `first_column - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Offset of the chunk's first byte in the whole content (as scanned, after transcoding).
    pub offset: u64,
    /// 1-based number of the line that the chunk's first byte is on.
    pub first_line: usize,
    /// 1-based byte column of the chunk's first byte on that line; 1 at a line start.
    pub first_column: usize,
    /// 1-based UTF-16 column of the chunk's first byte; bytes that are not UTF-8 count one each.
    pub first_column_utf16: usize,
    /// Index in `bytes` of the first trigger this window owns.
    pub own_start: usize,
    /// One past the last index in `bytes` at which a trigger of this window may start.
    pub own_end: usize,
}

impl Window {
    /// The window that is the whole of a content of `len` bytes.
    #[must_use]
    pub const fn whole(len: usize) -> Self {
        Self { offset: 0, first_line: 1, first_column: 1, first_column_utf16: 1, own_start: 0, own_end: len }
    }

    /// The range of trigger positions this window owns, as indices into the chunk's bytes.
    #[must_use]
    pub const fn own(&self) -> Range<usize> {
        self.own_start..self.own_end
    }
}

/// Bytes to scan and where they came from.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The content as scanned.
    pub bytes: &'a [u8],
    /// Where it came from.
    pub origin: &'a Origin,
    /// What it was before.
    pub encoding: Encoding,
    /// Which part of the content this is; the whole of it unless the content is very large.
    pub window: Window,
}

impl<'a> Chunk<'a> {
    /// A chunk that is the whole content.
    #[must_use]
    pub const fn whole(bytes: &'a [u8], origin: &'a Origin, encoding: Encoding) -> Self {
        Self { bytes, origin, encoding, window: Window::whole(bytes.len()) }
    }

    /// Whether this is the whole content and every trigger in it is owned.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.window == Window::whole(self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_chunk_owns_all_its_triggers() {
        let origin = Origin::Stdin { name: None };
        let chunk = Chunk::whole(b"abc", &origin, Encoding::Plain);
        assert!(chunk.is_whole());
        assert_eq!(chunk.window.own(), 0..3);
        let cut = Chunk { window: Window { own_end: 2, ..chunk.window }, ..chunk };
        assert!(!cut.is_whole());
    }
}
