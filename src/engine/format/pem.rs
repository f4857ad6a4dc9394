//! Private keys between `-----BEGIN …-----` and `-----END …-----`.
//!
//! The rule's labels decide what is a private key; public keys and certificates carry others.
//! A block with too little base64 to be a key, or with `...`, `<key>` or `xxxx` in it, is no
//! match. Low confidence: content that does not begin as its label demands, a block without
//! its `END`, and content that is encrypted inside a plain label (`Proc-Type: 4,ENCRYPTED`, an
//! OpenSSH key with a cipher); `ENCRYPTED PRIVATE KEY` is a label of its own, for a rule of its
//! own, and keeps that rule's confidence.

use std::borrow::Cow;

use crate::finding::Span;

use super::Hit;
use super::armor::{Armor, line_marker};

const BEGIN: &[u8] = b"-----BEGIN ";

/// Longest label looked at.
const MAX_LABEL: usize = 64;

/// Fewest base64 characters of a private key: 48 bytes, an Ed25519 key in PKCS #8.
const MIN_BASE64: usize = 64;

pub(super) fn verify(labels: &[Cow<'static, str>], bytes: &[u8], at: usize) -> Option<Hit> {
    block(bytes, at, |label| labels.iter().any(|l| l.as_bytes() == label))
}

/// The block that begins at `at`, if `wanted` accepts its label.
pub(super) fn block(bytes: &[u8], at: usize, wanted: impl Fn(&[u8]) -> bool) -> Option<Hit> {
    let rest = bytes[at..].strip_prefix(BEGIN)?;
    let length = rest.iter().take(MAX_LABEL).position(|&b| b == b'-')?;
    let label = &rest[..length];
    if !rest[length..].starts_with(b"-----") || !wanted(label) {
        return None;
    }
    let from = at + BEGIN.len() + length + 5;
    let armor = Armor::read(bytes, from, bytes.len(), label, line_marker(bytes, at));
    let first = armor.base64.first()?;
    if armor.base64.len() < least_base64(label) || armor.base64.iter().all(|b| b == first) {
        return None;
    }
    let span = Span::new(at, armor.end.unwrap_or(armor.body_end));
    let hit = Hit::new(span, span);
    let content = armor.decode();
    let sure = armor.end.is_some() && !armor.encrypted && begins_as(label, &content);
    Some(if sure { hit } else { hit.low() })
}

/// Raw keys of 32 bytes exist in some envelopes.
fn least_base64(label: &[u8]) -> usize {
    if label.starts_with(b"NEBULA ") { 43 } else { MIN_BASE64 }
}

/// Whether `content` starts as unencrypted content of a `label` block must.
fn begins_as(label: &[u8], content: &[u8]) -> bool {
    if label.starts_with(b"OPENSSH ") {
        // Magic, then the cipher's name behind its length: anything but `none` is encrypted.
        return content.starts_with(b"openssh-key-v1\0\0\0\0\x04none");
    }
    if label.starts_with(b"PGP ") {
        // Packet tags 5 and 7: secret key, secret subkey; old and new packet format.
        let tag = content.first().map(|&b| if b & 0x40 == 0 { b >> 2 & 15 } else { b & 63 });
        return content.first().is_some_and(|b| b & 0x80 != 0) && matches!(tag, Some(5 | 7));
    }
    if label.starts_with(b"NEBULA ") {
        return matches!(content.len(), 32 | 64);
    }
    if label.starts_with(b"OpenVPN Static key") {
        // 256 bytes in hex, which base64 cannot tell from its own.
        return content.len() == 384;
    }
    if label.starts_with(b"ENCRYPTED SIGSTORE") || label.starts_with(b"ENCRYPTED COSIGN") {
        return content.starts_with(b"{");
    }
    // A SEQUENCE of more than 31 bytes, in short or long form.
    matches!(content, [0x30, 0x20..=0x7f, ..] | [0x30, 0x81..=0x83, ..])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finds, hits, ignores, secrets, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format;

    const LABELS: &[&str] =
        &["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

    fn key(label: &str) -> String {
        text(&format!("${{pem:{label}}}"))
    }

    fn is_found_whole(text: &str) {
        let hits = hits(Format::Pem, LABELS, text.as_bytes());
        assert_eq!(hits.len(), 1, "{text}");
        assert_eq!(hits[0].confidence, None, "{text}");
        let found = String::from_utf8_lossy(hits[0].secret.of(text.as_bytes())).into_owned();
        assert!(
            found.starts_with("-----BEGIN ") && found.ends_with(" KEY-----") && found.contains("-----END "),
            "{found}"
        );
    }

    #[test]
    fn plain_blocks() {
        for label in LABELS {
            let key = key(label);
            finds(Format::Pem, LABELS, &format!("a\n{key}\nb"), &key);
            finds(Format::Pem, LABELS, &key.replace('\n', "\r\n"), &key.replace('\n', "\r\n"));
        }
    }

    #[test]
    fn blocks_pasted_into_other_text() {
        let key = key("RSA PRIVATE KEY");
        let lines: Vec<&str> = key.lines().collect();
        let each = |before: &str, after: &str| {
            lines.iter().map(|line| format!("{before}{line}{after}")).collect::<Vec<_>>().join("\n")
        };
        let forms = [
            format!("{{\"private_key\": \"{}\\n\"}}", key.replace('\n', "\\n")),
            format!("\"{{\\\"k\\\": \\\"{}\\\"}}\"", key.replace('\n', "\\\\n")),
            format!("KEY=\"{}\"", key.replace('\n', "\\r\\n")),
            format!("key: |\n{}\n", each("    ", "")),
            format!("var k = {};", each("\"", "\\n\" +")),
            format!("var k =\n{};", each("  '", "\\n',")),
            format!("const char *k =\n{};", each("    \"", "\\n\"")),
            format!("k = {};", each("\"", "\" + \"\\n\" +")),
            each("# ", ""),
            each("// ", ""),
            each(" * ", ""),
            each("+", ""),
            each("-", ""),
            each("> ", ""),
            format!("/// const KEY: &str = \"{}\";", each("/// ", "").trim_start_matches("/// ")),
            format!("+key = '{}'", each("+", "").trim_start_matches('+')),
            format!("- key: |\n{}\n- x", each("    ", "")),
            format!("- {}", each("  ", "").trim_start()),
            key.replace('\n', " "),
            key.replace('\n', ""),
            key.replace('\n', "\\u000a"),
            key.replace('\n', "&#xA;"),
            key.replace('\n', "\\\n"),
            key.replace('/', "\\/").replace('\n', "\\n"),
        ];
        for form in forms {
            is_found_whole(&form);
        }
    }

    #[test]
    fn encrypted_content_is_low() {
        let key = key("RSA PRIVATE KEY");
        let header = "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n";
        let encrypted = key.replacen("-----\n", header, 1);
        for form in [encrypted.clone(), encrypted.replace('\n', "\\n")] {
            let hits = hits(Format::Pem, LABELS, form.as_bytes());
            assert_eq!(hits.len(), 1, "{form}");
            assert_eq!((hits[0].confidence, hits[0].secret.len()), (Some(Confidence::Low), form.len()));
        }
    }

    #[test]
    fn other_labels_and_stubs_are_no_keys() {
        for label in ["PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY"] {
            ignores(Format::Pem, LABELS, &key(label));
        }
        let around = |body: &str| format!("-----BEGIN {0}-----{body}-----END {0}-----", "RSA PRIVATE KEY");
        for body in ["", "\n", "\n...\n", "\nMIIEow...\n", "\n<key>\n", "\nMIIEowIBAAKCAQEA\n", "\", \""] {
            ignores(Format::Pem, LABELS, &around(body));
        }
        ignores(Format::Pem, LABELS, &around(&format!("\n{}\n", "x".repeat(200))));
        ignores(Format::Pem, LABELS, &format!("startsWith(\"-----BEGIN {}-----\")", "RSA PRIVATE KEY"));
    }

    #[test]
    fn doubtful_blocks_are_low() {
        let key = key("RSA PRIVATE KEY");
        let cut = &key[..300];
        let not_der = key.replacen("MIIC", "AAAA", 1);
        let other_end = key.replace("END RSA ", "END DSA ");
        for form in [cut, &not_der, &other_end] {
            let hits = hits(Format::Pem, LABELS, form.as_bytes());
            assert_eq!(
                hits.iter().map(|h| h.confidence).collect::<Vec<_>>(),
                [Some(Confidence::Low)],
                "{form}"
            );
        }
        assert_eq!(secrets(Format::Pem, LABELS, cut), [cut]);
    }

    #[test]
    fn two_blocks_are_two_hits() {
        let both = format!("{}\n{}", key("PRIVATE KEY"), key("OPENSSH PRIVATE KEY"));
        assert_eq!(secrets(Format::Pem, LABELS, &both).len(), 2);
    }
}
