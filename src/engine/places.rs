//! The set bits of masks as a list of places.
//!
//! Most words of a mask have no bit, one or two, and which is anyone's guess: a loop over the bits of
//! each word spends its time on guesses of the processor that turn out wrong. Writing a few places
//! for every word, wanted or not, has nothing to guess; then one loop goes over all of them.

use super::mask::STRIDE;

/// Places written for each word, whatever it holds.
const AT_ONCE: usize = 4;

/// A list of places in a stride.
pub(super) struct Places {
    /// Behind the first `len`, anything.
    at: Box<[u16; STRIDE + AT_ONCE]>,
    len: usize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { at: Box::new([0; STRIDE + AT_ONCE]), len: 0 }
    }

    /// Lists the bits of `words`, at most as many as a stride has, in order.
    #[inline(always)]
    pub(super) fn fill(&mut self, words: impl Iterator<Item = u64>) {
        let mut len = 0;
        for (base, mut bits) in (0_u16..).step_by(64).zip(words) {
            let count = bits.count_ones() as usize;
            let Some(slots) = self.at.get_mut(len..).and_then(<[u16]>::first_chunk_mut::<AT_ONCE>) else {
                break;
            };
            for slot in slots {
                *slot = base + bits.trailing_zeros() as u16;
                bits &= bits.wrapping_sub(1);
            }
            let mut next = len + AT_ONCE;
            while bits != 0 {
                self.at[next] = base + bits.trailing_zeros() as u16;
                bits &= bits - 1;
                next += 1;
            }
            len += count;
        }
        self.len = len;
    }

    /// Keeps the places that `is_kept` says so of.
    #[inline]
    pub(super) fn retain(&mut self, is_kept: impl Fn(usize) -> bool) {
        let mut kept = 0;
        for i in 0..self.len {
            let place = self.at[i];
            self.at[kept] = place;
            kept += usize::from(is_kept(usize::from(place)));
        }
        self.len = kept;
    }

    /// The places, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.at[..self.len].iter().map(|&place| usize::from(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_bits() {
        let mut places = Places::new();
        for words in [
            vec![],
            vec![0],
            vec![1, 0, 1 << 63, u64::MAX, 0b10_1101],
            vec![u64::MAX; STRIDE / 64],
            (0..64).map(|i| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(i)).collect(),
        ] {
            places.fill(words.iter().copied());
            let bits: Vec<usize> =
                (0..words.len() * 64).filter(|i| words[i / 64] >> (i % 64) & 1 == 1).collect();
            assert!(places.iter().eq(bits.iter().copied()));
            places.retain(|place| place % 3 == 0);
            assert!(places.iter().eq(bits.into_iter().filter(|place| place % 3 == 0)));
        }
    }
}
