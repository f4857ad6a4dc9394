//! Key material in armour: is the block whole, and does its content begin as its kind must?

use crate::finding::Checksum;

use super::super::format::armor::{Armor, line_marker};
use super::verdict;

/// Initial value and polynomial of OpenPGP's CRC-24 (RFC 9580, section 6.1).
const CRC24: (u32, u32) = (0x00b7_04ce, 0x0186_4cfb);

/// PEM and OpenPGP blocks.
///
/// `Passed`: DER whose outer SEQUENCE is exactly as long as the content, an OpenSSH key with
/// its magic, or OpenPGP content with a right CRC-24. `Failed`: cut or altered. `Absent`:
/// encrypted content (nothing inside can be judged), OpenPGP without CRC, other kinds.
pub(super) fn block(token: &[u8]) -> Checksum {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let Some(start) = memchr::memmem::find(token, BEGIN) else { return Checksum::Failed };
    let label_start = start + BEGIN.len();
    let rest = &token[label_start..];
    let Some(length) = rest.iter().take(80).position(|&b| b == b'-') else { return Checksum::Failed };
    let label = &rest[..length];
    let from = label_start + length + 5;
    if !rest[length..].starts_with(b"-----") {
        return Checksum::Failed;
    }
    let armor = Armor::read(token, from, token.len(), label, line_marker(token, start));
    let content = armor.decode();
    if armor.end.is_none() || content.is_empty() {
        return Checksum::Failed;
    }
    if armor.encrypted {
        return Checksum::Absent;
    }
    if label.starts_with(b"PGP ") {
        return armor.crc.map_or(Checksum::Absent, |crc| verdict(is_crc24(&content, crc)));
    }
    if label.starts_with(b"OPENSSH ") {
        return verdict(content.starts_with(b"openssh-key-v1\0"));
    }
    if label.ends_with(b"KEY") { verdict(is_whole_der(&content)) } else { Checksum::Absent }
}

/// Whether `content` is one DER SEQUENCE and nothing else.
pub(in crate::engine) fn is_whole_der(content: &[u8]) -> bool {
    let length_of = |bytes: &[u8]| bytes.iter().fold(0usize, |sum, &b| sum << 8 | usize::from(b));
    match content {
        [0x30, short @ 0..=0x7f, rest @ ..] => rest.len() == usize::from(*short),
        [0x30, 0x81, a, rest @ ..] => rest.len() == length_of(&[*a]),
        [0x30, 0x82, a, b, rest @ ..] => rest.len() == length_of(&[*a, *b]),
        [0x30, 0x83, a, b, c, rest @ ..] => rest.len() == length_of(&[*a, *b, *c]),
        _ => false,
    }
}

fn is_crc24(content: &[u8], wanted: [u8; 4]) -> bool {
    use base64::Engine as _;
    let (initial, polynomial) = CRC24;
    let crc = content.iter().fold(initial, |mut crc, &byte| {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= polynomial;
            }
        }
        crc
    });
    super::LENIENT.decode(wanted).is_ok_and(|wanted| wanted == crc.to_be_bytes()[1..])
}

/// Google service account keys: the JSON file, or only its private key.
///
/// The key must be whole; in a JSON file, `private_key_id`, where it is given, must be 40 hex
/// digits. Text without a key block gives `Absent`.
pub(super) fn service_account(token: &[u8]) -> Checksum {
    if memchr::memmem::find(token, b"-----BEGIN ").is_none() {
        return Checksum::Absent;
    }
    if let Some(at) = memchr::memmem::find(token, b"\"private_key_id\"") {
        let after = token[at + 16..].trim_ascii_start();
        let value =
            after.strip_prefix(b":").map(<[u8]>::trim_ascii_start).and_then(|v| v.strip_prefix(b"\""));
        let is_id = |id: &[u8]| id.len() == 40 && id.iter().all(u8::is_ascii_hexdigit);
        if !value.is_some_and(|v| v.get(..40).is_some_and(is_id) && v.get(40) == Some(&b'"')) {
            return Checksum::Failed;
        }
    }
    block(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example::{Rng, expand};

    fn text(template: &str) -> String {
        expand(template, &|_| String::new(), &mut Rng::seeded("armored")).unwrap()
    }

    #[test]
    fn whole_blocks_pass_and_cut_ones_fail() {
        for label in ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let pem = text(&format!("${{pem:{label}}}"));
            assert_eq!(block(pem.as_bytes()), Checksum::Passed, "{label}");
            for end in 0..pem.len() - 1 {
                assert_ne!(block(&pem.as_bytes()[..end]), Checksum::Passed, "{label} {end}");
            }
        }
        let pem = text("${pem:RSA PRIVATE KEY}");
        let line: Vec<&str> = pem.lines().collect();
        let without_a_line = [&line[..3], &line[4..]].concat().join("\n");
        assert_eq!(block(without_a_line.as_bytes()), Checksum::Failed);
    }

    #[test]
    fn openpgp_checksum_catches_every_change() {
        let pem = text("${pem:PGP PRIVATE KEY BLOCK}");
        let body = pem.find("\n\n").unwrap() + 2;
        for i in (body..body + 300).filter(|&i| pem.as_bytes()[i] != b'\n') {
            let mut changed = pem.clone().into_bytes();
            changed[i] = if changed[i] == b'B' { b'C' } else { b'B' };
            assert_eq!(block(&changed), Checksum::Failed, "{i}");
        }
    }

    #[test]
    fn encryption_is_no_failure() {
        let pem = text("${pem:RSA PRIVATE KEY}");
        let header = "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
        assert_eq!(block(pem.replacen("-----\n", header, 1).as_bytes()), Checksum::Absent);
    }

    #[test]
    fn service_accounts_have_an_id_and_a_whole_key() {
        let key = text("${pem:PRIVATE KEY}").replace('\n', "\\n");
        let file = |id: &str| format!("{{\"private_key_id\": \"{id}\", \"private_key\": \"{key}\\n\"}}");
        assert_eq!(service_account(file(&text("${lowerhex:40}")).as_bytes()), Checksum::Passed);
        assert_eq!(service_account(file("abc").as_bytes()), Checksum::Failed);
        assert_eq!(service_account(key.as_bytes()), Checksum::Passed);
        assert_eq!(service_account(b"{\"type\": \"service_account\"}"), Checksum::Absent);
    }
}
