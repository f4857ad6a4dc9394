//! The AVX2 back end of [`super::mask`].
//!
//! One of the few modules with `unsafe`: it calls code compiled for AVX2 after the processor
//! was found to have it, and loads 32 bytes at a time from slices it has measured. The portable
//! back end is its twin; a test holds them equal.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_srli_epi16,
};

use super::mask::{BLOCK, Filter, Masks, block};
use crate::rule::table::PROBE;

/// Groups of the run class by high nibble. The first two are digits and joints, so that their
/// masks are the top bits of a byte or one shift away.
const DIGIT: u8 = 0x80;
/// `+ - /`
const JOINT: u8 = 0x40;
/// Letters from `A` to `O`, `a` to `o`.
const EARLY: u8 = 0x20;
/// Letters from `P` to `Z`, `p` to `z`.
const LATE: u8 = 0x10;
/// `_`
const LINE: u8 = 0x08;

/// Low-nibble table of the run class: the groups a nibble belongs to.
const RUN_LOW: [u8; 16] = [
    DIGIT | LATE,         // 0
    DIGIT | EARLY | LATE, // 1
    DIGIT | EARLY | LATE, // 2
    DIGIT | EARLY | LATE, // 3
    DIGIT | EARLY | LATE, // 4
    DIGIT | EARLY | LATE, // 5
    DIGIT | EARLY | LATE, // 6
    DIGIT | EARLY | LATE, // 7
    DIGIT | EARLY | LATE, // 8
    DIGIT | EARLY | LATE, // 9
    EARLY | LATE,         // A
    JOINT | EARLY,        // B: + K k
    EARLY,                // C
    JOINT | EARLY,        // D: -
    EARLY,                // E
    JOINT | EARLY | LINE, // F: / _
];
/// High-nibble table of the run class.
const RUN_HIGH: [u8; 16] = [0, 0, JOINT, DIGIT, EARLY, LATE | LINE, EARLY, LATE, 0, 0, 0, 0, 0, 0, 0, 0];

/// Groups of two bytes that escapes are found by: `%` and a digit …
const PERCENT: u8 = 1;
/// … `=` and `3`, or the end of a line …
const EQUALS: u8 = 2;
/// … `\` and a letter or digit, of all or only these few …
const BACKSLASH: u8 = 4;
/// … `&` and a letter or `#` …
const AMPERSAND: u8 = 8;
/// … and what joins two lines, before a line feed: blanks, quotes and signs of `0x2X`, …
const END_2: u8 = 16;
/// … `<` and `\`, …
const END_C: u8 = 32;
/// … the tab and the carriage return, …
const END_0: u8 = 64;
/// … the grave accent.
const END_6: u8 = 128;
const END: u8 = END_2 | END_C | END_0 | END_6;

/// Low-nibble table of the first byte.
const MARK_LOW: [u8; 16] = [
    END_2 | END_6,             // 0
    0,                         // 1
    END_2,                     // 2
    0,                         // 3
    0,                         // 4
    PERCENT,                   // 5
    AMPERSAND | END_2,         // 6
    END_2,                     // 7
    0,                         // 8
    END_0,                     // 9
    0,                         // A
    END_2,                     // B
    BACKSLASH | END_2 | END_C, // C
    EQUALS | END_0,            // D
    END_2,                     // E
    0,                         // F
];
/// High-nibble table of the first byte.
const MARK_HIGH: [u8; 16] = [
    END_0,
    0,
    PERCENT | AMPERSAND | END_2,
    EQUALS | END_C,
    0,
    BACKSLASH | END_C,
    END_6,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
];
/// Low-nibble table of the byte behind it.
const NEXT_LOW: [u8; 16] = [
    PERCENT | BACKSLASH | AMPERSAND,          // 0
    PERCENT | BACKSLASH | AMPERSAND,          // 1
    PERCENT | BACKSLASH | AMPERSAND,          // 2
    PERCENT | BACKSLASH | AMPERSAND | EQUALS, // 3
    PERCENT | AMPERSAND,                      // 4
    PERCENT | BACKSLASH | AMPERSAND,          // 5
    PERCENT | AMPERSAND,                      // 6
    PERCENT | AMPERSAND,                      // 7
    PERCENT | BACKSLASH | AMPERSAND,          // 8
    PERCENT | AMPERSAND,                      // 9
    EQUALS | AMPERSAND | END,                 // A
    AMPERSAND,                                // B
    AMPERSAND,                                // C
    EQUALS | AMPERSAND,                       // D
    AMPERSAND,                                // E
    BACKSLASH | AMPERSAND,                    // F
];
/// High-nibble table of the byte behind it.
const NEXT_HIGH: [u8; 16] = [
    EQUALS | END,
    0,
    BACKSLASH | AMPERSAND,
    PERCENT | EQUALS | BACKSLASH,
    PERCENT,
    BACKSLASH,
    PERCENT | AMPERSAND,
    BACKSLASH | AMPERSAND,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
];

