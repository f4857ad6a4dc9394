//! zip, and everything that is one.
//!
//! In memory the directory at the end is followed; whatever it does not mention (entries that
//! were deleted, code in front, what hides between) is looked at from front to back. Cut-off and
//! very large archives have no directory to begin with and are read from front to back alone.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use flate2::bufread::DeflateDecoder;

use super::compressed;
use super::format::Format;
use super::walk::{Names, Walk, drain};
use crate::finding::{GapKind, Origin};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
/// Longest comment behind the end record.
const MAX_COMMENT: usize = 0xffff;
/// Stands for a size that is in the extra field of large archives.
const LARGE: u64 = 0xffff_ffff;

/// What the headers say of an entry.
#[derive(Clone, Debug, Default)]
struct Entry {
    flags: u16,
    method: u16,
    packed: u64,
    size: u64,
    name: Vec<u8>,
    /// Offset of the local header.
    at: u64,
}

impl Entry {
    const fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0 || self.method == 99
    }

    /// Sizes stand behind the data.
    const fn is_open(&self) -> bool {
        self.flags & 8 != 0 && self.packed == 0
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..at + 8)?.first_chunk()?))
}

/// Reads an archive in memory; true when nothing of it was left unread.
pub(super) fn read(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    let Some(directory) = Directory::find(content) else {
        walk.gap(
            GapKind::Unreadable,
            origin,
            "is a zip archive without a directory at its end, so it is cut off or damaged; what could be read \
             of it was scanned",
        );
        let mut rest = content;
        // What it could not make sense of is told above.
        let _ = forward(walk, &mut rest, origin, depth);
        return false;
    };
    let mut clean = true;
    let mut names = Names::new(walk, origin);
    let mut covered = vec![directory.range.clone()];
    for entry in directory.entries(content) {
        names.add(&entry.name);
        match data_range(content, directory.shift, &entry) {
            Some(data) => {
                let header = (entry.at + directory.shift) as usize;
                covered.push(header..data.end);
                clean &= one(walk, &entry, &mut &content[data], origin, depth);
            }
            None => {
                walk.gap(GapKind::Unreadable, origin, "has members that are cut off; the rest was scanned");
                clean = false;
            }
        }
        if walk.account.is_stopped() {
            return false;
        }
    }
    drop(names);
    clean &= directory.complete;
    covered.sort_by_key(|range| (range.start, range.end));
    let mut at = 0;
    for range in covered.into_iter().chain(std::iter::once(content.len()..content.len())) {
        if range.start > at {
            between(walk, content, at..range.start, origin, depth);
        }
        at = at.max(range.end);
    }
    clean
}

/// Scans what the directory does not mention: hidden entries as such, and the bytes.
fn between(walk: &Walk<'_>, content: &[u8], range: Range<usize>, origin: &Origin, depth: u32) {
    let hidden = &content[range.clone()];
    if let Some(at) = memchr::memmem::find(hidden, &LOCAL) {
        // Damage here is no gap: nobody else would read this either.
        let _ = forward(walk, &mut &hidden[at..], origin, depth);
    }
    walk.region(content, range, origin);
}

/// The end record and where the directory is.
struct Directory {
    /// From the first entry to the end record.
    range: Range<usize>,
    /// What is to be added to offsets, because something stands before the archive.
    shift: u64,
    /// As many entries as it says.
    complete: bool,
    count: u64,
}

impl Directory {
    fn find(content: &[u8]) -> Option<Self> {
        let from = content.len().saturating_sub(END_LEN + MAX_COMMENT);
        let tail = &content[from..];
        memchr::memmem::rfind_iter(tail, &END).find_map(|at| Self::read(content, from + at))
    }

