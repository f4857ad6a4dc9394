//! Telling that a blob is plain text from what its delta changes.
//!
//! A look at every version of every file adds up; what was copied from text is text.

use super::pack::DeltaMap;
use crate::source::text;

/// How many bytes from the start of `content` are known to be plain text: all that decide its encoding,
/// or 0 where it is not as simple as that. `base` is what this said of the base of a delta, with the delta.
pub(super) fn known(content: &[u8], base: Option<(u32, &DeltaMap)>) -> u32 {
    let sample = content.len().min(text::SAMPLE);
    if text::wide_mark(content).is_some() {
        return 0;
    }
    let clean = match base {
        Some((base, delta)) if base > 0 => is_clean_but_for(&content[..sample], base, delta),
        _ => text::is_clean(&content[..sample]),
    };
    if clean { sample as u32 } else { 0 }
}

/// Whether all of `sample`, the start of a delta's target, is clean when the first `known` bytes of its
/// base are.
fn is_clean_but_for(sample: &[u8], known: u32, delta: &DeltaMap) -> bool {
    let mut at = 0;
    for copy in delta.copies() {
        // What is copied from behind the known bytes is looked at like what is inserted.
        let copied = copy.length.min(known.saturating_sub(copy.base)) as usize;
        let start = (copy.target as usize).min(sample.len());
        if copied > 0 {
            if !text::is_clean(&sample[at.min(start)..start]) {
                return false;
            }
            at = (copy.target as usize + copied).min(sample.len());
        }
        if start == sample.len() {
            break;
        }
    }
    text::is_clean(&sample[at..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pack::Delta;
    use super::*;
    use crate::source::text::{Coding, detect};

    /// A delta that copies the ranges `(from, length)` of a base of `base_len` bytes with a literal
    /// byte after each.
    fn delta(base_len: usize, parts: &[(usize, usize, u8)]) -> Vec<u8> {
        let size = |mut value: usize| {
            let mut bytes = Vec::new();
            while value > 0x7f {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
            bytes
        };
        let target: usize = parts.iter().map(|part| part.1 + 1).sum();
        let mut bytes = [size(base_len), size(target)].concat();
        for &(from, length, byte) in parts {
            let (from, length) = ((from as u32).to_le_bytes(), (length as u32).to_le_bytes());
            if length != [0; 4] {
                bytes.extend([0xff, from[0], from[1], from[2], from[3], length[0], length[1], length[2]]);
            }
            bytes.extend([1, byte]);
        }
        bytes
    }

    proptest! {
        #[test]
        fn what_is_known_is_what_detection_finds(
            odd in prop::collection::vec((0_usize..70_000, any::<u8>()), 0..3),
            base_len in prop::sample::select(vec![1_usize, 40, 32_767, 32_768, 40_000, 70_000]),
            parts in prop::collection::vec((0_usize..70_000, 0_usize..40_000, prop::sample::select(b"a\n\0\x01\xff\xfe".to_vec())), 1..5),
        ) {
            let mut base = vec![b'x'; base_len];
            for (at, byte) in odd {
                base[at % base_len] = byte;
            }
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(from, length, byte)| {
                    let from = from % base_len;
                    (from, length.min(base_len - from), byte)
                })
                .collect();
            let bytes = delta(base_len, &parts);
            let (mut target, mut map) = (Vec::new(), DeltaMap::default());
            Delta::parse(&bytes).unwrap().apply(&base, &mut target, &mut map).unwrap();
            let alone = known(&target, None);
            prop_assert_eq!(known(&target, Some((known(&base, None), &map))), alone);
            if alone > 0 {
                prop_assert_eq!(detect(&target), Coding::Plain);
            }
        }
    }
}
