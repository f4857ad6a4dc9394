//! From bytes to bit masks: which bytes belong to token runs, and where a literal may start.
//!
//! The portable back end here is the reference; [`super::mask_avx2`] gives the same token bits
//! faster. Literal bits are a filter: a back end may set more of them, never fewer than the
//! literals that are there.

use std::ops::Range;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::mask_avx512::Place;
use super::pack::pack;
use super::places::Places;
use crate::rule::class::ByteSet;
use crate::rule::table::{Literal, PROBE};

/// 64-byte words per stride.
pub(super) const WORDS: usize = 64;
/// Bytes per stride.
pub(super) const STRIDE: usize = WORDS * 64;

/// Masks of one stride, and of the word after it, so that runs can be followed over its end.
pub(super) struct Masks {
    /// Bit `i` of word `w`: byte `64 w + i` is of the run class `[A-Za-z0-9_+/-]`.
    pub(super) token: [u64; WORDS + 1],
    /// … is a digit.
    pub(super) digit: [u64; WORDS + 1],
    /// … is a letter.
    pub(super) letter: [u64; WORDS + 1],
    /// … is of the run class but of no word: `+`, `/` or `-`.
    pub(super) joint: [u64; WORDS + 1],
    /// Bit `i` of word `w`: the bytes from there may be the probe of a literal.
    pub(super) hit: [u64; WORDS + 1],
    /// … begins what may be an escape, or ends a line that the next may go on from: [`is_mark`], or more.
    pub(super) mark: [u64; WORDS + 1],
    /// Words that hold anything; the rest are of another stride.
    words: usize,
    /// The places of `hit`.
    pub(super) hits: Places,
    /// Where runs of at least [`MIN_RUN`](crate::rule::compile::MIN_RUN) bytes start.
    pub(super) runs: Places,
    /// The places of `mark`.
    pub(super) marks: Places,
}

impl Masks {
    pub(super) fn new() -> Self {
        let none = [0; WORDS + 1];
        let places = Places::new;
        Self {
            token: none,
            digit: none,
            letter: none,
            joint: none,
            hit: none,
            mark: none,
            words: 0,
            hits: places(),
            runs: places(),
            marks: places(),
        }
    }

    /// Makes room for `words` words and the one after them; their numbers.
    pub(super) fn begin(&mut self, words: usize) -> Range<usize> {
        self.words = words.min(WORDS) + 1;
        0..self.words
    }

    /// Lists the bits that are looked at one by one; the last step of a back end, in the
    /// instructions of that back end. The stride of the masks is that at `start` of `bytes`.
    #[inline(always)]
    pub(super) fn list(&mut self, bytes: &[u8], start: usize) {
        let words = self.words - 1;
        self.hits.fill(self.hit[..words].iter().copied());
        self.marks.fill(self.mark[..words].iter().copied());
        let before = start.checked_sub(1).and_then(|i| bytes.get(i));
        let mut before = u64::from(before.is_some_and(|&byte| ByteSet::RUN.has(byte)));
        self.runs.fill((0..words).map(|word| {
            let token = self.token[word];
            let starts = long_runs(token, self.token[word + 1]) & !(token << 1 | before);
            before = token >> 63;
            starts
        }));
    }

    /// One past the last byte that is told of.
    pub(super) fn end(&self) -> usize {
        self.words * 64
    }
}

/// Tables of the literal filter: sixteen buckets of literals, one bit each, in two halves.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Probe and bucket of each literal.
    probes: Vec<([Option<u8>; PROBE], u8)>,
    /// For each literal its probe, folded, and which of those bytes count.
    keys: Vec<[u32; 2]>,
    /// Table of the portable back end, by [`pair_hash`]. Made when it is first asked for: most
    /// processors never do, and it would be two thirds of a short scan.
    pairs: OnceLock<Box<Pairs>>,
    /// Tables by half, place in the probe and nibble, low nibbles first.
    pub(super) nibble: [[[[u8; 16]; 2]; PROBE]; 2],
    /// The same by whole bytes, for the back end that can look those up.
    #[cfg(target_arch = "x86_64")]
    pub(super) places: Box<[[Place; PROBE]; 2]>,
}

