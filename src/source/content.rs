//! Hands content to a sink: transcoded where needed, whole where possible, in windows where it
//! is very large.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::archive::{self, Opener};
use super::text::{self, Coding, Transcoder};
use crate::chunk::{Chunk, Encoding, Window};
use crate::finding::Origin;

/// How content too large to hold is cut.
///
/// `overlap` must be at least the farthest a match may read left or right of its trigger, so
/// that what a window finds does not depend on where it was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Content of at most this many bytes is handed over whole.
    pub whole_up_to: usize,
    /// Bytes whose triggers one window owns.
    pub size: usize,
    /// Bytes before and after them that matches may read.
    pub overlap: usize,
}

impl Default for Windows {
    /// Whole up to 64 MiB, else windows of 8 MiB with a good MiB on either side: what is encoded
    /// is decoded as a whole.
    fn default() -> Self {
        Self { whole_up_to: 64 << 20, size: 8 << 20, overlap: (1 << 20) + (64 << 10) }
    }
}

/// Bytes read at a time from large content.
const PIECE: usize = 1 << 20;

/// Largest buffer kept from one file to the next.
const KEPT_BUFFER: usize = 16 << 20;

/// Takes content of one side (scanned or base) and hands it over as chunks.
#[derive(Clone, Copy)]
pub(crate) struct Feeder<'a> {
    emit: &'a (dyn Fn(Chunk<'_>) -> bool + Sync),
    windows: Windows,
    opener: Option<&'a Opener<'a>>,
}

impl<'a> Feeder<'a> {
    /// Hands chunks to `emit`, which tells whether something was found.
    pub(crate) fn new(emit: &'a (dyn Fn(Chunk<'_>) -> bool + Sync), windows: Windows) -> Self {
        Self { emit, windows, opener: None }
    }

    /// How `content`, which may be known to be plain text, is written, if it is handed over as it is and
    /// in one piece.
    pub(crate) fn as_it_is(&self, content: &[u8], is_plain: bool) -> Option<Encoding> {
        let detect = || if is_plain { text::Coding::Plain } else { text::detect(content) };
        let coding = (content.len() <= self.windows.whole_up_to).then(detect)?;
        (coding.unit() == 1).then(|| coding.encoding())
    }

    /// Opens containers, too.
    pub(crate) fn opening(self, opener: &'a Opener<'a>) -> Self {
        Self { opener: Some(opener), ..self }
    }

    /// Hands over one chunk as it is.
    pub(crate) fn emit(&self, chunk: Chunk<'_>) -> bool {
        (self.emit)(chunk)
    }

    /// Hands over content that is in memory: the members of containers, all else as it is. True
    /// when something was found.
    pub(crate) fn bytes(&self, content: &[u8], origin: &Origin) -> bool {
        self.opener
            .and_then(|opener| opener.open(self, content, origin))
            .unwrap_or_else(|| self.plain(content, origin))
    }

    /// Hands over a part of a container's own bytes, in its place.
    pub(crate) fn region(&self, content: &[u8], range: Range<usize>, origin: &Origin) -> bool {
        let mut found = false;
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(self.windows.whole_up_to.max(1)));
            let from = range.start.max(start.saturating_sub(self.windows.overlap));
            let to = range.end.min(end.saturating_add(self.windows.overlap));
            let window = Window {
                offset: from as u64,
                own_start: start - from,
                own_end: end - from,
                ..Window::whole(0)
            };
            let encoding = Encoding::Binary;
            found |= (self.emit)(Chunk { bytes: &content[from..to], origin, encoding, window });
            start = end;
        }
        found
    }

    /// Hands over content of any size that begins with `head`, in windows; whether something was
    /// found, and how reading went.
    pub(crate) fn windows(
        &self,
        head: &[u8],
        reader: &mut dyn Read,
        origin: &Origin,
    ) -> (bool, io::Result<()>) {
        let mut stream = Stream::new(*self, origin, text::detect(head));
        stream.push(head);
        let mut piece = Vec::new();
        loop {
            piece.clear();
            let outcome = reader.take(PIECE as u64).read_to_end(&mut piece);
            stream.push(&piece);
            match outcome {
                Ok(0) => return (stream.finish(), Ok(())),
                Ok(_) => {}
                Err(error) => return (stream.finish(), Err(error)),
            }
        }
    }

    /// Hands over content that is in memory and no container, or not to be opened.
    pub(crate) fn plain(&self, content: &[u8], origin: &Origin) -> bool {
        if content.len() > self.windows.whole_up_to {
            let mut stream = Stream::new(*self, origin, text::detect(content));
            content.chunks(PIECE).for_each(|piece| stream.push(piece));
            return stream.finish();
        }
        let (decoded, encoding) = text::decode(content);
        let mut found = (self.emit)(Chunk::whole(&decoded, origin, encoding));
        if matches!(encoding, Encoding::Transcoded(_)) && text::hides_ascii(content) {
            found |= (self.emit)(Chunk::whole(content, origin, Encoding::Binary));
        }
        found
    }

    /// Hands over content of `size` bytes that is too large to be held: whether something was found, and how
    /// many bytes were read.
    pub(crate) fn large(&self, reader: &mut dyn Read, size: u64, origin: &Origin) -> (bool, io::Result<u64>) {
        let found = AtomicBool::new(false);
        let emit = |chunk: Chunk<'_>| {
            let is_found = (self.emit)(chunk);
            found.fetch_or(is_found, Ordering::Relaxed);
            is_found
        };
        let outcome = Feeder { emit: &emit, ..*self }.reader(reader, Some(size), origin, &mut Vec::new());
        (found.into_inner(), outcome)
    }

    /// Hands over what `reader` delivers, and tells how many bytes that were.
    ///
    /// `expected` is the size if it is known; it need not be right. `buffer` is reused.
    ///
    /// # Errors
    /// When reading fails; what was read before that has been handed over all the same, but for
    /// the last window of large content.
    pub(crate) fn reader(
        &self,
        reader: &mut dyn Read,
        expected: Option<u64>,
        origin: &Origin,
        buffer: &mut Vec<u8>,
    ) -> io::Result<u64> {
        buffer.clear();
        buffer.shrink_to(KEPT_BUFFER);
        let whole = self.windows.whole_up_to as u64;
        let first = match expected {
            Some(len) if len > whole => PIECE as u64,
            Some(len) => {
                buffer.reserve(len as usize + 1);
                whole + 1
            }
            None => whole + 1,
        };
        let outcome = reader.take(first).read_to_end(buffer);
        let mut read = buffer.len() as u64;
        if read < first || outcome.is_err() {
            self.bytes(buffer, origin);
            return outcome.map(|_| read);
        }
        let head = &buffer[..buffer.len().min(archive::HEAD)];
        let container = self.opener.and_then(|opener| Some((opener, opener.streamed(head)?)));
        if let Some((opener, format)) = container {
            let more = Cell::new(0);
            let mut content = (&buffer[..]).chain(reader);
            opener.open_stream(self, format, &mut content, expected, origin, &more);
            return Ok(more.get().max(read));
        }
        if let Some(opener) = self.opener {
            opener.too_large(head, origin);
        }
        let mut stream = Stream::new(*self, origin, text::detect(buffer));
        stream.push(buffer);
        loop {
            buffer.clear();
            let more = reader.take(PIECE as u64).read_to_end(buffer)?;
            if more == 0 {
                stream.finish();
                return Ok(read);
            }
            read += more as u64;
            stream.push(buffer);
        }
    }
}

