//! The way through a container: each member to the sink, or into the next container.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read};

use super::budget::{Account, Metered, Stop};
use super::format::{Format, HEAD};
use super::{ar, compressed, cpio, git_pack, pdf, plist, rpm, sevenz, sqlite, tar, zip};
use crate::chunk::{Chunk, Encoding};
use crate::finding::{Coverage, GapKind, Origin, RepoPath, SkipReason};
use crate::source::content::Feeder;

/// Members up to this size are held whole; larger ones go through in windows.
const WHOLE: u64 = 8 << 20;
/// Gaps of one container that are told one by one.
const MOST_GAPS: u64 = 20;
/// Bytes of member names that are held before they are scanned.
const NAMES: usize = 1 << 20;
/// Path of what a compressed file holds when that is no container.
const CONTENT: &[u8] = b"content";

/// One container being read, with all that is nested in it.
pub(super) struct Walk<'w> {
    feeder: &'w Feeder<'w>,
    pub(super) account: &'w Account<'w>,
    notes: RefCell<Coverage>,
    gaps: Cell<u64>,
    found: Cell<bool>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(feeder: &'w Feeder<'w>, account: &'w Account<'w>) -> Self {
        Self { feeder, account, notes: RefCell::default(), gaps: Cell::new(0), found: Cell::new(false) }
    }

    /// What was not read, and whether something was found.
    pub(super) fn finish(self) -> (Coverage, bool) {
        let mut notes = self.notes.into_inner();
        notes.files += self.account.entries();
        notes.bytes += self.account.spent();
        (notes, self.found.get())
    }

    /// Notes something that should have been read.
    pub(super) fn gap(&self, kind: GapKind, origin: &Origin, why: &str) {
        let told = self.gaps.get() + 1;
        self.gaps.set(told);
        let mut notes = self.notes.borrow_mut();
        if told <= MOST_GAPS {
            notes.gap(kind, origin.to_string(), why);
        } else if told == MOST_GAPS + 1 {
            let outermost = outermost(origin).to_string();
            notes.gap(kind, outermost, "has more members that could not be read");
        }
    }

    /// Notes that `origin` is damaged.
    pub(super) fn damaged(&self, origin: &Origin, format: Format) {
        let why =
            format!("is damaged or cut off ({} data); what could be read of it was scanned", format.name());
        self.gap(GapKind::Unreadable, origin, &why);
    }

    /// Counts a member that is encrypted.
    pub(super) fn encrypted(&self) {
        self.notes.borrow_mut().skip(SkipReason::Encrypted);
    }

    /// Counts a member in a format that is not opened.
    pub(super) fn opaque(&self, name: &'static str) {
        self.notes.borrow_mut().skip(SkipReason::Opaque(name));
    }

    /// Counts unpacked bytes of `reader` against the budgets.
    pub(super) fn metered<R: Read>(&self, reader: R) -> Metered<'_, R> {
        Metered { reader, account: self.account }
    }

    /// Scans the member `path` of `outer`. `depth` is that of `outer`.
    ///
    /// # Errors
    /// When reading is to stop, or `reader` fails; what was read before was scanned.
    pub(super) fn member(
        &self,
        outer: &Origin,
        path: &[u8],
        reader: &mut dyn Read,
        depth: u32,
    ) -> io::Result<()> {
        self.account.enter()?;
        let origin = Origin::Member { outer: Box::new(outer.clone()), path: RepoPath::new(path) };
        let mut head = Vec::with_capacity(HEAD);
        let outcome = reader.take(HEAD as u64).read_to_end(&mut head);
        if let Err(error) = outcome {
            self.plain(&head, &origin);
            return Err(error);
        }
        self.content(head, reader, &origin, depth + 1)
    }

    /// Scans what a compressed `outer` holds: as a container in its place, else as its one member.
    pub(super) fn within(&self, outer: &Origin, reader: &mut dyn Read, depth: u32) -> io::Result<()> {
        let mut head = Vec::with_capacity(HEAD);
        let outcome = reader.take(HEAD as u64).read_to_end(&mut head);
        let inner = Format::of(&head).filter(|format| !format.is_compression() && outcome.is_ok());
        if inner.is_some() {
            return self.content(head, reader, outer, depth + 1);
        }
        let mut whole = (&head[..]).chain(reader);
        match outcome {
            Ok(_) => self.member(outer, CONTENT, &mut whole, depth),
            Err(error) => {
                self.member(outer, CONTENT, &mut &head[..], depth)?;
                Err(error)
            }
        }
    }

    /// Scans content that begins with `head`, from a container that is `depth - 1` deep.
    fn content(&self, head: Vec<u8>, reader: &mut dyn Read, origin: &Origin, depth: u32) -> io::Result<()> {
        let format = Format::of(&head);
        if let Some(format) = format
            && depth > self.account.depth()
        {
            let why = format!(
                "is a {} container more than {} deep (--archive-depth); its bytes were scanned",
                format.name(),
                self.account.depth()
            );
            self.gap(GapKind::Budget, origin, &why);
            return self.windows(&head, reader, origin);
        }
        if let Some(format) = format.filter(|format| format.is_stream() && *format != Format::Zip) {
            let mut reader = BufReader::new((&head[..]).chain(reader));
            self.stream(format, &mut reader, origin, depth);
            return self.proceed();
        }
        let mut content = head;
        let missing = (WHOLE + 1).saturating_sub(content.len() as u64);
        let outcome = reader.take(missing).read_to_end(&mut content);
        if content.len() as u64 <= WHOLE {
            // Some containers tell only at their end what they are.
            match format.or_else(|| Format::of(&content)) {
                Some(format) if outcome.is_ok() => self.slice(format, &content, origin, depth),
                _ => self.plain(&content, origin),
            }
            outcome?;
            return self.proceed();
        }
        match format {
            Some(Format::Zip) => {
                let mut reader = BufReader::new((&content[..]).chain(reader));
                self.stream(Format::Zip, &mut reader, origin, depth);
                self.proceed()
            }
            Some(format) => {
                if let Some(name) = format.in_the_open() {
                    self.opaque(name);
                } else {
                    let why = "is too large to be opened inside a container; its bytes were scanned";
                    self.gap(GapKind::Budget, origin, why);
                }
                self.windows(&content, reader, origin)
            }
            None => self.windows(&content, reader, origin),
        }
    }

    /// An error if reading is to stop.
    fn proceed(&self) -> io::Result<()> {
        if self.account.is_stopped() { Err(io::Error::other("stopped")) } else { Ok(()) }
    }

    /// Scans a container that is in memory.
    pub(super) fn slice(&self, format: Format, content: &[u8], origin: &Origin, depth: u32) {
        let clean = match format {
            Format::Zip => zip::read(self, content, origin, depth),
            Format::Pdf => pdf::read(self, content, origin, depth),
            Format::SevenZip => sevenz::read(self, content, origin, depth),
            Format::GitBundle => git_pack::bundle(self, content, origin, depth),
            Format::GitPack => git_pack::pack(self, content, origin, depth),
            Format::Plist => plist::read(self, content, origin, depth),
            Format::Sqlite => sqlite::read(self, content, origin, depth),
            Format::Tar
            | Format::Gzip
            | Format::Bzip2
            | Format::Xz
            | Format::Zstd
            | Format::Lz4
            | Format::Ar
            | Format::Cpio
            | Format::Rpm => {
                let mut rest = content;
                let clean = self.stream(format, &mut rest, origin, depth);
                if clean && !rest.is_empty() {
                    self.region(content, content.len() - rest.len()..content.len(), origin);
                }
                clean
            }
        };
        if !clean {
            // What the format hides from its own reader may still be there in plain bytes.
            self.region(content, 0..content.len(), origin);
        }
    }

    /// Scans a container from front to back; false when it was not read to its end.
    pub(super) fn stream(
        &self,
        format: Format,
        reader: &mut dyn BufRead,
        origin: &Origin,
        depth: u32,
    ) -> bool {
        let outcome = match format {
            Format::Zip => zip::forward(self, reader, origin, depth),
            Format::Tar => tar::read(self, reader, origin, depth),
            Format::Ar => ar::read(self, reader, origin, depth),
            Format::Cpio => cpio::read(self, reader, origin, depth),
            Format::Rpm => rpm::read(self, reader, origin, depth),
            Format::Gzip | Format::Bzip2 | Format::Xz | Format::Zstd | Format::Lz4 => {
                compressed::read(self, format, reader, origin, depth)
            }
            // NOTE: never asked for; these are read in memory.
            Format::Pdf
            | Format::SevenZip
            | Format::GitBundle
            | Format::GitPack
            | Format::Plist
            | Format::Sqlite => Ok(()),
        };
        if let Err(error) = &outcome
            && !self.account.is_stopped()
        {
            if error.kind() == io::ErrorKind::OutOfMemory {
                let why = "needs more memory to unpack than is given to one container";
                self.gap(GapKind::Budget, origin, why);
            } else {
                self.damaged(origin, format);
            }
        }
        outcome.is_ok()
    }

    /// Scans content that is no container.
    pub(super) fn plain(&self, content: &[u8], origin: &Origin) {
        if !content.is_empty() && !matches!(self.account.stopped(), Some(Stop::Cancelled)) {
            self.note_opaque(content);
            self.saw(self.feeder.plain(content, origin));
        }
    }

    fn note_opaque(&self, head: &[u8]) {
        if let Some(name) = super::format::opaque(head) {
            self.opaque(name);
        }
    }

    /// Scans content of any size that is no container, or is not opened.
    fn windows(&self, head: &[u8], reader: &mut dyn Read, origin: &Origin) -> io::Result<()> {
        self.note_opaque(head);
        let (found, outcome) = self.feeder.windows(head, reader, origin);
        self.saw(found);
        outcome
    }

    /// Scans a part of a container as bytes, in its place.
    pub(super) fn region(&self, content: &[u8], range: std::ops::Range<usize>, origin: &Origin) {
        if !range.is_empty() {
            self.saw(self.feeder.region(content, range, origin));
        }
    }

    fn saw(&self, found: bool) {
        self.found.set(self.found.get() | found);
    }

    /// Scans text of the container itself: names and remarks.
    pub(super) fn text(&self, text: &[u8], origin: &Origin) {
        if !text.is_empty() {
            self.saw(self.feeder.emit(Chunk::whole(text, origin, Encoding::Plain)));
        }
    }
}