impl Filter {
    /// The filter for `literals`.
    pub(super) fn new(literals: &[Literal]) -> Self {
        let probe = |bytes: &[u8]| std::array::from_fn(|place| bytes.get(place).copied());
        let probes: Vec<_> = literals.iter().map(|one| (probe(one.probe_bytes()), one.bucket)).collect();
        let keys = probes.iter().map(|(probe, _)| key(probe)).collect();
        let mut nibble = [[[[0; 16]; 2]; PROBE]; 2];
        for (probe, bucket) in &probes {
            admit(&mut nibble[usize::from(bucket / 8)], probe, 1 << (bucket % 8));
        }
        Self {
            #[cfg(target_arch = "x86_64")]
            places: places(&probes),
            probes,
            keys,
            pairs: OnceLock::new(),
            nibble,
        }
    }

    /// Whether `bytes` may begin with the probe of the literal of this number: no more than a quick look
    /// at all bytes of the probe together.
    #[inline]
    pub(super) fn may_be(&self, number: u16, bytes: &[u8]) -> bool {
        let [key, counted] = self.keys[usize::from(number)];
        // Behind the end of the content, the full comparison decides.
        bytes.first_chunk().is_none_or(|first| (u32::from_le_bytes(*first) | FOLD) & counted == key)
    }

    /// The table of the portable back end.
    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| {
            let mut pairs = Box::new([0; 1 << PAIR_BITS]);
            for (probe, bucket) in &self.probes {
                admit_probe(&mut pairs, probe, *bucket);
            }
            pairs
        })
    }
}

/// Makes upper-case letters lower-case, and some other bytes each other.
const FOLD: u32 = 0x2020_2020;

/// The folded bytes of a probe and a mask of those that it has.
fn key(probe: &[Option<u8>; PROBE]) -> [u32; 2] {
    let counted = u32::from_le_bytes(probe.map(|byte| if byte.is_some() { 0xff } else { 0 }));
    let bytes = u32::from_le_bytes(probe.map(Option::unwrap_or_default));
    [(bytes | FOLD) & counted, counted]
}

/// The tables of [`super::mask_avx512`].
#[cfg(target_arch = "x86_64")]
fn places(probes: &[([Option<u8>; PROBE], u8)]) -> Box<[[Place; PROBE]; 2]> {
    let mut places = Box::new([const { [Place::NONE; PROBE] }; 2]);
    for (probe, bucket) in probes {
        for (place, byte) in places[usize::from(bucket / 8)].iter_mut().zip(probe) {
            place.admit(*byte, 1 << (bucket % 8));
        }
    }
    places
}

/// Lets `probe` through the tables of its half, as the bit of its bucket.
fn admit(tables: &mut [[[u8; 16]; 2]; PROBE], probe: &[Option<u8>; PROBE], bucket: u8) {
    for (table, byte) in tables.iter_mut().zip(probe) {
        let Some(byte) = byte else {
            table.iter_mut().flatten().for_each(|entry| *entry |= bucket);
            continue;
        };
        for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
            table[0][usize::from(byte & 15)] |= bucket;
            table[1][usize::from(byte >> 4)] |= bucket;
        }
    }
}

type Pairs = [u16; 1 << PAIR_BITS];

/// Lets `probe` through the table of pairs.
fn admit_probe(table: &mut Pairs, probe: &[Option<u8>; PROBE], bucket: u8) {
    let group = u16::from(bucket) % GROUPS * ROLES;
    let at = |place: usize| probe[place].as_ref().map_or(ANY, std::slice::from_ref);
    let mut admit = |lefts: &[u8], rights: &[u8], role: u16| {
        for left in lefts {
            for right in rights {
                table[usize::from(pair_hash(*left, *right))] |= role << group;
            }
        }
    };
    admit(at(0), at(1), FIRST);
    admit(at(2), at(3), SECOND);
    admit(ANY, at(0), BEFORE);
    admit(at(1), at(2), MIDDLE);
    admit(at(3), ANY, BEHIND);
}

/// The portable back end reads every second pair of bytes. Where a probe starts at a pair, it is
/// the first and second pair; where it starts one byte before, it is the end of the pair before,
/// the middle pair, and the beginning of the one behind it.
const FIRST: u16 = 1;
const SECOND: u16 = 2;
const BEFORE: u16 = 4;
const MIDDLE: u16 = 8;
const BEHIND: u16 = 16;
/// Bits of one group of literals.
const ROLES: u16 = 5;
/// Groups told apart; as many as fit.
const GROUPS: u16 = 3;
/// The lowest bit of each group.
const EACH: u16 = 1 | 1 << ROLES | 1 << (2 * ROLES);
/// Width of [`pair_hash`].
const PAIR_BITS: u32 = 12;
/// All byte values.
static ANY: &[u8] = &{
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = byte as u8;
        byte += 1;
    }
    all
};

