//! Which commit holds which of the blobs under which path.
//!
//! One pass, parents before children. A commit holds what its first parent holds but for what the
//! two trees differ in. Where a merge has taken a directory whole from another parent, it holds
//! what that parent holds there, and the directory is not entered. So a secret that only the
//! merge itself brings in, or drops, is seen, and a merge costs no more than any other commit.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;

use super::super::tree_entries::{TreeEntries, TreeEntry};
use super::graph::Graph;
use super::sets::{EMPTY, SetId, Sets};
use super::trees::Trees;

/// Deepest directory looked into: git's own default for `core.maxTreeDepth`.
pub(super) const MAX_DEPTH: usize = 2048;

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
            held.resize(graph.ids.len(), EMPTY);
            break;
        }
        let parents = graph.parents(commit as u32);
        let tree = graph.trees[commit];
        let same = parents.iter().find(|&&parent| graph.trees[parent as usize] == tree);
        let set = match same {
            Some(&parent) => held[parent as usize],
            None => {
                let before: Vec<Option<ObjectId>> =
                    parents.iter().map(|&parent| Some(graph.trees[parent as usize])).collect();
                let sides: Vec<SetId> = parents.iter().map(|&parent| held[parent as usize]).collect();
                pass.changed(sets, tree, &before, &sides)
            }
        };
        held.push(set);
    }
    Holdings { places: pass.places.list, held }
}

/// The blobs looked for, with a quick test that most object names fail.
pub(super) struct Wanted {
    /// One bit for each value of the first two bytes.
    starts: Vec<u64>,
    /// Their places in the list of blobs.
    blobs: gix::hashtable::HashMap<ObjectId, u32>,
}

impl Wanted {
    pub(super) fn new(blobs: &[ObjectId]) -> Self {
        let mut starts = vec![0; 1024];
        for blob in blobs {
            let start = Self::start(blob.as_bytes());
            starts[start / 64] |= 1 << (start % 64);
        }
        Self { starts, blobs: blobs.iter().copied().zip(0..).collect() }
    }

    fn start(id: &[u8]) -> usize {
        usize::from(id[0]) << 8 | usize::from(id[1])
    }

    fn get(&self, entry: &TreeEntry<'_>) -> Option<ObjectId> {
        self.number(entry).and_then(|_| ObjectId::try_from(entry.id).ok())
    }

    /// Which of the blobs an entry is.
    pub(super) fn number(&self, entry: &TreeEntry<'_>) -> Option<u32> {
        let start = Self::start(entry.id);
        if self.starts[start / 64] >> (start % 64) & 1 == 0 || entry.is_submodule() {
            return None;
        }
        self.blobs.get(&ObjectId::try_from(entry.id).ok()?).copied()
    }
}

/// Places, each once.
#[derive(Default)]
pub(super) struct Places {
    pub(super) list: Vec<Place>,
    numbers: HashMap<Place, u32>,
}

impl Places {
    pub(super) fn number(&mut self, prefix: &[u8], name: &[u8], blob: ObjectId) -> u32 {
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

/// Differences between a commit's tree and that of its first parent.
#[derive(Default)]
struct Difference {
    gained: Vec<u32>,
    lost: Vec<u32>,
    /// Directories of the first parent that are gone or another parent's, with `/` at the end.
    gone: Vec<Vec<u8>>,
    /// Directories taken whole from another parent: which, and the path with `/` at the end.
    taken: Vec<(usize, Vec<u8>)>,
}

struct Pass<'a> {
    trees: &'a mut Trees,
    wanted: Wanted,
    places: Places,
    id_len: usize,
}

impl Pass<'_> {
    /// What is held by a commit with `tree`, whose parents have the trees `before` and hold
    /// `sides`.
    fn changed(
        &mut self,
        sets: &mut Sets,
        tree: ObjectId,
        before: &[Option<ObjectId>],
        sides: &[SetId],
    ) -> SetId {
        let mut difference = Difference::default();
        self.differ(&mut Vec::new(), tree, before, &mut difference);
        let Difference { gained: mut held, lost, gone, taken } = difference;
        let first = sides.first().copied().unwrap_or(EMPTY);
        let from_others = taken.iter().any(|&(parent, _)| sides[parent] != EMPTY);
        if held.is_empty() && !from_others && (first == EMPTY || (lost.is_empty() && gone.is_empty())) {
            return first;
        }
        let path = |place: &u32| &self.places.list[*place as usize].path[..];
        let is_gone = |place: &u32| {
            lost.contains(place) || gone.iter().any(|directory| path(place).starts_with(directory))
        };
        held.extend(sets.get(first).iter().filter(|place| !is_gone(place)));
        for (parent, directory) in &taken {
            let side = sets.get(sides[*parent]);
            held.extend(side.iter().filter(|place| path(place).starts_with(directory)));
        }
        sets.intern(held)
    }

