//! Look-up tables from bytes of text to the rules worth testing there.
//!
//! Built once: by `build.rs` for the built-in rules, at run time when rules are added or left
//! out. All look-ups may give false candidates and never miss a true one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::class::ByteSet;
use super::filter;
use super::model::{Branch, Find, FormatUse, List, Pattern, Text};
use super::pool::Entries;
use super::shape::{self, Item};

/// What a literal of the text filter leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A branch with [`Find::Literal`].
    Branch(u16),
    /// A pattern, by its keyword.
    Pattern(u16),
    /// A format in use, by one of its literals.
    Format(u16),
    /// A word that opens a password-like name.
    Name,
}

/// One literal of the text filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The bytes, lower-case.
    pub bytes: Cow<'static, [u8]>,
    /// Offset of the bytes the filter looks for.
    pub probe: u8,
    /// Bucket of the filter it belongs to, below [`BUCKETS`].
    pub bucket: u8,
    /// What a hit leads to.
    pub targets: List<Target>,
}

impl Literal {
    /// The bytes the filter looks for: [`PROBE`] of them, or all of a shorter literal.
    #[must_use]
    pub fn probe_bytes(&self) -> &[u8] {
        let rest = &self.bytes[usize::from(self.probe)..];
        &rest[..rest.len().min(PROBE)]
    }
}

/// Most bytes of a literal that the text filter looks at.
pub const PROBE: usize = 4;
/// Buckets of the text filter.
pub const BUCKETS: usize = 16;

/// Words that open a password-like name and are looked for everywhere in the text.
pub const NAME_LITERALS: [&str; 15] = [
    "pass",
    "pwd",
    "secret",
    "cred",
    "apikey",
    "api_key",
    "clave",
    "senha",
    "contrase",
    "kennwort",
    "密码",
    "口令",
    "ароль",
    "비밀번호",
    "パスワード",
];

/// From three folded bytes to branch numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// One bit per 14-bit hash: anything there at all?
    pub bits: List<u64>,
    /// Start of each 10-bit bucket in `list`; 1025 entries.
    pub starts: List<u16>,
    /// Branch numbers by bucket.
    pub list: List<u16>,
}

/// All tables of a rule set.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Branches found at the start of their prefix.
    pub head: Lookup,
    /// Branches found by the last two bytes of their prefix and the first of their body.
    pub tail: Lookup,
    /// Literals of the text filter.
    pub literals: List<Literal>,
    /// From the three probe bytes to literal numbers.
    pub probes: Lookup,
    /// Open-addressed table from word hash to word id plus one; a power of two long.
    pub word_slots: List<u16>,
    /// Hash of each word, by word id.
    pub word_hashes: List<u32>,
    /// Whether a longer word that starts with this one counts too (`datadogapikey`); by word id.
    pub word_is_prefix: List<bool>,
    /// Start of each word's entries in `entry_list`; one more than there are words.
    pub entry_starts: List<u16>,
    /// Entry numbers by their rarest word.
    pub entry_list: List<u16>,
    /// Which values any entry may match.
    pub values: ValueTable,
}

/// From the length of a value to the bytes entries allow in values of that length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueTable {
    /// One bit for each byte value; bytes that every entry treats alike share one.
    pub atoms: List<u64>,
    /// Start of each length's sets in `sets`; [`VALUE_LENGTHS`] plus one.
    pub starts: List<u16>,
    /// Sets of atoms, none of one length within another.
    pub sets: List<u64>,
}

/// Lengths of values that a [`ValueTable`] tells apart.
pub const VALUE_LENGTHS: usize = 640;

impl ValueTable {
    /// Whether an entry may match `value`: one of them allows its length and all of its bytes.
    #[must_use]
    pub fn admits(&self, value: &[u8]) -> bool {
        let Some(range) = self.starts.get(value.len()..value.len() + 2) else { return true };
        let atoms = value.iter().fold(0, |atoms, &byte| atoms | self.atoms[usize::from(byte)]);
        let sets = &self.sets[usize::from(range[0])..usize::from(range[1])];
        sets.iter().any(|set| atoms & !set == 0)
    }

