//! Names for secrets that can be published: equal secrets, equal names, and no way back.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Secret, slow_hash};

/// Rounds of PBKDF2-HMAC-SHA256 for secrets that people choose: a few milliseconds each.
///
/// Part of the `p1` format; another number needs another version letter.
const SLOW_ROUNDS: u32 = 20_000;

/// Bytes of hash kept: 128 bits, beyond accidental collision for any repository.
const HASH_BYTES: usize = 16;

/// Identity of a secret, independent of where it stands.
///
/// Three forms, each `<version>:<hex>`:
///
/// * `t1:` HMAC-SHA256 under a fixed key, for long random tokens (nothing to guess),
/// * `p1:` PBKDF2-HMAC-SHA256, 20,000 rounds, for passwords and generic secrets, so that a
///   committed baseline does not hand a password cracker a fast target,
/// * `h1:<key id>:` HMAC-SHA256 under the operator's own key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

/// An operator's own key for fingerprints; with it nobody else can test guesses.
#[derive(Clone, Debug)]
pub struct FingerprintKey(Secret);

/// Text that is not a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFingerprintError(String);

impl fmt::Display for ParseFingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a fingerprint: expected t1:, p1: or h1: and 32 hexadecimal digits", self.0)
    }
}

impl std::error::Error for ParseFingerprintError {}

impl FingerprintKey {
    /// Takes the bytes of a key; any length, 32 random bytes are a good choice.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Secret::new(bytes))
    }

    /// First eight hexadecimal digits of the key's hash: tells keys apart, reveals nothing.
    fn id(&self) -> String {
        hex(&Sha256::digest([b"keycull key id ", self.0.expose()].concat())[..4])
    }
}

impl Fingerprint {
    /// Names `secret`.
    ///
    /// `guessable` selects the slow hash (passwords, generic secrets): a few milliseconds per
    /// call. With a `key` the keyed form is used for both.
    #[must_use]
    pub fn of(secret: &Secret, guessable: bool, key: Option<&FingerprintKey>) -> Self {
        let raw = secret.expose();
        match key {
            Some(key) => Self(format!("h1:{}:{}", key.id(), hex(&keyed(key.0.expose(), raw)))),
            None if guessable => Self::slow(&[raw]).remove(0),
            None => Self(format!("t1:{}", hex(&keyed(b"keycull fingerprint t1", raw)))),
        }
    }

    /// Names `secrets` that people choose, in their order: [`of`](Self::of) for each, in a third of the time
    /// where the processor can hash [`AT_ONCE`](Self::AT_ONCE) side by side.
    #[must_use]
    pub fn of_guessable(secrets: &[&Secret], key: Option<&FingerprintKey>) -> Vec<Self> {
        if key.is_some() {
            return secrets.iter().map(|secret| Self::of(secret, true, key)).collect();
        }
        let raw: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose()).collect();
        Self::slow(&raw)
    }

    /// A good number of secrets for one call of [`of_guessable`](Self::of_guessable).
    pub const AT_ONCE: usize = slow_hash::LANES;

    fn slow(secrets: &[&[u8]]) -> Vec<Self> {
        let hashes = slow_hash::hashes::<HASH_BYTES>(secrets, b"keycull fingerprint p1", SLOW_ROUNDS);
        hashes.iter().map(|hash| Self(format!("p1:{}", hex(hash)))).collect()
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `secret` is the one this fingerprint names; the form tells which hash to use.
    ///
    /// A keyed fingerprint matches only with its own `key`.
    #[must_use]
    pub fn matches(&self, secret: &Secret, key: Option<&FingerprintKey>) -> bool {
        let keyed_form = self.0.starts_with("h1:");
        let key = if keyed_form { key } else { None };
        (!keyed_form || key.is_some()) && Self::of(secret, self.0.starts_with("p1:"), key) == *self
    }
}

/// HMAC-SHA256 of `data` under `key`, cut to [`HASH_BYTES`].
fn keyed(key: &[u8], data: &[u8]) -> [u8; HASH_BYTES] {
    // NOTE: HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts any key length");
    mac.update(data);
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(&mac.finalize().into_bytes()[..HASH_BYTES]);
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let is_hex = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
        let known = match s.split_once(':') {
            Some(("t1" | "p1", hash)) => is_hex(hash, 32),
            Some(("h1", rest)) => rest.split_once(':').is_some_and(|(id, h)| is_hex(id, 8) && is_hex(h, 32)),
            _ => false,
        };
        if known { Ok(Self(s.to_owned())) } else { Err(ParseFingerprintError(s.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_differ_and_match_only_their_secret() {
        let (a, b) = (Secret::new("alpha"), Secret::new("beta"));
        let key = FingerprintKey::new("operator key");
        for (guessable, key) in [(false, None), (true, None), (false, Some(&key))] {
            let print = Fingerprint::of(&a, guessable, key);
            assert!(print.matches(&a, key), "{print}");
            assert!(!print.matches(&b, key), "{print}");
            assert_eq!(print.as_str().parse(), Ok(print.clone()));
        }
    }

    #[test]
    fn a_keyed_print_needs_its_key() {
        let secret = Secret::new("alpha");
        let print = Fingerprint::of(&secret, true, Some(&FingerprintKey::new("one")));
        assert!(!print.matches(&secret, None));
        assert!(!print.matches(&secret, Some(&FingerprintKey::new("two"))));
    }

    #[test]
    fn the_format_is_frozen() {
        // Baselines in other people's repositories depend on these values.
        let secret = Secret::new("alpha");
        let fast = Fingerprint::of(&secret, false, None);
        let slow = Fingerprint::of(&secret, true, None);
        assert_eq!(fast.as_str(), "t1:5382f2a57e591d3f5c3fcd83b20e239b");
        assert_eq!(slow.as_str(), "p1:fdbb3d3533c5f73e73da19b685e8def3");
    }

    #[test]
    fn many_are_named_as_each_alone() {
        let secrets: Vec<Secret> = (0..20).map(|number| Secret::new(format!("secret {number}"))).collect();
        let all: Vec<&Secret> = secrets.iter().collect();
        let key = FingerprintKey::new("operator key");
        for key in [None, Some(&key)] {
            let alone: Vec<Fingerprint> =
                all.iter().map(|secret| Fingerprint::of(secret, true, key)).collect();
            assert_eq!(Fingerprint::of_guessable(&all, key), alone);
        }
    }

    #[test]
    fn junk_is_refused() {
        for junk in
            ["", "t1:", "t1:zz", "x1:00112233445566778899aabbccddeeff", "h1:00112233445566778899aabbccddeeff"]
        {
            assert!(junk.parse::<Fingerprint>().is_err(), "{junk}");
        }
    }
}
