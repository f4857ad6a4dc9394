//! Which trees hold which of the blobs, for all trees of the database at once.
//!
//! One traversal in delta order notes for every tree which directories and wanted blobs it has that
//! its base does not have, and the other way round. That is little, since a tree mostly differs from
//! its base in one entry. From these notes alone it follows which trees hold anything at any depth,
//! and what; no tree is read again. The cost does not depend on how many blobs are wanted.
//!
//! The scan of the object database looks at every new entry on the same occasion ([`Onlooker`]).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;

use super::super::pack::{
    Base, Database, DeltaMap, Object, ObjectDirectories, ObjectKind, Traversal, TraverseOptions, Visitor,
    traverse_opened,
};
use super::super::tree_delta::{Entries, Layout};
use super::super::tree_entries::TreeEntry;
use super::holdings::Wanted;
use super::presence::Presence;
use crate::finding::Oid;

/// Looks at the entries of trees as they come by.
pub(in super::super) trait Onlooker: Sync {
    /// Memory of one thread.
    type Local: Send;

    /// Memory for a thread that starts.
    fn local(&self) -> Self::Local;

    /// A tree, before its entries.
    fn begins(&self, local: &mut Self::Local, tree: &Object<'_>);

    /// An entry that the tree's base does not have. True when its name matters.
    fn fresh(&self, local: &mut Self::Local, entry: &TreeEntry<'_>) -> bool;

    /// An object that some entry names and the database does not have. May be told more than once.
    fn absent(&self, local: &mut Self::Local, id: &Oid, is_tree: bool);

    /// An entry whose name matters, for each tree that has it.
    fn named(&self, local: &mut Self::Local, entry: &TreeEntry<'_>, tree: &Oid);

    /// What is called a tree and is none.
    fn malformed(&self, local: &mut Self::Local, tree: &Oid);

    /// Whether to stop.
    fn cancelled(&self) -> bool;
}

/// No row, no base.
const NONE: u32 = u32::MAX;

/// Set in the name of an item that is a blob.
const BLOB: u32 = 1 << 31;
/// Set in the name of an item whose name matters to the onlooker.
const NAMED: u32 = 1 << 30;
/// The name of an item that matters for its name alone; also a mask for the numbers of names.
const NAMELESS: u32 = NAMED - 1;

/// A directory or a wanted blob in a tree, or an entry whose name matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    /// Number of its name, with [`BLOB`] and [`NAMED`].
    name: u32,
    /// Number of the tree in the database, or of the blob among the wanted.
    object: u32,
}

impl Item {
    fn is_blob(self) -> bool {
        self.name & BLOB != 0
    }

    fn is_named(self) -> bool {
        self.name & NAMED != 0
    }

    /// The number of its name, for [`Census::name`].
    pub(super) fn name(self) -> u32 {
        self.name & NAMELESS
    }

    /// Whether it is a directory or a wanted blob.
    fn leads(self) -> bool {
        self.name & NAMELESS != NAMELESS
    }
}

/// What an entry of a tree leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// A wanted blob, by its place among those asked for.
    Blob(u32),
    /// A tree that holds some, by its row.
    Tree(u32),
}

/// One tree against its base.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Number in the database.
    tree: u32,
    /// Number of its base, or [`NONE`].
    base: u32,
    /// Deltas between it and a tree without base.
    depth: u32,
    /// Where its edits begin: first what the base has and it has not, then the other way round.
    start: u32,
    removed: u32,
    added: u32,
}

/// What was found out about all trees.
pub(in super::super) struct Census {
    /// The blobs that were looked for.
    blobs: Vec<Oid>,
    /// Bases before what was made of them.
    rows: Vec<Row>,
    edits: Vec<Item>,
    names: Vec<Box<[u8]>>,
    /// By number in the database.
    row_of: Vec<u32>,
    /// By row, the entries that lead to blobs asked for, as a range of `items`.
    leads: Vec<Range<u32>>,
    items: Vec<Item>,
}

