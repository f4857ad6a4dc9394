//! What the commits of a range bring in: blobs and names that none of their parents holds there.
//!
//! A merge brings in what it holds and *no* parent holds at that path, so a change that only the
//! merge makes is seen and one that it merely takes over is not counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gix::ObjectId;
use gix::hashtable::HashSet;

use super::super::path_scope::{Admission, PathScope};
use super::super::tree_entries::{TreeEntries, TreeEntry};
use super::tree_cache::TreeCache;
use super::walk::{Before, RangeCommit};
use crate::finding::GapKind;
use crate::source::git::lookup::Unread;
use crate::source::names;

/// Deepest directory that is compared: git's own default for `core.maxTreeDepth`.
const MAX_DEPTH: usize = 2048;

/// What was gathered from some or all commits of a range.
#[derive(Default)]
pub(super) struct Changes {
    /// Blobs that some commit brings in, each with the first path in order of names.
    pub(super) blobs: gix::hashtable::HashMap<ObjectId, Vec<u8>>,
    /// Paths whose last component is new and could hold a token.
    pub(super) names: BTreeSet<Vec<u8>>,
    /// Paths whose last component is gone or changed and could hold a token, on the base side.
    pub(super) base_names: BTreeSet<Vec<u8>>,
    /// Blobs of the base side that are changed or gone.
    pub(super) base_blobs: HashSet<ObjectId>,
    /// Blobs that a parent inside the range held and that are changed or gone. What the range did
    /// not bring in itself came from the base side.
    pub(super) passing_blobs: HashSet<ObjectId>,
    /// Directories of the base side that are gone.
    pub(super) base_trees: HashSet<ObjectId>,
    /// Trees that were compared.
    pub(super) trees: u64,
    /// Paths left out by a glob.
    pub(super) excluded: BTreeSet<Vec<u8>>,
    /// Submodules that came in or changed.
    pub(super) submodules: BTreeSet<Vec<u8>>,
    /// Trees that could not be read.
    pub(super) unread: BTreeMap<ObjectId, Unread>,
}

impl Changes {
    pub(super) fn merge(&mut self, other: Self) {
        for (blob, path) in other.blobs {
            self.blob(blob, path);
        }
        self.names.extend(other.names);
        self.base_names.extend(other.base_names);
        self.base_blobs.extend(other.base_blobs);
        self.passing_blobs.extend(other.passing_blobs);
        self.base_trees.extend(other.base_trees);
        self.trees += other.trees;
        self.excluded.extend(other.excluded);
        self.submodules.extend(other.submodules);
        self.unread.extend(other.unread);
    }

    pub(super) fn blob(&mut self, id: ObjectId, path: Vec<u8>) {
        match self.blobs.get_mut(&id) {
            Some(first) if *first <= path => {}
            Some(first) => *first = path,
            None => {
                self.blobs.insert(id, path);
            }
        }
    }
}

/// Compares commits with their parents, one after the other.
pub(super) struct Comparison<'a> {
    pub(super) trees: TreeCache,
    pub(super) scope: PathScope<'a>,
    pub(super) changes: Changes,
}

/// A tree of a parent, and where in it the comparison stands.
struct Side<'t> {
    at: Option<TreeEntry<'t>>,
    rest: TreeEntries<'t>,
    is_base: bool,
}

