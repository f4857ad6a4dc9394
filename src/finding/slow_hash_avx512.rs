//! The rounds of [`super::slow_hash`] for sixteen secrets, with AVX-512.
//!
//! One of the few modules with `unsafe`: it calls code compiled for these instructions after the
//! processor was found to have them, and stores a register into an array of its size. The `pbkdf2`
//! crate is its twin; a test holds them equal.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_srli_epi32, _mm512_storeu_si512, _mm512_ternarylogic_epi32, _mm512_xor_si512,
};

use super::slow_hash::Lanes;

/// A word of sixteen states in a register.
type Words = [__m512i; 8];
/// A word of sixteen blocks in a register.
type Block = [__m512i; 16];

/// FIPS 180-4 §4.2.2.
const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

/// `a ^ b ^ c`, `a ? b : c` and the majority of three, as tables of the ternary instruction.
const PARITY: i32 = 0x96;
const CHOICE: i32 = 0xca;
const MAJORITY: i32 = 0xe8;

/// See [`super::slow_hash`]; nothing without AVX-512.
pub(super) fn further_rounds(inner: &Lanes, outer: &Lanes, first: &Lanes, rounds: u32) -> Option<Lanes> {
    if !is_x86_feature_detected!("avx512f") {
        return None;
    }
    // SAFETY: the processor has the instructions.
    Some(unsafe { run(inner, outer, first, rounds) })
}

#[target_feature(enable = "avx512f")]
fn run(inner: &Lanes, outer: &Lanes, first: &Lanes, rounds: u32) -> Lanes {
    let (inner, outer, mut last) = (load(inner), load(outer), load(first));
    let mut sum = last;
    for _ in 0..rounds {
        last = digest(&outer, &digest(&inner, &last));
        for (sum, last) in sum.iter_mut().zip(&last) {
            *sum = _mm512_xor_si512(*sum, *last);
        }
    }
    store(&sum)
}

#[target_feature(enable = "avx512f")]
fn load(lanes: &Lanes) -> Words {
    let mut words = [_mm512_setzero_si512(); 8];
    for (word, lane) in words.iter_mut().zip(lanes) {
        // SAFETY: a lane is 64 bytes, as many as are read.
        *word = unsafe { _mm512_loadu_si512(lane.as_ptr().cast()) };
    }
    words
}

#[target_feature(enable = "avx512f")]
fn store(words: &Words) -> Lanes {
    let mut lanes = Lanes::default();
    for (lane, word) in lanes.iter_mut().zip(words) {
        // SAFETY: a lane is 64 bytes, as many as are written.
        unsafe { _mm512_storeu_si512(lane.as_mut_ptr().cast(), *word) };
    }
    lanes
}

/// The digest of one more block, that holds the digest `content`, after a block that led to `state`.
#[target_feature(enable = "avx512f")]
fn digest(state: &Words, content: &Words) -> Words {
    /// Bits of both blocks.
    const LEN: i32 = 8 * (64 + 32);
    let zero = _mm512_setzero_si512();
    let mut message = [zero; 16];
    message[..8].copy_from_slice(content);
    message[8] = _mm512_set1_epi32(i32::MIN);
    message[15] = _mm512_set1_epi32(LEN);
    compress(state, message)
}

/// FIPS 180-4 §6.2.2.
#[target_feature(enable = "avx512f")]
fn compress(state: &Words, mut message: Block) -> Words {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for part in 0..4 {
        for at in 0..16 {
            let word = message[at];
            let constant = _mm512_set1_epi32(ROUND[16 * part + at] as i32);
            // What waits for the round before comes last in each sum: the rounds are a chain.
            let ready = add(add(h, constant), word);
            let choice = _mm512_ternarylogic_epi32::<CHOICE>(e, f, g);
            let one = add(add(ready, choice), parity(ror::<6>(e), ror::<11>(e), ror::<25>(e)));
            let sigma = parity(ror::<2>(a), ror::<13>(a), ror::<22>(a));
            let two = add(_mm512_ternarylogic_epi32::<MAJORITY>(a, b, c), sigma);
            (h, g, f, e) = (g, f, e, add(d, one));
            (d, c, b, a) = (c, b, a, add(one, two));
            if part < 3 {
                message[at] = add(
                    add(word, late(message[(at + 14) % 16])),
                    add(message[(at + 9) % 16], early(message[(at + 1) % 16])),
                );
            }
        }
    }
    let mut sum = *state;
    for (sum, end) in sum.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = add(*sum, end);
    }
    sum
}

#[target_feature(enable = "avx512f")]
fn early(word: __m512i) -> __m512i {
    parity(ror::<7>(word), ror::<18>(word), _mm512_srli_epi32::<3>(word))
}

#[target_feature(enable = "avx512f")]
fn late(word: __m512i) -> __m512i {
    parity(ror::<17>(word), ror::<19>(word), _mm512_srli_epi32::<10>(word))
}

#[target_feature(enable = "avx512f")]
fn add(one: __m512i, other: __m512i) -> __m512i {
    _mm512_add_epi32(one, other)
}

#[target_feature(enable = "avx512f")]
fn ror<const BITS: i32>(word: __m512i) -> __m512i {
    _mm512_ror_epi32::<BITS>(word)
}

#[target_feature(enable = "avx512f")]
fn parity(one: __m512i, two: __m512i, three: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<PARITY>(one, two, three)
}