/// Large content on its way: as text, and for wide encodings also as the raw bytes, since there
/// is no telling beforehand whether all of it is what its start promised.
struct Stream<'a> {
    transcoder: Transcoder,
    text: Windower<'a>,
    raw: Option<Windower<'a>>,
    piece: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(feeder: Feeder<'a>, origin: &'a Origin, coding: Coding) -> Self {
        Self {
            transcoder: Transcoder::new(coding),
            text: Windower::new(feeder, origin, coding.encoding()),
            raw: (coding.unit() > 1).then(|| Windower::new(feeder, origin, Encoding::Binary)),
            piece: Vec::new(),
        }
    }

    fn push(&mut self, piece: &[u8]) {
        match &mut self.raw {
            None => self.text.push(piece),
            Some(raw) => {
                raw.push(piece);
                self.piece.clear();
                self.transcoder.push(piece, &mut self.piece);
                self.text.push(&self.piece);
            }
        }
    }

    fn finish(mut self) -> bool {
        self.piece.clear();
        self.transcoder.finish(&mut self.piece);
        self.text.push(&self.piece);
        let found = self.text.finish();
        self.raw.is_some_and(Windower::finish) || found
    }
}

/// Cuts a stream of bytes into overlapping windows.
struct Windower<'a> {
    feeder: Feeder<'a>,
    origin: &'a Origin,
    encoding: Encoding,
    buffer: Vec<u8>,
    /// Place of `buffer[0]`, and where in it the next window's own triggers begin.
    window: Window,
    found: bool,
}

impl<'a> Windower<'a> {
    fn new(feeder: Feeder<'a>, origin: &'a Origin, encoding: Encoding) -> Self {
        Self { feeder, origin, encoding, buffer: Vec::new(), window: Window::whole(0), found: false }
    }