    fn build(entries: &Entries) -> Self {
        let mut spans: Vec<(ByteSet, usize, usize)> = Vec::new();
        for entry in entries.iter() {
            let shape = entry.value;
            let span = (shape::bytes_of(shape), shape::min_len(shape), shape::max_len(shape));
            if !spans.contains(&span) {
                spans.push(span);
            }
        }
        let atoms = atoms(&spans.iter().map(|span| span.0).collect::<Vec<_>>());
        let folded = |set: &ByteSet| set.iter().fold(0, |all, byte| all | atoms[usize::from(byte)]);
        let spans: Vec<(u64, usize, usize)> =
            spans.iter().map(|(set, min, max)| (folded(set), *min, *max)).collect();
        let (mut starts, mut sets) = (vec![0u16], Vec::new());
        for len in 0..VALUE_LENGTHS {
            let mut here: Vec<u64> = spans
                .iter()
                .filter(|(_, min, max)| (*min..=*max).contains(&len))
                .map(|span| span.0)
                .collect();
            here.sort_unstable();
            here.dedup();
            let within = |set: &u64| here.iter().any(|other| other != set && set & !other == 0);
            sets.extend(here.iter().filter(|set| !within(set)));
            starts.push(sets.len() as u16);
        }
        Self { atoms: Cow::Owned(atoms), starts: Cow::Owned(starts), sets: Cow::Owned(sets) }
    }
}

/// One bit for each byte value: bytes that are in the same of `sets` share it. When there are
/// more kinds than bits, the last kinds share one.
fn atoms(sets: &[ByteSet]) -> Vec<u64> {
    let mut kinds: Vec<Vec<bool>> = Vec::new();
    let of = |byte: u8| sets.iter().map(|set| set.has(byte)).collect::<Vec<_>>();
    (0..=255)
        .map(|byte| {
            let kind = of(byte);
            let number = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                kinds.push(kind);
                kinds.len() - 1
            });
            1 << number.min(63)
        })
        .collect()
}

/// 14-bit hash of three folded bytes.
#[inline]
#[must_use]
pub const fn key_hash(a: u8, b: u8, c: u8) -> usize {
    let key = (a | 0x20) as u32 | ((b | 0x20) as u32) << 8 | ((c | 0x20) as u32) << 16;
    (key.wrapping_mul(0x9E37_79B1) >> 18) as usize
}

/// One step of the rolling word hash; start from [`WORD_SEED`].
///
/// The hash of two words joined is that of the first, times [`WORD_BASE`] to the power of the
/// second's length, plus that of the second.
#[inline]
#[must_use]
pub const fn word_step(hash: u32, folded: u8) -> u32 {
    hash.wrapping_mul(WORD_BASE).wrapping_add(folded as u32)
}

/// Start value of the rolling word hash.
pub const WORD_SEED: u32 = 0;
/// Factor of the rolling word hash.
pub const WORD_BASE: u32 = 0x9E37_79B1;

/// Mixes a word hash into a slot number of a table with `mask + 1` slots.
#[inline]
#[must_use]
pub const fn word_slot(hash: u32, mask: usize) -> usize {
    (hash ^ hash >> 13) as usize & mask
}

/// Shortest word that also counts as the start of a longer, glued word.
const MIN_GLUED: usize = 6;

/// A [`Lookup`] whose lists are at hand.
#[derive(Clone, Copy, Debug)]
pub struct LookupView<'a> {
    bits: &'a [u64; 1 << 8],
    starts: &'a [u16; (1 << 10) + 1],
    list: &'a [u16],
}

impl<'a> LookupView<'a> {
    /// Whether there may be branches with this key.
    #[inline]
    #[must_use]
    pub fn may_have(&self, a: u8, b: u8, c: u8) -> bool {
        let hash = key_hash(a, b, c);
        self.bits[hash >> 6] >> (hash & 63) & 1 == 1
    }