    /// Reads the end record at `at`.
    fn read(content: &[u8], at: usize) -> Option<Self> {
        let end = content.get(at..at + END_LEN)?;
        let (mut count, mut len, mut offset) = (u64::from(u16_at(end, 10)), u32_at(end, 12), u32_at(end, 16));
        let mut stop = at;
        if count == 0xffff || len == LARGE || offset == LARGE {
            // The larger record stands before its locator, which stands before this one.
            let locator = content.get(at.checked_sub(20)?..at)?;
            let large = usize::try_from(u64_at(locator, 8)?).ok()?;
            let record = content.get(large..)?;
            if record.len() >= 56 && record[..4] == END64 {
                count = u64_at(record, 32)?;
                len = u64_at(record, 40)?;
                offset = u64_at(record, 48)?;
                stop = large;
            }
        }
        let start = stop.checked_sub(usize::try_from(len).ok()?)?;
        let shift = (start as u64).checked_sub(offset)?;
        let begins = content[start..].starts_with(&CENTRAL) || count == 0;
        let mut found = Self { range: start..at + END_LEN, shift, complete: true, count };
        if !begins {
            return None;
        }
        let listed = found.entries(content).count() as u64;
        found.complete = listed >= count;
        Some(found)
    }

    fn entries<'c>(&self, content: &'c [u8]) -> impl Iterator<Item = Entry> + use<'c> {
        let mut at = self.range.start;
        let most = self.count;
        let mut seen = 0;
        std::iter::from_fn(move || {
            let (entry, next) = central(content, at)?;
            at = next;
            seen += 1;
            (seen <= most.max(1)).then_some(entry)
        })
    }
}

/// The entry of the directory at `at`, and where the next one is.
fn central(content: &[u8], at: usize) -> Option<(Entry, usize)> {
    let header = content.get(at..at + CENTRAL_LEN)?;
    if header[..4] != CENTRAL {
        return None;
    }
    let [name_len, extra_len, comment_len] = [28, 30, 32].map(|at| usize::from(u16_at(header, at)));
    let name = content.get(at + CENTRAL_LEN..at + CENTRAL_LEN + name_len)?.to_vec();
    let extra = content.get(at + CENTRAL_LEN + name_len..at + CENTRAL_LEN + name_len + extra_len)?;
    let mut entry = Entry {
        flags: u16_at(header, 8),
        method: u16_at(header, 10),
        packed: u32_at(header, 20),
        size: u32_at(header, 24),
        name,
        at: u32_at(header, 42),
    };
    let Entry { packed, size, at: local, .. } = &mut entry;
    enlarge(extra, [size, packed, local]);
    Some((entry, at + CENTRAL_LEN + name_len + extra_len + comment_len))
}

/// Replaces fields that say [`LARGE`] by what the extra field of large archives says.
fn enlarge<const N: usize>(mut extra: &[u8], fields: [&mut u64; N]) {
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(data) = extra.get(4..4 + len) else { return };
        if id == 1 {
            let mut at = 0;
            for field in fields {
                if *field == LARGE {
                    let Some(large) = u64_at(data, at) else { return };
                    *field = large;
                    at += 8;
                }
            }
            return;
        }
        extra = &extra[4 + len..];
    }
}

/// Where the data of `entry` stands.
fn data_range(content: &[u8], shift: u64, entry: &Entry) -> Option<Range<usize>> {
    let at = usize::try_from(entry.at.checked_add(shift)?).ok()?;
    let header = content.get(at..at.checked_add(LOCAL_LEN)?)?;
    if header[..4] != LOCAL {
        return None;
    }
    let start = at + LOCAL_LEN + usize::from(u16_at(header, 26)) + usize::from(u16_at(header, 28));
    let end = start.checked_add(usize::try_from(entry.packed).ok()?)?;
    (end <= content.len()).then_some(start..end)
}

/// Scans one member; false when it was not read to its end.
fn one(walk: &Walk<'_>, entry: &Entry, data: &mut dyn BufRead, origin: &Origin, depth: u32) -> bool {
    if entry.is_encrypted() {
        walk.encrypted();
        return true;
    }
    if entry.name.ends_with(b"/") && entry.size == 0 {
        return true;
    }
    let outcome = match unpacked(entry.method, entry.size, data) {
        Some(reader) => walk.member(origin, &entry.name, &mut walk.metered(reader), depth),
        None => {
            walk.opaque("not-unpacked-zip-method");
            return true;
        }
    };
    if outcome.is_err() && !walk.account.is_stopped() {
        let member = Origin::Member {
            outer: Box::new(origin.clone()),
            path: crate::finding::RepoPath::new(entry.name.clone()),
        };
        walk.damaged(&member, Format::Zip);
    }
    outcome.is_ok()
}

