//! Which commit holds which of the blobs under which path.
//!
//! One pass, parents before children. A commit with one parent holds what its parent holds but
//! for what the two trees differ in. Of a merge, all entries are looked at in directories that
//! differ from all parents; a directory that is one parent's holds what it holds there. So a
//! secret that only the merge itself brings in, or drops, is seen.

use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;

use super::super::tree_entries::{TreeEntries, TreeEntry};
use super::graph::Graph;
use super::sets::{SetId, Sets};
use super::trees::Trees;

/// Deepest directory looked into: git's own default for `core.maxTreeDepth`.
const MAX_DEPTH: usize = 2048;

/// A blob under a path; its number is its place in [`Holdings::places`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) path: Vec<u8>,
    pub(super) blob: ObjectId,
}

/// What every commit holds.
pub(super) struct Holdings {
    pub(super) places: Vec<Place>,
    /// By commit, the set of places it holds.
    pub(super) held: Vec<SetId>,
}

/// Finds what every commit of `graph` holds of `blobs`.
pub(super) fn holdings(
    graph: &Graph,
    blobs: &[ObjectId],
    trees: &mut Trees,
    sets: &mut Sets,
    cancelled: &dyn Fn() -> bool,
) -> Holdings {
    let id_len = blobs.first().map_or(20, |blob| blob.as_bytes().len());
    let mut pass = Pass { trees, wanted: Wanted::new(blobs), places: Places::default(), id_len };
    let mut held: Vec<SetId> = Vec::with_capacity(graph.ids.len());
    for commit in 0..graph.ids.len() {
        if commit % 1024 == 0 && cancelled() {
            held.resize(graph.ids.len(), super::sets::EMPTY);
            break;
        }
        let parents = graph.parents(commit as u32);
        let tree = graph.trees[commit];
        let same = parents.iter().find(|&&parent| graph.trees[parent as usize] == tree);
        let set = match (same, parents) {
            (Some(&parent), _) => held[parent as usize],
            (None, []) => pass.changed(sets, tree, None, super::sets::EMPTY),
            (None, [parent]) => {
                let before = graph.trees[*parent as usize];
                pass.changed(sets, tree, Some(before), held[*parent as usize])
            }
            (None, several) => {
                let before = several.iter().map(|&parent| graph.trees[parent as usize]).collect();
                let sides: Vec<Rc<[u32]>> =
                    several.iter().map(|&parent| sets.get(held[parent as usize])).collect();
                let merged = pass.merged(tree, before, &sides);
                sets.intern(merged)
            }
        };
        held.push(set);
    }
    Holdings { places: pass.places.list, held }
}

/// The blobs looked for, with a quick test that most object names fail.
struct Wanted {
    /// One bit for each value of the first two bytes.
    starts: Vec<u64>,
    blobs: gix::hashtable::HashSet<ObjectId>,
}

impl Wanted {
    fn new(blobs: &[ObjectId]) -> Self {
        let mut starts = vec![0; 1024];
        for blob in blobs {
            let start = Self::start(blob.as_bytes());
            starts[start / 64] |= 1 << (start % 64);
        }
        Self { starts, blobs: blobs.iter().copied().collect() }
    }

    fn start(id: &[u8]) -> usize {
        usize::from(id[0]) << 8 | usize::from(id[1])
    }

    fn get(&self, entry: &TreeEntry<'_>) -> Option<ObjectId> {
        let start = Self::start(entry.id);
        if self.starts[start / 64] >> (start % 64) & 1 == 0 || entry.is_submodule() {
            return None;
        }
        ObjectId::try_from(entry.id).ok().filter(|id| self.blobs.contains(id))
    }
}

#[derive(Default)]
struct Places {
    list: Vec<Place>,
    numbers: HashMap<Place, u32>,
}

impl Places {
    fn number(&mut self, prefix: &[u8], name: &[u8], blob: ObjectId) -> u32 {
        let place = Place { path: [prefix, name].concat(), blob };
        if let Some(&number) = self.numbers.get(&place) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(place.clone());
        self.numbers.insert(place, number);
        number
    }
}

