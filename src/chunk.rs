//! Content on its way from a source to the engine.

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

/// Bytes to scan and where they came from.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The content as scanned.
    pub bytes: &'a [u8],
    /// Where it came from.
    pub origin: &'a Origin,
    /// What it was before.
    pub encoding: Encoding,
}
