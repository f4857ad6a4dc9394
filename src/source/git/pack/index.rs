//! Which objects a pack holds and where: `.idx` files of versions 1 and 2, and the same table made by
//! hand for packs that have none.
//!
//! Layout after <https://git-scm.com/docs/pack-format#_pack_idx_files_have_the_following_format>.

use std::path::Path;

use super::error::ObjectError;
use super::file::{HEADER, PackFile};
use super::mmap::{Access, FileBytes};
use super::object::HashKind;
use crate::finding::Oid;

const MAGIC: &[u8] = b"\xfftOc";
const FANOUT: usize = 256 * 4;
/// Packs of at least that many objects are searched by the first two bytes of names.
const LARGE: usize = 1 << 16;

/// Places on either side of the expected one that are looked at first.
const ASIDE: u32 = 4;

/// The table of a pack: names in their order, and entries in the order of the pack.
pub(crate) struct Index {
    hash: HashKind,
    table: Table,
    /// Objects whose name starts with this byte or a smaller one.
    fanout: Box<[u32; 256]>,
    /// Objects whose name starts with two bytes below these; one more than there are such pairs.
    /// Empty for small packs.
    pairs: Vec<u32>,
    /// Where each entry starts, ascending.
    offsets: Vec<u64>,
    /// For each entry its place among the names.
    places: Vec<u32>,
    /// CRC-32 of the packed bytes of each entry; empty where the index holds none.
    checksums: Vec<u32>,
    /// Whether a name is there more than once.
    repeats: bool,
}

/// Where names, checksums and offsets are, by place among the names.
enum Table {
    /// Version 1: offset and name in turn.
    One { file: FileBytes },
    /// Version 2: a table for names, one for checksums, one for offsets, one for large offsets.
    Two { file: FileBytes, checksums: usize, offsets: usize, large: usize, large_count: usize },
    /// Built from the pack.
    Built { names: Vec<u8>, offsets: Vec<u64> },
}

impl Index {
    /// Reads and checks the index at `path`.
    ///
    /// # Errors
    /// When it is not an index, or its parts contradict each other.
    pub(crate) fn open(path: &Path, hash: HashKind) -> Result<Self, ObjectError> {
        let file = FileBytes::open(path, Access::Random)?;
        // A flipped bit in a name would otherwise go unnoticed: names are not computed anew.
        let (content, checksum) = file
            .len()
            .checked_sub(hash.name_len())
            .map(|end| file.split_at(end))
            .ok_or_else(|| malformed("it is too short"))?;
        if hash.digest(&[content]).as_bytes() != checksum {
            return Err(malformed("it does not match its own checksum"));
        }
        let two = file.starts_with(MAGIC);
        if two && file.get(4..8) != Some(&[0, 0, 0, 2]) {
            return Err(malformed("a version of index that is not known"));
        }
        let fanout = read_fanout(&file, if two { 8 } else { 0 })?;
        let count = fanout[255] as usize;
        let table = if two { table_two(file, count, hash)? } else { table_one(file, count, hash)? };
        let index = Self::new(hash, table, fanout);
        index.check_names()?;
        index.ordered()
    }

    /// Makes the table from names and offsets found by other means.
    pub(crate) fn build(hash: HashKind, mut objects: Vec<(Oid, u64)>) -> Result<Self, ObjectError> {
        objects.sort_unstable();
        objects.dedup_by_key(|object| object.1);
        let mut fanout = Box::new([0_u32; 256]);
        for (name, _) in &objects {
            fanout[usize::from(name.as_bytes()[0])] += 1;
        }
        for byte in 1..256 {
            fanout[byte] += fanout[byte - 1];
        }
        let names = objects.iter().flat_map(|(name, _)| name.as_bytes()).copied().collect();
        let offsets = objects.into_iter().map(|(_, offset)| offset).collect();
        let table = Table::Built { names, offsets };
        Self::new(hash, table, fanout).ordered()
    }