/// Number of two folded bytes in the portable back end's table.
#[inline]
fn pair_hash(a: u8, b: u8) -> u16 {
    let pair = (u16::from_le_bytes([a, b]) | 0x2020) & 0x7F7F;
    pair.wrapping_mul(0x9E35) >> (16 - PAIR_BITS)
}

/// A function that fills the masks of the stride at `start` of `bytes`: those of so many words and
/// of the one after them; and lists what is in those words. Beyond the end of `bytes` all masks are zero.
pub(super) type Fill = fn(&Filter, &[u8], usize, usize, &mut Masks);

/// The fastest back end this processor has.
pub(super) fn best() -> Fill {
    all().first().copied().unwrap_or(portable)
}

/// All back ends this processor can run, the fastest first.
pub(super) fn all() -> Vec<Fill> {
    let mut fills: Vec<Fill> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if super::mask_avx512::is_available() {
            fills.push(super::mask_avx512::fill);
        }
        if super::mask_avx2::is_available() {
            fills.push(super::mask_avx2::fill);
        }
    }
    fills.push(portable);
    fills
}

/// The back end in safe, portable code.
pub(super) fn portable(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    let pairs = filter.pairs();
    for word in masks.begin(words) {
        let at = start + word * 64;
        let block = padded(bytes, at);
        class_bits(&block, masks, word);
        masks.hit[word] = hit_bits(pairs, &block);
    }
    masks.list(bytes, start);
}

/// Bits where a stretch of [`MIN_RUN`](crate::rule::compile::MIN_RUN) token bytes starts.
#[inline(always)]
fn long_runs(token: u64, next: u64) -> u64 {
    let mut wide = u128::from(token) | u128::from(next) << 64;
    for shift in [1, 2, 4, 8] {
        wide &= wide >> shift;
    }
    wide as u64
}

/// Bytes that one word of masks depends on: its own 64, and those a probe at its end reaches.
pub(super) const BLOCK: usize = 64 + PROBE - 1;

/// The [`BLOCK`] bytes from `at`, zero beyond the end; these in `tail`, where the content ends in them.
#[inline]
pub(super) fn block<'a>(bytes: &'a [u8], at: usize, tail: &'a mut [u8; BLOCK]) -> &'a [u8; BLOCK] {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(whole) => whole,
        None => {
            *tail = padded(bytes, at);
            tail
        }
    }
}

/// The [`BLOCK`] bytes from `at`, zero beyond the end.
#[inline]
fn padded(bytes: &[u8], at: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    if let Some(whole) = bytes.get(at..at + BLOCK) {
        block.copy_from_slice(whole);
    } else if let Some(rest) = bytes.get(at..) {
        block[..rest.len()].copy_from_slice(rest);
    }
    block
}

/// Fills the class masks of `word`.
#[inline]
fn class_bits(block: &[u8; BLOCK], masks: &mut Masks, word: usize) {
    masks.digit[word] = bits_of(block, |byte| byte.wrapping_sub(b'0') <= 9);
    masks.letter[word] = bits_of(block, |byte| (byte | 0x20).wrapping_sub(b'a') <= 25);
    // 0x2B is `+`, 0x2F is `/`: they differ in one bit.
    masks.joint[word] = bits_of(block, |byte| (byte & 0xFB == 0x2B) | (byte == b'-'));
    let lines = bits_of(block, |byte| byte == b'_');
    masks.token[word] = masks.digit[word] | masks.letter[word] | masks.joint[word] | lines;
    masks.mark[word] = mark_bits(block);
}

/// Groups of two bytes that escapes are found by: see [`is_mark`].
const PERCENT: u8 = 1;
const EQUALS: u8 = 2;
const BACKSLASH: u8 = 4;
const AMPERSAND: u8 = 8;
const END: u8 = 16;

