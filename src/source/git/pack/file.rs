//! One pack file, open.

use std::path::{Path, PathBuf};

use super::error::ObjectError;
use super::mmap::{Access, FileBytes};
use super::object::{HashKind, ObjectKind};
use super::stream::ObjectStream;

use super::bytes::PackBytes;
pub(crate) use super::bytes::{Entry, EntryKind, HEADER};
use crate::finding::Oid;

/// Bytes between two looks at what need not stay in memory.
const PIECE: usize = 4 << 20;

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
        let count = PackBytes::new(&bytes, hash)?.count();
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
        self.view().end()
    }

    /// The checksum at the end, as it is written there.
    pub(crate) fn checksum(&self) -> &[u8] {
        &self.bytes[self.bytes.len() - self.hash.name_len().min(self.bytes.len())..]
    }

    /// The bytes from `start` up to `end`, both offsets in the file.
    pub(crate) fn slice(&self, start: u64, end: u64) -> Result<&[u8], ObjectError> {
        self.view().slice(start, end)
    }

    /// The content of the whole object in `entry`, whose packed bytes end before `end`, from front to back.
    pub(super) fn stream(&self, entry: &Entry, end: u64) -> Result<ObjectStream<'_>, ObjectError> {
        let packed = self.slice(entry.data, end)?;
        ObjectStream::new(packed, Some((&self.bytes, entry.data as usize)), 0, entry.size)
    }

    /// The name of the whole object of `kind` whose entry is at `offset`, wherever that ends.
    pub(super) fn name_stream(&self, offset: u64, kind: ObjectKind) -> Result<Oid, ObjectError> {
        let entry = self.entry(offset)?;
        let mut content = self.stream(&entry, self.end())?;
        let name = self.hash.name_stream(kind, entry.size, &mut content);
        content.finish()?;
        Ok(name?)
    }

    /// The checksum of the bytes from `start` up to `end`, which do not stay in memory.
    pub(super) fn checksum_of(&self, start: u64, end: u64) -> Result<u32, ObjectError> {
        let mut hasher = crc32fast::Hasher::new();
        let mut at = start as usize;
        for piece in self.slice(start, end)?.chunks(PIECE) {
            hasher.update(piece);
            self.bytes.forget(at..at + piece.len());
            at += piece.len();
        }
        Ok(hasher.finalize())
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
        self.view().entry(offset)
    }

    /// The same pack, wherever its bytes lie.
    pub(super) fn view(&self) -> PackBytes<'_> {
        PackBytes::checked(&self.bytes, self.hash, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::ObjectKind;
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
