//! From flags in bytes to bits: the step of the portable masks that compilers do not turn into the
//! one instruction there is for it.
//!
//! One of the few modules with `unsafe`: that instruction is SSE2's, which every x86-64 processor has.
#![allow(unsafe_code)]

/// Packs up to 64 bytes, each 0 or 255, into bits, byte 0 lowest. A rest of fewer than 16 is left out.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn pack<const N: usize>(flags: &[u8; N]) -> u64 {
    // SAFETY: SSE2 is part of x86-64 itself.
    unsafe { pack_sse2(flags) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn pack_sse2<const N: usize>(flags: &[u8; N]) -> u64 {
    use std::arch::x86_64::{_mm_loadu_si128, _mm_movemask_epi8};
    let mut bits = 0;
    for (i, sixteen) in flags.as_chunks::<16>().0.iter().enumerate() {
        // SAFETY: there are 16 bytes; unaligned loads are allowed.
        let lanes = unsafe { _mm_loadu_si128(sixteen.as_ptr().cast()) };
        bits |= u64::from(_mm_movemask_epi8(lanes).cast_unsigned()) << (i * 16);
    }
    bits
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use pack_by_words as pack;

/// [`pack`] for any processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline]
pub(super) fn pack_by_words<const N: usize>(flags: &[u8; N]) -> u64 {
    let mut bits = 0;
    for (i, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        // A bit of its own of each byte; times this constant, they gather in the top byte.
        let own = u64::from_le_bytes(*eight) & 0x8040_2010_0804_0201;
        bits |= (own.wrapping_mul(0x0101_0101_0101_0101) >> 56) << (i * 8);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_packed_in_order() {
        for seed in 0..200_u64 {
            let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed << 60;
            let flags: [u8; 64] = std::array::from_fn(|i| u8::from(bits >> i & 1 == 1).wrapping_neg());
            assert_eq!((pack(&flags), pack_by_words(&flags)), (bits, bits));
            let half = flags.first_chunk::<32>().expect("half of it");
            assert_eq!((pack(half), pack_by_words(half)), (bits & 0xffff_ffff, bits & 0xffff_ffff));
        }
    }
}
