//! Packs, indexes and deltas: the whole traversal over whatever the bytes make of a pack.
//!
//! The first byte of the input chooses between two ways to read the rest:
//!
//! - *raw*: a pack and an index as they are, checksums at their ends put right, since a fuzzer
//!   would not get past them;
//! - *recipe*: instructions to build entries with proper zlib streams, so that mutations reach
//!   headers, sizes, bases and deltas instead of ending in the decompressor.
//!
//! What must hold: no panic, bounded memory (the fuzzer's limit), every object passed once, the
//! delta map true, and the same with one thread as with two and with hardly any memory. Objects that are
//! read in pieces, since next to none may be held, are what they are when held.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Mutex;

use keycull::finding::Oid;
use keycull::source::git::pack::{
    Base, DeltaMap, HashKind, Object, ObjectDirectories, ObjectError, ObjectKind, TraverseOptions, Visitor,
    traverse,
};
use libfuzzer_sys::fuzz_target;
use sha1::{Digest, Sha1};

fuzz_target!(|input: &[u8]| {
    let Some((&mode, rest)) = input.split_first() else { return };
    let store = Store::new();
    if mode & 1 == 0 {
        let (pack, index) = raw(rest);
        store.put("a", &pack, (mode & 2 == 0).then_some(&index));
    } else {
        let mut recipe = Recipe { input: rest, ..Recipe::default() };
        let (pack, index) = recipe.cook(mode & 4 != 0);
        store.put("a", &pack, (mode & 2 == 0).then_some(&index));
    }
    let one = store.visit(1, 256 << 20);
    let two = store.visit(2, 64);
    assert_eq!(one, two, "the outcome depends on threads or memory");
    for (id, bytes) in store.visit_in_pieces() {
        let held = one.0.get(&id);
        assert!(held.is_none_or(|held| *held == bytes), "{id} differs when read in pieces");
    }
});

/// An object directory with one pack, in memory where the system has a place for that.
struct Store {
    objects: tempfile::TempDir,
}

impl Store {
    fn new() -> Self {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let objects = tempfile::tempdir_in(place).expect("a directory can be made");
        fs::create_dir(objects.path().join("pack")).expect("a directory can be made");
        Self { objects }
    }

    fn put(&self, name: &str, pack: &[u8], index: Option<&Vec<u8>>) {
        let stem = self.objects.path().join("pack").join(format!("pack-{name}"));
        fs::write(stem.with_extension("pack"), pack).expect("a file can be written");
        if let Some(index) = index {
            fs::write(stem.with_extension("idx"), index).expect("a file can be written");
        }
    }

    /// What a traversal passes, and the gaps it leaves.
    fn visit(&self, jobs: usize, most_held: usize) -> (BTreeMap<Oid, Vec<u8>>, Vec<String>) {
        let directories = ObjectDirectories::discover(self.objects.path(), HashKind::Sha1, None);
        let options =
            TraverseOptions { jobs: NonZero::new(jobs).expect("not zero"), most_object: 1 << 20, most_held };
        let witness = Witness::default();
        let traversal = traverse(&directories, &options, &witness);
        let seen = witness.seen.into_inner().expect("no thread panicked");
        assert_eq!(traversal.counts.objects(), seen.len() as u64, "counts and objects differ");
        let gaps = traversal.gaps.iter().map(|gap| format!("{:?} {}: {}", gap.kind, gap.what, gap.why));
        (seen, gaps.collect())
    }

    /// What a traversal passes that holds no object of more than 64 bytes, and all that could be read of the
    /// others.
    fn visit_in_pieces(&self) -> BTreeMap<Oid, Vec<u8>> {
        let directories = ObjectDirectories::discover(self.objects.path(), HashKind::Sha1, None);
        let options = TraverseOptions { jobs: NonZero::<usize>::MIN, most_object: 64, most_held: 64 };
        let witness = Witness::default();
        traverse(&directories, &options, &witness);
        let mut seen = witness.seen.into_inner().expect("no thread panicked");
        seen.extend(witness.pieces.into_inner().expect("no thread panicked"));
        seen
    }
}

