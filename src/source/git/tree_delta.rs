//! Trees in delta order: only the entries that a tree does not share with its base are looked at.
//!
//! A repository's trees expand to many times the size of its blobs, nearly all of it repeated.
//! Each tree therefore remembers where its entries begin, and a tree built from it takes over
//! those that lie inside one copied range.

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

    /// An entry that the base has, too, and whose name matters.
    fn notable(&mut self, entry: TreeEntry<'_>);
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
                let kept = tree.inherit(self, base, copy.base + copy.length, at as u32);
                at += kept as usize;
                if at < end {
                    at = tree.entry(content, at, id_len, to)?;
                }
            }
        }
        while at < content.len() {
            at = tree.entry(content, at, id_len, to)?;
        }
        for &start in &tree.notable {
            if let Some(Ok(entry)) = TreeEntries::new(&content[start as usize..], id_len).next() {
                to.notable(entry);
            }
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
    fn inherit(&mut self, base: &Self, from: u32, to: u32, at: u32) -> u32 {
        let Ok(first) = base.starts.binary_search(&from) else { return 0 };
        let ends = base.starts[first + 1..].iter().chain(std::iter::once(&base.len));
        let count = ends.clone().take_while(|&&end| end <= to).count();
        let Some(&end) = count.checked_sub(1).and_then(|last| ends.clone().nth(last)) else { return 0 };
        let moved = |start: &u32| start - from + at;
        self.starts.extend(base.starts[first..first + count].iter().map(moved));
        if !base.notable.is_empty() {
            let inside = base.notable.iter().filter(|&&start| (from..end).contains(&start));
            self.notable.extend(inside.map(moved));
        }
        end - from
    }
}