    /// The branches whose key may be these three bytes.
    #[inline]
    #[must_use]
    pub fn get(&self, a: u8, b: u8, c: u8) -> &'a [u16] {
        if !self.may_have(a, b, c) {
            return &[];
        }
        let bucket = key_hash(a, b, c) >> 4;
        &self.list[usize::from(self.starts[bucket])..usize::from(self.starts[bucket + 1])]
    }
}

impl Lookup {
    /// The table, ready for many look-ups.
    ///
    /// # Panics
    /// When the lists do not have the lengths they are documented to have.
    #[must_use]
    pub fn view(&self) -> LookupView<'_> {
        LookupView {
            // NOTE: `build` makes them of these lengths, and nothing else makes any.
            bits: self.bits.as_ref().try_into().expect("one bit for each hash"),
            starts: self.starts.as_ref().try_into().expect("one start for each bucket, and the end"),
            list: &self.list,
        }
    }

    fn build(keys: &[(usize, u16)]) -> Self {
        let mut bits = vec![0u64; (1 << 14) / 64];
        let mut buckets: Vec<Vec<u16>> = vec![Vec::new(); 1 << 10];
        for &(hash, branch) in keys {
            bits[hash >> 6] |= 1 << (hash & 63);
            let bucket = &mut buckets[hash >> 4];
            if !bucket.contains(&branch) {
                bucket.push(branch);
            }
        }
        let (starts, list) = flatten(&buckets);
        Self { bits: Cow::Owned(bits), starts: Cow::Owned(starts), list: Cow::Owned(list) }
    }
}

fn flatten(buckets: &[Vec<u16>]) -> (Vec<u16>, Vec<u16>) {
    let mut starts = vec![0u16];
    let mut list = Vec::new();
    for bucket in buckets {
        list.extend_from_slice(bucket);
        starts.push(list.len() as u16);
    }
    (starts, list)
}

/// The parts of a rule set that tables are built from.
pub(super) struct Parts<'a> {
    pub(super) branches: &'a [Branch],
    pub(super) entries: &'a Entries,
    pub(super) patterns: &'a [Pattern],
    pub(super) formats: &'a [FormatUse],
    pub(super) words: &'a [Text],
    pub(super) has_generic: bool,
}

impl Tables {
    /// Builds the tables of a rule set.
    pub(super) fn build(parts: &Parts<'_>) -> Self {
        let word_slots = word_table(parts.words);
        let (entry_starts, entry_list) = entries_by_word(parts.entries, parts.words);
        let literals = literals(parts);
        let probes: Vec<(usize, u16)> =
            literals.iter().enumerate().map(|(i, l)| (probe_key(l), i as u16)).collect();
        Self {
            head: Lookup::build(&keys_of(parts.branches, Find::Head, head_keys)),
            tail: Lookup::build(&keys_of(parts.branches, Find::Tail, tail_keys)),
            probes: Lookup::build(&probes),
            literals: Cow::Owned(literals),
            word_slots: Cow::Owned(word_slots),
            word_hashes: Cow::Owned(parts.words.iter().map(|word| word_hash(word)).collect()),
            word_is_prefix: Cow::Owned(parts.words.iter().map(|word| word.len() >= MIN_GLUED).collect()),
            entry_starts: Cow::Owned(entry_starts),
            entry_list: Cow::Owned(entry_list),
            values: ValueTable::build(parts.entries),
        }
    }
}

fn keys_of(branches: &[Branch], find: Find, keys: fn(&Branch) -> Vec<usize>) -> Vec<(usize, u16)> {
    let numbered = branches.iter().enumerate().filter(|(_, branch)| branch.find == find);
    numbered.flat_map(|(i, branch)| keys(branch).into_iter().map(move |key| (key, i as u16))).collect()
}

