//! Which trees hold which of the blobs, for all trees of the database at once.
//!
//! One traversal in delta order notes for every tree which directories and wanted blobs it has that
//! its base does not have, and the other way round. That is little, since a tree mostly differs from
//! its base in one entry. From these notes alone it follows which trees hold anything at any depth,
//! and what; no tree is read again. The cost does not depend on how many blobs are wanted.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;

use super::super::history::Survey;
use super::super::lookup::{Unread, missing};
use super::super::pack::{Base, Database, DeltaMap, Object, ObjectKind, Visitor};
use super::super::tree_delta::{Entries, Layout};
use super::super::tree_entries::TreeEntry;
use super::holdings::Wanted;
use crate::finding::Oid;

/// No row, no base.
const NONE: u32 = u32::MAX;

/// Set in the name of an item that is a blob.
const BLOB: u32 = 1 << 31;

/// A directory or a wanted blob in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    /// Number of its name; with [`BLOB`] for a blob.
    name: u32,
    /// Number of the tree in the database, or of the blob among the wanted.
    object: u32,
}

impl Item {
    fn is_blob(self) -> bool {
        self.name & BLOB != 0
    }
}

/// An entry of a tree that leads to wanted blobs.
pub(super) enum Lead<'a> {
    /// A wanted blob, by its place among those asked for.
    Blob(&'a [u8], u32),
    /// A tree that holds some, by its row.
    Tree(&'a [u8], u32),
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
pub(super) struct Census {
    /// Bases before what was made of them.
    rows: Vec<Row>,
    edits: Vec<Item>,
    names: Vec<Box<[u8]>>,
    /// By number in the database.
    row_of: Vec<u32>,
    /// By row, the entries that lead to wanted blobs, as a range of `items`.
    leads: Vec<Range<u32>>,
    items: Vec<Item>,
    /// Directories that are not there.
    pub(super) unread: Vec<(ObjectId, Unread)>,
}

impl Census {
    /// Goes through all trees of the database.
    pub(super) fn take(
        survey: &Survey,
        wanted: &Wanted,
        partial: bool,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Self {
        let notes = Mutex::new(Notes::default());
        let names = Mutex::new(Names::default());
        let database = &survey.database;
        let clerk = Clerk { database, wanted, names: &names, notes: &notes, cancelled };
        let traversal = survey.traverse(&clerk);
        let notes = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let names = names.into_inner().unwrap_or_else(PoisonError::into_inner).list;
        let mut unread: Vec<_> = notes.missing.into_iter().map(|id| (id, missing(partial))).collect();
        unread.sort_by_key(|(id, _)| *id);
        unread.dedup_by_key(|(id, _)| *id);
        let broken = traversal.gaps.first().map(|gap| Unread { kind: gap.kind, why: gap.why.clone() });
        unread.extend(broken.map(|unread| (ObjectId::null(gix::hash::Kind::Sha1), unread)));
        let mut census = Self {
            rows: notes.rows,
            edits: notes.edits,
            names,
            row_of: vec![NONE; database.len()],
            leads: Vec::new(),
            items: Vec::new(),
            unread,
        };
        census.rows.sort_unstable_by_key(|row| (row.depth, row.tree));
        for (number, row) in (0..).zip(&census.rows) {
            census.row_of[row.tree as usize] = number;
        }
        let held = census.held();
        census.find_leads(&held);
        census
    }

    /// The row of the tree with this number in the database, when it leads to wanted blobs.
    pub(super) fn row(&self, tree: u32) -> Option<u32> {
        let row = *self.row_of.get(tree as usize)?;
        (row != NONE && !self.leads[row as usize].is_empty()).then_some(row)
    }

    /// The entries of the tree in `row` that lead to wanted blobs.
    pub(super) fn leads(&self, row: u32) -> impl Iterator<Item = Lead<'_>> {
        let leads = self.leads[row as usize].clone();
        self.items[leads.start as usize..leads.end as usize].iter().map(|item| {
            let name = &self.names[(item.name & !BLOB) as usize][..];
            if item.is_blob() {
                Lead::Blob(name, item.object)
            } else {
                Lead::Tree(name, self.row_of[item.object as usize])
            }
        })
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

    fn is_held(&self, item: Item, held: &[bool]) -> bool {
        item.is_blob() || held.get(self.row_of[item.object as usize] as usize).is_some_and(|&held| held)
    }

    /// By row, whether the tree holds a wanted blob at any depth.
    ///
    /// Each round goes one directory further up, and counts entries: those of the base, without those
    /// removed, and those added.
    fn held(&self) -> Vec<bool> {
        let mut held = vec![false; self.rows.len()];
        let mut counts = vec![0_i32; self.rows.len()];
        loop {
            let mut changed = false;
            for (number, row) in self.rows.iter().enumerate() {
                let count =
                    |items: &[Item]| items.iter().filter(|&&item| self.is_held(item, &held)).count() as i32;
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

    fn find_leads(&mut self, held: &[bool]) {
        let mut leads: Vec<Range<u32>> = Vec::with_capacity(self.rows.len());
        let mut items: Vec<Item> = Vec::new();
        let mut list: Vec<Item> = Vec::new();
        for row in &self.rows {
            let before = self.base(row).map_or(0..0, |base| leads[base].clone());
            let telling = |item: &&Item| self.is_held(**item, held);
            let mut edits = self.removed(row).iter().chain(self.added(row));
            if !edits.any(|item| telling(&item)) {
                leads.push(before);
                continue;
            }
            list.clear();
            list.extend_from_slice(&items[before.start as usize..before.end as usize]);
            for gone in self.removed(row).iter().filter(telling) {
                if let Some(at) = list.iter().position(|item| item == gone) {
                    list.remove(at);
                }
            }
            list.extend(self.added(row).iter().filter(telling));
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
    missing: Vec<ObjectId>,
}

impl Notes {
    fn merge(&mut self, other: Self) {
        let moved = self.edits.len() as u32;
        self.edits.extend(other.edits);
        self.rows.extend(other.rows.into_iter().map(|row| Row { start: row.start + moved, ..row }));
        self.missing.extend(other.missing);
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
struct Clerk<'a> {
    database: &'a Database,
    wanted: &'a Wanted,
    names: &'a Mutex<Names>,
    notes: &'a Mutex<Notes>,
    cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// One thread's part.
struct Desk<'a> {
    notes: Notes,
    names: HashMap<Box<[u8]>, u32>,
    all: &'a Mutex<Notes>,
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
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
struct Pen<'a, 'd> {
    clerk: &'a Clerk<'a>,
    desk: &'a mut Desk<'d>,
    base: &'a [Item],
    /// How often each item of the base is here.
    kept: Vec<u8>,
    items: Vec<Item>,
    added: Vec<Item>,
}

impl Pen<'_, '_> {
    fn name(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.desk.names.get(name) {
            return number;
        }
        let number = self.clerk.names.lock().unwrap_or_else(PoisonError::into_inner).number(name);
        self.desk.names.insert(name.into(), number);
        number
    }

    fn item(&mut self, entry: &TreeEntry<'_>) -> Option<Item> {
        if entry.is_tree() {
            let id = Oid::from_bytes(entry.id).ok()?;
            let Some(object) = self.clerk.database.number(&id) else {
                self.desk.notes.missing.extend(ObjectId::try_from(entry.id));
                return None;
            };
            return Some(Item { name: self.name(entry.name), object });
        }
        let object = self.clerk.wanted.number(entry)?;
        Some(Item { name: self.name(entry.name) | BLOB, object })
    }
}

impl Entries for Pen<'_, '_> {
    fn fresh(&mut self, entry: TreeEntry<'_>) -> bool {
        let Some(item) = self.item(&entry) else { return false };
        self.items.push(item);
        self.added.push(item);
        true
    }

    fn taken(&mut self, base: Range<usize>) {
        for number in base {
            let item = self.base[number];
            self.items.push(item);
            if self.kept[number] > 0 {
                self.added.push(item);
            }
            self.kept[number] = 1;
        }
    }
}

impl Clerk<'_> {
    fn tree(&self, desk: &mut Desk<'_>, object: &Object<'_>, base: Option<(&Known, &DeltaMap)>) -> Known {
        let id = object.id();
        let id_len = id.as_bytes().len();
        let before = base.map_or(&[][..], |(known, _)| &known.items);
        let mut pen = Pen {
            clerk: self,
            desk,
            base: before,
            kept: vec![0; before.len()],
            items: Vec::with_capacity(before.len()),
            added: Vec::new(),
        };
        let read = match base {
            Some((known, delta)) => known.layout.read_delta(object.bytes, id_len, delta, &mut pen),
            None => Layout::read(object.bytes, id_len, &mut pen),
        };
        let (Ok(layout), Some(number)) = (read, self.database.number(&id)) else {
            // The scan has told so.
            return Known { number: NONE, ..Known::default() };
        };
        let Pen { desk, kept, items, added, .. } = pen;
        let Notes { rows, edits, .. } = &mut desk.notes;
        let start = edits.len();
        edits.extend(before.iter().zip(&kept).filter(|(_, kept)| **kept == 0).map(|(item, _)| *item));
        let removed = edits.len() - start;
        edits.extend_from_slice(&added);
        let depth = base.map_or(0, |(known, _)| known.depth + 1);
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

impl<'a> Visitor for Clerk<'a> {
    type Local = Desk<'a>;
    type State = Known;

    fn local(&self) -> Desk<'a> {
        Desk { notes: Notes::default(), names: HashMap::new(), all: self.notes }
    }

    fn wants(&self, kind: ObjectKind) -> bool {
        kind == ObjectKind::Tree
    }

    fn root(&self, desk: &mut Desk<'a>, object: &Object<'_>) -> Known {
        self.tree(desk, object, None)
    }

    fn child(
        &self,
        desk: &mut Desk<'a>,
        object: &Object<'_>,
        base: &Base<'_, Known>,
        delta: &DeltaMap,
    ) -> Known {
        // What is malformed is no base to build on.
        let base = Some((base.state, delta)).filter(|(known, _)| known.number != NONE);
        self.tree(desk, object, base)
    }

    fn cancelled(&self) -> bool {
        (self.cancelled)()
    }
}
