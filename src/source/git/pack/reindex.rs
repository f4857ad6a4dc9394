//! The table of a pack that has no usable index: its entries are found one after the other, and its
//! objects built to learn their names.

use super::delta::{Delta, DeltaMap};
use super::error::ObjectError;
use super::file::{EntryKind, HEADER, PackFile};
use super::index::Index;
use super::inflate::Inflater;
use super::object::{HashKind, ObjectKind};
use crate::finding::Oid;

/// Bytes of bases that may be kept while their deltas are built.
const MOST_HELD: usize = 1 << 30;

/// A table made from the pack itself.
pub(crate) struct Reindexed {
    pub(crate) index: Index,
    /// What kept the table from being complete, if anything did.
    pub(crate) incomplete: Option<ObjectError>,
}

/// Makes the table of `pack`. Objects over `limit` bytes get no name.
pub(crate) fn reindex(pack: &PackFile, hash: HashKind, limit: u64) -> Result<Reindexed, ObjectError> {
    let mut inflater = Inflater::new();
    let (entries, mut incomplete) = find_entries(pack, &mut inflater);
    let mut naming = Naming::new(pack, hash, limit, &entries, inflater);
    naming.name_all();
    let unnamed = naming.names.iter().filter(|name| name.is_none()).count();
    if unnamed > 0 && incomplete.is_none() {
        let why = format!("it has no index, and {unnamed} of its objects cannot be rebuilt");
        incomplete = Some(ObjectError::Malformed(why));
    }
    let named = naming.names.iter().zip(&entries).filter_map(|(name, entry)| Some(((*name)?, entry.0)));
    Ok(Reindexed { index: Index::build(hash, named.collect())?, incomplete })
}

/// Offset and kind of the entries that follow each other from the start of the pack.
fn find_entries(pack: &PackFile, inflater: &mut Inflater) -> (Vec<(u64, EntryKind)>, Option<ObjectError>) {
    let mut entries = Vec::new();
    let mut offset = HEADER;
    for _ in 0..pack.count() {
        let step = pack.entry(offset).and_then(|entry| {
            let taken = inflater.measure(pack.slice(entry.data, pack.end())?, entry.size)?;
            Ok((entry.kind, entry.data + taken))
        });
        match step {
            Ok((kind, end)) => {
                entries.push((offset, kind));
                offset = end;
            }
            Err(error) => {
                let (found, all) = (entries.len(), pack.count());
                let why = format!(
                    "without an index, only {found} of its {all} objects can be located: \
                     the entry at offset {offset}: {error}"
                );
                return (entries, Some(ObjectError::Malformed(why)));
            }
        }
    }
    let rest = pack.end().saturating_sub(offset);
    let stray = (rest > 0).then(|| ObjectError::Malformed(format!("{rest} bytes follow its last object")));
    (entries, stray)
}

struct Naming<'a> {
    pack: &'a PackFile,
    hash: HashKind,
    limit: u64,
    entries: &'a [(u64, EntryKind)],
    /// Deltas by the offset of their base, sorted.
    by_offset: Vec<(u64, u32)>,
    /// Deltas by the name of their base, sorted.
    by_name: Vec<(Oid, u32)>,
    names: Vec<Option<Oid>>,
    inflater: Inflater,
    map: DeltaMap,
}

/// A built object whose deltas are next.
struct Built {
    kind: ObjectKind,
    bytes: Vec<u8>,
    children: Vec<u32>,
}

impl<'a> Naming<'a> {
    fn new(
        pack: &'a PackFile,
        hash: HashKind,
        limit: u64,
        entries: &'a [(u64, EntryKind)],
        inflater: Inflater,
    ) -> Self {
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
        let (names, map) = (vec![None; entries.len()], DeltaMap::default());
        Self { pack, hash, limit, entries, by_offset, by_name, names, inflater, map }
    }

    /// Names all objects that can be built from this pack alone.
    fn name_all(&mut self) {
        for at in 0..self.entries.len() as u32 {
            let EntryKind::Whole(kind) = self.entries[at as usize].1 else { continue };
            let Ok(bytes) = self.unpack(at) else { continue };
            let mut held = bytes.len();
            let mut stack = vec![self.built(at, kind, bytes)];
            while let Some(top) = stack.last_mut() {
                let Some(child) = top.children.pop() else {
                    held -= stack.pop().map_or(0, |done| done.bytes.len());
                    continue;
                };
                let kind = top.kind;
                if held <= MOST_HELD
                    && self.names[child as usize].is_none()
                    && let Ok(bytes) = self.apply(child, &stack[stack.len() - 1].bytes)
                {
                    held += bytes.len();
                    stack.push(self.built(child, kind, bytes));
                }
            }
        }
    }

    fn built(&mut self, at: u32, kind: ObjectKind, bytes: Vec<u8>) -> Built {
        let name = self.hash.name_object(kind, &bytes);
        self.names[at as usize] = Some(name);
        let children = with_key(&self.by_offset, &self.entries[at as usize].0)
            .chain(with_key(&self.by_name, &name))
            .collect();
        Built { kind, bytes, children }
    }

    fn unpack(&mut self, at: u32) -> Result<Vec<u8>, ObjectError> {
        let entry = self.pack.entry(self.entries[at as usize].0)?;
        if entry.size > self.limit {
            return Err(ObjectError::TooLarge { size: entry.size, limit: self.limit });
        }
        let mut bytes = Vec::new();
        let packed = self.pack.slice(entry.data, self.pack.end())?;
        self.inflater.inflate(packed, entry.size as usize, &mut bytes)?;
        Ok(bytes)
    }

    fn apply(&mut self, at: u32, base: &[u8]) -> Result<Vec<u8>, ObjectError> {
        let instructions = self.unpack(at)?;
        let delta = Delta::parse(&instructions)?;
        if delta.target_len > self.limit {
            return Err(ObjectError::TooLarge { size: delta.target_len, limit: self.limit });
        }
        let mut bytes = Vec::new();
        delta.apply(base, &mut bytes, &mut self.map)?;
        Ok(bytes)
    }
}

/// The values of all pairs with this key in a sorted list.
fn with_key<K: Ord>(pairs: &[(K, u32)], key: &K) -> impl Iterator<Item = u32> {
    let start = pairs.partition_point(|pair| pair.0 < *key);
    let length = pairs[start..].partition_point(|pair| pair.0 == *key);
    pairs[start..start + length].iter().map(|pair| pair.1)
}
