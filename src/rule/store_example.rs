//! Key stores for examples: right in form, random in content, so that they open nothing.

use super::example::Rng;

const OID_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const OID_ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const OID_SHROUDED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
const OID_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Alias of the key that Android's tools make for debugging.
const DEBUG: &str = "androiddebugkey";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const EXPLICIT: u8 = 0xa0;

/// The store called `kind`; none when there is no such kind.
pub(super) fn store(kind: &str, rng: &mut Rng) -> Option<Vec<u8>> {
    Some(match kind {
        "pkcs12" => pkcs12(Some("server"), rng),
        "pkcs12-debug" => pkcs12(Some(DEBUG), rng),
        "pkcs12-certificates" => pkcs12(None, rng),
        "jks" => java([0xfe, 0xed, 0xfe, 0xed], 1, "server", rng),
        "jks-debug" => java([0xfe, 0xed, 0xfe, 0xed], 1, DEBUG, rng),
        "jks-certificates" => java([0xfe, 0xed, 0xfe, 0xed], 2, "some ca", rng),
        "jceks" => java([0xce, 0xce, 0xce, 0xce], 3, "secret", rng),
        "kdbx" => {
            let head = [0x03, 0xd9, 0xa2, 0x9a, 0x67, 0xfb, 0x4b, 0xb5, 0, 0, 4, 0];
            [head.as_slice(), &rng.bytes(400)].concat()
        }
        "pkcs8-rsa" => pkcs8(&[element(OID, OID_RSA), vec![0x05, 0]].concat(), &private(rng)),
        "pkcs8-ec" => {
            let inner =
                element(SEQUENCE, &[element(INTEGER, &[1]), element(OCTETS, &positive(32, rng))].concat());
            pkcs8(&[element(OID, OID_EC), element(OID, OID_P256)].concat(), &inner)
        }
        "pkcs8-ed25519" => {
            let key = element(OCTETS, &rng.bytes(32));
            pkcs8(&element(OID, OID_ED25519), &key)
        }
        "pkcs1" => private(rng),
        "sec1" => element(
            SEQUENCE,
            &[
                element(INTEGER, &[1]),
                element(OCTETS, &positive(32, rng)),
                element(EXPLICIT, &element(OID, OID_P256)),
            ]
            .concat(),
        ),
        "gnupg" => {
            let mut key = b"(11:private-key(3:rsa(1:n257:".to_vec();
            key.extend(positive(257, rng));
            key.extend(b")(1:e3:\x01\x00\x01)(1:d256:");
            key.extend(positive(256, rng));
            key.extend(b")))");
            key
        }
        "gnupg-protected" => {
            let mut key = b"(21:protected-private-key(3:rsa(1:n257:".to_vec();
            key.extend(positive(257, rng));
            key.extend(b")(9:protected25:openpgp-s2k3-ocb-aes)))");
            key
        }
        _ => return None,
    })
}

/// A DER element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match length {
        0..=0x7f => out.push(length as u8),
        0x80..=0xff => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(content);
    out
}

/// Random bytes that read as a positive number without a leading zero.
fn positive(count: usize, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.bytes(count);
    bytes[0] = bytes[0] & 0x3f | 0x40;
    bytes
}

/// The parts of an RSA key in PKCS#1; they fit nothing.
fn private(rng: &mut Rng) -> Vec<u8> {
    let number = |count: usize, rng: &mut Rng| element(INTEGER, &positive(count, rng));
    let parts = [
        element(INTEGER, &[0]),
        number(256, rng),
        element(INTEGER, &[1, 0, 1]),
        number(256, rng),
        number(128, rng),
        number(128, rng),
        number(128, rng),
        number(128, rng),
        number(128, rng),
    ];
    element(SEQUENCE, &parts.concat())
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let parts = [element(INTEGER, &[0]), element(SEQUENCE, algorithm), element(OCTETS, key)];
    element(SEQUENCE, &parts.concat())
}

/// A store with one key under `alias`; without one, of certificates alone.
fn pkcs12(alias: Option<&str>, rng: &mut Rng) -> Vec<u8> {
    let safe = match alias {
        Some(alias) => {
            let wide: Vec<u8> = alias.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let name = [element(OID, OID_NAME), element(0x31, &element(0x1e, &wide))].concat();
            let bag = [
                element(OID, OID_SHROUDED),
                element(EXPLICIT, &element(SEQUENCE, &rng.bytes(600))),
                element(0x31, &element(SEQUENCE, &name)),
            ];
            let bags = element(SEQUENCE, &element(SEQUENCE, &bag.concat()));
            [element(OID, OID_DATA), element(EXPLICIT, &element(OCTETS, &bags))].concat()
        }
        None => {
            [element(OID, OID_ENCRYPTED), element(EXPLICIT, &element(SEQUENCE, &rng.bytes(600)))].concat()
        }
    };
    let safes = element(SEQUENCE, &element(SEQUENCE, &safe));
    let content = [element(OID, OID_DATA), element(EXPLICIT, &element(OCTETS, &safes))].concat();
    let mac = element(SEQUENCE, &rng.bytes(60));
    element(SEQUENCE, &[element(INTEGER, &[3]), element(SEQUENCE, &content), mac].concat())
}

/// A Java key store with one entry of kind `tag`.
fn java(magic: [u8; 4], tag: u8, alias: &str, rng: &mut Rng) -> Vec<u8> {
    let mut out = magic.to_vec();
    out.extend([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, tag]);
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u16).to_be_bytes());
        out.extend(text.as_bytes());
    };
    text(&mut out, alias);
    out.extend([0, 0, 1, 0x80]);
    out.extend(rng.bytes(4));
    if tag == 2 {
        text(&mut out, "X.509");
    }
    out.extend([0, 0, 2, 0x58]);
    out.extend(rng.bytes(600));
    if tag == 1 {
        out.extend([0; 4]);
    }
    out.extend(rng.bytes(20));
    out
}