/// Checks what it is shown.
#[derive(Default)]
struct Witness {
    seen: Mutex<BTreeMap<Oid, Vec<u8>>>,
    /// Those read in pieces, to their ends.
    pieces: Mutex<BTreeMap<Oid, Vec<u8>>>,
}

impl Witness {
    fn see(&self, object: &Object<'_>) -> Vec<u8> {
        let before = self.seen.lock().expect("no panic").insert(object.id(), object.bytes.to_vec());
        assert!(before.is_none(), "{} was passed twice", object.id());
        object.bytes.to_vec()
    }
}

impl Visitor for Witness {
    type Local = ();
    type State = Vec<u8>;

    fn local(&self) {}

    fn wants(&self, _kind: ObjectKind) -> bool {
        true
    }

    fn root(&self, (): &mut (), object: &Object<'_>) -> Vec<u8> {
        self.see(object)
    }

    fn child(&self, (): &mut (), object: &Object<'_>, base: &Base<'_, Vec<u8>>, delta: &DeltaMap) -> Vec<u8> {
        assert_eq!(base.bytes, base.state, "another base than the state is of");
        let mut at = 0;
        for copy in delta.copies() {
            let (from, to) = (copy.base_range(), copy.target_range());
            assert!(copy.length > 0 && to.start >= at, "{copy:?} after {at}");
            assert_eq!(
                base.bytes.get(from.start as usize..from.end as usize),
                object.bytes.get(to.start as usize..to.end as usize),
                "{copy:?} is no copy"
            );
            at = to.end;
        }
        self.see(object)
    }

    fn large(
        &self,
        (): &mut (),
        object: &Object<'_>,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<bool, ObjectError> {
        let mut bytes = Vec::new();
        if content.read_to_end(&mut bytes).is_ok_and(|read| read as u64 == size) {
            self.pieces.lock().expect("no panic").insert(object.id(), bytes);
        }
        Ok(true)
    }

    fn cancelled(&self) -> bool {
        false
    }
}

/// A pack and an index as the bytes are, lengths in the first two bytes.
fn raw(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let length = input.first_chunk::<2>().map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes)));
    let rest = input.get(2..).unwrap_or_default();
    let (pack, index) = rest.split_at(length.min(rest.len()));
    let pack = sealed(pack.to_vec());
    let mut index = index.to_vec();
    index.extend_from_slice(&pack[pack.len() - 20..]);
    (pack, sealed(index))
}

/// With its checksum at the end.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = Sha1::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// Reads instructions; where the input ends, everything is zero.
#[derive(Default)]
struct Recipe<'a> {
    input: &'a [u8],
    entries: Vec<(u64, [u8; 20])>,
}

