//! The AVX2 back end of [`super::mask`].
//!
//! One of the few modules with `unsafe`: it calls code compiled for AVX2 after the processor
//! was found to have it, and loads 32 bytes at a time from slices it has measured. The portable
//! back end is its twin; a test holds them equal.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::mask::{BLOCK, Filter, Masks, WORDS, padded};
use crate::rule::table::PROBE;

/// Low-nibble table of the run class: bit `g` set when the nibble belongs to group `g`.
///
/// Groups, by high nibble: 1 = `2` (`+ - /`), 2 = `3` (digits), 4 = `4`,`6` (letters from 1),
/// 8 = `5`,`7` (letters to A), 16 = `5` alone (`_`).
const RUN_LOW: [u8; 16] = [
    2 | 8,      // 0
    2 | 4 | 8,  // 1
    2 | 4 | 8,  // 2
    2 | 4 | 8,  // 3
    2 | 4 | 8,  // 4
    2 | 4 | 8,  // 5
    2 | 4 | 8,  // 6
    2 | 4 | 8,  // 7
    2 | 4 | 8,  // 8
    2 | 4 | 8,  // 9
    4 | 8,      // A
    1 | 4,      // B: + K k
    4,          // C
    1 | 4,      // D: -
    4,          // E
    1 | 4 | 16, // F: / _
];
/// High-nibble table of the run class.
const RUN_HIGH: [u8; 16] = [0, 0, 1, 2, 4, 8 | 16, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0];

/// Fills `words` words of `masks`, and the one after them, from `start` on.
///
/// # Panics
/// Never; but the caller must have seen that the processor has AVX2 ([`super::mask::best`]).
pub(super) fn fill(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    // SAFETY: `best` hands this function out only after detecting AVX2.
    unsafe { fill_avx2(filter, bytes, start, words, masks) }
}

#[target_feature(enable = "avx2")]
fn fill_avx2(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    let tables = Tables::load(filter);
    let mut tail;
    for word in 0..=words.min(WORDS) {
        let at = start + word * 64;
        let block: &[u8; BLOCK] = if let Some(whole) = bytes.get(at..at + BLOCK) {
            // NOTE: the slice has BLOCK bytes.
            whole.try_into().expect("a slice of a block's length")
        } else {
            tail = padded(bytes, at);
            &tail
        };
        let (low_token, low_hit) = tables.half(block, 0);
        let (high_token, high_hit) = tables.half(block, 32);
        masks.token[word] = u64::from(low_token) | u64::from(high_token) << 32;
        masks.hit[word] = u64::from(low_hit) | u64::from(high_hit) << 32;
    }
}

/// All look-up tables, each twice in a register as the byte shuffle wants them.
struct Tables {
    run: [__m256i; 2],
    probe: [[[__m256i; 2]; PROBE]; 2],
}

impl Tables {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(filter: &Filter) -> Self {
        let pair = |tables: &[[u8; 16]; 2]| [twice(&tables[0]), twice(&tables[1])];
        let half = |places: &[[[u8; 16]; 2]; PROBE]| places.each_ref().map(pair);
        Self {
            run: [twice(&RUN_LOW), twice(&RUN_HIGH)],
            probe: [half(&filter.nibble[0]), half(&filter.nibble[1])],
        }
    }

    /// Token and hit bits of the 32 bytes from `at` (0 or 32).
    #[target_feature(enable = "avx2")]
    #[inline]
    fn half(&self, block: &[u8; BLOCK], at: usize) -> (u32, u32) {
        let nibbles =
            [nibbles(block, at), nibbles(block, at + 1), nibbles(block, at + 2), nibbles(block, at + 3)];
        let token = classify(&self.run, nibbles[0]);
        let admitted = |places: &[[__m256i; 2]; PROBE]| {
            _mm256_and_si256(
                _mm256_and_si256(classify(&places[0], nibbles[0]), classify(&places[1], nibbles[1])),
                _mm256_and_si256(classify(&places[2], nibbles[2]), classify(&places[3], nibbles[3])),
            )
        };
        let hit = _mm256_or_si256(admitted(&self.probe[0]), admitted(&self.probe[1]));
        (nonzero(token), nonzero(hit))
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn twice(table: &[u8; 16]) -> __m256i {
    // SAFETY: reads exactly the 16 bytes of `table`; unaligned loads are allowed.
    let half = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
    _mm256_broadcastsi128_si256(half)
}

/// Low and high nibbles of the 32 bytes from `at`.
#[target_feature(enable = "avx2")]
#[inline]
fn nibbles(block: &[u8; BLOCK], at: usize) -> [__m256i; 2] {
    let window: &[u8] = &block[at..at + 32];
    // SAFETY: `window` has 32 bytes; unaligned loads are allowed.
    let bytes = unsafe { _mm256_loadu_si256(window.as_ptr().cast()) };
    let nibble = _mm256_set1_epi8(15);
    [_mm256_and_si256(bytes, nibble), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble)]
}

/// For each byte, the groups both of its nibbles are in.
#[target_feature(enable = "avx2")]
#[inline]
fn classify(tables: &[__m256i; 2], nibbles: [__m256i; 2]) -> __m256i {
    _mm256_and_si256(_mm256_shuffle_epi8(tables[0], nibbles[0]), _mm256_shuffle_epi8(tables[1], nibbles[1]))
}

#[target_feature(enable = "avx2")]
#[inline]
fn nonzero(groups: __m256i) -> u32 {
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())).cast_unsigned()
}
