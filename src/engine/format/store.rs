//! Key stores and binary private keys: PKCS#12, Java key stores, KeePass databases, GnuPG key files, DER.
//!
//! All of them are told by how their content begins, at its very first byte, so that the same bytes
//! inside other binaries (class files that name the magic, certificates that name the algorithm) are
//! none. A Java key store is walked for an entry with a key: most hold only the certificates of
//! others. What these formats are is taken from RFC 7292, RFC 5208, RFC 5915, RFC 8017, RFC 8410, the sources of
//! OpenJDK's `JavaKeyStore` and `JceKeyStore`, KeePass's `KdbxFile`, and GnuPG's `agent/keyformat.txt`.

use std::borrow::Cow;

use crate::finding::Span;

use super::Hit;

/// Bytes of a KeePass database that name it: signature, version, salts and seeds of its header.
const KDBX_HEADER: usize = 200;

/// Most entries of a Java key store that are looked at.
const MAX_ENTRIES: usize = 256;

const OID_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// pkcs8ShroudedKeyBag, which stands in the clear even where all else is encrypted.
const OID_SHROUDED: &[u8] = &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
const OID_RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_EDWARDS: &[u8] = &[0x06, 0x03, 0x2b, 0x65];

/// Whether content that begins like this may be one of the binary forms; twelve bytes suffice.
pub(in crate::engine) fn begins(start: &[u8]) -> bool {
    if start.starts_with(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0])
        || start.starts_with(&[0xce, 0xce, 0xce, 0xce, 0, 0, 0])
        || start.starts_with(&[0x03, 0xd9, 0xa2, 0x9a])
    {
        return true;
    }
    let Some(Header { body, .. }) = sequence(start, 0) else { return false };
    let rest = &start[body.min(start.len())..];
    match rest {
        // PKCS#12: version 3 and a sequence with the content's type.
        [0x02, 0x01, 0x03, 0x30, ..] => true,
        // PKCS#8: version 0 or 1 and the algorithm, a short sequence; PKCS#1: version 0 and the modulus.
        [0x02, 0x01, 0x00 | 0x01, 0x30, 0x05..=0x20, ..] | [0x02, 0x01, 0x00, 0x02, 0x81 | 0x82, ..] => true,
        // SEC1: version 1 and the key.
        [0x02, 0x01, 0x01, 0x04, 0x18..=0x42, ..] => true,
        _ => false,
    }
}

/// Whether bytes that begin like this, as far as they are known, can be such content.
#[inline]
pub(in crate::engine) fn may_begin(start: &[u8]) -> bool {
    matches!(
        start,
        [0x30, 0x2c..=0x82, ..] | [0xfe, 0xed, 0xfe, ..] | [0xce, 0xce, 0xce, ..] | [0x03, 0xd9, 0xa2, ..]
    )
}

pub(super) fn verify(labels: &[Cow<'static, str>], bytes: &[u8], at: usize) -> Option<Hit> {
    let kinds: [(&str, Verifier); 7] = [
        ("pkcs12", pkcs12),
        ("jks", |bytes, at| java(bytes, at, [0xfe, 0xed, 0xfe, 0xed])),
        ("jceks", |bytes, at| java(bytes, at, [0xce, 0xce, 0xce, 0xce])),
        ("kdbx", keepass),
        ("der", der),
        ("gnupg", |bytes, at| gnupg(bytes, at, false)),
        ("gnupg-protected", |bytes, at| gnupg(bytes, at, true)),
    ];
    let wanted = |label: &str| labels.iter().any(|one| one == label);
    kinds.into_iter().filter(|(label, _)| wanted(label)).find_map(|(_, verify)| verify(bytes, at))
}

/// Whether the first byte a verifier sees is the content's: it sees [`super::LEFT`] bytes before its trigger,
/// where there are so many.
const fn sees_start(at: usize) -> bool {
    at < super::LEFT
}

/// Reads one kind at a trigger.
type Verifier = fn(&[u8], usize) -> Option<Hit>;

/// Tag and length of a DER element.
struct Header {
    /// First byte of its content.
    body: usize,
    /// One past its last byte; none where the length is not told (BER).
    end: Option<usize>,
}

/// The SEQUENCE at `at`.
fn sequence(bytes: &[u8], at: usize) -> Option<Header> {
    element(bytes, at, 0x30)
}

fn element(bytes: &[u8], at: usize, tag: u8) -> Option<Header> {
    if *bytes.get(at)? != tag {
        return None;
    }
    let first = *bytes.get(at + 1)?;
    let count = match first {
        0..=0x7f => {
            return Some(Header { body: at + 2, end: Some(at + 2 + usize::from(first)) });
        }
        0x80 => return Some(Header { body: at + 2, end: None }),
        0x81..=0x84 => usize::from(first & 0x7f),
        _ => return None,
    };
    let digits = bytes.get(at + 2..at + 2 + count)?;
    let length = digits.iter().fold(0usize, |sum, digit| sum << 8 | usize::from(*digit));
    let body = at + 2 + count;
    Some(Header { body, end: Some(body.checked_add(length)?) })
}

/// `SEQUENCE { 3, SEQUENCE { data, … } … }`. Where no bag of a private key stands in the clear it is most
/// likely a store of certificates: low.
fn pkcs12(bytes: &[u8], at: usize) -> Option<Hit> {
    if !sees_start(at) {
        return None;
    }
    let outer = sequence(bytes, 0)?;
    if !bytes.get(outer.body..)?.starts_with(&[2, 1, 3]) {
        return None;
    }
    let inner = sequence(bytes, outer.body + 3)?;
    if inner.body != at || !bytes[at..].starts_with(OID_DATA) {
        return None;
    }
    let end = outer.end.unwrap_or(bytes.len()).min(bytes.len());
    let span = Span::new(0, end.max(at + OID_DATA.len()));
    let has_key = memchr::memmem::find(span.of(bytes), OID_SHROUDED).is_some();
    let hit = Hit::new(span, span);
    Some(if has_key { hit } else { hit.low() })
}

/// A big-endian number and the place behind it.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<(usize, usize)> {
    let digits = bytes.get(at..at.checked_add(size)?)?;
    Some((digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), at + size))
}