    fn new(hash: HashKind, table: Table, fanout: Box<[u32; 256]>) -> Self {
        let (pairs, offsets, places, checksums) = Default::default();
        Self { hash, table, fanout, pairs, offsets, places, checksums, repeats: false }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Start of each entry in the pack, ascending.
    pub(crate) fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// Where `entry` ends: at the next one, or at the end of the entries, `end`.
    pub(crate) fn end_of(&self, entry: u32, end: u64) -> u64 {
        self.offsets.get(entry as usize + 1).copied().unwrap_or(end)
    }

    /// The name of the object in `entry`.
    pub(crate) fn name(&self, entry: u32) -> Oid {
        Oid::from_bytes(self.name_at(self.places[entry as usize]))
            .expect("NOTE: a slice as long as the repository's names")
    }

    /// Place of the object in `entry` among the names.
    pub(crate) fn place(&self, entry: u32) -> u32 {
        self.places[entry as usize]
    }

    /// Whether a name is there more than once, as in no index of git's.
    pub(crate) fn repeats(&self) -> bool {
        self.repeats
    }

    /// The raw name at `place` among all names in ascending order.
    pub(crate) fn name_at(&self, place: u32) -> &[u8] {
        let (place, length) = (place as usize, self.hash.name_len());
        let (bytes, start): (&[u8], usize) = match &self.table {
            Table::One { file } => (file, FANOUT + place * (4 + length) + 4),
            Table::Two { file, .. } => (file, 8 + FANOUT + place * length),
            Table::Built { names, .. } => (names, place * length),
        };
        &bytes[start..start + length]
    }

    /// CRC-32 of the packed bytes of `entry`, where the index holds one.
    pub(crate) fn checksum(&self, entry: u32) -> Option<u32> {
        self.checksums.get(entry as usize).copied()
    }

    /// The entry that holds the object `name`.
    pub(crate) fn find(&self, name: &Oid) -> Option<u32> {
        let place = self.find_place(name.as_bytes())?;
        self.entry_at(self.offset_at(place)?)
    }

    /// The entry that starts at `offset`.
    pub(crate) fn entry_at(&self, offset: u64) -> Option<u32> {
        self.offsets.binary_search(&offset).ok().map(|entry| entry as u32)
    }

    /// The entry before `entry` that starts at `offset`. Bases are mostly near: search outwards.
    pub(crate) fn entry_before(&self, entry: u32, offset: u64) -> Option<u32> {
        let mut upper = entry as usize;
        let mut step = 1;
        loop {
            let lower = upper.saturating_sub(step);
            if lower == 0 || self.offsets[lower] <= offset {
                let found = self.offsets[lower..upper].binary_search(&offset).ok()?;
                return Some((lower + found) as u32);
            }
            upper = lower;
            step *= 2;
        }
    }

    /// Whether this is the index of `pack`.
    pub(crate) fn check(&self, pack: &PackFile) -> Result<(), ObjectError> {
        if self.len() != pack.count() as usize {
            return Err(malformed("it has not as many objects as its pack"));
        }
        let file = match &self.table {
            Table::One { file } | Table::Two { file, .. } => file,
            Table::Built { .. } => return Ok(()),
        };
        let trailer = &file[file.len() - 2 * self.hash.name_len()..];
        if trailer[..self.hash.name_len()] != *pack.checksum() {
            return Err(malformed("it belongs to a pack with another checksum"));
        }
        if self.offsets.first().is_some_and(|&first| first != HEADER) {
            return Err(malformed("it does not name the first entry of its pack"));
        }
        Ok(())
    }

    /// The place of `name` among the names.
    pub(crate) fn find_place(&self, name: &[u8]) -> Option<u32> {
        let first = usize::from(*name.first()?);
        let wanted = leading(name);
        let (mut low, mut high) = if self.pairs.is_empty() {
            (if first == 0 { 0 } else { self.fanout[first - 1] }, self.fanout[first])
        } else {
            let pair = first << 8 | usize::from(*name.get(1)?);
            self.near(wanted, self.pairs[pair], self.pairs[pair + 1])
        };
        while low < high {
            let middle = low + (high - low) / 2;
            let there = self.name_at(middle);
            match leading(there).cmp(&wanted).then_with(|| there.cmp(name)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Has the names around the expected place of `name` fetched into the processor's cache.
    pub(crate) fn prefetch(&self, name: &[u8]) {
        let Some(&[first, second]) = name.first_chunk().filter(|_| !self.pairs.is_empty()) else { return };
        let pair = usize::from(first) << 8 | usize::from(second);
        let expected = Self::expected(leading(name), self.pairs[pair], self.pairs[pair + 1]);
        let (length, start) = match &self.table {
            Table::One { .. } => (4 + self.hash.name_len(), FANOUT + 4),
            Table::Two { .. } => (self.hash.name_len(), 8 + FANOUT),
            Table::Built { .. } => return,
        };
        if let Table::One { file } | Table::Two { file, .. } = &self.table {
            file.prefetch(start + expected.saturating_sub(ASIDE) as usize * length);
        }
    }

    /// The place that the third and fourth byte of a name let expect between the places `low` and
    /// `high` of its first two.
    fn expected(wanted: u64, low: u32, high: u32) -> u32 {
        let share = wanted >> 32 & 0xffff;
        low + ((u64::from(high - low) * share) >> 16) as u32
    }

    /// Narrows `low..high`, the places of names that share the first two bytes of `wanted`, to those
    /// around the place that the next two let expect: names are spread evenly, and a step of the
    /// search far away costs an access to memory.
    fn near(&self, wanted: u64, low: u32, high: u32) -> (u32, u32) {
        let expected = Self::expected(wanted, low, high);
        let (first, last) = (expected.saturating_sub(ASIDE), expected.saturating_add(ASIDE));
        let low = if first > low && leading(self.name_at(first)) < wanted { first } else { low };
        let high = if last < high && leading(self.name_at(last)) > wanted { last } else { high };
        (low, high)
    }

    /// The offset that the table gives for the object at `place`.
    fn offset_at(&self, place: u32) -> Option<u64> {
        let place = place as usize;
        match &self.table {
            Table::One { file } => Some(u64::from(word(file, FANOUT + place * (4 + self.hash.name_len())))),
            Table::Two { file, offsets, large, large_count, .. } => {
                let offset = word(file, offsets + place * 4);
                if offset >> 31 == 0 {
                    return Some(u64::from(offset));
                }
                let at = (offset & 0x7fff_ffff) as usize;
                (at < *large_count).then(|| {
                    u64::from(word(file, large + at * 8)) << 32 | u64::from(word(file, large + at * 8 + 4))
                })
            }
            Table::Built { offsets, .. } => offsets.get(place).copied(),
        }
    }

    /// Names ascend, and the fanout points where it should.
    fn check_names(&self) -> Result<(), ObjectError> {
        let count = self.fanout[255];
        let mut previous: &[u8] = &[];
        for place in 0..count {
            let name = self.name_at(place);
            if name < previous {
                return Err(malformed("its names are not in order"));
            }
            previous = name;
        }
        let mut start = 0;
        for (byte, &end) in self.fanout.iter().enumerate() {
            let first = |place| usize::from(self.name_at(place)[0]);
            if start < end && (first(start) != byte || first(end - 1) != byte) {
                return Err(malformed("its fanout does not fit its names"));
            }
            start = end;
        }
        Ok(())
    }

    /// Fills in the entries in the order of the pack.
    fn ordered(mut self) -> Result<Self, ObjectError> {
        let count = self.fanout[255];
        let mut order: Vec<(u64, u32)> = Vec::with_capacity(count as usize);
        for place in 0..count {
            let offset = self.offset_at(place).ok_or_else(|| malformed("a large offset is missing"))?;
            if offset < HEADER {
                return Err(malformed("an offset lies within the pack's header"));
            }
            order.push((offset, place));
        }
        order.sort_unstable();
        if order.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(malformed("two objects have the same offset"));
        }
        self.pairs = self.count_pairs();
        self.repeats = (1..count).any(|place| self.name_at(place) == self.name_at(place - 1));
        self.offsets = order.iter().map(|&(offset, _)| offset).collect();
        self.places = order.iter().map(|&(_, place)| place).collect();
        if let Table::Two { file, checksums, .. } = &self.table {
            let checksum = |&place: &u32| word(file, checksums + place as usize * 4);
            self.checksums = self.places.iter().map(checksum).collect();
        }
        Ok(self)
    }
}

impl Index {
    /// Where the names of each pair of first bytes begin; nothing for small packs.
    fn count_pairs(&self) -> Vec<u32> {
        let count = self.fanout[255];
        if (count as usize) < LARGE {
            return Vec::new();
        }
        let mut pairs = vec![0; LARGE + 1];
        for place in 0..count {
            let name = self.name_at(place);
            pairs[(usize::from(name[0]) << 8 | usize::from(name[1])) + 1] += 1;
        }
        for pair in 1..pairs.len() {
            pairs[pair] += pairs[pair - 1];
        }
        pairs
    }
}

/// The first bytes of a name as a number, in the order of names: comparing slices costs a call.
fn leading(name: &[u8]) -> u64 {
    name.first_chunk().map_or(0, |raw| u64::from_be_bytes(*raw))
}

pub(super) fn malformed(why: &str) -> ObjectError {
    ObjectError::Malformed(format!("its index is malformed: {why}"))
}

/// The big-endian number at `at`, which the caller has checked to be inside.
fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(word)
}

fn read_fanout(bytes: &[u8], start: usize) -> Result<Box<[u32; 256]>, ObjectError> {
    let Some(raw) = bytes.get(start..start + FANOUT) else {
        return Err(malformed("it is too short"));
    };
    let mut fanout = Box::new([0; 256]);
    for (slot, at) in fanout.iter_mut().zip((0..FANOUT).step_by(4)) {
        *slot = word(raw, at);
    }
    if fanout.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(malformed("its fanout descends"));
    }
    Ok(fanout)
}

fn table_one(file: FileBytes, count: usize, hash: HashKind) -> Result<Table, ObjectError> {
    let expected =
        count.checked_mul(4 + hash.name_len()).and_then(|n| n.checked_add(FANOUT + 2 * hash.name_len()));
    if expected != Some(file.len()) {
        return Err(malformed("its size does not fit the number of its objects"));
    }
    Ok(Table::One { file })
}

fn table_two(file: FileBytes, count: usize, hash: HashKind) -> Result<Table, ObjectError> {
    let wrong_size = || malformed("its size does not fit the number of its objects");
    let names = 8 + FANOUT;
    let checksums =
        count.checked_mul(hash.name_len()).and_then(|n| n.checked_add(names)).ok_or_else(wrong_size)?;
    let offsets = count.checked_mul(4).and_then(|n| n.checked_add(checksums)).ok_or_else(wrong_size)?;
    let large = count.checked_mul(4).and_then(|n| n.checked_add(offsets)).ok_or_else(wrong_size)?;
    let rest = file.len().checked_sub(large + 2 * hash.name_len()).ok_or_else(wrong_size)?;
    if rest % 8 != 0 || rest / 8 > count {
        return Err(wrong_size());
    }
    Ok(Table::Two { file, checksums, offsets, large, large_count: rest / 8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(first: u8, last: u8) -> Oid {
        let mut raw = [0; 20];
        (raw[0], raw[19]) = (first, last);
        Oid::from_bytes(&raw).unwrap()
    }

    fn two(objects: &[(Oid, u32)], large: &[u64]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[0, 0, 0, 2]].concat();
        for byte in 0..=255_u8 {
            let count = objects.iter().filter(|(name, _)| name.as_bytes()[0] <= byte).count() as u32;
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        objects.iter().for_each(|(name, _)| bytes.extend_from_slice(name.as_bytes()));
        objects.iter().for_each(|_| bytes.extend_from_slice(&7_u32.to_be_bytes()));
        objects.iter().for_each(|(_, offset)| bytes.extend_from_slice(&offset.to_be_bytes()));
        large.iter().for_each(|offset| bytes.extend_from_slice(&offset.to_be_bytes()));
        bytes.extend_from_slice(&[0; 40]);
        bytes
    }

    /// Opens an index with these bytes, the checksum at the end put right.
    fn open(bytes: &[u8]) -> Result<Index, ObjectError> {
        let content = &bytes[..bytes.len().saturating_sub(20)];
        open_as_it_is(&[content, HashKind::Sha1.digest(&[content]).as_bytes()].concat())
    }

    fn open_as_it_is(bytes: &[u8]) -> Result<Index, ObjectError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pack-test.idx");
        std::fs::write(&path, bytes).unwrap();
        Index::open(&path, HashKind::Sha1)
    }

    #[test]
    fn reads_small_and_large_offsets() {
        let objects = [(oid(0, 1), 500), (oid(0, 2), 0x8000_0000), (oid(9, 0), 12)];
        let index = open(&two(&objects, &[1 << 40])).unwrap();
        assert_eq!(index.offsets(), [12, 500, 1 << 40]);
        assert_eq!([index.name(0), index.name(1), index.name(2)], [oid(9, 0), oid(0, 1), oid(0, 2)]);
        assert_eq!(index.find(&oid(0, 2)), Some(2));
        assert_eq!(index.find(&oid(0, 3)), None);
        assert_eq!(index.checksum(1), Some(7));
        for (entry, offset) in [(2, 500), (2, 12), (1, 12)] {
            assert_eq!(index.entry_before(entry, offset), index.entry_at(offset));
        }
        assert_eq!(index.entry_before(1, 500), None);
        assert_eq!(index.entry_before(2, 13), None);
    }

    #[test]
    fn large_packs_are_searched_by_two_bytes() {
        let name = |number: u32| {
            let mut raw = [0; 20];
            raw[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
            Oid::from_bytes(&raw).unwrap()
        };
        let objects = (0..LARGE as u32 + 9).map(|n| (name(n * 2), u64::from(n) + 12)).collect();
        let index = Index::build(HashKind::Sha1, objects).unwrap();
        assert!(!index.pairs.is_empty());
        for number in 0..LARGE as u32 {
            let found = index.find(&name(number)).map(|entry| index.name(entry));
            assert_eq!(found, (number % 2 == 0).then(|| name(number)));
        }
    }

    #[test]
    fn a_built_table_works_like_a_read_one() {
        let index = Index::build(HashKind::Sha1, vec![(oid(9, 0), 12), (oid(0, 1), 500)]).unwrap();
        assert_eq!(index.find(&oid(9, 0)), Some(0));
        assert_eq!(index.find(&oid(0, 1)), Some(1));
        assert_eq!(index.name(1), oid(0, 1));
        assert_eq!(index.checksum(0), None);
    }

    #[test]
    fn refuses_contradictions() {
        let objects = [(oid(0, 1), 500), (oid(0, 2), 12)];
        let good = two(&objects, &[]);
        assert!(open(&good).is_ok());
        assert!(open_as_it_is(&good).is_err(), "its own checksum");
        assert!(open(&good[..good.len() - 1]).is_err());
        assert!(open(&good[..100]).is_err());
        assert!(open(&[]).is_err());
        assert!(open(&two(&[(oid(0, 2), 500), (oid(0, 1), 12)], &[])).is_err(), "names descend");
        assert!(open(&two(&[(oid(0, 1), 12), (oid(0, 2), 12)], &[])).is_err(), "one offset twice");
        assert!(open(&two(&[(oid(0, 1), 11)], &[])).is_err(), "within the header");
        assert!(open(&two(&[(oid(0, 1), 0x8000_0001)], &[99])).is_err(), "no such large offset");
        let mut fanout = good.clone();
        fanout[8..12].copy_from_slice(&1_u32.to_be_bytes());
        assert!(open(&fanout).is_err(), "fanout and names");
        fanout[8..12].copy_from_slice(&9_u32.to_be_bytes());
        assert!(open(&fanout).is_err(), "fanout descends");
        let mut huge = good;
        huge[8..8 + FANOUT].fill(0xff);
        assert!(open(&huge).is_err(), "more objects than the file has room for");
    }
}
