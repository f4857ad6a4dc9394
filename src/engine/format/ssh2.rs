//! Private keys of SSH.com's software: `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`.
//!
//! The label says ENCRYPTED whether the key is or not; the cipher's name in the content tells. Headers
//! (`Comment: "…"`) may go on over lines that end with a backslash, as in RFC 4716.

use base64::Engine as _;

use super::super::checksum::LENIENT;
use super::{Hit, run, word_at};
use crate::finding::Span;

const END: &[u8] = b"---- END SSH2 ENCRYPTED PRIVATE KEY ----";

/// Most bytes of a key.
const MOST: usize = 16 * 1024;

/// First bytes of the content.
const MAGIC: [u8; 4] = [0x3f, 0x6f, 0xf9, 0xeb];

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    const LABEL: &[u8] = b"BEGIN SSH2 ENCRYPTED PRIVATE KEY ----";
    if !word_at(bytes, at, LABEL) || !bytes[..at].ends_with(b"---- ") {
        return None;
    }
    let from = at + LABEL.len();
    let limit = bytes.len().min(from + MOST);
    let end = from + memchr::memmem::find(&bytes[from..limit], END)?;
    let mut base64 = Vec::new();
    let mut header = false;
    let mut place = from;
    while place < end {
        let length = run(bytes, place, end - place, |b| b != b'\n');
        let line = bytes[place..place + length].trim_ascii();
        place += length + 1;
        let begins = header || line.contains(&b':');
        header = begins && line.ends_with(b"\\");
        if !begins {
            base64.extend(
                line.iter().copied().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')),
            );
        }
    }
    let whole = base64.len() / 4 * 4;
    let content = LENIENT.decode(&base64[..whole]).unwrap_or_default();
    let span = Span::new(at - b"---- ".len(), end + END.len());
    let hit = Hit::new(span, span);
    (content.len() >= 64).then(|| if content.starts_with(&MAGIC) { hit } else { hit.low() })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hits, ignores, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format::Ssh2;

    #[test]
    fn keys_with_headers_are_found_and_mentions_are_not() {
        let body = text("P2/56wAA${base64:55}\n${base64:64}");
        let marks = ["BEGIN", "END"].map(|word| format!("---- {word} SSH2 ENCRYPTED PRIVATE KEY ----"));
        for header in ["", "Comment: \"2048-bit rsa, me\\\n@host\"\n", "Subject: me\nComment: x\n"] {
            let key = format!("{}\n{header}{body}\n{}", marks[0], marks[1]);
            let found = hits(Ssh2, &[], format!("x\n{key}\n").as_bytes());
            assert_eq!(found.len(), 1, "{key}");
            assert_eq!((found[0].confidence, found[0].secret.len()), (None, key.len()), "{key}");
        }
        let other = format!("{}\n{}\n{}", marks[0], text("${base64:120}"), marks[1]);
        assert_eq!(hits(Ssh2, &[], other.as_bytes())[0].confidence, Some(Confidence::Low));
        ignores(Ssh2, &[], &format!("{}\n...\n{}", marks[0], marks[1]));
        ignores(Ssh2, &[], &marks[0]);
    }
}