/// Skips text behind its two-byte length.
fn text(bytes: &[u8], at: usize) -> Option<usize> {
    let (length, at) = number(bytes, at, 2)?;
    at.checked_add(length)
}

/// Skips bytes behind their four-byte length.
fn blob(bytes: &[u8], at: usize) -> Option<usize> {
    let (length, at) = number(bytes, at, 4)?;
    at.checked_add(length)
}

/// A Java key store: magic, version, count, entries. Only one with a key in what is seen of it.
fn java(bytes: &[u8], at: usize, magic: [u8; 4]) -> Option<Hit> {
    if at != 0 || !bytes.starts_with(&magic) {
        return None;
    }
    let (version, next) = number(bytes, 4, 4)?;
    let (count, mut next) = number(bytes, next, 4)?;
    if !(1..=2).contains(&version) {
        return None;
    }
    let certificate = |at: usize| blob(bytes, if version == 2 { text(bytes, at)? } else { at });
    for _ in 0..count.min(MAX_ENTRIES) {
        let (tag, after) = number(bytes, next, 4)?;
        // The alias, then the date.
        let body = text(bytes, after)?.checked_add(8)?;
        match tag {
            1 | 3 => {
                let end = blob(bytes, body).unwrap_or(bytes.len()).min(bytes.len());
                let end = if tag == 3 { bytes.len() } else { end };
                let span = Span::new(0, end.max(next));
                return (body < bytes.len()).then(|| Hit::new(span, span));
            }
            2 => next = certificate(body)?,
            _ => return None,
        }
    }
    None
}

/// A KeePass database, version 1 or 2.
fn keepass(bytes: &[u8], at: usize) -> Option<Hit> {
    let known = matches!(bytes.get(..8)?, [0x03, 0xd9, 0xa2, 0x9a, 0x65..=0x67, 0xfb, 0x4b, 0xb5]);
    if at != 0 || !known || bytes.len() < KDBX_HEADER {
        return None;
    }
    let span = Span::new(0, KDBX_HEADER);
    Some(Hit::new(span, span))
}

/// A private key in DER and nothing else: PKCS#8, PKCS#1 or SEC1.
fn der(bytes: &[u8], at: usize) -> Option<Hit> {
    if !sees_start(at) {
        return None;
    }
    let outer = sequence(bytes, 0)?;
    let end = outer.end?;
    // Files may end with a line feed or padding, but nothing follows that has a meaning.
    if end > bytes.len() || bytes.len() - end > 16 {
        return None;
    }
    let rest = bytes.get(outer.body..end)?;
    let [0x02, 0x01, version, next, ..] = rest else { return None };
    let place = outer.body + 3;
    let there = match (version, next) {
        (0 | 1, 0x30) => {
            let algorithm = sequence(bytes, place)?;
            let oid = bytes.get(algorithm.body..)?;
            let known = [OID_RSA, OID_EC, OID_EDWARDS].iter().any(|id| oid.starts_with(id));
            let key = element(bytes, algorithm.end?, 0x04)?;
            (known && key.end? <= end && key.end? - key.body >= 32).then_some(algorithm.body)?
        }
        (0, 0x02) => {
            let modulus = element(bytes, place, 0x02)?;
            let long = modulus.end? - modulus.body >= 64;
            let exponent = element(bytes, modulus.end?, 0x02)?;
            let private = element(bytes, exponent.end?, 0x02)?;
            (long && private.end? <= end && private.end? - private.body >= 32).then_some(modulus.end?)?
        }
        (1, 0x04) => {
            let key = element(bytes, place, 0x04)?;
            let curve = element(bytes, key.end?, 0xa0)?;
            (key.end? - key.body >= 24 && curve.end? <= end).then_some(key.end?)?
        }
        _ => return None,
    };
    let span = Span::new(0, end);
    (there == at).then(|| Hit::new(span, span))
}