impl Comparison<'_> {
    /// Adds what `commit` brings in.
    pub(super) fn commit(&mut self, commit: &RangeCommit) {
        if commit.before.iter().all(|before| before.tree != commit.tree) {
            self.tree(&mut Vec::new(), commit.tree, &commit.before, 0);
        }
    }

    /// Adds what a tree that no commit holds has below it.
    pub(super) fn loose_tree(&mut self, tree: ObjectId) {
        self.tree(&mut Vec::new(), tree, &[], 0);
    }

    fn read(&mut self, tree: &ObjectId) -> Option<Arc<[u8]>> {
        match self.trees.get(tree) {
            Ok(content) => Some(content),
            Err(unread) => {
                self.changes.unread.insert(*tree, unread);
                None
            }
        }
    }

    /// Compares a tree with those that stand at the same path in the parents.
    fn tree(&mut self, prefix: &mut Vec<u8>, tree: ObjectId, before: &[Before], depth: usize) {
        if depth > MAX_DEPTH {
            let why = format!("directories deeper than {MAX_DEPTH} are not looked into");
            self.changes.unread.insert(tree, Unread { kind: GapKind::Budget, why });
            return;
        }
        let Some(content) = self.read(&tree) else { return };
        self.changes.trees += 1;
        let id_len = tree.as_bytes().len();
        let olds: Vec<(Arc<[u8]>, bool)> =
            before.iter().filter_map(|side| Some((self.read(&side.tree)?, side.is_base))).collect();
        let mut sides: Vec<Side<'_>> =
            olds.iter().map(|(content, is_base)| Side::new(content, id_len, *is_base)).collect();
        for entry in TreeEntries::new(&content, id_len) {
            let Ok(entry) = entry else {
                let why = "is not a well-formed tree; run `git fsck`".to_owned();
                self.changes.unread.insert(tree, Unread { kind: GapKind::Unreadable, why });
                break;
            };
            let mut gone = Vec::new();
            let found: Vec<Option<TreeEntry<'_>>> =
                sides.iter_mut().map(|side| side.find(&entry, &mut gone)).collect();
            gone.iter().for_each(|(entry, is_base)| self.gone(prefix, entry, *is_base));
            if found.iter().flatten().any(|old| old.id == entry.id) {
                continue;
            }
            let outer = prefix.len();
            prefix.extend_from_slice(entry.name);
            self.entry(prefix, &entry, &found, &olds, depth);
            prefix.truncate(outer);
        }
        for mut side in sides {
            while let Some(entry) = side.next() {
                self.gone(prefix, &entry, side.is_base);
            }
        }
    }

    /// An entry that no parent holds like that; `path` is its path, `found` what each of them has
    /// there.
    fn entry(
        &mut self,
        path: &mut Vec<u8>,
        entry: &TreeEntry<'_>,
        found: &[Option<TreeEntry<'_>>],
        olds: &[(Arc<[u8]>, bool)],
        depth: usize,
    ) {
        let admission = if entry.is_tree() { self.scope.directory(path) } else { self.scope.file(path) };
        match admission {
            Admission::Admitted => {}
            Admission::OutOfScope => return,
            Admission::Excluded => {
                self.changes.excluded.insert(path.clone());
                return;
            }
        }
        let is_new_name = found.iter().all(Option::is_none);
        if is_new_name && names::may_hold_token(entry.name) && self.scope.has_limit_above(path) {
            self.changes.names.insert(path.clone());
        }
        if entry.is_submodule() {
            self.changes.submodules.insert(path.clone());
            return;
        }
        let Ok(id) = ObjectId::try_from(entry.id) else { return };
        let sides = found.iter().zip(olds).filter_map(|(old, (_, is_base))| {
            Some(Before { tree: ObjectId::try_from(old.as_ref()?.id).ok()?, is_base: *is_base })
        });
        if entry.is_tree() {
            let before: Vec<Before> = sides.collect();
            path.push(b'/');
            self.tree(path, id, &before, depth + 1);
        } else {
            sides.for_each(|old| self.changes.before(old.tree, old.is_base));
            self.changes.blob(id, path.clone());
        }
    }

    /// An entry of a parent that is not there any more.
    fn gone(&mut self, prefix: &[u8], entry: &TreeEntry<'_>, is_base: bool) {
        if names::may_hold_token(entry.name) {
            self.changes.base_names.insert([prefix, entry.name].concat());
        }
        let Ok(id) = ObjectId::try_from(entry.id) else { return };
        match (entry.is_submodule(), entry.is_tree()) {
            (true, _) => {}
            (false, false) => {
                // NOTE: what the range brought in at a path that was not asked for is not among the
                // blobs, and must not pass for the base side's.
                let path = [prefix, entry.name].concat();
                if is_base || self.scope.file(&path) == Admission::Admitted {
                    self.changes.before(id, is_base);
                }
            }
            (false, true) if is_base => {
                self.changes.base_trees.insert(id);
            }
            (false, true) => {}
        }
    }
}

impl Changes {
    fn before(&mut self, blob: ObjectId, is_base: bool) {
        if is_base {
            self.base_blobs.insert(blob);
        } else {
            self.passing_blobs.insert(blob);
        }
    }
}

impl<'t> Side<'t> {
    fn new(content: &'t [u8], id_len: usize, is_base: bool) -> Self {
        let mut side = Self { at: None, rest: TreeEntries::new(content, id_len), is_base };
        side.advance();
        side
    }

    fn advance(&mut self) {
        // What cannot be read counts as absent: what stands there is new then.
        self.at = self.rest.next().and_then(Result::ok);
    }

    fn next(&mut self) -> Option<TreeEntry<'t>> {
        let entry = self.at;
        self.advance();
        entry
    }

    /// The entry of the same name and kind, if there is one; those before it go to `gone`.
    fn find(
        &mut self,
        wanted: &TreeEntry<'_>,
        gone: &mut Vec<(TreeEntry<'t>, bool)>,
    ) -> Option<TreeEntry<'t>> {
        while let Some(entry) = self.at {
            match entry.order(wanted) {
                std::cmp::Ordering::Less => {
                    gone.push((entry, self.is_base));
                    self.advance();
                }
                std::cmp::Ordering::Equal => return self.next(),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}