/// Differences between a tree and the one before it.
#[derive(Default)]
struct Difference {
    gained: Vec<u32>,
    lost: Vec<u32>,
    /// Directories that are gone, each with a `/` at its end.
    gone: Vec<Vec<u8>>,
}

/// Parts of a merge's tree.
#[derive(Default)]
struct Merged {
    held: Vec<u32>,
    /// Directories that are as in a parent: path with `/` at its end, and which parent.
    taken: HashMap<Vec<u8>, usize>,
}

struct Pass<'a> {
    trees: &'a mut Trees,
    wanted: Wanted,
    places: Places,
    id_len: usize,
}

impl Pass<'_> {
    /// What is held by a commit with `tree`, whose one parent has the tree `before`.
    fn changed(
        &mut self,
        sets: &mut Sets,
        tree: ObjectId,
        before: Option<ObjectId>,
        held_before: SetId,
    ) -> SetId {
        let mut difference = Difference::default();
        self.differ(&mut Vec::new(), tree, before, &mut difference);
        let Difference { gained, lost, gone } = difference;
        if gained.is_empty() && (held_before == super::sets::EMPTY || (lost.is_empty() && gone.is_empty())) {
            return held_before;
        }
        let below_gone = |path: &[u8]| gone.iter().any(|directory| path.starts_with(directory));
        let kept = sets.get(held_before);
        let kept = kept
            .iter()
            .copied()
            .filter(|place| !lost.contains(place) && !below_gone(&self.places.list[*place as usize].path));
        sets.intern(kept.chain(gained).collect())
    }

    /// Walks two trees side by side.
    fn differ(&mut self, prefix: &mut Vec<u8>, new: ObjectId, old: Option<ObjectId>, out: &mut Difference) {
        if memchr::memchr_iter(b'/', prefix).count() > MAX_DEPTH {
            return;
        }
        let new_tree = self.trees.get(&new);
        let old_tree = old.map(|old| self.trees.get(&old));
        let mut news = Cursor::new(&new_tree, self.id_len);
        let mut olds = Cursor::new(old_tree.as_deref().unwrap_or_default(), self.id_len);
        loop {
            let (new, old) = (news.current, olds.current);
            match (new, old) {
                (None, None) => return,
                (Some(new), Some(old)) if new == old => {
                    news.advance();
                    olds.advance();
                }
                (new, Some(old)) if new.is_none_or(|new| order(&old, &new).is_lt()) => {
                    self.lose(prefix, &old, out);
                    olds.advance();
                }
                (Some(new), old) if old.is_none_or(|old| order(&new, &old).is_lt()) => {
                    self.gain(prefix, &new, None, out);
                    news.advance();
                }
                (Some(new), Some(old)) => {
                    if new.is_tree() {
                        self.gain(prefix, &new, ObjectId::try_from(old.id).ok(), out);
                    } else if new.id != old.id {
                        self.lose(prefix, &old, out);
                        self.gain(prefix, &new, None, out);
                    }
                    news.advance();
                    olds.advance();
                }
                (None, Some(_)) | (Some(_), None) => return, // both are handled above
            }
        }
    }

    fn gain(
        &mut self,
        prefix: &mut Vec<u8>,
        entry: &TreeEntry<'_>,
        old: Option<ObjectId>,
        out: &mut Difference,
    ) {
        if entry.is_tree() {
            let Ok(new) = ObjectId::try_from(entry.id) else { return };
            if Some(new) == old {
                return;
            }
            let outer = prefix.len();
            prefix.extend_from_slice(entry.name);
            prefix.push(b'/');
            self.differ(prefix, new, old, out);
            prefix.truncate(outer);
        } else if let Some(blob) = self.wanted.get(entry) {
            out.gained.push(self.places.number(prefix, entry.name, blob));
        }
    }

    fn lose(&mut self, prefix: &[u8], entry: &TreeEntry<'_>, out: &mut Difference) {
        if entry.is_tree() {
            out.gone.push([prefix, entry.name, b"/"].concat());
        } else if let Some(blob) = self.wanted.get(entry) {
            out.lost.push(self.places.number(prefix, entry.name, blob));
        }
    }

    /// What is held by a merge with `tree`, whose parents have the trees `before` and hold `sides`.
    fn merged(&mut self, tree: ObjectId, before: Vec<ObjectId>, sides: &[Rc<[u32]>]) -> Vec<u32> {
        let mut merged = Merged::default();
        let before = before.into_iter().map(Some).collect::<Vec<_>>();
        self.merge(&mut Vec::new(), tree, &before, sides, &mut merged);
        for (parent, side) in sides.iter().enumerate() {
            for &place in &**side {
                let path = &self.places.list[place as usize].path;
                let taken = memchr::memchr_iter(b'/', path)
                    .any(|slash| merged.taken.get(&path[..=slash]) == Some(&parent));
                if taken {
                    merged.held.push(place);
                }
            }
        }
        merged.held
    }

    /// Walks a tree that differs from those of all parents.
    fn merge(
        &mut self,
        prefix: &mut Vec<u8>,
        tree: ObjectId,
        before: &[Option<ObjectId>],
        sides: &[Rc<[u32]>],
        out: &mut Merged,
    ) {
        if memchr::memchr_iter(b'/', prefix).count() > MAX_DEPTH {
            return;
        }
        let content = self.trees.get(&tree);
        let old: Vec<Option<Rc<[u8]>>> =
            before.iter().map(|id| id.as_ref().map(|id| self.trees.get(id))).collect();
        let mut cursors: Vec<Cursor<'_>> =
            old.iter().map(|tree| Cursor::new(tree.as_deref().unwrap_or_default(), self.id_len)).collect();
        for entry in TreeEntries::new(&content, self.id_len).flatten() {
            if !entry.is_tree() {
                if let Some(blob) = self.wanted.get(&entry) {
                    out.held.push(self.places.number(prefix, entry.name, blob));
                }
                continue;
            }
            let theirs: Vec<Option<&[u8]>> = cursors.iter_mut().map(|cursor| cursor.find(&entry)).collect();
            let outer = prefix.len();
            prefix.extend_from_slice(entry.name);
            prefix.push(b'/');
            match theirs.iter().position(|id| *id == Some(entry.id)) {
                Some(parent) => {
                    if !sides[parent].is_empty() {
                        out.taken.insert(prefix.clone(), parent);
                    }
                }
                None => {
                    let before: Vec<Option<ObjectId>> =
                        theirs.into_iter().map(|id| ObjectId::try_from(id?).ok()).collect();
                    if let Ok(id) = ObjectId::try_from(entry.id) {
                        self.merge(prefix, id, &before, sides, out);
                    }
                }
            }
            prefix.truncate(outer);
        }
    }
}