/// What `data` holds, unpacked; none for methods nobody uses any more.
fn unpacked<'r>(method: u16, size: u64, data: &'r mut dyn BufRead) -> Option<Box<dyn Read + 'r>> {
    Some(match method {
        0 => Box::new(data),
        8 => Box::new(DeflateDecoder::new(data)),
        12 => compressed::decoder(Format::Bzip2, data),
        14 => lzma(size, data)?,
        93 | 20 => compressed::decoder(Format::Zstd, data),
        95 => compressed::decoder(Format::Xz, data),
        _ => return None,
    })
}

/// LZMA as zip has it: two bytes of version, the length of the properties, the properties.
fn lzma<'r>(size: u64, data: &'r mut dyn BufRead) -> Option<Box<dyn Read + 'r>> {
    /// Most memory the dictionary may take, in KiB.
    const MEMORY: u32 = 64 << 10;
    let mut intro = [0; 9];
    data.read_exact(&mut intro).ok()?;
    let dictionary = u32::from_le_bytes([intro[5], intro[6], intro[7], intro[8]]);
    if u16_at(&intro, 2) != 5 || dictionary > MEMORY << 10 {
        return None;
    }
    let reader = lzma_rust2::LzmaReader::new_with_props(data, size, intro[4], dictionary, None).ok()?;
    Some(Box::new(reader))
}

/// Reads entries from front to back, each behind its local header.
///
/// # Errors
/// When the archive is cut off or damaged, or reading is to stop.
pub(super) fn forward(
    walk: &Walk<'_>,
    reader: &mut dyn BufRead,
    origin: &Origin,
    depth: u32,
) -> io::Result<()> {
    let mut names = Names::new(walk, origin);
    while next_header(reader)? {
        let mut header = [0; LOCAL_LEN];
        header[..4].copy_from_slice(&LOCAL);
        reader.read_exact(&mut header[4..])?;
        let mut entry = Entry {
            flags: u16_at(&header, 6),
            method: u16_at(&header, 8),
            packed: u32_at(&header, 18),
            size: u32_at(&header, 22),
            ..Entry::default()
        };
        let mut variable = Vec::new();
        let (name_len, extra_len) = (u16_at(&header, 26), u16_at(&header, 28));
        (&mut *reader).take(u64::from(name_len) + u64::from(extra_len)).read_to_end(&mut variable)?;
        let extra = variable.split_off(usize::from(name_len).min(variable.len()));
        entry.name = variable;
        let Entry { packed, size, .. } = &mut entry;
        enlarge(&extra, [size, packed]);
        names.add(&entry.name);
        if !entry.is_open() {
            let mut data = io::BufReader::new((&mut *reader).take(entry.packed));
            one(walk, &entry, &mut data, origin, depth);
            drain(&mut data)?;
            if data.get_ref().limit() > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else if entry.is_encrypted() {
            walk.encrypted();
        } else if entry.method == 8 {
            // Deflated data knows its own end.
            let mut data = DeflateDecoder::new(&mut *reader);
            walk.member(origin, &entry.name, &mut walk.metered(&mut data), depth)?;
            drain(&mut walk.metered(&mut data))?;
        }
        if walk.account.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
    }
    Ok(())
}

/// Reads up to and including the signature of the next local header; false when the directory or
/// the end comes first.
fn next_header(reader: &mut dyn BufRead) -> io::Result<bool> {
    let mut last = [0; 4];
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        // Signatures are rare and mostly come first, so byte by byte will do.
        let mut used = 0;
        let mut found = None;
        for &byte in buffer {
            last = [last[1], last[2], last[3], byte];
            used += 1;
            if last == LOCAL || last == CENTRAL || last == END {
                found = Some(last == LOCAL);
                break;
            }
        }
        reader.consume(used);
        if let Some(local) = found {
            return Ok(local);
        }
    }
}