impl Census {
    /// Goes through all trees of the database, looking for `blobs`, and lets `onlooker` see them.
    /// Without blobs there is nothing to note, and nothing is.
    pub(in super::super) fn take<O: Onlooker>(
        database: &Database,
        directories: &ObjectDirectories,
        options: &TraverseOptions,
        blobs: Vec<Oid>,
        onlooker: &O,
    ) -> (Self, Traversal) {
        let notes = Mutex::new(Notes::default());
        let names = Mutex::new(Names::default());
        let ids: Vec<ObjectId> =
            blobs.iter().filter_map(|id| ObjectId::try_from(id.as_bytes()).ok()).collect();
        let wanted = (!ids.is_empty()).then(|| Wanted::new(&ids));
        let clerk = Clerk { database, wanted: wanted.as_ref(), names: &names, notes: &notes, onlooker };
        let traversal = traverse_opened(database, directories, options, &&clerk);
        let mut notes = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let names = names.into_inner().unwrap_or_else(PoisonError::into_inner).list;
        notes.rows.sort_unstable_by_key(|row| (row.depth, row.tree));
        let mut row_of = vec![NONE; if notes.rows.is_empty() { 0 } else { database.len() }];
        for (number, row) in (0..).zip(&notes.rows) {
            row_of[row.tree as usize] = number;
        }
        let Notes { rows, edits } = notes;
        let census = Self { blobs, rows, edits, names, row_of, leads: Vec::new(), items: Vec::new() };
        (census, traversal)
    }

    /// The blobs that were looked for; [`Lead::Blob`] counts in them.
    pub(super) fn blobs(&self) -> &[Oid] {
        &self.blobs
    }

    /// Works out where those blobs are that `asked` says so of.
    pub(super) fn ask(&mut self, asked: &dyn Fn(u32) -> bool) {
        let held = self.held(asked);
        self.find_leads(asked, &held);
    }

    /// The row of the tree with this number in the database, when it leads to wanted blobs.
    pub(super) fn row(&self, tree: u32) -> Option<u32> {
        let row = *self.row_of.get(tree as usize)?;
        (row != NONE && !self.leads[row as usize].is_empty()).then_some(row)
    }

    /// The entries of the tree in `row` that lead to wanted blobs, ascending.
    pub(super) fn leads(&self, row: u32) -> &[Item] {
        let leads = self.leads[row as usize].clone();
        &self.items[leads.start as usize..leads.end as usize]
    }

    /// What one of those entries leads to.
    pub(super) fn lead(&self, item: Item) -> Lead {
        if item.is_blob() { Lead::Blob(item.object) } else { Lead::Tree(self.row_of[item.object as usize]) }
    }

    /// A name by its number.
    pub(super) fn name(&self, number: u32) -> &[u8] {
        &self.names[number as usize]
    }

    fn removed(&self, row: &Row) -> &[Item] {
        &self.edits[row.start as usize..][..row.removed as usize]
    }

    fn added(&self, row: &Row) -> &[Item] {
        &self.edits[row.start as usize + row.removed as usize..][..row.added as usize]
    }

    fn base(&self, row: &Row) -> Option<usize> {
        let base = *self.row_of.get(row.base as usize)?;
        (base != NONE).then_some(base as usize)
    }

    fn is_held(&self, item: Item, asked: &dyn Fn(u32) -> bool, held: &[bool]) -> bool {
        if item.is_blob() {
            return asked(item.object);
        }
        held.get(self.row_of[item.object as usize] as usize).is_some_and(|&held| held)
    }

    /// By row, whether the tree holds a blob asked for at any depth.
    ///
    /// Each round goes one directory further up, and counts entries: those of the base, without those
    /// removed, and those added.
    fn held(&self, asked: &dyn Fn(u32) -> bool) -> Vec<bool> {
        let mut held = vec![false; self.rows.len()];
        let mut counts = vec![0_i32; self.rows.len()];
        loop {
            let mut changed = false;
            for (number, row) in self.rows.iter().enumerate() {
                let count = |items: &[Item]| {
                    items.iter().filter(|&&item| self.is_held(item, asked, &held)).count() as i32
                };
                let before = self.base(row).map_or(0, |base| counts[base]);
                counts[number] = before - count(self.removed(row)) + count(self.added(row));
                if counts[number] > 0 && !held[number] {
                    held[number] = true;
                    changed = true;
                }
            }
            if !changed {
                return held;
            }
        }
    }