    /// Walks a tree beside the first parent's.
    fn differ(
        &mut self,
        prefix: &mut Vec<u8>,
        tree: ObjectId,
        before: &[Option<ObjectId>],
        out: &mut Difference,
    ) {
        if memchr::memchr_iter(b'/', prefix).count() > MAX_DEPTH {
            return;
        }
        let content = self.trees.get(&tree);
        let olds: Vec<Option<Rc<Vec<u8>>>> =
            before.iter().map(|id| id.as_ref().map(|id| self.trees.get(id))).collect();
        let mut cursors =
            olds.iter().map(|old| Cursor::new(old.as_ref().map_or(&[][..], |old| &old[..]), self.id_len));
        let mut new = Cursor::new(&content, self.id_len);
        let mut old = cursors.next().unwrap_or(Cursor::new(&[], self.id_len));
        let mut others: Vec<Cursor<'_>> = cursors.collect();
        loop {
            new.skip_common(&mut old);
            let (mine, theirs) = (new.peek(), old.peek());
            let side = match (&mine, &theirs) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(mine), Some(theirs)) => order(mine, theirs),
            };
            if let Some(entry) = theirs.filter(|_| side.is_ge()) {
                old.advance();
                let stays_tree = side.is_eq() && entry.is_tree();
                if !stays_tree && mine.is_none_or(|mine| side.is_ne() || mine.id != entry.id) {
                    self.lose(prefix, &entry, out);
                }
            }
            if let Some(entry) = mine.filter(|_| side.is_le()) {
                new.advance();
                let first = theirs.filter(|_| side.is_eq()).map(|theirs| theirs.id);
                if entry.is_tree() {
                    self.directory(prefix, &entry, first, &mut others, out);
                } else if let Some(blob) = self.wanted.get(&entry).filter(|_| first != Some(entry.id)) {
                    out.gained.push(self.places.number(prefix, entry.name, blob));
                }
            }
        }
    }

    /// A directory that differs from the first parent's: taken from another, or to be entered.
    fn directory(
        &mut self,
        prefix: &mut Vec<u8>,
        entry: &TreeEntry<'_>,
        first: Option<&[u8]>,
        others: &mut [Cursor<'_>],
        out: &mut Difference,
    ) {
        if first == Some(entry.id) {
            return; // the mode is written differently, no more
        }
        let outer = prefix.len();
        prefix.extend_from_slice(entry.name);
        prefix.push(b'/');
        let theirs: Vec<Option<&[u8]>> = others.iter_mut().map(|other| other.find(entry)).collect();
        if let Some(parent) = theirs.iter().position(|id| *id == Some(entry.id)) {
            out.taken.push((parent + 1, prefix.clone()));
            out.gone.push(prefix.clone());
        } else if let Ok(tree) = ObjectId::try_from(entry.id) {
            let before: Vec<Option<ObjectId>> =
                std::iter::once(first).chain(theirs).map(|id| ObjectId::try_from(id?).ok()).collect();
            self.differ(prefix, tree, &before, out);
        }
        prefix.truncate(outer);
    }

    fn lose(&mut self, prefix: &[u8], entry: &TreeEntry<'_>, out: &mut Difference) {
        if entry.is_tree() {
            out.gone.push([prefix, entry.name, b"/"].concat());
        } else if let Some(blob) = self.wanted.get(entry) {
            out.lost.push(self.places.number(prefix, entry.name, blob));
        }
    }
}

/// Git's order of tree entries: by name, where directories end in `/`.
fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
    let common = one.name.len().min(other.name.len());
    let next = |entry: &TreeEntry<'_>| {
        entry.name.get(common).copied().unwrap_or(if entry.is_tree() { b'/' } else { 0 })
    };
    one.name[..common].cmp(&other.name[..common]).then_with(|| next(one).cmp(&next(other)))
}

/// A place in the raw content of a tree.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
    id_len: usize,
}

impl<'a> Cursor<'a> {
    fn new(rest: &'a [u8], id_len: usize) -> Self {
        Self { rest, id_len }
    }

    /// The next entry. A malformed rest counts as the end: it was noted when the object database
    /// was scanned.
    fn peek(&self) -> Option<TreeEntry<'a>> {
        TreeEntries::new(self.rest, self.id_len).next()?.ok()
    }

    /// Length of the next entry, if there is a whole one.
    fn entry_len(&self) -> Option<usize> {
        // A mode has five or six digits, so the name begins at the seventh byte or before the
        // eighth; it is not empty.
        let end = memchr::memchr(0, self.rest.get(6..)?)? + 6 + 1 + self.id_len;
        (end <= self.rest.len()).then_some(end)
    }

    fn advance(&mut self) {
        let next = self.entry_len().unwrap_or(self.rest.len());
        self.rest = &self.rest[next..];
    }

    /// Moves on in both over the entries that are the same, byte for byte.
    fn skip_common(&mut self, other: &mut Self) {
        let common = common_prefix(self.rest, other.rest);
        let mut skipped = 0;
        let mut ahead = *self;
        while let Some(len) = ahead.entry_len().filter(|len| skipped + len <= common) {
            skipped += len;
            ahead.rest = &ahead.rest[len..];
        }
        self.rest = &self.rest[skipped..];
        other.rest = &other.rest[skipped..];
    }

    /// Object name of the directory called like `wanted`; asked for in ascending order.
    fn find(&mut self, wanted: &TreeEntry<'_>) -> Option<&'a [u8]> {
        loop {
            let entry = self.peek()?;
            match order(&entry, wanted) {
                Ordering::Less => self.advance(),
                Ordering::Equal => return Some(entry.id),
                Ordering::Greater => return None,
            }
        }
    }
}

/// Number of bytes that are the same at the start of both.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let (ones, others) = (one.as_chunks::<32>().0, other.as_chunks::<32>().0);
    let wide = ones.iter().zip(others).take_while(|(a, b)| a == b).count() * 32;
    wide + one[wide..].iter().zip(&other[wide..]).take_while(|(a, b)| a == b).count()
}
