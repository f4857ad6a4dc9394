//! Entries of a raw tree object.
//!
//! An own parser, since history walks parse millions of entries and want neither allocation nor
//! a check of what does not matter here.

use std::cmp::Ordering;

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) struct TreeEntry<'a> {
    /// File mode, for example `0o100644`.
    pub(in crate::source) mode: u32,
    /// Name without `/`.
    pub(in crate::source) name: &'a [u8],
    /// Raw object name.
    pub(in crate::source) id: &'a [u8],
}

impl TreeEntry<'_> {
    /// Whether it is a directory.
    pub(in crate::source) fn is_tree(&self) -> bool {
        is_tree(self.mode)
    }

    /// Whether it is a submodule's commit.
    pub(in crate::source) fn is_submodule(&self) -> bool {
        self.mode & 0o170_000 == 0o160_000
    }

    /// Git's order of entries: by name, where directories end in `/`.
    pub(in crate::source) fn order(&self, other: &TreeEntry<'_>) -> Ordering {
        let common = self.name.len().min(other.name.len());
        let next = |entry: &TreeEntry<'_>| {
            entry.name.get(common).copied().unwrap_or(if entry.is_tree() { b'/' } else { 0 })
        };
        self.name[..common].cmp(&other.name[..common]).then_with(|| next(self).cmp(&next(other)))
    }
}

/// Whether a file mode is that of a directory.
pub(in crate::source) fn is_tree(mode: u32) -> bool {
    mode & 0o170_000 == 0o040_000
}

/// Walks the entries of a tree object's content; an error ends it.
pub(in crate::source) struct TreeEntries<'a> {
    rest: &'a [u8],
    id_len: usize,
}

/// The content is not that of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) struct MalformedTree;

impl<'a> TreeEntries<'a> {
    /// Entries of `content`, whose object names are `id_len` bytes long.
    pub(in crate::source) fn new(content: &'a [u8], id_len: usize) -> Self {
        Self { rest: content, id_len }
    }

    /// Bytes not read yet.
    pub(in crate::source) fn rest_len(&self) -> usize {
        self.rest.len()
    }

    fn parse(&mut self) -> Option<TreeEntry<'a>> {
        let mut mode = 0_u32;
        let mut at = 0;
        loop {
            match *self.rest.get(at)? {
                b' ' if at > 0 => break,
                digit @ b'0'..=b'7' if at < 7 => mode = mode << 3 | u32::from(digit - b'0'),
                _ => return None,
            }
            at += 1;
        }
        let rest = &self.rest[at + 1..];
        let end = memchr::memchr(0, rest).filter(|&end| end > 0)?;
        let id = rest.get(end + 1..end + 1 + self.id_len)?;
        self.rest = &rest[end + 1 + self.id_len..];
        Some(TreeEntry { mode, name: &rest[..end], id })
    }
}

impl<'a> Iterator for TreeEntries<'a> {
    type Item = Result<TreeEntry<'a>, MalformedTree>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.parse();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(MalformedTree))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_read_in_order() {
        let content = [b"40000 dir\0".as_slice(), &[1; 20], b"100644 a b.txt\0", &[2; 20]].concat();
        let entries: Vec<_> = TreeEntries::new(&content, 20).map(Result::unwrap).collect();
        assert_eq!(entries[0], TreeEntry { mode: 0o40_000, name: b"dir", id: &[1; 20] });
        assert_eq!(entries[1], TreeEntry { mode: 0o100_644, name: b"a b.txt", id: &[2; 20] });
        assert!(entries[0].is_tree() && !entries[1].is_tree());
        let cut: Vec<_> = TreeEntries::new(&content[..content.len() - 1], 20).collect();
        assert_eq!((cut.len(), cut[1]), (2, Err(MalformedTree)));
    }

    proptest! {
        #[test]
        fn any_bytes_end(content in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(TreeEntries::new(&content, 20).count() <= content.len());
        }
    }
}
