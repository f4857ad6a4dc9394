//! What was scanned before: packs that need not be opened again, and single objects.
//!
//! Separate from [`Index`](super::index::Index), which reads and checks a whole table: here
//! names are only looked up, in tables that were checked when their packs were scanned.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::error::ObjectError;
use super::index::malformed;
use super::mmap::{Access, FileBytes};
use super::object::HashKind;
use crate::finding::Oid;

const MAGIC: &[u8] = b"\xfftOc\0\0\0\x02";
const FANOUT: usize = 256 * 4;

/// Objects that need not be visited; empty by default.
#[derive(Default)]
pub(crate) struct Known {
    /// Packs that are not opened, without extension.
    stems: HashSet<PathBuf>,
    tables: Vec<Names>,
    /// Sorted.
    objects: Vec<Oid>,
}

impl Known {
    /// Adds a pack, by the path of its `.pack` or `.idx`.
    ///
    /// # Errors
    /// When its index is not one.
    pub(crate) fn add_pack(&mut self, path: &Path, hash: HashKind) -> Result<(), ObjectError> {
        self.tables.push(Names::open(&path.with_extension("idx"), hash)?);
        self.stems.insert(path.with_extension(""));
        Ok(())
    }

    /// Adds objects in any order.
    pub(crate) fn add_objects(&mut self, objects: impl IntoIterator<Item = Oid>) {
        self.objects.extend(objects);
        self.objects.sort_unstable();
        self.objects.dedup();
    }

    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.objects.is_empty()
    }

    /// Whether the pack at this path, without extension, need not be opened.
    pub(crate) fn has_pack(&self, stem: &Path) -> bool {
        self.stems.contains(stem)
    }

    /// Whether an object need not be visited.
    pub(crate) fn contains(&self, name: &Oid) -> bool {
        self.objects.binary_search(name).is_ok()
            || self.tables.iter().any(|table| table.place(name.as_bytes()).is_some())
    }

    /// Where an object is, for reading many of them in the order of the packs.
    pub(crate) fn position(&self, name: &Oid) -> (usize, u64) {
        let found = self.tables.iter().enumerate().find_map(|(at, table)| {
            let place = table.place(name.as_bytes())?;
            Some((at, table.offset(place)))
        });
        found.unwrap_or((self.tables.len(), 0))
    }
}

/// The names in an index.
struct Names {
    file: FileBytes,
    name_len: usize,
    /// Where the fanout begins.
    fanout: usize,
    /// Where the first name begins.
    first: usize,
    /// Bytes from one name to the next.
    stride: usize,
    count: usize,
}

impl Names {
    fn open(path: &Path, hash: HashKind) -> Result<Self, ObjectError> {
        let file = FileBytes::open(path, Access::Random)?;
        let name_len = hash.name_len();
        let two = file.starts_with(MAGIC);
        let fanout = if two { MAGIC.len() } else { 0 };
        let (first, stride) = if two { (fanout + FANOUT, name_len) } else { (FANOUT + 4, name_len + 4) };
        let mut names = Self { file, name_len, fanout, first, stride, count: 0 };
        names.count = names.word(fanout + FANOUT - 4).ok_or_else(|| malformed("it is too short"))? as usize;
        let end = names.count.checked_mul(stride).and_then(|bytes| bytes.checked_add(first));
        if end.is_none_or(|end| end > names.file.len()) {
            return Err(malformed("its size does not fit the number of its objects"));
        }
        Ok(names)
    }

    fn word(&self, at: usize) -> Option<u32> {
        self.file.get(at..at + 4)?.first_chunk::<4>().map(|raw| u32::from_be_bytes(*raw))
    }

    fn name(&self, place: usize) -> &[u8] {
        let start = self.first + place * self.stride;
        self.file.get(start..start + self.name_len).unwrap_or_default()
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        let byte = usize::from(*name.first()?);
        let bound = |byte: usize| self.word(self.fanout + byte * 4).map(|n| (n as usize).min(self.count));
        let mut low = if byte == 0 { 0 } else { bound(byte - 1)? };
        let mut high = bound(byte)?;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The offset of an entry, or something in its stead: it only serves to sort.
    fn offset(&self, place: usize) -> u64 {
        let at = if self.stride == self.name_len {
            self.first + self.count * (self.name_len + 4) + place * 4
        } else {
            self.first + place * self.stride - 4
        };
        self.word(at).map_or(0, u64::from)
    }
}