/// Hashes of the first three bytes; a two-byte prefix is completed by every byte its body may start with.
fn head_keys(branch: &Branch) -> Vec<usize> {
    match *branch.prefix {
        [a, b, c, ..] => vec![key_hash(a, b, c)],
        [a, b] => first_bytes(branch).into_iter().map(|c| key_hash(a, b, c)).collect(),
        _ => Vec::new(),
    }
}

/// Hashes of the last two bytes of the prefix and every byte its body may start with.
fn tail_keys(branch: &Branch) -> Vec<usize> {
    match *branch.prefix {
        [.., a, b] => first_bytes(branch).into_iter().map(|c| key_hash(a, b, c)).collect(),
        _ => Vec::new(),
    }
}

/// The bytes the body of `branch` may start with.
fn first_bytes(branch: &Branch) -> Vec<u8> {
    match branch.body.first() {
        Some(Item::Lit(lit)) => vec![lit[0]],
        Some(Item::Run { set, .. }) => set.iter().collect(),
        None => Vec::new(),
    }
}

fn probe_key(literal: &Literal) -> usize {
    let probe = &literal.bytes[usize::from(literal.probe)..];
    // NOTE: literals have at least three bytes (checked by the compiler), and so has the probe.
    key_hash(probe[0], probe[1], probe[2])
}

fn literals(parts: &Parts<'_>) -> Vec<Literal> {
    let mut by_bytes: BTreeMap<Vec<u8>, Vec<Target>> = BTreeMap::new();
    let mut add = |bytes: &[u8], target| {
        by_bytes.entry(bytes.to_ascii_lowercase()).or_default().push(target);
    };
    for (i, branch) in parts.branches.iter().enumerate() {
        if branch.find == Find::Literal {
            add(&branch.prefix, Target::Branch(i as u16));
        }
    }
    for (i, pattern) in parts.patterns.iter().enumerate() {
        for keyword in pattern.keywords.iter() {
            add(keyword.as_bytes(), Target::Pattern(i as u16));
        }
    }
    for (i, format) in parts.formats.iter().enumerate() {
        for literal in format.format.literals() {
            add(literal, Target::Format(i as u16));
        }
    }
    if parts.has_generic {
        for word in NAME_LITERALS {
            add(word.as_bytes(), Target::Name);
        }
    }
    let mut literals: Vec<Literal> = by_bytes
        .into_iter()
        .map(|(bytes, targets)| {
            let probe = filter::rarest_window(&bytes);
            Literal { bytes: Cow::Owned(bytes), probe, bucket: 0, targets: Cow::Owned(targets) }
        })
        .collect();
    filter::assign_buckets(&mut literals);
    literals
}

fn word_hash(word: &str) -> u32 {
    word.bytes().fold(WORD_SEED, word_step)
}

fn word_table(words: &[Text]) -> Vec<u16> {
    let size = (words.len() * 4).next_power_of_two().max(64);
    let mut slots = vec![0u16; size];
    for (id, word) in words.iter().enumerate() {
        let mut slot = word_slot(word_hash(word), size - 1);
        while slots[slot] != 0 {
            slot = (slot + 1) & (size - 1);
        }
        slots[slot] = id as u16 + 1;
    }
    slots
}

/// Hangs each entry under the word that fewest entries use.
fn entries_by_word(entries: &Entries, words: &[Text]) -> (Vec<u16>, Vec<u16>) {
    let mut uses = vec![0u32; words.len()];
    for word in entries.iter().flat_map(|entry| entry.words.iter()) {
        uses[usize::from(*word)] += 1;
    }
    let mut buckets: Vec<Vec<u16>> = vec![Vec::new(); words.len()];
    for (i, entry) in entries.iter().enumerate() {
        let rarest = entry.words.iter().min_by_key(|&&word| {
            (super::compile::is_common(&words[usize::from(word)]), uses[usize::from(word)])
        });
        if let Some(&word) = rarest {
            buckets[usize::from(word)].push(i as u16);
        }
    }
    flatten(&buckets)
}