    fn find_leads(&mut self, asked: &dyn Fn(u32) -> bool, held: &[bool]) {
        let mut leads: Vec<Range<u32>> = Vec::with_capacity(self.rows.len());
        let mut items: Vec<Item> = Vec::new();
        let mut list: Vec<Item> = Vec::new();
        for row in &self.rows {
            let before = self.base(row).map_or(0..0, |base| leads[base].clone());
            let telling = |item: &&Item| self.is_held(**item, asked, held);
            let mut edits = self.removed(row).iter().chain(self.added(row));
            if !edits.any(|item| telling(&item)) {
                leads.push(before);
                continue;
            }
            list.clear();
            list.extend_from_slice(&items[before.start as usize..before.end as usize]);
            for gone in self.removed(row).iter().filter(telling) {
                if let Ok(at) = list.binary_search(gone) {
                    list.remove(at);
                }
            }
            list.extend(self.added(row).iter().filter(telling));
            // NOTE: the stable sort takes the part that is in order as it is.
            list.sort();
            let start = items.len() as u32;
            items.extend_from_slice(&list);
            leads.push(start..items.len() as u32);
        }
        (self.leads, self.items) = (leads, items);
    }
}

/// What workers noted.
#[derive(Default)]
struct Notes {
    rows: Vec<Row>,
    edits: Vec<Item>,
}

impl Notes {
    fn merge(&mut self, other: Self) {
        let moved = self.edits.len() as u32;
        self.edits.extend(other.edits);
        self.rows.extend(other.rows.into_iter().map(|row| Row { start: row.start + moved, ..row }));
    }
}

/// Names of entries, each once.
#[derive(Default)]
struct Names {
    list: Vec<Box<[u8]>>,
    numbers: HashMap<Box<[u8]>, u32>,
}

impl Names {
    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(name.into());
        self.numbers.insert(name.into(), number);
        number
    }
}

/// Looks at all trees.
struct Clerk<'a, O> {
    database: &'a Database,
    wanted: Option<&'a Wanted>,
    names: &'a Mutex<Names>,
    notes: &'a Mutex<Notes>,
    onlooker: &'a O,
}

/// One thread's part.
struct Desk<'a, O: Onlooker> {
    clerk: &'a Clerk<'a, O>,
    onlooker: O::Local,
    notes: Notes,
    names: HashMap<Box<[u8]>, u32>,
    presence: Presence<'a>,
}

impl<O: Onlooker> Drop for Desk<'_, O> {
    fn drop(&mut self) {
        let Self { clerk, onlooker, presence, .. } = self;
        presence.answer(|id| clerk.onlooker.absent(onlooker, id, false));
        let mut all = clerk.notes.lock().unwrap_or_else(PoisonError::into_inner);
        all.merge(std::mem::take(&mut self.notes));
    }
}

/// What is remembered of a tree while its deltas are still to come.
#[derive(Default)]
struct Known {
    number: u32,
    depth: u32,
    layout: Layout,
    /// Those of its notable entries, in their order.
    items: Vec<Item>,
}

/// Notes the items of one tree.
struct Pen<'a, 'd, O: Onlooker> {
    desk: &'a mut Desk<'d, O>,
    base: &'a [Item],
    /// Whether each item of the base is here.
    kept: Vec<bool>,
    items: Vec<Item>,
    added: Vec<Item>,
}

impl<O: Onlooker> Pen<'_, '_, O> {
    fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.desk.names.get(name) {
            return number;
        }
        let number = self.desk.clerk.names.lock().unwrap_or_else(PoisonError::into_inner).number(name);
        self.desk.names.insert(name.into(), number);
        number
    }

    /// The number of a directory. What an entry names and is not there is told to the onlooker.
    fn number(&mut self, entry: &TreeEntry<'_>) -> Option<u32> {
        let Desk { clerk, onlooker, presence, .. } = &mut *self.desk;
        if entry.is_submodule() {
            return None;
        }
        if !entry.is_tree() {
            presence.ask(entry.id, |id| clerk.onlooker.absent(onlooker, id, false));
            return None;
        }
        let number = presence.tree(entry.id);
        if number.is_none()
            && let Ok(id) = Oid::from_bytes(entry.id)
            && !clerk.database.contains(&id)
        {
            clerk.onlooker.absent(onlooker, &id, true);
        }
        number
    }

    /// The entry as a directory or wanted blob, if it is one.
    fn lead(&mut self, entry: &TreeEntry<'_>, number: Option<u32>) -> Option<Item> {
        let wanted = self.desk.clerk.wanted?;
        if entry.is_tree() {
            return number.map(|object| Item { name: self.name(entry.name), object });
        }
        let object = wanted.number(entry)?;
        Some(Item { name: self.name(entry.name) | BLOB, object })
    }
}

