//! Git's delta format: rebuilding an object from its base, and telling what changed.
//!
//! A delta is the size of its base and of its target, then instructions that append to the
//! target: copy a range of the base, or insert literal bytes
//! (<https://git-scm.com/docs/pack-format#_deltified_representation>).

use std::ops::Range;

use super::error::ObjectError;

/// Length of a copy whose length bytes are all zero or absent.
const DEFAULT_COPY: u32 = 0x1_0000;

/// Instructions of fewer bytes than this make no list of copies worth counting.
const MANY: usize = 1 << 20;

/// Bytes that a copy takes in the list of them, which grows by doubling.
const LISTED: u64 = 2 * size_of::<CopyRange>() as u64;

/// Why a delta cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// It ends within an instruction or within the sizes.
    #[error("it ends early")]
    Truncated,
    /// It was made for a base of another size.
    #[error("its base has another size than it says")]
    BaseSize,
    /// Its instructions make more or fewer bytes than it says.
    #[error("its target has another size than it says")]
    TargetSize,
    /// It copies from beyond the end of the base.
    #[error("it copies from beyond the end of its base")]
    BeyondBase,
    /// It holds instruction 0, which is reserved.
    #[error("it holds a reserved instruction")]
    Reserved,
}

/// Bytes that a target took from its base unchanged. Never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRange {
    /// Where they are in the base, in bytes.
    pub base: u32,
    /// Where they are in the target, in bytes.
    pub target: u32,
    /// How many they are.
    pub length: u32,
}

impl CopyRange {
    /// The range within the base.
    #[must_use]
    pub const fn base_range(&self) -> Range<u32> {
        self.base..self.base + self.length
    }

    /// The range within the target.
    #[must_use]
    pub const fn target_range(&self) -> Range<u32> {
        self.target..self.target + self.length
    }
}

/// How a target came from its base: copied ranges, and between them what is dirty.
///
/// Copies that continue each other in base and target are joined, so two neighbours always have
/// something dirty between them. What a copied range does not touch with its ends has the same
/// neighbourhood in base and target.
#[derive(Debug, Default)]
pub struct DeltaMap {
    copies: Vec<CopyRange>,
    base_len: u32,
    target_len: u32,
}

impl DeltaMap {
    /// Gives back the memory of a long list.
    pub(super) fn shrink(&mut self) {
        self.copies.clear();
        self.copies.shrink_to(MANY / size_of::<CopyRange>());
    }

    /// The copied ranges, ascending and disjoint in the target.
    #[must_use]
    pub fn copies(&self) -> &[CopyRange] {
        &self.copies
    }

    /// Length of the base in bytes.
    #[must_use]
    pub const fn base_len(&self) -> u32 {
        self.base_len
    }

    /// Length of the target in bytes.
    #[must_use]
    pub const fn target_len(&self) -> u32 {
        self.target_len
    }

    /// The dirty ranges of the target, ascending and disjoint: inserted bytes; empty ranges where
    /// two copies meet that are not neighbours in the base; and the start and the end of the target,
    /// empty if need be, unless they are copies of the start and the end of the base.
    ///
    /// Dirty and copied ranges together cover the target.
    pub fn dirty(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        let starts = [0].into_iter().chain(self.copies.iter().map(|copy| copy.target_range().end));
        let ends = self.copies.iter().map(|copy| copy.target).chain([self.target_len]);
        let last = self.copies.len();
        starts.zip(ends).enumerate().filter_map(move |(at, (start, end))| {
            let aligned = start == end
                && (at == 0 && self.copies.first().is_some_and(|copy| copy.base == 0)
                    || at == last
                        && self.copies.last().is_some_and(|copy| copy.base_range().end == self.base_len));
            (!aligned).then_some(start..end)
        })
    }

    fn start(&mut self, base_len: u32, target_len: u32) {
        self.copies.clear();
        self.base_len = base_len;
        self.target_len = target_len;
    }

    fn copied(&mut self, base: u32, target: u32, length: u32) {
        if let Some(last) = self.copies.last_mut()
            && last.target + last.length == target
            && last.base + last.length == base
        {
            last.length += length;
        } else {
            self.copies.push(CopyRange { base, target, length });
        }
    }
}

/// The sizes at the start of a delta, and the instructions after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delta<'a> {
    pub(crate) base_len: u64,
    pub(crate) target_len: u64,
    instructions: &'a [u8],
}

