//! Going through a pack that has no index: entries are found one after the other, and objects built
//! from the bases down to learn their names.

use super::bytes::{EntryKind, HEADER, PackBytes};
use super::delta::{Delta, DeltaMap};
use super::error::ObjectError;
use super::inflate::Inflater;
use super::object::ObjectKind;
use crate::finding::Oid;

/// What was found by going from entry to entry.
pub(in crate::source) struct Located {
    /// Offset and kind of each entry, ascending.
    pub(in crate::source) entries: Vec<(u64, EntryKind)>,
    /// Where the last of them ends.
    pub(in crate::source) end: u64,
    /// Why there are fewer than the pack says.
    pub(in crate::source) stopped: Option<ObjectError>,
}

/// Finds the entries that follow each other from the start of the pack. `afford` is told the size of
/// each unpacked entry before it is passed over; its error ends the search.
pub(in crate::source) fn locate(
    pack: &PackBytes<'_>,
    inflater: &mut Inflater,
    mut afford: impl FnMut(u64) -> Result<(), ObjectError>,
) -> Located {
    let mut located = Located { entries: Vec::new(), end: HEADER, stopped: None };
    for _ in 0..pack.count() {
        let offset = located.end;
        let step = pack.entry(offset).and_then(|entry| {
            afford(entry.size)?;
            let taken = inflater.measure(pack.slice(entry.data, pack.end())?, entry.size)?;
            Ok((entry.kind, entry.data + taken))
        });
        match step {
            Ok((kind, end)) => {
                located.entries.push((offset, kind));
                located.end = end;
            }
            Err(error) => {
                located.stopped = Some(error);
                break;
            }
        }
    }
    located
}

/// What building may cost, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Bounds {
    /// Largest object that is built.
    pub(in crate::source) object: u64,
    /// Bases that may be kept while their deltas are built.
    pub(in crate::source) held: usize,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Fate {
    /// It was built and passed on.
    Built,
    /// Its base was not built, or is not in the pack.
    NoBase,
    /// It is over [`Bounds::object`], or its base had no room within [`Bounds::held`].
    TooLarge,
    /// It does not unpack, or does not fit its base.
    Damaged,
}

/// Builds all objects that can be built from this pack alone, bases first, and passes each on with
/// its place among `entries`; what `receive` returns tells whether to go on.
///
/// Returns what became of each entry.
pub(in crate::source) fn build(
    pack: PackBytes<'_>,
    entries: &[(u64, EntryKind)],
    inflater: &mut Inflater,
    bounds: Bounds,
    receive: impl FnMut(u32, ObjectKind, Oid, &[u8]) -> bool,
) -> Vec<Fate> {
    let (mut by_offset, mut by_name) = (Vec::new(), Vec::new());
    for (at, (_, kind)) in (0..).zip(entries) {
        match kind {
            EntryKind::Whole(_) => {}
            EntryKind::OffsetDelta(base) => by_offset.push((*base, at)),
            EntryKind::NamedDelta(base) => by_name.push((*base, at)),
        }
    }
    by_offset.sort_unstable();
    by_name.sort_unstable();
    let mut builder = Builder {
        taken: vec![false; by_name.len()],
        fates: vec![Fate::NoBase; entries.len()],
        map: DeltaMap::default(),
        ended: false,
        pack,
        entries,
        bounds,
        by_offset,
        by_name,
        inflater,
        receive,
    };
    builder.build_all();
    builder.fates
}

struct Builder<'a, R> {
    pack: PackBytes<'a>,
    entries: &'a [(u64, EntryKind)],
    bounds: Bounds,
    /// Deltas by the offset of their base, sorted.
    by_offset: Vec<(u64, u32)>,
    /// Deltas by the name of their base, sorted.
    by_name: Vec<(Oid, u32)>,
    /// Whether the deltas of a name were given to an object already, at the first of them: a pack may
    /// hold an object many times.
    taken: Vec<bool>,
    fates: Vec<Fate>,
    inflater: &'a mut Inflater,
    map: DeltaMap,
    receive: R,
    ended: bool,
}

/// A built object whose deltas are next.
struct Built {
    kind: ObjectKind,
    bytes: Vec<u8>,
    children: Vec<u32>,
}

