//! Azure "common annotated security keys": a fixed signature and a Marvin32 checksum.
//!
//! Layout and checksum as in Microsoft's security-utilities (`IdentifiableSecrets`), which is
//! also where the second, base62, form of the checksum comes from. Marvin32 as in SymCrypt.

use base64::Engine as _;

use crate::finding::Checksum;

use super::{LENIENT, verdict};

/// `Default0` read as a big-endian number.
const SEED: u64 = u64::from_be_bytes(*b"Default0");

/// Characters under the checksum; it follows them.
const SIGNED: usize = 80;

/// Checks a key of 84 characters (three bytes of checksum) or 88 (four). Anything else, and
/// text without the signature, gives `Absent`.
pub(super) fn cask(token: &[u8]) -> Checksum {
    if !matches!(token.len(), 84 | 88) || &token[52..56] != b"JQQJ" {
        return Checksum::Absent;
    }
    let (signed, check) = token.split_at(SIGNED);
    let Ok(content) = LENIENT.decode(signed) else { return Checksum::Failed };
    let hash = marvin32(&content, SEED).to_le_bytes();
    let plain = if token.len() == 84 { LENIENT.encode(&hash[..3]) } else { LENIENT.encode(hash) };
    let digits = base62(u32::from_be_bytes(hash));
    let check_digits = check.strip_suffix(b"==").unwrap_or(check);
    verdict(plain.as_bytes() == check || digits.starts_with(check_digits))
}

/// Base62 of `value`, filled with zeros on the right to six digits.
fn base62(mut value: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::with_capacity(6);
    while value > 0 {
        digits.push(DIGITS[(value % 62) as usize]);
        value /= 62;
    }
    let mut out = [b'0'; 6];
    for (place, digit) in out.iter_mut().zip(digits.iter().rev()) {
        *place = *digit;
    }
    out
}

fn marvin32(bytes: &[u8], seed: u64) -> u32 {
    let hash = marvin(bytes, seed);
    (hash ^ (hash >> 32)) as u32
}

/// Marvin32, both halves.
fn marvin(bytes: &[u8], seed: u64) -> u64 {
    fn mix(low: &mut u32, high: &mut u32) {
        *high ^= *low;
        *low = low.rotate_left(20).wrapping_add(*high);
        *high = high.rotate_left(9) ^ *low;
        *low = low.rotate_left(27).wrapping_add(*high);
        *high = high.rotate_left(19);
    }
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        low = low.wrapping_add(u32::from_le_bytes(*word));
        mix(&mut low, &mut high);
    }
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    last[tail.len()] = 0x80;
    low = low.wrapping_add(u32::from_le_bytes(last));
    mix(&mut low, &mut high);
    mix(&mut low, &mut high);
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::{Rng, expand};

    /// SymCrypt's self test, and vectors of an independent implementation.
    #[test]
    fn marvin_vectors() {
        assert_eq!(marvin(b"abc", 0xd53c_d9ce_cd08_93b7), 0x22c7_4339_4927_69bf);
        assert_eq!(marvin(b"abcdefghijklmnopqrstuvwxyz", 0x0ddd_deee_efff_f000), 0xa128_eb7e_7260_aca2);
        assert_eq!(marvin(&[], 0x004f_b61a_001b_dbcc), 0x30ed_35c1_00cd_3c7d);
        assert_eq!(marvin(&[134, 66, 220, 89], 0x004f_b61a_001b_dbcc), 0x7008_f2e8_7e9c_f556);
    }

    fn key(seed: &str, long: bool) -> String {
        let template = "${alnum:52}JQQJ99BG${alnum:16}${alpha:4}";
        let signed = expand(template, &|_| String::new(), &mut Rng::seeded(seed)).unwrap();
        let hash = marvin32(&LENIENT.decode(&signed).unwrap(), SEED).to_le_bytes();
        signed + &if long { LENIENT.encode(hash) } else { LENIENT.encode(&hash[..3]) }
    }

    #[test]
    fn keys_carry_their_checksum() {
        for (seed, long) in [("a", false), ("b", true)] {
            let key = key(seed, long);
            assert_eq!(cask(key.as_bytes()), Checksum::Passed);
            for i in (0..84).filter(|i| !(52..56).contains(i)) {
                let mut changed = key.clone().into_bytes();
                changed[i] = if changed[i] == b'B' { b'C' } else { b'B' };
                assert_eq!(cask(&changed), Checksum::Failed, "{i}");
            }
            assert_eq!(cask(&key.as_bytes()[1..]), Checksum::Absent);
        }
    }

    #[test]
    fn the_base62_form_passes_too() {
        let key = key("c", false);
        let hash = marvin32(&LENIENT.decode(&key[..80]).unwrap(), SEED).to_le_bytes();
        let digits = base62(u32::from_be_bytes(hash));
        let short = [&key.as_bytes()[..80], &digits[..4]].concat();
        assert_eq!(cask(&short), Checksum::Passed);
        let long = [&key.as_bytes()[..80], &digits, b"=="].concat();
        assert_eq!(cask(&long), Checksum::Passed);
        assert_eq!(base62(61), *b"z00000");
    }
}
