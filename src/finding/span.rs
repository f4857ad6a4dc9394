//! Places inside one piece of content.

/// Byte range inside one [`Chunk`](crate::chunk::Chunk), half-open: `[start, end)`.
///
/// Offsets count bytes of the content *as scanned* (after transcoding to UTF-8).
/// Invariant, kept by the engine: `start < end <= content length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte of the range.
    pub start: usize,
    /// One past the last byte of the range.
    pub end: usize,
}

impl Span {
    /// A span over `[start, end)`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Number of bytes covered.
    #[must_use]
    pub const fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span covers nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Whether the two spans share at least one byte.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside this span.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The bytes of `content` the span covers.
    #[must_use]
    pub fn of(self, content: &[u8]) -> &[u8] {
        &content[self.start..self.end]
    }
}

/// A point in a text: 1-based line, and 1-based columns in the two units reports need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// 1-based line number; lines end at LF (a CR before it belongs to the line end).
    pub line: usize,
    /// 1-based column counted in bytes.
    pub column: usize,
    /// 1-based column counted in UTF-16 code units, as SARIF and editors count.
    /// Bytes that are not UTF-8 count as one unit each.
    pub column_utf16: usize,
}

/// Where a secret stands in a text: its first byte and one past its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// Position of the first byte.
    pub start: Position,
    /// Position just behind the last byte (exclusive, as SARIF's `endColumn`).
    pub end: Position,
}