/// Whether this processor can run [`fill`]. All that have AVX2 count and find bits, too.
pub(super) fn is_available() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("popcnt")
}

/// Fills `masks` for the stride at `start`.
///
/// # Panics
/// Never; but the caller must have asked [`is_available`].
pub(super) fn fill(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    // SAFETY: `best` hands this function out only after detecting these instructions.
    unsafe { fill_avx2(filter, bytes, start, words, masks) }
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn fill_avx2(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    let tables = Tables::load(filter);
    let mut tail = [0; BLOCK];
    for word in masks.begin(words) {
        let block = block(bytes, start + word * 64, &mut tail);
        let (low, high) = (tables.half(block, 0), tables.half(block, 32));
        masks.token[word] = join(low.token, high.token);
        masks.digit[word] = join(low.digit, high.digit);
        masks.letter[word] = join(low.letter, high.letter);
        masks.joint[word] = join(low.joint, high.joint);
        masks.hit[word] = join(low.hit, high.hit);
        masks.mark[word] = join(low.mark, high.mark);
    }
    masks.list(bytes, start);
}

fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The masks of 32 bytes.
struct Half {
    token: u32,
    digit: u32,
    letter: u32,
    joint: u32,
    hit: u32,
    mark: u32,
}

/// All look-up tables, each twice in a register as the byte shuffle wants them.
struct Tables {
    run: [__m256i; 2],
    mark: [[__m256i; 2]; 2],
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
            mark: [[twice(&MARK_LOW), twice(&MARK_HIGH)], [twice(&NEXT_LOW), twice(&NEXT_HIGH)]],
            probe: [half(&filter.nibble[0]), half(&filter.nibble[1])],
        }
    }

    /// The masks of the 32 bytes from `at` (0 or 32).
    #[target_feature(enable = "avx2")]
    #[inline]
    fn half(&self, block: &[u8; BLOCK], at: usize) -> Half {
        let nibbles =
            [nibbles(block, at), nibbles(block, at + 1), nibbles(block, at + 2), nibbles(block, at + 3)];
        let groups = classify(&self.run, nibbles[0]);
        let admitted = |places: &[[__m256i; 2]; PROBE]| {
            _mm256_and_si256(
                _mm256_and_si256(classify(&places[0], nibbles[0]), classify(&places[1], nibbles[1])),
                _mm256_and_si256(classify(&places[2], nibbles[2]), classify(&places[3], nibbles[3])),
            )
        };
        let hit = _mm256_or_si256(admitted(&self.probe[0]), admitted(&self.probe[1]));
        let mark = _mm256_and_si256(classify(&self.mark[0], nibbles[0]), classify(&self.mark[1], nibbles[1]));
        // A shift moves bits into the byte above, but never into its top bit.
        let late = _mm256_slli_epi16::<3>(groups);
        Half {
            token: nonzero(groups),
            digit: top_bits(groups),
            letter: top_bits(_mm256_or_si256(_mm256_slli_epi16::<2>(groups), late)),
            joint: top_bits(_mm256_slli_epi16::<1>(groups)),
            hit: nonzero(hit),
            mark: nonzero(mark),
        }
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
fn top_bits(groups: __m256i) -> u32 {
    _mm256_movemask_epi8(groups).cast_unsigned()
}

#[target_feature(enable = "avx2")]
#[inline]
fn nonzero(groups: __m256i) -> u32 {
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())).cast_unsigned()
}