impl<O: Onlooker> Entries for Pen<'_, '_, O> {
    fn fresh(&mut self, entry: TreeEntry<'_>) -> bool {
        let number = self.number(&entry);
        let is_named = self.desk.clerk.onlooker.fresh(&mut self.desk.onlooker, &entry);
        let lead = self.lead(&entry, number);
        if let Some(mut item) = lead {
            item.name |= if is_named { NAMED } else { 0 };
            self.items.push(item);
            self.added.push(item);
        } else if is_named {
            self.items.push(Item { name: NAMED | NAMELESS, object: NONE });
        }
        lead.is_some() || is_named
    }

    fn taken(&mut self, base: Range<usize>) {
        for number in base {
            let item = self.base[number];
            self.items.push(item);
            if self.kept[number] && item.leads() {
                self.added.push(item);
            }
            self.kept[number] = true;
        }
    }
}

impl<O: Onlooker> Clerk<'_, O> {
    fn tree(&self, desk: &mut Desk<'_, O>, object: &Object<'_>, base: Option<(&Known, &DeltaMap)>) -> Known {
        self.onlooker.begins(&mut desk.onlooker, object);
        let id_len = self.database.name_len();
        let before = base.map_or(&[][..], |(known, _)| &known.items);
        let mut pen = Pen {
            desk,
            base: before,
            kept: vec![false; before.len()],
            items: Vec::with_capacity(before.len()),
            added: Vec::new(),
        };
        let read = match base {
            Some((known, delta)) => known.layout.read_delta(object.bytes, id_len, delta, &mut pen),
            None => Layout::read(object.bytes, id_len, &mut pen),
        };
        let Pen { desk, kept, items, added, .. } = pen;
        let Ok(layout) = read else {
            self.onlooker.malformed(&mut desk.onlooker, &object.id());
            return Known { number: NONE, ..Known::default() };
        };
        if items.iter().any(|item| item.is_named()) {
            let id = object.id();
            let named = layout.notable(object.bytes, id_len).zip(&items).filter(|(_, item)| item.is_named());
            named.for_each(|(entry, _)| self.onlooker.named(&mut desk.onlooker, &entry, &id));
        }
        let depth = base.map_or(0, |(known, _)| known.depth + 1);
        let Some(number) = self.wanted.and_then(|_| self.database.number_of(object)) else {
            return Known { number: 0, depth, layout, items };
        };
        let Notes { rows, edits, .. } = &mut desk.notes;
        let start = edits.len();
        let gone = before.iter().zip(&kept).filter(|(item, kept)| !**kept && item.leads());
        edits.extend(gone.map(|(item, _)| *item));
        let removed = edits.len() - start;
        edits.extend_from_slice(&added);
        rows.push(Row {
            tree: number,
            base: base.map_or(NONE, |(known, _)| known.number),
            depth,
            start: start as u32,
            removed: removed as u32,
            added: added.len() as u32,
        });
        Known { number, depth, layout, items }
    }
}

impl<'a, O: Onlooker> Visitor for &'a Clerk<'a, O> {
    type Local = Desk<'a, O>;
    type State = Known;

    fn local(&self) -> Self::Local {
        Desk {
            clerk: self,
            onlooker: self.onlooker.local(),
            notes: Notes::default(),
            names: HashMap::new(),
            presence: Presence::new(self.database),
        }
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind == ObjectKind::Tree
    }

    fn root(&self, desk: &mut Self::Local, object: &Object<'_>) -> Known {
        self.tree(desk, object, None)
    }

    fn child(
        &self,
        desk: &mut Self::Local,
        object: &Object<'_>,
        base: &Base<'_, Known>,
        delta: &DeltaMap,
    ) -> Known {
        // What is malformed is no base to build on.
        let base = Some((base.state, delta)).filter(|(known, _)| known.number != NONE);
        self.tree(desk, object, base)
    }

    fn cancelled(&self) -> bool {
        self.onlooker.cancelled()
    }
}
