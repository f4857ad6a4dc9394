//! PuTTY private key files.
//!
//! Lines of `Name: value`; `Private-Lines: n` is followed by `n` lines of base64. Line ends may
//! be escaped. A key that says `Encryption: none` keeps the rule's confidence; an encrypted
//! or cut one is low.

use crate::finding::Span;

use super::{Hit, run, word_at};

/// Most lines a key has before its private part (the public part of RSA-16384 has 44).
const MAX_LINES: usize = 128;

/// Fewest base64 characters of a private part: 32 bytes.
const MIN_BASE64: usize = 43;

pub(super) fn verify(bytes: &[u8], at: usize) -> Option<Hit> {
    let version = at + b"putty-user-key-file-".len();
    if !word_at(bytes, at, b"putty-user-key-file-") || !matches!(bytes.get(version)?, b'1'..=b'3') {
        return None;
    }
    if bytes.get(version + 1) != Some(&b':') {
        return None;
    }
    let mut lines = Lines { bytes, at };
    let mut encrypted = true;
    let mut private_lines = None;
    for _ in 0..MAX_LINES {
        let line = lines.next()?.of(bytes);
        if let Some(value) = field(line, b"encryption:") {
            encrypted = !value.eq_ignore_ascii_case(b"none");
        } else if let Some(value) = field(line, b"private-lines:") {
            private_lines = std::str::from_utf8(value).ok()?.parse::<usize>().ok();
            break;
        }
    }
    let wanted = private_lines.filter(|&count| count <= MAX_LINES)?;
    let (mut base64, mut whole, mut end) = (0, 0, at);
    while whole < wanted {
        let Some(line) = lines.next() else { break };
        let body = line.of(bytes);
        if body.is_empty() || !body.iter().all(|&b| is_base64(b)) {
            break;
        }
        (base64, whole, end) = (base64 + body.len(), whole + 1, line.end);
    }
    if base64 < MIN_BASE64 {
        return None;
    }
    if let Some(mac) = lines.next().filter(|line| field(line.of(bytes), b"private-mac:").is_some()) {
        end = mac.end;
    }
    let span = Span::new(at, end);
    let hit = Hit::new(span, span);
    Some(if encrypted || whole < wanted { hit.low() } else { hit })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The value of `Name: value`, when the line has that (lower-case) name.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    word_at(line, 0, name).then(|| line[name.len()..].trim_ascii())
}

/// Lines with real or escaped ends, without indentation and line ends.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        self.at += run(self.bytes, self.at, 64, |b| matches!(b, b' ' | b'\t'));
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let length =
            rest.iter().position(|&b| matches!(b, b'\n' | b'\r' | b'\\' | b'"')).unwrap_or(rest.len());
        self.at += length;
        self.at += run(self.bytes, self.at, 2, |b| b == b'\r');
        if self.bytes.get(self.at) == Some(&b'\n') {
            self.at += 1;
        } else {
            for escape in [b'r', b'n'] {
                let slashes = run(self.bytes, self.at, 4, |b| b == b'\\');
                if slashes > 0 && self.bytes.get(self.at + slashes) == Some(&escape) {
                    self.at += slashes + 1;
                }
            }
        }
        // A quote or a lone backslash ends the text.
        if self.at == start {
            return None;
        }
        Some(Span::new(start, start + length))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finds, hits, ignores, text};
    use crate::finding::Confidence;
    use crate::rule::format::Format;

    fn key(encryption: &str) -> String {
        let template = format!(
            "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: {encryption}\nComment: a b\nPublic-Lines: 2\n\
             ${{base64:64}}\n${{base64:30}}==\nPrivate-Lines: 3\n${{base64:64}}\n${{base64:64}}\n${{base64:31}}=\n\
             Private-MAC: ${{lowerhex:40}}"
        );
        text(&template)
    }

    #[test]
    fn key_files_in_any_line_ends() {
        let key = key("none");
        for form in
            [key.clone(), key.replace('\n', "\r\n"), key.replace('\n', "\\n"), key.replace('\n', "\\r\\n")]
        {
            finds(Format::Putty, &[], &format!("x = \"{form}\""), &form);
        }
    }

    #[test]
    fn encrypted_and_cut_keys_are_low() {
        let whole = key("none");
        let cut = &whole[..whole.find("Private-Lines").unwrap() + 90];
        for form in [key("aes256-cbc").as_str(), cut] {
            let hits = hits(Format::Putty, &[], form.as_bytes());
            assert_eq!(
                hits.iter().map(|h| h.confidence).collect::<Vec<_>>(),
                [Some(Confidence::Low)],
                "{form}"
            );
        }
    }

    #[test]
    fn mentions_are_no_keys() {
        let whole = key("none");
        ignores(Format::Putty, &[], "if line.startswith(\"PuTTY-User-Key-File-2: \"):");
        ignores(Format::Putty, &[], &whole[..whole.find("Private-Lines").unwrap()]);
        ignores(Format::Putty, &[], &whole.replace("File-2", "File-9"));
    }
}
