//! Reading the body of a `-----BEGIN …-----` block, however it was pasted into other text.
//!
//! Shared by the `pem` format (is this a private key?) and the `pem` checksum (is it whole?).
//! Understood around the base64: line ends real or escaped (`\n`, `\\n`, `\r\n`), indentation,
//! a quote pair and `+ . ,` between the lines of a string constant, a comment or diff marker
//! that also stands before `BEGIN`, header lines (`Proc-Type: …`), the OpenPGP checksum line.

use base64::Engine as _;

use super::super::checksum::LENIENT;

/// Most bytes a gap between two string constants may have.
const GAP: usize = 64;

/// How far left the line of `BEGIN` is looked at.
const MAX_LINE: usize = 256;

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Armor {
    /// The base64 characters of the body, without padding.
    pub base64: Vec<u8>,
    /// The four characters of an OpenPGP checksum line.
    pub crc: Option<[u8; 4]>,
    /// A `Proc-Type` header says that the content is encrypted.
    pub encrypted: bool,
    /// One past the last byte that belongs to the body.
    pub body_end: usize,
    /// One past the `END` line, when it is there and carries the same label.
    pub end: Option<usize>,
}

impl Armor {
    /// Reads the body that starts at `from`, just behind the dashes of the `BEGIN` line.
    ///
    /// `marker` is what stands before every line (see [`line_marker`]); nothing at or after
    /// `limit` is read. Linear in the bytes read.
    pub(in crate::engine) fn read(
        bytes: &[u8],
        from: usize,
        limit: usize,
        label: &[u8],
        marker: &[u8],
    ) -> Self {
        let window = &bytes[..limit.min(bytes.len())];
        let mut reader =
            Reader { window, at: from, marker, armor: Armor { body_end: from, ..Armor::default() } };
        reader.run(label);
        reader.armor
    }

    /// The decoded content; empty when it is no base64.
    pub(in crate::engine) fn decode(&self) -> Vec<u8> {
        // A truncated body may end with a single character, which encodes nothing.
        let whole = if self.base64.len() % 4 == 1 { self.base64.len() - 1 } else { self.base64.len() };
        LENIENT.decode(&self.base64[..whole]).unwrap_or_default()
    }
}

/// The comment, quote or diff marker that begins the line of `start`, when one does: up to four
/// marks, with a blank or nothing but `start` behind them; or the `+` or `-` of a diff.
pub(in crate::engine) fn line_marker(bytes: &[u8], start: usize) -> &[u8] {
    const MARKS: &[u8] = b"#/;*->|+%!:";
    let left = &bytes[start.saturating_sub(MAX_LINE)..start];
    let line = left.iter().rposition(|&b| b == b'\n').map_or(left, |i| &left[i + 1..]);
    if let [mark @ (b'+' | b'-'), ..] = line {
        // A diff: nothing need separate its marks from the text.
        return std::slice::from_ref(mark);
    }
    let line = line.trim_ascii_start();
    let length = line.iter().take_while(|b| MARKS.contains(b)).count();
    let ends = matches!(line.get(length), None | Some(b' ' | b'\t'));
    if ends && length <= 4 { &line[..length] } else { b"" }
}

struct Reader<'a> {
    window: &'a [u8],
    at: usize,
    marker: &'a [u8],
    armor: Armor,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.window[self.at..]
    }

    fn run(&mut self, label: &[u8]) {
        let mut line_start = true;
        while let Some(&byte) = self.window.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.skip_marker();
                    line_start = true;
                    continue;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' => line_start |= self.skip_escape(),
                b'&' => {
                    if !self.skip_entity() {
                        return;
                    }
                    line_start = true;
                }
                b'"' | b'\'' | b'`' => {
                    if !self.skip_gap() {
                        return;
                    }
                }
                b'-' => {
                    self.armor.end = self.end_line(label);
                    return;
                }
                b'=' => {
                    self.at += 1;
                    if line_start {
                        self.read_crc();
                        line_start = false;
                    }
                }
                _ if line_start && self.armor.base64.is_empty() && self.skip_header() => {}
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => {
                    self.armor.base64.push(byte);
                    self.at += 1;
                    self.armor.body_end = self.at;
                    line_start = false;
                }
                _ => return,
            }
        }
    }

    fn skip_marker(&mut self) {
        if self.marker.is_empty() {
            return;
        }
        let blanks = self.rest().iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let line = &self.rest()[blanks..];
        // The dashes of the last line are not a marker of their own.
        if line.starts_with(self.marker) && !line.starts_with(b"-----END ") {
            self.at += blanks + self.marker.len();
        }
    }

    /// Skips a line end written as a numeric character reference.
    fn skip_entity(&mut self) -> bool {
        const LINE_ENDS: [&[u8]; 6] = [b"&#10;", b"&#13;", b"&#xA;", b"&#xD;", b"&#xa;", b"&#xd;"];
        let Some(entity) = LINE_ENDS.iter().find(|entity| self.rest().starts_with(entity)) else {
            return false;
        };
        self.at += entity.len();
        true
    }

    /// Skips backslashes and the letter they escape; whether that was a line end.
    fn skip_escape(&mut self) -> bool {
        while self.window.get(self.at) == Some(&b'\\') {
            self.at += 1;
        }
        match self.window.get(self.at) {
            Some(b'n' | b'r') => {
                self.at += 1;
                true
            }
            Some(b't') => {
                self.at += 1;
                false
            }
            Some(b'u')
                if self
                    .rest()
                    .get(1..5)
                    .is_some_and(|d| matches!(d, b"000a" | b"000A" | b"000d" | b"000D")) =>
            {
                self.at += 5;
                true
            }
            // A `\` before `/` or a line end changes nothing.
            _ => false,
        }
    }

    /// Skips from one string constant to the next; false when none follows.
    fn skip_gap(&mut self) -> bool {
        const BETWEEN: &[u8] = b" \t\r\n+.,&\\()";
        let gap = &self.rest()[1..];
        let skipped = gap.iter().take(GAP).take_while(|b| BETWEEN.contains(b)).count();
        match gap.get(skipped) {
            Some(b'"' | b'\'' | b'`') if skipped < GAP => {
                self.at += skipped + 2;
                true
            }
            // `"-----BEGIN …-----"` alone on its line, the next line without quotes: none.
            _ => false,
        }
    }

    /// Skips `Name: value` and its line end, noting encryption; false when no header is here.
    fn skip_header(&mut self) -> bool {
        let rest = self.rest();
        let name = rest.iter().take(65).take_while(|&&b| b.is_ascii_alphanumeric() || b == b'-').count();
        if name == 0 || name > 64 || rest.get(name) != Some(&b':') {
            return false;
        }
        let value = &rest[name + 1..];
        let end = value.iter().take(256).position(|b| matches!(b, b'\n' | b'\\' | b'"')).unwrap_or(0);
        self.armor.encrypted |= rest[..name].eq_ignore_ascii_case(b"Proc-Type")
            && value[..end].trim_ascii_end().ends_with(b"ENCRYPTED");
        self.at += name + 1 + end;
        end > 0
    }

    fn read_crc(&mut self) {
        let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        if let Some(&crc) = self.rest().first_chunk::<4>()
            && crc.iter().all(is_base64)
        {
            self.armor.crc = Some(crc);
            self.at += 4;
            self.armor.body_end = self.at;
        }
    }

    fn end_line(&self, label: &[u8]) -> Option<usize> {
        let after = self.rest().strip_prefix(b"-----END ")?.strip_prefix(label)?;
        after.starts_with(b"-----").then(|| self.window.len() - after.len() + 5)
    }
}
