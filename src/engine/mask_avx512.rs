//! The AVX-512 back end of [`super::mask`], for processors with the byte permutations of VBMI.
//!
//! A table of 128 bytes fits two registers there, so a class is looked up by the whole byte instead of
//! its two nibbles: half the instructions of [`super::mask_avx2`], and a filter that lets through far less.
//!
//! One of the few modules with `unsafe`: it calls code compiled for these instructions after the
//! processor was found to have them, and loads 64 bytes at a time from slices it has measured. The
//! portable back end is its twin; a test holds them equal.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, __mmask64, _mm512_and_si512, _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_movepi8_mask,
    _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_test_epi8_mask,
};

use super::mask::{BLOCK, Filter, MARKS, Masks, NEXTS, block};
use crate::rule::table::PROBE;

/// Flags of a byte by [`CLASSES`].
const DIGIT: u8 = 1;
const LETTER: u8 = 2;
/// `+ - /`
const JOINT: u8 = 4;
/// `_`
const LINE: u8 = 8;
const TOKEN: u8 = DIGIT | LETTER | JOINT | LINE;

/// What ASCII bytes are.
static CLASSES: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' | b'a'..=b'z' => LETTER,
            b'+' | b'-' | b'/' => JOINT,
            b'_' => LINE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Buckets that let each byte through at one place of a probe.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// By ASCII byte.
    ascii: [u8; 128],
    /// For all other bytes.
    other: u8,
}

impl Place {
    /// A place that lets nothing through.
    pub(super) const NONE: Self = Self { ascii: [0; 128], other: 0 };

    /// Lets `byte`, or any byte, through in either case for the buckets `bucket`.
    pub(super) fn admit(&mut self, byte: Option<u8>, bucket: u8) {
        match byte {
            Some(byte) if byte.is_ascii() => {
                for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                    self.ascii[usize::from(byte)] |= bucket;
                }
            }
            Some(_) => self.other |= bucket,
            None => {
                self.ascii.iter_mut().for_each(|entry| *entry |= bucket);
                self.other |= bucket;
            }
        }
    }
}

/// Whether this processor can run [`fill`].
pub(super) fn is_available() -> bool {
    super::mask_avx2::is_available()
        && std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vbmi")
}

/// Fills `masks` for the stride at `start`.
///
/// # Panics
/// Never; but the caller must have asked [`is_available`].
pub(super) fn fill(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    // SAFETY: `best` hands this function out only after detecting these instructions.
    unsafe { fill_avx512(filter, bytes, start, words, masks) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
fn fill_avx512(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    let tables = Tables::load(filter);
    let mut tail = [0; BLOCK];
    for word in masks.begin(words) {
        let block = block(bytes, start + word * 64, &mut tail);
        tables.fill(block, masks, word);
    }
    masks.list(bytes, start);
}

/// The tables in registers.
struct Tables {
    classes: Table,
    marks: Table,
    nexts: Table,
    probe: [[(Table, __m512i); PROBE]; 2],
}

/// A table of 128 bytes.
type Table = [__m512i; 2];

impl Tables {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn load(filter: &Filter) -> Self {
        let place = |place: &Place| (table(&place.ascii), _mm512_set1_epi8(place.other.cast_signed()));
        let half = |places: &[Place; PROBE]| places.each_ref().map(place);
        Self {
            classes: table(&CLASSES),
            marks: table(&MARKS),
            nexts: table(&NEXTS),
            probe: [half(&filter.places[0]), half(&filter.places[1])],
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn fill(&self, block: &[u8; BLOCK], masks: &mut Masks, word: usize) {
        let bytes = [window(block, 0), window(block, 1), window(block, 2), window(block, 3)];
        let none = _mm512_setzero_si512();
        let classes = look_up(&self.classes, none, bytes[0]);
        masks.token[word] = any(classes, TOKEN);
        masks.digit[word] = any(classes, DIGIT);
        masks.letter[word] = any(classes, LETTER);
        masks.joint[word] = any(classes, JOINT);
        let marks = look_up(&self.marks, none, bytes[0]);
        let nexts = look_up(&self.nexts, none, bytes[1]);
        masks.mark[word] = _mm512_test_epi8_mask(marks, nexts);
        let admitted = |places: &[(Table, __m512i); PROBE]| {
            let at = |place: usize| look_up(&places[place].0, places[place].1, bytes[place]);
            _mm512_and_si512(_mm512_and_si512(at(0), at(1)), _mm512_and_si512(at(2), at(3)))
        };
        let hit = _mm512_or_si512(admitted(&self.probe[0]), admitted(&self.probe[1]));
        masks.hit[word] = _mm512_test_epi8_mask(hit, hit);
    }
}

/// Which bytes of `flags` have any of `wanted`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn any(flags: __m512i, wanted: u8) -> __mmask64 {
    _mm512_test_epi8_mask(flags, _mm512_set1_epi8(wanted.cast_signed()))
}

/// The entries of `table` for `bytes`; `other` for those that are not ASCII.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn look_up(table: &Table, other: __m512i, bytes: __m512i) -> __m512i {
    let found = _mm512_permutex2var_epi8(table[0], bytes, table[1]);
    _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), found, other)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn table(entries: &[u8; 128]) -> Table {
    let (low, high) = entries.split_at(64);
    [load(low), load(high)]
}

/// The 64 bytes from `at` of a block.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn window(block: &[u8; BLOCK], at: usize) -> __m512i {
    load(&block[at..at + 64])
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn load(bytes: &[u8]) -> __m512i {
    assert!(bytes.len() >= 64, "a whole register");
    // SAFETY: there are 64 bytes; unaligned loads are allowed.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::class::ByteSet;

    #[test]
    fn classes_are_those_of_runs() {
        for byte in 0..128_u8 {
            assert_eq!(CLASSES[usize::from(byte)] != 0, ByteSet::RUN.has(byte), "{byte}");
        }
    }
}
