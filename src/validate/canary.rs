//! Keys that are traps: touching one rings somebody's alarm and tells them that we are here.
//!
//! The AWS account is part of an access key id, so this is decided without the network.
//! The account lists are those trufflehog publishes (`pkg/detectors/aws/access_keys/canary.go`): ten of
//! canarytokens.org and sixteen of services like it. Operators add their own.

use std::collections::BTreeSet;

/// Accounts of canarytokens.org.
const CANARYTOKENS: [u64; 10] = [
    52_310_077_262,
    171_436_882_533,
    266_735_846_894,
    534_261_010_715,
    595_918_472_158,
    717_712_589_309,
    730_335_385_048,
    819_147_034_852,
    893_192_397_702,
    992_382_622_183,
];

/// Accounts of similar services.
const OTHERS: [u64; 16] = [
    44_858_866_125,
    251_535_659_677,
    344_043_088_457,
    351_906_852_752,
    390_477_818_340,
    426_127_672_474,
    427_150_556_519,
    439_872_796_651,
    445_142_720_921,
    465_867_158_099,
    637_958_123_769,
    693_412_236_332,
    732_624_840_810,
    735_421_457_923,
    959_235_150_393,
    982_842_642_351,
];

/// The account in an AWS access key id (`AKIA…`, 20 characters).
///
/// Ids whose fifth letter is `I` or `J` are older and carry none. Layout: the 16 characters after
/// the prefix are base32; of its first 48 bits the account is bits 1 to 40.
#[must_use]
pub fn aws_account(key_id: &[u8]) -> Option<u64> {
    let body: &[u8; 16] = key_id.get(4..)?.try_into().ok()?;
    if matches!(body[0], b'I' | b'J') {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u128::from(value);
    }
    // 80 bits in all; keep the upper 48.
    let upper = u64::try_from(bits >> 32).ok()?;
    Some((upper & 0x7fff_ffff_ff80) >> 7)
}

/// Whether the account of `key_id` is a known trap, or one of `more` (twelve digits each).
#[must_use]
pub fn is_canary(key_id: &[u8], more: &BTreeSet<String>) -> bool {
    aws_account(key_id).is_some_and(|account| {
        CANARYTOKENS.contains(&account)
            || OTHERS.contains(&account)
            || more.contains(&format!("{account:012}"))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An access key id that carries `account`.
    pub(crate) fn key_id(account: u64) -> String {
        let bits = u128::from((account << 7) | (1 << 47)) << 32;
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let body = (0..16)
            .rev()
            .map(|at| char::from(letters[usize::try_from((bits >> (at * 5)) & 31).expect("small")]));
        ["AK", "IA"].concat() + &body.collect::<String>()
    }

    #[test]
    fn the_account_is_read_from_the_id() {
        // The pair is published with trufflehog's decoder.
        let published = ["ASIA", "Y34FZKBOKMUTVV7A"].concat();
        assert_eq!(aws_account(published.as_bytes()), Some(609_629_065_308));
        assert_eq!(aws_account(key_id(123_456_789_012).as_bytes()), Some(123_456_789_012));
        assert_eq!(aws_account(["AKIA", "IOSFODNN7EXAMPLE"].concat().as_bytes()), None, "an old id");
        assert_eq!(aws_account(b"AKIA"), None);
    }

    #[test]
    fn known_traps_are_known() {
        let none = BTreeSet::new();
        assert!(is_canary(key_id(52_310_077_262).as_bytes(), &none));
        assert!(is_canary(key_id(982_842_642_351).as_bytes(), &none));
        assert!(!is_canary(key_id(123_456_789_012).as_bytes(), &none));
        assert!(is_canary(key_id(12).as_bytes(), &BTreeSet::from(["000000000012".to_owned()])));
    }
}
