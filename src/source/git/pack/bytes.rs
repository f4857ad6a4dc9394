//! The bytes of one pack, wherever they lie: its header, and the headers of its entries.
//!
//! Layout after <https://git-scm.com/docs/pack-format>: `PACK`, version 2 or 3, object count; then
//! entries of a header and a zlib stream; then a checksum over all of it.

use super::error::ObjectError;
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

/// A pack that lies in memory or is mapped.
#[derive(Clone, Copy)]
pub(in crate::source) struct PackBytes<'a> {
    bytes: &'a [u8],
    hash: HashKind,
    count: u32,
}

impl<'a> PackBytes<'a> {
    /// Checks the header of a pack whose objects are named by `hash`.
    pub(in crate::source) fn new(bytes: &'a [u8], hash: HashKind) -> Result<Self, ObjectError> {
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
        Ok(Self { bytes, hash, count: u32::from_be_bytes(*count) })
    }

    /// One whose header was checked before, with the count of objects found there.
    pub(super) const fn checked(bytes: &'a [u8], hash: HashKind, count: u32) -> Self {
        Self { bytes, hash, count }
    }

    /// How its objects are named.
    pub(super) const fn hash(&self) -> HashKind {
        self.hash
    }

    /// Objects it says it holds.
    pub(in crate::source) const fn count(&self) -> u32 {
        self.count
    }

    /// Length in bytes.
    pub(in crate::source) const fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Where the checksum at the end starts, and the entries end.
    pub(in crate::source) fn end(&self) -> u64 {
        self.len().saturating_sub(self.hash.name_len() as u64).max(HEADER.min(self.len()))
    }

    /// The bytes from `start` up to `end`, both offsets in the pack.
    pub(in crate::source) fn slice(&self, start: u64, end: u64) -> Result<&'a [u8], ObjectError> {
        usize::try_from(start)
            .ok()
            .zip(usize::try_from(end).ok())
            .and_then(|(start, end)| self.bytes.get(start..end))
            .ok_or(ObjectError::Truncated { end: self.len() })
    }

    /// Reads the entry header at `offset`.
    pub(in crate::source) fn entry(&self, offset: u64) -> Result<Entry, ObjectError> {
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
