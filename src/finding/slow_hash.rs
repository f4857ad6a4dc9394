//! PBKDF2-HMAC-SHA256 for many secrets at once.
//!
//! One secret after the other leaves most of a processor idle: each round of SHA-256 waits for the one
//! before. Where the processor has registers for sixteen states ([`super::slow_hash_avx512`]), sixteen
//! secrets take little longer than four. Everywhere else, and for a few, the `pbkdf2` crate does it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// Secrets that are hashed side by side.
pub(super) const LANES: usize = 16;
/// Fewer than that are faster one by one.
const FEWEST: usize = 5;

/// A word of the state of every secret.
type Lane = [u32; LANES];
/// States of SHA-256, a word of all of them at a time.
pub(super) type Lanes = [Lane; 8];

/// The first `N` bytes, at most 32, of the key that PBKDF2-HMAC-SHA256 derives from each of `secrets` in
/// `rounds` rounds, at least one.
pub(super) fn hashes<const N: usize>(secrets: &[&[u8]], salt: &[u8], rounds: u32) -> Vec<[u8; N]> {
    secrets
        .chunks(LANES)
        .flat_map(|some| beside(some, salt, rounds).unwrap_or_else(|| alone(some, salt, rounds)))
        .collect()
}

/// One by one.
fn alone<const N: usize>(secrets: &[&[u8]], salt: &[u8], rounds: u32) -> Vec<[u8; N]> {
    let hash = |secret: &&[u8]| pbkdf2::pbkdf2_hmac_array::<Sha256, N>(secret, salt, rounds);
    secrets.iter().map(hash).collect()
}

/// At most [`LANES`] side by side; nothing where that is no gain.
fn beside<const N: usize>(secrets: &[&[u8]], salt: &[u8], rounds: u32) -> Option<Vec<[u8; N]>> {
    if secrets.len() < FEWEST {
        return None;
    }
    let (mut inner, mut outer, mut first) = (Lanes::default(), Lanes::default(), Lanes::default());
    for (lane, secret) in secrets.iter().enumerate() {
        set(&mut inner, lane, &keyed(secret, 0x36));
        set(&mut outer, lane, &keyed(secret, 0x5c));
        set(&mut first, lane, &first_round(secret, salt));
    }
    let sums = further_rounds(&inner, &outer, &first, rounds - 1)?;
    let hash = |lane: usize| {
        let bytes: Vec<u8> = sums.iter().flat_map(|word| word[lane].to_be_bytes()).collect();
        std::array::from_fn(|at| bytes[at])
    };
    Some((0..secrets.len()).map(hash).collect())
}

fn set(lanes: &mut Lanes, lane: usize, state: &[u32; 8]) {
    lanes.iter_mut().zip(state).for_each(|(word, value)| word[lane] = *value);
}

/// The state of SHA-256 after the key of an HMAC, padded with `pad` (RFC 2104 §2).
fn keyed(secret: &[u8], pad: u8) -> [u32; 8] {
    /// FIPS 180-4 §5.3.3.
    const BEGIN: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    let mut block = [pad; 64];
    let digest;
    let key = if secret.len() > block.len() {
        digest = Sha256::digest(secret);
        &digest[..]
    } else {
        secret
    };
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    let mut state = BEGIN;
    compress256(&mut state, &[block]);
    state
}

/// The HMAC of the salt and the number of the block (RFC 8018 §5.2, `U_1`).
fn first_round(secret: &[u8], salt: &[u8]) -> [u32; 8] {
    // NOTE: HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC accepts any key length");
    mac.update(salt);
    mac.update(&1_u32.to_be_bytes());
    let bytes = mac.finalize().into_bytes();
    std::array::from_fn(|word| {
        let at = 4 * word;
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    })
}

/// What `rounds` more HMACs, each of the one before, beginning with that of `first`, come to with it.
/// Nothing where the processor has no instructions for it.
fn further_rounds(inner: &Lanes, outer: &Lanes, first: &Lanes, rounds: u32) -> Option<Lanes> {
    #[cfg(target_arch = "x86_64")]
    return super::slow_hash_avx512::further_rounds(inner, outer, first, rounds);
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (inner, outer, first, rounds);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_by_side_and_one_by_one_are_the_same() {
        let texts: Vec<Vec<u8>> =
            (0..150_u8).map(|number| (0..number).map(|at| at.wrapping_mul(31) ^ number).collect()).collect();
        let secrets: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        for (count, rounds) in [(150, 1), (149, 2), (33, 7), (16, 1000), (5, 100), (4, 100), (0, 100)] {
            let some = &secrets[150 - count..];
            assert_eq!(hashes::<32>(some, b"salt", rounds), alone::<32>(some, b"salt", rounds), "{count}");
            assert_eq!(hashes::<16>(some, b"", rounds), alone::<16>(some, b"", rounds), "{count}");
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn they_are_side_by_side_where_the_processor_can() {
        let some: [&[u8]; 6] = [b"a", b"b", b"c", b"d", b"e", b"f"];
        assert_eq!(beside::<16>(&some, b"salt", 3).is_some(), is_x86_feature_detected!("avx512f"));
    }
}