/// The groups that a byte begins.
pub(super) static MARKS: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = match byte as u8 {
            b'%' => PERCENT,
            b'=' => EQUALS,
            b'\\' => BACKSLASH | END,
            b'&' => AMPERSAND | END,
            b' ' | b'"' | b'\'' | b'+' | b',' | b'.' | b'<' | b'`' | b'\t' | b'\r' => END,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// The groups that a byte goes on with.
pub(super) static NEXTS: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        let one = byte as u8;
        let mut groups = 0;
        if one.is_ascii_hexdigit() {
            groups |= PERCENT;
        }
        if matches!(one, b'3' | b'\r' | b'\n') {
            groups |= EQUALS;
        }
        if matches!(one, b'x' | b'u' | b'U' | b'0'..=b'3' | b'/') {
            groups |= BACKSLASH;
        }
        if one == b'#' || one.is_ascii_lowercase() {
            groups |= AMPERSAND;
        }
        if one == b'\n' {
            groups |= END;
        }
        table[byte as usize] = groups;
        byte += 1;
    }
    table
};

/// Whether `byte` before `next` may begin an escape, or is the last of a line that the next line may
/// go on from; see [`super::decode`].
#[inline]
pub(super) fn is_mark(byte: u8, next: u8) -> bool {
    let groups = |table: &[u8; 128], byte: u8| table.get(usize::from(byte)).copied().unwrap_or_default();
    groups(&MARKS, byte) & groups(&NEXTS, next) != 0
}

/// Bits of [`is_mark`], and some more: no letter or digit is before a line feed of interest, and no
/// blank, quote or bracket is behind what begins an escape.
#[inline]
fn mark_bits(block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0u8; 64];
    for (flag, pair) in flags.iter_mut().zip(block.windows(2)) {
        let (byte, next) = (pair[0], pair[1]);
        let begins = (byte.wrapping_sub(b'%') <= 1) | (byte == b'\\');
        let goes_on = (next | 0x20).wrapping_sub(b'a') <= 25;
        let goes_on = goes_on | (next.wrapping_sub(b'/') <= 10) | (next == b'#');
        let wrapped = (byte == b'=') & ((next == b'3') | (next == b'\r'));
        let ends = (next == b'\n') & ((byte | 0x20).wrapping_sub(b'a') > 25) & (byte.wrapping_sub(b'0') > 11);
        *flag = flag_of((begins & goes_on) | wrapped | ends);
    }
    pack(&flags)
}

/// A bit for each byte of a word that is of a class. One plain loop over bytes, which compilers
/// turn into vector code.
#[inline]
fn bits_of(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0u8; 64];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        *flag = flag_of(is(byte));
    }
    pack(&flags)
}

/// All bits of a byte or none, as vector comparisons give them.
#[inline]
fn flag_of(set: bool) -> u8 {
    u8::from(set).wrapping_neg()
}

#[inline]
fn hit_bits(pairs: &Pairs, block: &[u8; BLOCK]) -> u64 {
    // The pairs of the word, and two behind it; the byte behind the block may be any.
    const PAIRS: usize = 32;
    let mut hashes = [0u16; PAIRS + 2];
    for (hash, pair) in hashes.iter_mut().zip(block.chunks_exact(2)) {
        *hash = pair_hash(pair[0], pair[1]);
    }
    hashes[PAIRS + 1] = pair_hash(block[BLOCK - 1], 0);
    let mut roles = [0u16; PAIRS + 2];
    for (role, hash) in roles.iter_mut().zip(hashes) {
        *role = pairs[usize::from(hash) % pairs.len()];
    }
    let (mut even, mut odd) = ([0u8; PAIRS], [0u8; PAIRS]);
    for i in 0..PAIRS {
        even[i] = flag_of(roles[i] & roles[i + 1] >> 1 & EACH != 0);
        odd[i] = flag_of(roles[i] >> 2 & roles[i + 1] >> 3 & roles[i + 2] >> 4 & EACH != 0);
    }
    spread(pack(&even)) | spread(pack(&odd)) << 1
}

