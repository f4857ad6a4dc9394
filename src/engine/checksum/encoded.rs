//! Tokens in base32, base58 and bech32: alphabets that come with a check of their own.

use sha2::{Digest as _, Sha256};

use crate::finding::Checksum;

use super::verdict;

/// Longest base58 text decoded: decoding takes quadratic time, and keys have 111 characters.
const MAX_BASE58: usize = 256;

/// Value of an RFC 4648 base32 digit.
fn base32_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

/// Decodes upper-case base32 without padding; also the bits left over at the end.
fn base32(text: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (mut out, mut held, mut bits) = (Vec::with_capacity(text.len() * 5 / 8), 0u64, 0u32);
    for &byte in text {
        held = held << 5 | u64::from(base32_digit(byte)?);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some((out, held))
}

/// AWS access key ids, `(AKIA|ASIA|ABIA|ACCA)` and 16 base32 characters.
///
/// There is no checksum, but ids of the present form hold the account number, which has at
/// most twelve digits, and documentation uses ids that end in `EXAMPLE`: both can only
/// refute, so the answer is `Failed` or `Absent`. Ids whose fifth character is before `Q`
/// are older and hold no account.
pub(super) fn aws_key_id(token: &[u8]) -> Checksum {
    let Some((decoded, _)) = token.get(4..).and_then(base32) else { return Checksum::Failed };
    if token.len() != 20 || token.ends_with(b"EXAMPLE") {
        return Checksum::Failed;
    }
    if token[4] < b'Q' && token[4].is_ascii_uppercase() {
        return Checksum::Absent;
    }
    let number = decoded[..6].iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let account = (number & 0x7fff_ffff_ff80) >> 7;
    if account > 999_999_999_999 { Checksum::Failed } else { Checksum::Absent }
}

/// Bech32 (BIP-173): any human-readable part, one case, six checksum characters.
pub(super) fn bech32(token: &[u8]) -> Checksum {
    const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mixed = token.iter().any(u8::is_ascii_uppercase) && token.iter().any(u8::is_ascii_lowercase);
    let Some(separator) = token.iter().rposition(|&b| b == b'1') else { return Checksum::Failed };
    if mixed || separator == 0 || token.len() < separator + 7 {
        return Checksum::Failed;
    }
    let (readable, data) = (&token[..separator], &token[separator + 1..]);
    let mut state = 1u32;
    let mut feed = |value: u8| {
        const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
        let top = state >> 25;
        state = (state & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (i, polynomial) in GENERATOR.iter().enumerate() {
            if top >> i & 1 != 0 {
                state ^= polynomial;
            }
        }
    };
    readable.iter().for_each(|b| feed(b.to_ascii_lowercase() >> 5));
    feed(0);
    readable.iter().for_each(|b| feed(b.to_ascii_lowercase() & 31));
    for byte in data {
        match DIGITS.iter().position(|d| *d == byte.to_ascii_lowercase()) {
            Some(value) => feed(value as u8),
            None => return Checksum::Failed,
        }
    }
    verdict(state == 1)
}

/// NATS nkey seeds: base32 of two type bytes, 32 key bytes and CRC-16/XMODEM, little-endian.
pub(super) fn nkey(token: &[u8]) -> Checksum {
    let Some((decoded, left_over)) = base32(token) else { return Checksum::Failed };
    if decoded.len() != 36 || left_over != 0 {
        return Checksum::Failed;
    }
    let (content, check) = decoded.split_at(34);
    let crc = content.iter().fold(0u16, |mut crc, &byte| {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
        crc
    });
    // A seed's first five bits are those of `S`.
    verdict(crc.to_le_bytes() == check && decoded[0] >> 3 == 18)
}

/// Base58 whose last four bytes are the start of a double SHA-256 of the rest (Bitcoin WIF,
/// BIP-32 extended keys).
pub(super) fn base58check(token: &[u8]) -> Checksum {
    if token.len() > MAX_BASE58 {
        return Checksum::Absent;
    }
    let Some(decoded) = base58(token) else { return Checksum::Failed };
    let Some(split) = decoded.len().checked_sub(4) else { return Checksum::Failed };
    let (content, check) = decoded.split_at(split);
    let digest = Sha256::digest(Sha256::digest(content));
    verdict(digest[..4] == *check)
}

fn base58(text: &[u8]) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let zeros = text.iter().take_while(|&&b| b == b'1').count();
    // Little-endian while it grows.
    let mut number: Vec<u8> = Vec::new();
    for byte in &text[zeros..] {
        let mut carry = DIGITS.iter().position(|d| d == byte)? as u32;
        for place in &mut number {
            carry += u32::from(*place) * 58;
            *place = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            number.push(carry as u8);
        }
    }
    number.resize(number.len() + zeros, 0);
    number.reverse();
    Some(number)
}

/// One-time password seeds: base32, in any case, with blanks or dashes between groups.
///
/// Nothing in a seed can be verified; only a character outside the alphabet or less than
/// 80 bits (RFC 4226 asks for 128) refutes.
pub(super) fn otp_seed(token: &[u8]) -> Checksum {
    let text = token.trim_ascii_end();
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    let digits = text[..text.len() - padding].iter().filter(|b| !matches!(b, b' ' | b'-'));
    let mut count = 0;
    for byte in digits {
        if base32_digit(byte.to_ascii_uppercase()).is_none() {
            return Checksum::Failed;
        }
        count += 1;
    }
    if count < 16 { Checksum::Failed } else { Checksum::Absent }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::Rng;

    fn to_base32(bytes: &[u8]) -> String {
        let mut out = String::new();
        let (mut held, mut bits) = (0u32, 0);
        for &byte in bytes {
            held = held << 8 | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held >> bits & 31) as usize]));
            }
        }
        if bits > 0 {
            out.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(held << (5 - bits) & 31) as usize]));
        }
        out
    }

    fn breaks_everywhere(token: &str, from: usize, alphabet: &[u8], check: fn(&[u8]) -> Checksum) {
        assert_eq!(check(token.as_bytes()), Checksum::Passed, "{token}");
        for i in from..token.len() {
            for &replacement in alphabet {
                let mut changed = token.as_bytes().to_vec();
                if changed[i] != replacement {
                    changed[i] = replacement;
                    assert_eq!(check(&changed), Checksum::Failed, "{token} at {i}");
                }
            }
        }
    }

    #[test]
    fn aws_ids_hold_a_possible_account() {
        let id = |account: u64| {
            let number = 1u64 << 47 | account << 7;
            let mut bytes = number.to_be_bytes()[2..].to_vec();
            bytes.extend([1, 2, 3, 4]);
            format!("AKIA{}", to_base32(&bytes))
        };
        assert_eq!(aws_key_id(id(609_629_065_308).as_bytes()), Checksum::Absent);
        assert_eq!(aws_key_id(id(1_000_000_000_001).as_bytes()), Checksum::Failed);
        let documentation = ["AKIA", "IOSFODNN7", "EXAMPLE"].concat();
        assert_eq!(aws_key_id(documentation.as_bytes()), Checksum::Failed);
        assert_eq!(aws_key_id(id(7).replace('A', "8").as_bytes()), Checksum::Failed);
    }

    /// The vectors of BIP-173 that are valid under bech32.
    #[test]
    fn bech32_standard_vectors() {
        let long = [
            "an83characterlonghumanreadablepartthatcontains",
            "thenumber1andtheexcludedcharactersbio1tt5tgs",
        ]
        .concat();
        for valid in ["A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", &long] {
            assert_eq!(bech32(valid.as_bytes()), Checksum::Passed, "{valid}");
        }
        for wrong in ["A12uEL5L", "a12uel5m", "1pzry9x0s0muk", "pzry9x0s0muk", "a1", ""] {
            assert_eq!(bech32(wrong.as_bytes()), Checksum::Failed, "{wrong}");
        }
        breaks_everywhere("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", 7, b"qpzry9x8b", bech32);
    }

    #[test]
    fn nkeys_carry_a_crc16() {
        // `S`, then `U` (user), five bits each.
        let mut content = vec![18 << 3, 20 << 3];
        content.extend(Rng::seeded("nkey").bytes(32));
        let crc = content.iter().fold(0u16, |crc, &byte| {
            (0..8)
                .fold(crc ^ u16::from(byte) << 8, |c, _| if c >> 15 == 1 { c << 1 ^ 0x1021 } else { c << 1 })
        });
        content.extend(crc.to_le_bytes());
        let token = to_base32(&content);
        assert!(token.starts_with('S') && token.len() == 58);
        breaks_everywhere(&token, 0, b"ABQZ27", nkey);
        assert_eq!(nkey(&token.as_bytes()[..57]), Checksum::Failed);
    }

    #[test]
    fn base58check_of_known_and_made_up_keys() {
        // The address of the first block ever: a public fact, and no secret.
        let address = ["1A1zP1eP5QGefi2DM", "PTfTL5SLmv7DivfNa"].concat();
        breaks_everywhere(&address, 0, b"29AZaz", base58check);
        assert_eq!(base58check(b"0OIl"), Checksum::Failed);
        assert_eq!(base58check(b""), Checksum::Failed);
    }

    #[test]
    fn otp_seeds_are_base32() {
        assert_eq!(otp_seed(to_base32(&Rng::seeded("otp").bytes(20)).as_bytes()), Checksum::Absent);
        assert_eq!(otp_seed("abcd efgh ijkl mnop qrst".as_bytes()), Checksum::Absent);
        assert_eq!(otp_seed(b"ABCDEFGHIJKLMNO1"), Checksum::Failed);
        assert_eq!(otp_seed(b"ABCDEFGH"), Checksum::Failed);
    }
}
