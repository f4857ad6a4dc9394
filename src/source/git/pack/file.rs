//! One pack file: its header, and the headers of its entries.
//!
//! Layout after <https://git-scm.com/docs/pack-format>: `PACK`, version 2 or 3, object count; then
//! entries of a header and a zlib stream; then a checksum over all of it.

use std::path::{Path, PathBuf};

use super::error::ObjectError;
use super::mmap::{Access, FileBytes};
use super::object::{HashKind, ObjectKind};
use crate::finding::Oid;

/// Bytes before the first entry.
pub(crate) const HEADER: u64 = 12;

/// What an entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// An object as it is.
    Whole(ObjectKind),
    /// A delta whose base starts at this offset of the same pack.
    OffsetDelta(u64),
    /// A delta whose base has this name.
    NamedDelta(Oid),
}

/// The header of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// Declared size of the decompressed data: of the object, or of the delta.
    pub(crate) size: u64,
    /// Offset of the zlib stream.
    pub(crate) data: u64,
}

/// An open pack file.
pub(crate) struct PackFile {
    path: PathBuf,
    bytes: FileBytes,
    hash: HashKind,
    count: u32,
}

impl PackFile {
    /// Opens the pack at `path` and checks its header.
    pub(crate) fn open(path: &Path, hash: HashKind) -> Result<Self, ObjectError> {
        let bytes = FileBytes::open(path, Access::Forward)?;
        let malformed = |why: &str| Err(ObjectError::Malformed(why.to_owned()));
        let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
            return malformed("not a pack: it is shorter than a pack's header");
        };
        if magic != b"PACK" {
            return malformed("not a pack: it does not start with PACK");
        }
        let Some((&[.., version], rest)) = rest.split_first_chunk::<4>() else {
            return malformed("not a pack: it is shorter than a pack's header");
        };
        if version != 2 && version != 3 {
            return malformed("a pack version other than 2 and 3");
        }
        let Some((count, _)) = rest.split_first_chunk::<4>() else {
            return malformed("not a pack: it is shorter than a pack's header");
        };
        let count = u32::from_be_bytes(*count);
        Ok(Self { path: path.to_owned(), bytes, hash, count })
    }

    /// Objects it says it holds.
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    /// Its file name, for messages.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Length of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Where the checksum at the end starts, and the entries end.
    pub(crate) fn end(&self) -> u64 {
        self.len().saturating_sub(self.hash.name_len() as u64).max(HEADER.min(self.len()))
    }

    /// The checksum at the end, as it is written there.
    pub(crate) fn checksum(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - self.hash.name_len().min(self.bytes.len())..]
    }

    /// The bytes from `start` up to `end`, both offsets in the file.
    pub(crate) fn slice(&self, start: u64, end: u64) -> Result<&[u8], ObjectError> {
        usize::try_from(start)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| self.bytes.get(start..end))
            .ok_or(ObjectError::Truncated { end: self.len() })
    }

    /// Has the start of the entry at `offset` fetched into the processor's cache: packs are larger than
    /// it, and walked in another order than they are written.
    pub(crate) fn prefetch(&self, offset: u64) {
        if let Ok(at) = usize::try_from(offset) {
            self.bytes.prefetch(at);
        }
    }

    /// Reads the entry header at `offset`.
    pub(crate) fn entry(&self, offset: u64) -> Result<Entry, ObjectError> {
        let malformed = ObjectError::Header { offset };
        if offset < HEADER {
            return Err(malformed);
        }
        let header = self.slice(offset, self.end())?;
        let mut cursor = Cursor { bytes: header, taken: 0, end: self.len() };
        let first = cursor.next()?;
        let size = cursor.size(first).ok_or(malformed.clone())?;
        let kind = match first >> 4 & 7 {
            1 => EntryKind::Whole(ObjectKind::Commit),
            2 => EntryKind::Whole(ObjectKind::Tree),
            3 => EntryKind::Whole(ObjectKind::Blob),
            4 => EntryKind::Whole(ObjectKind::Tag),
            6 => {
                let distance = cursor.distance().ok_or(malformed.clone())?;
                let base = offset.checked_sub(distance).filter(|&base| distance > 0 && base >= HEADER);
                EntryKind::OffsetDelta(base.ok_or(malformed)?)
            }
            7 => EntryKind::NamedDelta(cursor.name(self.hash)?),
            _ => return Err(malformed),
        };
        Ok(Entry { kind, size, data: offset + cursor.taken as u64 })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    taken: usize,
    end: u64,
}