/// Moves bit `i` of the lower half to bit `2 i`.
#[inline]
fn spread(mut bits: u64) -> u64 {
    bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
    bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// The obvious definition of a class mask, for tests.
#[cfg(test)]
pub(super) fn bits_by_table(class: &ByteSet, bytes: &[u8], at: usize) -> u64 {
    (0..64).filter(|i| bytes.get(at + i).is_some_and(|&b| class.has(b))).fold(0, |m, i| m | 1 << i)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::rule::table::Target;

    fn literal(text: &str) -> Literal {
        let bucket = text.len() as u8 % 16;
        Literal { bytes: Cow::Owned(text.into()), probe: 0, bucket, targets: Cow::Borrowed(&[Target::Name]) }
    }

    /// Every byte value, every tail length around the word size, shifted starts.
    fn samples() -> Vec<Vec<u8>> {
        let mut state = 7u32;
        let mut noise = |n: usize| -> Vec<u8> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            (0..n).map(|_| next()).collect()
        };
        let mut all: Vec<Vec<u8>> = (0..140).map(&mut noise).collect();
        all.push(noise(STRIDE * 2 + 77));
        let marks = b"%&=\\\n\r3xuU0123/#aq \"'+,.<`\tAf";
        all.push(noise(6000).iter().map(|byte| marks[usize::from(*byte) % marks.len()]).collect());
        all.push(b"Passw0rd://x -----begin SECRET pwd".repeat(300));
        all
    }

    #[test]
    fn long_runs_start_where_sixteen_follow() {
        assert_eq!(long_runs(0xFFFF, 0), 1);
        assert_eq!(long_runs(0xFFFF << 1, 0), 2);
        assert_eq!(long_runs(0x7FFF, 0), 0);
        assert_eq!(long_runs(0xFF << 56, 0xFF), 1 << 56);
    }

    /// Where runs of sixteen bytes start, by looking at each byte.
    fn starts(bytes: &[u8], stride: Range<usize>) -> Vec<usize> {
        let in_run = |at: usize| bytes.get(at).is_some_and(|&byte| ByteSet::RUN.has(byte));
        let starts = |&at: &usize| (at == 0 || !in_run(at - 1)) && (at..at + 16).all(in_run);
        stride.filter(starts).collect()
    }

    #[test]
    fn marks_begin_escapes_or_end_lines() {
        for byte in 0..=255_u8 {
            for next in 0..=255_u8 {
                let expected = match byte {
                    b'%' => next.is_ascii_hexdigit(),
                    b'=' => matches!(next, b'3' | b'\r' | b'\n'),
                    b'\\' => matches!(next, b'x' | b'u' | b'U' | b'0'..=b'3' | b'/' | b'\n'),
                    b'&' => matches!(next, b'#' | b'a'..=b'z' | b'\n'),
                    b' ' | b'"' | b'\'' | b'+' | b',' | b'.' | b'<' | b'`' | b'\t' | b'\r' => next == b'\n',
                    _ => false,
                };
                assert_eq!(is_mark(byte, next), expected, "{byte} {next}");
            }
        }
    }

    #[test]
    fn every_back_end_agrees_with_the_definition() {
        let texts = ["passw", "pwd", "://", "-----begin ", "abc"];
        let literals: Vec<Literal> = texts.map(literal).into();
        let filter = Filter::new(&literals);
        let fills = all();
        for bytes in samples() {
            for fill in &fills {
                for start in (0..bytes.len()).step_by(STRIDE).chain([1, 63]) {
                    let mut masks = Masks::new();
                    fill(&filter, &bytes, start, WORDS, &mut masks);
                    let expected = starts(&bytes, start..start + STRIDE);
                    assert!(masks.runs.iter().map(|first| start + first).eq(expected), "runs from {start}");
                    for (list, mask) in [(&masks.hits, &masks.hit), (&masks.marks, &masks.mark)] {
                        let is_set = |&at: &usize| mask[at / 64] >> (at % 64) & 1 == 1;
                        assert!(list.iter().eq((0..STRIDE).filter(is_set)), "list from {start}");
                    }
                    for word in 0..=WORDS {
                        let at = start + word * 64;
                        for (mask, class) in [
                            (&masks.token, ByteSet::RUN),
                            (&masks.digit, ByteSet::named("digit").expect("a class")),
                            (&masks.letter, ByteSet::named("alpha").expect("a class")),
                            (&masks.joint, ByteSet::EMPTY.with(b'+').with(b'/').with(b'-')),
                        ] {
                            assert_eq!(mask[word], bits_by_table(&class, &bytes, at), "{at}");
                        }
                        for i in 0..64 {
                            let pair = bytes.get(at + i..at + i + 2);
                            let marks = pair.is_some_and(|pair| is_mark(pair[0], pair[1]));
                            assert!(!marks || masks.mark[word] >> i & 1 == 1, "mark at {}", at + i);
                            let rest = bytes.get(at + i..).unwrap_or_default();
                            let there = texts.iter().any(|t| {
                                rest.get(..t.len()).is_some_and(|r| r.eq_ignore_ascii_case(t.as_bytes()))
                            });
                            assert!(!there || masks.hit[word] >> i & 1 == 1, "literal at {}", at + i);
                        }
                    }
                }
            }
        }
    }
}