/// The names of members, scanned as text when there are enough of them, and at the end.
pub(super) struct Names<'n> {
    walk: &'n Walk<'n>,
    origin: &'n Origin,
    text: Vec<u8>,
}

impl<'n> Names<'n> {
    pub(super) fn new(walk: &'n Walk<'n>, origin: &'n Origin) -> Self {
        Self { walk, origin, text: Vec::new() }
    }

    pub(super) fn add(&mut self, name: &[u8]) {
        self.text.extend_from_slice(name);
        self.text.push(b'\n');
        if self.text.len() >= NAMES {
            self.walk.text(&self.text, self.origin);
            self.text.clear();
        }
    }
}

impl Drop for Names<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.walk.text(&self.text, self.origin);
        }
    }
}

fn outermost(origin: &Origin) -> &Origin {
    match origin {
        Origin::Member { outer, .. } => outermost(outer),
        Origin::File { .. }
        | Origin::FileName { .. }
        | Origin::SymlinkTarget { .. }
        | Origin::Index { .. }
        | Origin::Blob { .. }
        | Origin::Commit { .. }
        | Origin::Tag { .. }
        | Origin::Tree { .. }
        | Origin::RefName { .. }
        | Origin::GitFile { .. }
        | Origin::Stdin { .. } => origin,
    }
}

/// Reads past what is left of a member.
pub(super) fn drain(reader: &mut dyn Read) -> io::Result<u64> {
    io::copy(reader, &mut io::sink())
}
