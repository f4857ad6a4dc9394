//! Makes text safe for terminals and logs: what cannot be seen is spelled out.

use std::io;

use serde::Serialize;

/// `text` with control characters as `\xNN` and invisible direction marks as `\u{NNNN}`.
///
/// Tabs become spaces. Direction marks are spelled out because they make a line read otherwise
/// than it is (CVE-2021-42574).
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            _ if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ if is_direction_mark(c) => out.push_str(&format!("\\u{{{:04x}}}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// Writes `value` as JSON, indented if `pretty`, with a line end. The characters serde leaves raw but
/// terminals act on (DEL, C1, direction marks) are escaped: in JSON they can stand only inside strings, so
/// the document stays the same.
pub(super) fn write_json(value: &impl Serialize, pretty: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut escaper = Escaper { out, held: Vec::with_capacity(2 * PIECE) };
    match pretty {
        true => serde_json::to_writer_pretty(&mut escaper, value),
        false => serde_json::to_writer(&mut escaper, value),
    }?;
    escaper.held.push(b'\n');
    escaper.pass_on(0)
}

/// Bytes that are looked through at a time.
const PIECE: usize = 1 << 16;

/// Passes JSON on, a piece at a time, so that no report is held as text.
struct Escaper<'a> {
    out: &'a mut dyn io::Write,
    held: Vec<u8>,
}

impl Escaper<'_> {
    /// Passes on all that is held but for the last bytes, fewer than `most`, that may begin a character.
    fn pass_on(&mut self, most: usize) -> io::Result<()> {
        let whole = match std::str::from_utf8(&self.held) {
            Ok(_) => self.held.len(),
            Err(error) if self.held.len() - error.valid_up_to() < most => error.valid_up_to(),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        let text = std::str::from_utf8(&self.held[..whole]).unwrap_or_default();
        let mut from = 0;
        for (at, odd) in odd(text) {
            self.out.write_all(&self.held[from..at])?;
            write!(self.out, "\\u{:04x}", u32::from(odd))?;
            from = at + odd.len_utf8();
        }
        self.out.write_all(&self.held[from..whole])?;
        self.held.drain(..whole);
        Ok(())
    }
}

impl io::Write for Escaper<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE {
            self.pass_on(4)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The characters of `text` that have to be escaped, and where they are.
fn odd(text: &str) -> impl Iterator<Item = (usize, char)> {
    let is_odd = |c: char| matches!(c, '\u{7f}'..='\u{9f}') || is_direction_mark(c);
    // NOTE: the bytes that all of them begin with.
    let mut most = memchr::memchr3_iter(0x7f, 0xc2, 0xe2, text.as_bytes()).peekable();
    let mut rest = memchr::memchr_iter(0xd8, text.as_bytes()).peekable();
    let begins = std::iter::from_fn(move || match (most.peek(), rest.peek()) {
        (Some(one), Some(other)) if one > other => rest.next(),
        (None, _) => rest.next(),
        (Some(_), _) => most.next(),
    });
    begins.filter_map(move |at| text[at..].chars().next().filter(|&c| is_odd(c)).map(|c| (at, c)))
}

fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_survives() {
        assert_eq!(visible("a\x1b[31m\tb\u{202e}c\u{9b}"), "a\\x1b[31m b\\u{202e}c\\x9b");
        assert_eq!(visible("ümlaut … ok"), "ümlaut … ok");
    }

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        write_json(&text, false, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("JSON is text")
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "a\u{7f}b\u{202e}c\u{85}d\u{61c}e\u{2066}";
        let json = json(text);
        assert!(json.is_ascii() && json.ends_with("\"\n"), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("still JSON"), text);
    }

    #[test]
    fn long_json_is_that_of_its_parts() {
        // Characters of one to four bytes fall on every place of the pieces.
        for shift in 0..7 {
            let text = "x".repeat(shift) + &"aé…\u{202e}😀\u{9b}ب\u{61c}".repeat(2 * PIECE / 20);
            let json = json(&text);
            assert!(!json.contains(['\u{202e}', '\u{9b}', '\u{61c}']) && json.contains("é…"), "{shift}");
            assert_eq!(serde_json::from_str::<String>(&json).expect("still JSON"), text);
        }
    }
}