impl<R: FnMut(u32, ObjectKind, Oid, &[u8]) -> bool> Builder<'_, R> {
    fn build_all(&mut self) {
        for at in 0..self.entries.len() as u32 {
            let EntryKind::Whole(kind) = self.entries[at as usize].1 else { continue };
            if let Some(bytes) = self.settle(at, |builder| builder.unpack(at)) {
                let root = self.built(at, kind, bytes);
                self.tree(root);
            }
            if self.ended {
                return;
            }
        }
    }

    /// Builds what is based on `root`, and what is based on that.
    fn tree(&mut self, root: Built) {
        let mut held = root.bytes.len();
        let mut stack = vec![root];
        while let Some(mut top) = stack.pop() {
            let Some(child) = top.children.pop() else {
                held -= top.bytes.len();
                continue;
            };
            let mut built = None;
            if self.ended {
                return;
            } else if held > self.bounds.held {
                self.fates[child as usize] = Fate::TooLarge;
            } else if self.fates[child as usize] == Fate::NoBase {
                let kind = top.kind;
                built = self
                    .settle(child, |builder| builder.apply(child, &top.bytes))
                    .map(|bytes| self.built(child, kind, bytes));
            }
            // The base of a mere chain is not kept.
            if top.children.is_empty() {
                held -= top.bytes.len();
            } else {
                stack.push(top);
            }
            if let Some(built) = built {
                held += built.bytes.len();
                stack.push(built);
            }
        }
    }

    /// Notes what became of `at`.
    fn settle(
        &mut self,
        at: u32,
        make: impl FnOnce(&mut Self) -> Result<Vec<u8>, ObjectError>,
    ) -> Option<Vec<u8>> {
        let made = make(self);
        self.fates[at as usize] = match &made {
            Ok(_) => Fate::Built,
            Err(ObjectError::TooLarge { .. }) => Fate::TooLarge,
            Err(_) => Fate::Damaged,
        };
        made.ok()
    }

    fn built(&mut self, at: u32, kind: ObjectKind, bytes: Vec<u8>) -> Built {
        let name = self.pack.hash().name_object(kind, &bytes);
        self.ended |= !(self.receive)(at, kind, name, &bytes);
        let mut children: Vec<u32> = of_base(&self.by_offset, &self.entries[at as usize].0).1.collect();
        let (first, named) = of_base(&self.by_name, &name);
        if self.by_name.get(first).is_some_and(|(base, _)| *base == name) && !self.taken[first] {
            self.taken[first] = true;
            children.extend(named);
        }
        Built { kind, bytes, children }
    }

    fn unpack(&mut self, at: u32) -> Result<Vec<u8>, ObjectError> {
        let entry = self.pack.entry(self.entries[at as usize].0)?;
        let limit = self.bounds.object;
        if entry.size > limit {
            return Err(ObjectError::TooLarge { size: entry.size, limit });
        }
        let mut bytes = Vec::new();
        let packed = self.pack.slice(entry.data, self.pack.end())?;
        self.inflater.inflate(packed, entry.size as usize, &mut bytes)?;
        Ok(bytes)
    }

    fn apply(&mut self, at: u32, base: &[u8]) -> Result<Vec<u8>, ObjectError> {
        let instructions = self.unpack(at)?;
        let delta = Delta::parse(&instructions)?;
        let limit = self.bounds.object;
        if delta.target_len > limit {
            return Err(ObjectError::TooLarge { size: delta.target_len, limit });
        }
        let mut bytes = Vec::new();
        delta.apply(base, &mut bytes, &mut self.map)?;
        Ok(bytes)
    }
}

/// What the delta in the entry at `offset` adds to its base: the bytes it brings along, with a line
/// feed in place of each range it copies.
///
/// # Errors
/// When the entry holds no such delta, or it is over `limit` bytes.
pub(in crate::source) fn added(
    pack: &PackBytes<'_>,
    offset: u64,
    inflater: &mut Inflater,
    limit: u64,
) -> Result<Vec<u8>, ObjectError> {
    let entry = pack.entry(offset)?;
    if entry.size > limit {
        return Err(ObjectError::TooLarge { size: entry.size, limit });
    }
    let mut instructions = Vec::new();
    inflater.inflate(pack.slice(entry.data, pack.end())?, entry.size as usize, &mut instructions)?;
    Ok(Delta::parse(&instructions)?.added())
}

/// The deltas of a base in a sorted list, and where they start there.
fn of_base<K: Ord>(deltas: &[(K, u32)], base: &K) -> (usize, impl Iterator<Item = u32>) {
    let start = deltas.partition_point(|delta| delta.0 < *base);
    let count = deltas[start..].partition_point(|delta| delta.0 == *base);
    (start, deltas[start..start + count].iter().map(|delta| delta.1))
}