impl<'a> Delta<'a> {
    /// Reads the sizes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, DeltaError> {
        let (base_len, rest) = size(bytes)?;
        let (target_len, instructions) = size(rest)?;
        Ok(Self { base_len, target_len, instructions })
    }

    /// Bytes of memory that applying it takes, base and target included; about, where the delta is small.
    ///
    /// # Errors
    /// When the target has more than `limit` bytes, or all of it together more than twice as many.
    pub(crate) fn cost(&self, base: usize, limit: u64) -> Result<u64, ObjectError> {
        if self.target_len > limit {
            return Err(ObjectError::TooLarge { size: self.target_len, limit });
        }
        let held = base as u64 + self.target_len + self.instructions.len() as u64;
        // A list of copies can be many times as long as the instructions for them.
        let listed = if self.instructions.len() < MANY { 0 } else { self.count_copies() as u64 * LISTED };
        let cost = held + listed;
        let most = limit.saturating_mul(2);
        if cost > most { Err(ObjectError::TooLarge { size: cost, limit: most }) } else { Ok(cost) }
    }

    fn count_copies(&self) -> usize {
        let mut count = 0;
        let mut rest = self.instructions;
        while let Some((&code, after)) = rest.split_first() {
            let taken =
                if code & 0x80 == 0 { usize::from(code) } else { (code & 0x7f).count_ones() as usize };
            count += usize::from(code & 0x80 != 0);
            rest = after.get(taken..).unwrap_or_default();
        }
        count
    }

    /// Builds the target from `base` into `target`, replacing what it holds, and notes in `map` what
    /// came from where.
    ///
    /// # Errors
    /// When anything does not fit; `target` and `map` are then of no use. `target` never grows beyond
    /// the declared size, which the caller has compared with its budget; both sizes must fit 32 bits.
    pub(crate) fn apply(
        &self,
        base: &[u8],
        target: &mut Vec<u8>,
        map: &mut DeltaMap,
    ) -> Result<(), DeltaError> {
        let base_len = u32::try_from(base.len()).map_err(|_| DeltaError::BaseSize)?;
        let target_len = u32::try_from(self.target_len).map_err(|_| DeltaError::TargetSize)?;
        if self.base_len != u64::from(base_len) {
            return Err(DeltaError::BaseSize);
        }
        target.clear();
        target.try_reserve(target_len as usize).map_err(|_| DeltaError::TargetSize)?;
        map.start(base_len, target_len);
        let mut rest = self.instructions;
        while let Some((&code, after)) = rest.split_first() {
            let room = target_len as usize - target.len();
            if code & 0x80 != 0 {
                let (offset, length, after) = copy_instruction(code, after)?;
                if length as usize > room {
                    return Err(DeltaError::TargetSize);
                }
                let range = offset as usize..offset as usize + length as usize;
                let bytes = base.get(range).ok_or(DeltaError::BeyondBase)?;
                map.copied(offset, target.len() as u32, length);
                target.extend_from_slice(bytes);
                rest = after;
            } else {
                let length = usize::from(code);
                if length == 0 {
                    return Err(DeltaError::Reserved);
                }
                if length > room {
                    return Err(DeltaError::TargetSize);
                }
                let (bytes, after) = after.split_at_checked(length).ok_or(DeltaError::Truncated)?;
                target.extend_from_slice(bytes);
                rest = after;
            }
        }
        if target.len() == target_len as usize { Ok(()) } else { Err(DeltaError::TargetSize) }
    }

    /// The literal bytes, with a line feed in place of each copied range. Instructions that make no
    /// sense end it.
    pub(crate) fn added(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = self.instructions;
        while let Some((&code, after)) = rest.split_first() {
            if code & 0x80 != 0 {
                let Ok((_, _, after)) = copy_instruction(code, after) else { break };
                bytes.push(b'\n');
                rest = after;
            } else {
                let Some((literal, after)) = after.split_at_checked(usize::from(code)) else { break };
                bytes.extend_from_slice(literal);
                rest = after;
            }
        }
        bytes
    }
}

/// Offset and length of the copy instruction `code`, whose argument bytes are at the start of
/// `rest`, and what follows them.
#[inline]
fn copy_instruction(code: u8, rest: &[u8]) -> Result<(u32, u32, &[u8]), DeltaError> {
    let (offset, length, after) = if let Some(window) = rest.first_chunk::<8>() {
        // Seven bytes at most belong to it: gather those whose bits are set, without branches on data.
        let mut word = u64::from_le_bytes(*window);
        let mut fields = 0;
        let mut taken = 0;
        for bit in 0..7 {
            let present = u64::from(code >> bit & 1);
            fields |= (word & 0xff & present.wrapping_neg()) << (bit * 8);
            word >>= present * 8;
            taken += present as usize;
        }
        (fields as u32, (fields >> 32) as u32, &rest[taken..])
    } else {
        let mut fields = 0;
        let mut after = rest;
        for bit in 0..7 {
            if code >> bit & 1 != 0 {
                let (&byte, more) = after.split_first().ok_or(DeltaError::Truncated)?;
                fields |= u64::from(byte) << (bit * 8);
                after = more;
            }
        }
        (fields as u32, (fields >> 32) as u32, after)
    };
    let length = if length == 0 { DEFAULT_COPY } else { length };
    Ok((offset, length, after))
}