impl Cursor<'_> {
    fn next(&mut self) -> Result<u8, ObjectError> {
        let byte = *self.bytes.get(self.taken).ok_or(ObjectError::Truncated { end: self.end })?;
        self.taken += 1;
        Ok(byte)
    }

    /// The declared size: four bits of the first byte, seven of each that follows; `None` beyond
    /// 64 bits.
    fn size(&mut self, first: u8) -> Option<u64> {
        let mut size = u64::from(first & 15);
        let mut shift = 4;
        let mut byte = first;
        while byte & 0x80 != 0 {
            byte = self.next().ok()?;
            let part = u64::from(byte & 0x7f);
            if shift > 60 || part << shift >> shift != part {
                return None;
            }
            size |= part << shift;
            shift += 7;
        }
        Some(size)
    }

    /// How far back the base of an offset delta is: big-endian, seven bits a byte, and every byte
    /// that continues adds one so that no value has two forms.
    fn distance(&mut self) -> Option<u64> {
        let mut byte = self.next().ok()?;
        let mut distance = u64::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = self.next().ok()?;
            distance = distance.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
        }
        Some(distance)
    }

    fn name(&mut self, hash: HashKind) -> Result<Oid, ObjectError> {
        let truncated = ObjectError::Truncated { end: self.end };
        let raw = self.bytes.get(self.taken..self.taken + hash.name_len()).ok_or(truncated.clone())?;
        self.taken += hash.name_len();
        Oid::from_bytes(raw).map_err(|_| truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack_of(entries: &[u8]) -> (tempfile::TempDir, PackFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack-test.pack");
        let bytes = [b"PACK\0\0\0\x02\0\0\0\x01".as_slice(), entries, &[0; 20]].concat();
        std::fs::write(&path, bytes).unwrap();
        let pack = PackFile::open(&path, HashKind::Sha1).unwrap();
        (dir, pack)
    }

    #[test]
    fn reads_sizes_and_distances() {
        let (_dir, pack) = pack_of(&[0xb5, 0x0a]);
        let entry = Entry { kind: EntryKind::Whole(ObjectKind::Blob), size: 165, data: 14 };
        assert_eq!(pack.entry(12), Ok(entry));

        let mut entries = vec![0; 200];
        entries.extend_from_slice(&[0x61, 0x80, 0x00]);
        let (_dir, pack) = pack_of(&entries);
        let entry = Entry { kind: EntryKind::OffsetDelta(84), size: 1, data: 215 };
        assert_eq!(pack.entry(212), Ok(entry));
    }

    #[test]
    fn refuses_malformed_headers() {
        for entry in [
            &[0x00_u8][..],                                                      // type 0
            &[0x51],                                                             // type 5
            &[0x61, 0x00],                                                       // its own base
            &[0x61, 0x01], // a base within the pack's header
            &[0x61, 0x80], // a distance without an end
            &[0xb5],       // a size without an end
            &[0xb5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], // a size beyond 64 bits
            &[0x71, 1, 2, 3], // a name that is cut
        ] {
            let (_dir, pack) = pack_of(entry);
            assert!(pack.entry(12).is_err(), "{entry:x?}");
        }
        let (_dir, pack) = pack_of(&[0xb5, 0x0a]);
        assert!(pack.entry(3).is_err());
        assert!(pack.entry(u64::MAX).is_err());
    }

    #[test]
    fn refuses_what_is_not_a_pack() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack-test.pack");
        for bytes in [
            b"".as_slice(),
            b"PACK",
            b"PACK\0\0\0\x02\0\0",
            b"JACK\0\0\0\x02\0\0\0\0",
            b"PACK\0\0\0\x09\0\0\0\0",
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(PackFile::open(&path, HashKind::Sha1).is_err(), "{bytes:?}");
        }
    }
}
