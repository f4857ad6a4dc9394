//! From bytes to bit masks: which bytes belong to token runs, and where a literal may start.
//!
//! The portable back end here is the reference; [`super::mask_avx2`] gives the same token bits
//! faster. Literal bits are a filter: a back end may set more of them, never fewer than the
//! literals that are there.

#[cfg(test)]
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
    /// Bit `i` of word `w`: the bytes from there may be the probe of a literal.
    pub(super) hit: [u64; WORDS + 1],
}

impl Masks {
    pub(super) const fn new() -> Self {
        Self { token: [0; WORDS + 1], hit: [0; WORDS + 1] }
    }
}

/// Tables of the literal filter: sixteen buckets of literals, one bit each, in two halves.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Exact tables of the portable back end, by place in the probe and byte.
    pub(super) exact: [[u16; 256]; PROBE],
    /// Tables by half, place in the probe and nibble, low nibbles first.
    pub(super) nibble: [[[[u8; 16]; 2]; PROBE]; 2],
}

impl Filter {
    /// The filter for `literals`.
    pub(super) fn new(literals: &[Literal]) -> Self {
        let mut filter = Self { exact: [[0; 256]; PROBE], nibble: [[[[0; 16]; 2]; PROBE]; 2] };
        for literal in literals {
            filter.admit(literal.probe_bytes(), literal.bucket);
        }
        filter
    }

    fn admit(&mut self, probe: &[u8], bucket: u8) {
        let wide = 1u16 << bucket;
        let (half, narrow) = (usize::from(bucket / 8), 1u8 << (bucket % 8));
        for place in 0..PROBE {
            let Some(&byte) = probe.get(place) else {
                self.exact[place].iter_mut().for_each(|entry| *entry |= wide);
                self.nibble[half][place].iter_mut().flatten().for_each(|entry| *entry |= narrow);
                continue;
            };
            for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                self.exact[place][usize::from(byte)] |= wide;
                self.nibble[half][place][0][usize::from(byte & 15)] |= narrow;
                self.nibble[half][place][1][usize::from(byte >> 4)] |= narrow;
            }
        }
    }
}

/// A function that fills that many words of masks (at most [`WORDS`]), and the one after them,
/// from `start` of `bytes` on; beyond the end all masks are zero.
pub(super) type Fill = fn(&Filter, &[u8], usize, usize, &mut Masks);

/// The fastest back end this processor has.
pub(super) fn best() -> Fill {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return super::mask_avx2::fill;
    }
    portable
}

/// The back end in safe, portable code.
pub(super) fn portable(filter: &Filter, bytes: &[u8], start: usize, words: usize, masks: &mut Masks) {
    for word in 0..=words.min(WORDS) {
        let at = start + word * 64;
        let block = padded(bytes, at);
        masks.token[word] = token_bits(&block);
        masks.hit[word] = hit_bits(filter, &block);
    }
}

/// Bytes that one word of masks depends on: its own 64, and those a probe at its end reaches.
pub(super) const BLOCK: usize = 64 + PROBE - 1;

/// The [`BLOCK`] bytes from `at`, zero beyond the end.
#[inline]
pub(super) fn padded(bytes: &[u8], at: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    if let Some(whole) = bytes.get(at..at + BLOCK) {
        block.copy_from_slice(whole);
    } else if let Some(rest) = bytes.get(at..) {
        block[..rest.len()].copy_from_slice(rest);
    }
    block
}

#[inline]
fn token_bits(block: &[u8; BLOCK]) -> u64 {
    let mut class = [0u8; 64];
    for (out, &byte) in class.iter_mut().zip(block) {
        let digit = byte.wrapping_sub(b'0') <= 9;
        let letter = (byte | 0x20).wrapping_sub(b'a') <= 25;
        // 0x2B is `+`, 0x2F is `/`: they differ in one bit.
        let sign = byte & 0xFB == 0x2B || byte == b'-' || byte == b'_';
        *out = u8::from(digit | letter | sign);
    }
    pack(&class)
}

/// Packs 64 bytes of 0 or 1 into 64 bits, byte 0 lowest.
#[inline]
fn pack(flags: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (i, eight) in flags.chunks_exact(8).enumerate() {
        let mut lane = [0; 8];
        lane.copy_from_slice(eight);
        // Eight 0/1 bytes times this constant gather in the top byte, first byte lowest.
        let gathered = u64::from_le_bytes(lane).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (i * 8);
    }
    bits
}

#[inline]
fn hit_bits(filter: &Filter, block: &[u8; BLOCK]) -> u64 {
    let mut flags = [0u8; 64];
    for (i, out) in flags.iter_mut().enumerate() {
        let admitted = |place: usize| filter.exact[place][usize::from(block[i + place])];
        *out = u8::from(admitted(0) & admitted(1) & admitted(2) & admitted(3) != 0);
    }
    pack(&flags)
}

/// The obvious definition of the token mask, for tests.
#[cfg(test)]
pub(super) fn token_bits_by_table(bytes: &[u8], at: usize) -> u64 {
    (0..64).filter(|i| bytes.get(at + i).is_some_and(|&b| ByteSet::RUN.has(b))).fold(0, |m, i| m | 1 << i)
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
        all.push(b"Passw0rd://x -----begin SECRET pwd".repeat(300));
        all
    }

    #[test]
    fn every_back_end_agrees_with_the_definition() {
        let texts = ["passw", "pwd", "://", "-----begin ", "abc"];
        let literals: Vec<Literal> = texts.map(literal).into();
        let filter = Filter::new(&literals);
        let mut fills: Vec<Fill> = vec![portable];
        fills.push(best());
        for bytes in samples() {
            for fill in &fills {
                for start in (0..bytes.len()).step_by(STRIDE).chain([1, 63]) {
                    let mut masks = Masks::new();
                    fill(&filter, &bytes, start, WORDS, &mut masks);
                    for word in 0..=WORDS {
                        let at = start + word * 64;
                        assert_eq!(masks.token[word], token_bits_by_table(&bytes, at), "{at}");
                        for i in 0..64 {
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