/// A little-endian size, seven bits a byte, at the start of `bytes`; and what follows it.
fn size(bytes: &[u8]) -> Result<(u64, &[u8]), DeltaError> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((value, &bytes[at + 1..]));
        }
    }
    Err(DeltaError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies a delta with the given sizes and instructions to `base`.
    fn apply(base: &[u8], sizes: [u8; 2], instructions: &[u8]) -> Result<(Vec<u8>, DeltaMap), DeltaError> {
        let bytes = [&sizes, instructions].concat();
        let (mut target, mut map) = (b"left over".to_vec(), DeltaMap::default());
        Delta::parse(&bytes)?.apply(base, &mut target, &mut map)?;
        Ok((target, map))
    }

    fn dirty(map: &DeltaMap) -> Vec<(u32, u32)> {
        map.dirty().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn copies_and_inserts() {
        let (target, map) = apply(b"0123456789", [10, 8], &[0x90, 4, 2, b'x', b'y', 0x91, 8, 2]).unwrap();
        assert_eq!(target, b"0123xy89");
        assert_eq!(
            map.copies(),
            [CopyRange { base: 0, target: 0, length: 4 }, CopyRange { base: 8, target: 6, length: 2 }]
        );
        assert_eq!(dirty(&map), [(4, 6)]);
    }

    #[test]
    fn joins_contiguous_copies_and_marks_seams() {
        let (target, map) = apply(b"0123456789", [10, 6], &[0x91, 1, 2, 0x91, 3, 2, 0x91, 0, 2]).unwrap();
        assert_eq!(target, b"123401");
        assert_eq!(map.copies().len(), 2);
        assert_eq!(dirty(&map), [(0, 0), (4, 4), (6, 6)]);
    }

    #[test]
    fn an_exact_copy_has_nothing_dirty_and_a_rewrite_everything() {
        let (_, map) = apply(b"0123456789", [10, 10], &[0x90, 10]).unwrap();
        assert_eq!(dirty(&map), []);
        let (_, map) = apply(b"01", [2, 1], &[1, b'z']).unwrap();
        assert_eq!(dirty(&map), [(0, 1)]);
        let (_, map) = apply(b"01", [2, 0], &[]).unwrap();
        assert_eq!(dirty(&map), [(0, 0)]);
        let (_, map) = apply(b"", [0, 0], &[]).unwrap();
        assert_eq!(dirty(&map), [(0, 0)]);
    }

    #[test]
    fn a_copy_without_length_bytes_takes_64_kib() {
        let base = vec![b'a'; 0x1_0001];
        let delta = [0x81, 0x80, 4, 0x80, 0x80, 4, 0x80];
        let (mut target, mut map) = (Vec::new(), DeltaMap::default());
        Delta::parse(&delta).unwrap().apply(&base, &mut target, &mut map).unwrap();
        assert_eq!(target.len(), 0x1_0000);
        assert_eq!(dirty(&map), [(0x1_0000, 0x1_0000)]);
    }

    #[test]
    fn both_ways_of_reading_a_copy_agree() {
        for code in 0x80..=0xff {
            let arguments = [1, 2, 3, 4, 5, 6, 7, 8];
            let long = copy_instruction(code, &arguments).unwrap();
            let short = copy_instruction(code, &arguments[..7]).unwrap();
            assert_eq!(
                (long.0, long.1, 8 - long.2.len()),
                (short.0, short.1, 7 - short.2.len()),
                "{code:#x}"
            );
        }
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let fails = |sizes, instructions: &[u8]| apply(b"0123456789", sizes, instructions).unwrap_err();
        assert_eq!(fails([9, 4], &[0x90, 4]), DeltaError::BaseSize);
        assert_eq!(fails([10, 4], &[0x90, 5]), DeltaError::TargetSize);
        assert_eq!(fails([10, 4], &[0x90, 3]), DeltaError::TargetSize);
        assert_eq!(fails([10, 4], &[5, 1, 2, 3, 4, 5]), DeltaError::TargetSize);
        assert_eq!(fails([10, 4], &[0x91, 7, 4]), DeltaError::BeyondBase);
        assert_eq!(fails([10, 4], &[0x9f, 255, 255, 255, 255, 4]), DeltaError::BeyondBase);
        assert_eq!(fails([10, 4], &[4, 1, 2]), DeltaError::Truncated);
        assert_eq!(fails([10, 4], &[0x91]), DeltaError::Truncated);
        assert_eq!(fails([10, 4], &[0]), DeltaError::Reserved);
        assert_eq!(Delta::parse(&[0x80; 12]), Err(DeltaError::Truncated));
        assert_eq!(Delta::parse(&[]), Err(DeltaError::Truncated));
    }
}
