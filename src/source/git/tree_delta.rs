//! Trees in delta order: only the entries that a tree does not share with its base are looked at.
//!
//! A repository's trees expand to many times the size of its blobs, nearly all of it repeated.
//! Each tree therefore remembers where its entries begin, and a tree built from it takes over
//! those that lie inside one copied range.

use std::ops::Range;

use super::pack::DeltaMap;
use super::tree_entries::{MalformedTree, TreeEntries, TreeEntry};

/// Where the entries of one tree begin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Offset of each entry, ascending.
    starts: Vec<u32>,
    /// Offsets of the entries whose names matter to the reader, ascending.
    notable: Vec<u32>,
    len: u32,
}

/// What is done with entries.
pub(super) trait Entries {
    /// An entry that the base does not have. True when its name matters.
    fn fresh(&mut self, entry: TreeEntry<'_>) -> bool;

    /// The entries that mattered in the base and are here, too: their numbers among those of the base.
    /// Told in the order of the entries here, before and after those that are fresh.
    fn taken(&mut self, base: Range<usize>) {
        let _ = base;
    }
}

impl Layout {
    /// Reads all entries of `content`.
    ///
    /// # Errors
    /// When it is no tree; entries before the error were handed over.
    pub(super) fn read(content: &[u8], id_len: usize, to: &mut dyn Entries) -> Result<Self, MalformedTree> {
        let mut tree = Self { len: content.len() as u32, ..Self::default() };
        let mut at = 0;
        while at < content.len() {
            at = tree.entry(content, at, id_len, to)?;
        }
        Ok(tree)
    }

    /// The entries of `content` that mattered to the reader.
    pub(super) fn notable<'a>(
        &self,
        content: &'a [u8],
        id_len: usize,
    ) -> impl Iterator<Item = TreeEntry<'a>> + use<'a, '_> {
        let entry = move |&start: &u32| TreeEntries::new(content.get(start as usize..)?, id_len).next()?.ok();
        self.notable.iter().filter_map(entry)
    }

    /// Reads the entries of `content` that were not copied whole from the tree this is the layout
    /// of.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub(super) fn read_delta(
        &self,
        content: &[u8],
        id_len: usize,
        delta: &DeltaMap,
        to: &mut dyn Entries,
    ) -> Result<Self, MalformedTree> {
        let mut tree = Self { len: content.len() as u32, ..Self::default() };
        let mut at = 0;
        for copy in delta.copies() {
            let end = (copy.target + copy.length) as usize;
            while at < copy.target as usize {
                at = tree.entry(content, at, id_len, to)?;
            }
            while at < end {
                let base = copy.base + (at as u32 - copy.target);
                let kept = tree.inherit(self, base, copy.base + copy.length, at as u32, to);
                at += kept as usize;
                if at < end {
                    at = tree.entry(content, at, id_len, to)?;
                }
            }
        }
        while at < content.len() {
            at = tree.entry(content, at, id_len, to)?;
        }
        Ok(tree)
    }

    /// Reads the entry at `at`; where the next one begins.
    fn entry(
        &mut self,
        content: &[u8],
        at: usize,
        id_len: usize,
        to: &mut dyn Entries,
    ) -> Result<usize, MalformedTree> {
        let mut entries = TreeEntries::new(&content[at..], id_len);
        let entry = entries.next().unwrap_or(Err(MalformedTree))?;
        self.starts.push(at as u32);
        if to.fresh(entry) {
            self.notable.push(at as u32);
        }
        Ok(content.len() - entries.rest_len())
    }

    /// Takes over the entries of `base` from offset `from` on that end by `to`, for content that
    /// has them at `at`; how many bytes they are.
    fn inherit(&mut self, base: &Self, from: u32, to: u32, at: u32, reader: &mut dyn Entries) -> u32 {
        let Ok(first) = base.starts.binary_search(&from) else { return 0 };
        // Entries end where the next one begins.
        let ends = &base.starts[first + 1..];
        let mut count = ends.partition_point(|&end| end <= to);
        count += usize::from(count == ends.len() && base.len <= to);
        let Some(last) = count.checked_sub(1) else { return 0 };
        let end = *ends.get(last).unwrap_or(&base.len);
        let moved = |start: &u32| start - from + at;
        self.starts.extend(base.starts[first..first + count].iter().map(moved));
        if !base.notable.is_empty() {
            let first = base.notable.partition_point(|&start| start < from);
            let last = base.notable.partition_point(|&start| start < end);
            self.notable.extend(base.notable[first..last].iter().map(moved));
            reader.taken(first..last);
        }
        end - from
    }
}
