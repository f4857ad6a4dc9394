//! The index against HEAD's tree: what the next commit would change.
//!
//! Whole directories are passed over where the index knows the tree they would become (its
//! cache-tree extension), so a commit of one file reads one tree for each directory above it.

use std::ops::Range;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::index::entry::{Flags, Mode};
use gix::index::extension::Tree as CacheTree;
use gix::objs::Kind;

use super::lookup::{Lookup, Unread};
use super::tree_entries::{TreeEntries, is_tree};
use crate::finding::GapKind;

/// Deepest directory that is compared: git's own default for `core.maxTreeDepth`.
const MAX_DEPTH: usize = 2048;

/// A blob under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) id: ObjectId,
    pub(super) is_link: bool,
}

/// Differences between the index and HEAD's tree.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What the index holds and HEAD does not hold at that path.
    pub(super) staged: Vec<Entry>,
    /// What HEAD holds at paths that are changed or gone in the index.
    pub(super) head: Vec<Entry>,
    /// Names that HEAD does not have, as paths whose last component is the name.
    pub(super) new_names: Vec<Vec<u8>>,
    /// Submodules that are added or changed.
    pub(super) submodules: Vec<Vec<u8>>,
    /// Trees of HEAD that could not be read: all below them counts as new.
    pub(super) unread: Vec<(ObjectId, Unread)>,
}

/// An entry of HEAD's trees, owned.
struct HeadEntry {
    name: Vec<u8>,
    mode: u32,
    id: ObjectId,
    matched: bool,
}

/// Compares `index` with the tree `head`; without one, everything in the index is new.
pub(super) fn compare(index: &gix::index::State, head: Option<ObjectId>, objects: &mut Lookup) -> Changes {
    let mut comparison = Comparison { index, objects, changes: Changes::default() };
    comparison.directory(&mut Vec::new(), 0..index.entries().len(), head, index.tree());
    comparison.changes
}

struct Comparison<'a> {
    index: &'a gix::index::State,
    objects: &'a mut Lookup,
    changes: Changes,
}