impl Recipe<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.input.split_first() else { return 0 };
        self.input = rest;
        first
    }

    /// A number that is mostly small, and sometimes as large as can be.
    fn number(&mut self) -> u64 {
        let first = self.byte();
        match first >> 6 {
            0 | 1 => u64::from(first),
            2 => u64::from(first & 63) << 8 | u64::from(self.byte()),
            _ => u64::from(self.byte()) << (first & 63).min(56),
        }
    }

    /// A pack and its index; `lie` allows names, offsets and counts that are wrong.
    fn cook(&mut self, lie: bool) -> (Vec<u8>, Vec<u8>) {
        let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
        while !self.input.is_empty() && self.entries.len() < 64 {
            self.entry(&mut pack);
        }
        let count = self.entries.len() as u32;
        pack[8..12].copy_from_slice(&count.to_be_bytes());
        let pack = sealed(pack);
        let mut named = self.entries.clone();
        if lie {
            for at in 0..named.len() {
                let twist = named[(at * 7 + 3) % named.len()].1[0];
                match twist & 7 {
                    0 => named[at].0 = named[(at + 1) % self.entries.len()].0,
                    1 => named[at].0 += 1,
                    2 => named[at].0 |= 1 << 40,
                    _ => {}
                }
            }
        }
        (pack.clone(), index(named, &pack))
    }

    fn entry(&mut self, pack: &mut Vec<u8>) {
        let what = self.byte();
        let (kind, honest) = (what & 7, what & 8 != 0);
        let offset = pack.len() as u64;
        let mut base = Vec::new();
        match kind {
            6 => base = distance(if honest { self.back(offset) } else { self.number() }),
            7 => {
                let target = usize::from(self.byte());
                let known = self.entries.get(target % self.entries.len().max(1)).map(|entry| entry.1);
                base = known.filter(|_| honest).unwrap_or([target as u8; 20]).to_vec();
            }
            _ => {}
        }
        let length = usize::from(self.byte()).min(self.input.len());
        let (data, rest) = self.input.split_at(length);
        self.input = rest;
        let size = if what & 16 == 0 { length as u64 } else { self.number() };
        header(pack, kind, size);
        pack.extend_from_slice(&base);
        stored(pack, data);
        // Names need not be true: the traversal takes them from the index.
        let mut name = [0; 20];
        name[0] = what;
        name[1..5].copy_from_slice(&(self.entries.len() as u32).to_be_bytes());
        self.entries.push((offset, name));
    }

    /// How far back some entry is.
    fn back(&mut self, offset: u64) -> u64 {
        let which = usize::from(self.byte());
        self.entries.get(which % self.entries.len().max(1)).map_or(1, |entry| offset - entry.0)
    }
}

/// Kind and declared size of an entry.
fn header(pack: &mut Vec<u8>, kind: u8, size: u64) {
    let mut rest = size >> 4;
    pack.push(kind << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
    while rest > 0 {
        let byte = (rest & 0x7f) as u8;
        rest >>= 7;
        pack.push(byte | if rest > 0 { 0x80 } else { 0 });
    }
}

/// How far back the base of an offset delta is, as the format has it.
fn distance(mut back: u64) -> Vec<u8> {
    let mut bytes = vec![(back & 0x7f) as u8];
    while back >> 7 > 0 {
        back = (back >> 7) - 1;
        bytes.push(0x80 | (back & 0x7f) as u8);
    }
    bytes.reverse();
    bytes
}

/// A zlib stream that stores `data`, which is shorter than 64 KiB.
fn stored(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(&[0x78, 0x01, 0x01]);
    out.extend_from_slice(&(data.len() as u16).to_le_bytes());
    out.extend_from_slice(&(!(data.len() as u16)).to_le_bytes());
    out.extend_from_slice(data);
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in data {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend_from_slice(&(b << 16 | a).to_be_bytes());
}

/// An index of version 2.
fn index(mut entries: Vec<(u64, [u8; 20])>, pack: &[u8]) -> Vec<u8> {
    entries.sort_unstable_by_key(|entry| entry.1);
    let mut out = b"\xfftOc\0\0\0\x02".to_vec();
    for byte in 0..=255_u8 {
        let count = entries.iter().filter(|entry| entry.1[0] <= byte).count() as u32;
        out.extend_from_slice(&count.to_be_bytes());
    }
    entries.iter().for_each(|entry| out.extend_from_slice(&entry.1));
    // Wrong checksums of entries: they are told, and the entries are read all the same.
    entries.iter().for_each(|entry| out.extend_from_slice(&(entry.0 as u32).to_be_bytes()));
    let mut large = Vec::new();
    for (offset, _) in &entries {
        let word = if *offset < 1 << 31 {
            *offset as u32
        } else {
            large.extend_from_slice(&offset.to_be_bytes());
            (large.len() / 8 - 1) as u32 | 1 << 31
        };
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(&large);
    out.extend_from_slice(&pack[pack.len() - 20..]);
    sealed(out)
}