/// Git's order of tree entries: by name, where directories end in `/`.
fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> std::cmp::Ordering {
    let common = one.name.len().min(other.name.len());
    let next = |entry: &TreeEntry<'_>| {
        entry.name.get(common).copied().unwrap_or(if entry.is_tree() { b'/' } else { 0 })
    };
    one.name[..common].cmp(&other.name[..common]).then_with(|| next(one).cmp(&next(other)))
}

/// Entries of a tree with the one that is next in sight.
struct Cursor<'a> {
    entries: TreeEntries<'a>,
    current: Option<TreeEntry<'a>>,
}

impl<'a> Cursor<'a> {
    fn new(tree: &'a [u8], id_len: usize) -> Self {
        let mut cursor = Self { entries: TreeEntries::new(tree, id_len), current: None };
        cursor.advance();
        cursor
    }

    fn advance(&mut self) {
        // NOTE: a malformed rest was noted when the object database was scanned.
        self.current = self.entries.next().and_then(Result::ok);
    }

    /// Object name of the directory called like `wanted`; asked for in ascending order.
    fn find(&mut self, wanted: &TreeEntry<'_>) -> Option<&'a [u8]> {
        while self.current.is_some_and(|current| order(&current, wanted).is_lt()) {
            self.advance();
        }
        self.current
            .filter(|current| current.is_tree() && current.name == wanted.name)
            .map(|current| current.id)
    }
}