impl Comparison<'_> {
    /// Compares the index entries in `range`, all of which begin with `prefix`, with `head`.
    fn directory(
        &mut self,
        prefix: &mut Vec<u8>,
        range: Range<usize>,
        head: Option<ObjectId>,
        cache: Option<&CacheTree>,
    ) {
        let would_become = cache.filter(|cache| cache.num_entries.is_some_and(|n| n as usize == range.len()));
        if head.is_some() && would_become.map(|cache| cache.id) == head {
            return;
        }
        let mut head_entries = self.head_entries(head);
        let mut at = range.start;
        while at < range.end {
            let path = self.index.entries()[at].path(self.index).as_bytes();
            let rest = &path[prefix.len()..];
            let end = match memchr::memchr(b'/', rest) {
                Some(slash) => {
                    let below = &path[..prefix.len() + slash + 1];
                    let group = at..at + self.run(at..range.end, |path| path.starts_with(below));
                    let name = &rest[..slash];
                    let head = take(&mut head_entries, name, true).map(|found| found.1);
                    self.group(prefix, name, group.clone(), head, child(cache, name));
                    group.end
                }
                None => {
                    let group = at..at + self.run(at..range.end, |other| other == path);
                    self.file(path, group.clone(), take(&mut head_entries, rest, false));
                    group.end
                }
            };
            at = end;
        }
        for gone in head_entries.into_iter().filter(|entry| !entry.matched) {
            self.gone(prefix, &gone.name, gone.mode, gone.id);
        }
    }

    /// Number of index entries at the start of `range` whose paths are `together`.
    fn run(&self, range: Range<usize>, together: impl Fn(&[u8]) -> bool) -> usize {
        self.index.entries()[range].partition_point(|entry| together(entry.path(self.index)))
    }

    /// Compares the index entries of one sub-directory.
    fn group(
        &mut self,
        prefix: &mut Vec<u8>,
        name: &[u8],
        range: Range<usize>,
        head: Option<ObjectId>,
        cache: Option<&CacheTree>,
    ) {
        let outer = prefix.len();
        prefix.extend_from_slice(name);
        if head.is_none() {
            self.changes.new_names.push(prefix.clone());
        }
        prefix.push(b'/');
        let first = &self.index.entries()[range.start];
        if first.mode == Mode::DIR {
            // A sparse index holds whole directories by the name of their tree.
            self.trees(prefix, Some(first.id), head);
        } else {
            self.directory(prefix, range, head, cache);
        }
        prefix.truncate(outer);
    }

    /// Compares the entries of one path, several when it is in conflict, with HEAD's.
    fn file(&mut self, path: &[u8], range: Range<usize>, head: Option<(u32, ObjectId)>) {
        let mut changed = false;
        for entry in &self.index.entries()[range] {
            // NOTE: stage 1 is the common ancestor, which the commit will not hold; the content
            // of an intent-to-add entry is not staged.
            if entry.stage_raw() == 1 || entry.flags.contains(Flags::INTENT_TO_ADD) {
                continue;
            }
            changed |= self.changed(path, entry.mode.bits(), entry.id, head);
        }
        if let (true, Some((mode, id))) = (changed, head) {
            self.head(path.to_vec(), mode, id);
        }
    }

    /// Notes what the index or a new tree holds at `path`, if it differs from HEAD.
    fn changed(&mut self, path: &[u8], mode: u32, id: ObjectId, head: Option<(u32, ObjectId)>) -> bool {
        let kind = |mode: u32| mode & 0o170_000;
        if head.is_some_and(|(head_mode, head_id)| head_id == id && kind(head_mode) == kind(mode)) {
            return false;
        }
        if head.is_none() {
            self.changes.new_names.push(path.to_vec());
        }
        if kind(mode) == 0o160_000 {
            self.changes.submodules.push(path.to_vec());
        } else {
            self.changes.staged.push(Entry { path: path.to_vec(), id, is_link: kind(mode) == 0o120_000 });
        }
        true
    }

    /// Compares two trees, for the directories of a sparse index.
    fn trees(&mut self, prefix: &mut Vec<u8>, new: Option<ObjectId>, head: Option<ObjectId>) {
        if new == head {
            return;
        }
        if memchr::memchr_iter(b'/', prefix).count() > MAX_DEPTH {
            let why =
                format!("lies more than {MAX_DEPTH} directories deep, which git does not accept either");
            let unread = Unread { kind: GapKind::Budget, why };
            self.changes.unread.extend(new.or(head).map(|tree| (tree, unread)));
            return;
        }
        let mut head_entries = self.head_entries(head);
        for entry in self.head_entries(new) {
            let outer = prefix.len();
            let directory = is_tree(entry.mode);
            let head = take(&mut head_entries, &entry.name, directory);
            prefix.extend_from_slice(&entry.name);
            if directory {
                if head.is_none() {
                    self.changes.new_names.push(prefix.clone());
                }
                prefix.push(b'/');
                self.trees(prefix, Some(entry.id), head.map(|found| found.1));
            } else if self.changed(prefix, entry.mode, entry.id, head)
                && let Some((mode, id)) = head
            {
                self.head(prefix.clone(), mode, id);
            }
            prefix.truncate(outer);
        }
        for gone in head_entries.into_iter().filter(|entry| !entry.matched) {
            self.gone(prefix, &gone.name, gone.mode, gone.id);
        }
    }

    /// Notes a path of HEAD, or all below it, that the index no longer has.
    fn gone(&mut self, prefix: &mut Vec<u8>, name: &[u8], mode: u32, id: ObjectId) {
        let outer = prefix.len();
        prefix.extend_from_slice(name);
        if is_tree(mode) {
            prefix.push(b'/');
            self.trees(prefix, None, Some(id));
        } else {
            self.head(prefix.clone(), mode, id);
        }
        prefix.truncate(outer);
    }

    fn head(&mut self, path: Vec<u8>, mode: u32, id: ObjectId) {
        match mode & 0o170_000 {
            0o160_000 => {}
            kind => self.changes.head.push(Entry { path, id, is_link: kind == 0o120_000 }),
        }
    }

    /// Entries of a tree, sorted by name and then files first; none when it cannot be read.
    fn head_entries(&mut self, tree: Option<ObjectId>) -> Vec<HeadEntry> {
        let Some(tree) = tree else { return Vec::new() };
        let id_len = tree.as_bytes().len();
        let mut entries = Vec::new();
        match self.objects.expect(&tree, Kind::Tree) {
            Ok(content) => {
                for entry in TreeEntries::new(content, id_len).flatten() {
                    // NOTE: the parser cuts names to `id_len`, a length the library knows.
                    let id = ObjectId::from_bytes_or_panic(entry.id);
                    entries.push(HeadEntry {
                        name: entry.name.to_vec(),
                        mode: entry.mode,
                        id,
                        matched: false,
                    });
                }
            }
            Err(unread) => self.changes.unread.push((tree, unread)),
        }
        entries.sort_by(|a, b| (&a.name, is_tree(a.mode)).cmp(&(&b.name, is_tree(b.mode))));
        entries
    }
}

/// Finds an entry by name and marks it as matched.
fn take(entries: &mut [HeadEntry], name: &[u8], directory: bool) -> Option<(u32, ObjectId)> {
    let at = entries
        .binary_search_by(|entry| (&entry.name[..], is_tree(entry.mode)).cmp(&(name, directory)))
        .ok()?;
    entries[at].matched = true;
    Some((entries[at].mode, entries[at].id))
}

/// The cache-tree of a sub-directory.
fn child<'c>(cache: Option<&'c CacheTree>, name: &[u8]) -> Option<&'c CacheTree> {
    cache?.children.iter().find(|child| child.name[..] == *name)
}