/// A file of `private-keys-v1.d`: the canonical expression at the start, or `Key: (…` on a line.
fn gnupg(bytes: &[u8], at: usize, protected: bool) -> Option<Hit> {
    let words: [&[u8]; 2] = match protected {
        false => [b"(11:private-key(", b"(private-key ("],
        true => [b"(21:protected-private-key(", b"(protected-private-key ("],
    };
    let rest = &bytes[at..];
    let span = if rest.starts_with(words[0]) && at == 0 {
        let inside = rest[words[0].len()..].iter().take(64).filter(|b| **b == b':').count();
        Span::new(0, (inside > 0).then_some(bytes.len())?)
    } else if rest.starts_with(words[1]) && bytes[..at].ends_with(b"Key: ") {
        let mut depth = 0usize;
        let close = rest.iter().position(|b| {
            depth += usize::from(*b == b'(');
            depth -= usize::from(*b == b')');
            depth == 0
        })?;
        Span::new(at, at + close + 1)
    } else {
        return None;
    };
    // Numbers of a few digits are samples in documents about the format.
    (span.len() >= 128).then(|| Hit::new(span, span))
}

/// Key stores made at run time, for the tests of whoever reads them.
#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::tests::{hits, text as filled};
    use super::*;
    use crate::finding::Confidence;
    use crate::rule::format::Format::KeyStore;

    /// The store that a rule's example means.
    pub(crate) fn made(kind: &str) -> Vec<u8> {
        STANDARD.decode(filled(&format!("${{keystore:{kind}}}"))).expect("base64")
    }

    const KINDS: [(&str, &str); 12] = [
        ("pkcs12", "pkcs12"),
        ("pkcs12-debug", "pkcs12"),
        ("jks", "jks"),
        ("jks-debug", "jks"),
        ("jceks", "jceks"),
        ("kdbx", "kdbx"),
        ("pkcs8-rsa", "der"),
        ("pkcs8-ec", "der"),
        ("pkcs8-ed25519", "der"),
        ("pkcs1", "der"),
        ("sec1", "der"),
        ("gnupg", "gnupg"),
    ];

    #[test]
    fn every_kind_is_found_once_at_the_start_and_nowhere_else() {
        for (kind, label) in KINDS {
            let label: &'static str = label;
            let labels: &'static [&'static str] = Box::leak(Box::new([label]));
            let store = made(kind);
            let found = hits(KeyStore, labels, &store);
            assert_eq!(found.len(), 1, "{kind}");
            assert_eq!(found[0].confidence, None, "{kind}");
            if kind != "gnupg" {
                assert!(begins(&store[..12]) && may_begin(&store[..3]), "{kind}");
            }
            let shifted = [b"x".as_slice(), &store].concat();
            assert!(hits(KeyStore, labels, &shifted).is_empty(), "{kind}");
            for end in 0..store.len() {
                let _ = hits(KeyStore, labels, &store[..end]);
            }
        }
    }

    #[test]
    fn certificates_of_others_are_no_keys() {
        assert!(hits(KeyStore, &["jks"], &made("jks-certificates")).is_empty());
        let doubtful = hits(KeyStore, &["pkcs12"], &made("pkcs12-certificates"));
        assert_eq!(doubtful.iter().map(|hit| hit.confidence).collect::<Vec<_>>(), [Some(Confidence::Low)]);
        for (kind, label) in KINDS {
            let others: Vec<&str> = ["pkcs12", "jks", "jceks", "kdbx", "der", "gnupg"]
                .into_iter()
                .filter(|l| *l != label)
                .collect();
            let labels: &'static [&'static str] = Box::leak(others.into_boxed_slice());
            assert!(hits(KeyStore, labels, &made(kind)).is_empty(), "{kind}");
        }
    }

    #[test]
    fn lengths_that_lie_are_survived() {
        for (kind, label) in KINDS {
            let labels: &'static [&'static str] = Box::leak(Box::new([label]));
            let store = made(kind);
            for at in 0..store.len().min(64) {
                for byte in [0, 0x7f, 0x80, 0x84, 0xff] {
                    let mut broken = store.clone();
                    broken[at] = byte;
                    let _ = hits(KeyStore, labels, &broken);
                }
            }
        }
    }
}