    fn push(&mut self, mut piece: &[u8]) {
        let Windows { size, overlap, .. } = self.feeder.windows;
        while !piece.is_empty() {
            let full = self.window.own_start + size + overlap;
            let (now, later) = piece.split_at(piece.len().min(full - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            piece = later;
            if self.buffer.len() == full {
                self.emit(self.window.own_start + size);
                self.advance();
            }
        }
    }

    fn finish(mut self) -> bool {
        self.emit(self.buffer.len());
        self.found
    }

    fn emit(&mut self, own_end: usize) {
        self.window.own_end = own_end;
        let (origin, encoding, window) = (self.origin, self.encoding, self.window);
        self.found |= (self.feeder.emit)(Chunk { bytes: &self.buffer, origin, encoding, window });
    }

    /// Drops what the next window cannot reach, at a character's start.
    fn advance(&mut self) {
        let own_end = self.window.own_end;
        let mut cut = own_end.saturating_sub(self.feeder.windows.overlap);
        while cut > 0 && own_end - cut < self.feeder.windows.overlap + 3 && self.buffer[cut] & 0xc0 == 0x80 {
            cut -= 1;
        }
        let dropped = &self.buffer[..cut];
        let line = match memchr::memrchr(b'\n', dropped) {
            Some(end) => {
                self.window.first_line += memchr::memchr_iter(b'\n', dropped).count();
                self.window.first_column = 1;
                self.window.first_column_utf16 = 1;
                &dropped[end + 1..]
            }
            None => dropped,
        };
        self.window.first_column += line.len();
        self.window.first_column_utf16 += utf16_len(line);
        self.window.offset += cut as u64;
        self.window.own_start = own_end - cut;
        self.buffer.drain(..cut);
    }
}

/// Length in UTF-16 code units; bytes that are not UTF-8 count one each.
fn utf16_len(bytes: &[u8]) -> usize {
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().map(char::len_utf16).sum::<usize>() + chunk.invalid().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    type Seen = (Vec<u8>, Window, Encoding);

    fn feed(content: &[u8], windows: Windows, expected: Option<u64>) -> Vec<Seen> {
        let seen = Mutex::new(Vec::new());
        let emit = |chunk: Chunk<'_>| {
            seen.lock().expect("no panic").push((chunk.bytes.to_vec(), chunk.window, chunk.encoding));
            false
        };
        let origin = Origin::Stdin { name: None };
        let read = Feeder::new(&emit, windows)
            .reader(&mut &*content, expected, &origin, &mut Vec::new())
            .expect("memory reads");
        assert_eq!(read, content.len() as u64);
        seen.into_inner().expect("no panic")
    }

    const SMALL: Windows = Windows { whole_up_to: 10, size: 16, overlap: 5 };

    #[test]
    fn small_content_is_one_chunk() {
        let seen = feed(b"0123456789", SMALL, Some(10));
        assert_eq!(seen, [(b"0123456789".to_vec(), Window::whole(10), Encoding::Plain)]);
    }

    #[test]
    fn a_wide_file_with_ascii_inside_is_scanned_both_ways() {
        let seen = feed(b"\xff\xfeabcdefghijklmnopqrstuvwx", Windows::default(), None);
        let kinds: Vec<Encoding> = seen.iter().map(|s| s.2).collect();
        assert_eq!(kinds, [Encoding::Transcoded("utf-16le"), Encoding::Binary]);
    }

    proptest! {
        /// Every byte is owned once, and a window's place is what counting from the start gives.
        #[test]
        fn windows_cover_everything_once(
            text in "[a-zé😀\n]{8,120}", lie in prop::option::of(0u64..200)
        ) {
            let content = text.as_bytes();
            let seen = feed(content, SMALL, lie);
            let mut next = 0;
            for (bytes, window, _) in &seen {
                let start = window.offset as usize;
                prop_assert_eq!(&content[start..start + bytes.len()], &bytes[..]);
                prop_assert_eq!(start + window.own_start, next);
                prop_assert!(window.own_start >= SMALL.overlap.min(next));
                let end = start + window.own_end;
                prop_assert!(start + bytes.len() >= (end + SMALL.overlap).min(content.len()));
                next = end;
                let before = &content[..start];
                let line = &before[before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1)..];
                prop_assert_eq!(window.first_line, 1 + before.iter().filter(|&&b| b == b'\n').count());
                prop_assert_eq!(window.first_column, 1 + line.len());
                prop_assert_eq!(window.first_column_utf16, 1 + utf16_len(line));
            }
            prop_assert_eq!(next, content.len());
        }
    }
}
