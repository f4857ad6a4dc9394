//! The escapes of each way to escape text, one at a time.

use super::join;
use super::place::Place;
use crate::finding::Span;

/// A way to escape text. Families are decoded apart: what one calls an escape is plain text to
/// another, and text escaped twice is decoded twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `%41`, as in URLs.
    Percent,
    /// `\u0041`, `\x41`, `\101`, `\/`: strings of programming languages, JSON, YAML, TOML.
    Backslash,
    /// `&#65;`, `&#x41;`, `&quot;`: HTML and XML.
    Entity,
    /// `=41`, and `=` at the end of a line: mail.
    Quoted,
    /// `"abc" +` and `"def"` on the next line: strings in pieces.
    Joined,
}

/// All families.
pub(super) const FAMILIES: [Family; 5] =
    [Family::Percent, Family::Backslash, Family::Entity, Family::Quoted, Family::Joined];

/// One escape and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    /// The escape in the encoded text.
    pub(super) source: Span,
    /// The place it is found by: its first byte, or the line feed between joined strings.
    found_at: usize,
    /// What it stands for: the first `len` bytes.
    text: [u8; 4],
    len: u8,
    /// Name of the encoding.
    pub(super) name: &'static str,
    /// It can hide part of a secret. Escapes that are in all text of their kind (`\n`, `&lt;`,
    /// letters beyond ASCII) are decoded, but are no reason to look.
    pub(super) strong: bool,
}

impl Escape {
    pub(super) fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place {
        Place { source: self.source, found_at: self.found_at }
    }

    /// An escape from `start` to `end` for nothing at all, found by the byte at `found_at`.
    pub(super) fn gap(start: usize, end: usize, found_at: usize, name: &'static str) -> Self {
        Self { source: Span::new(start, end), found_at, text: [0; 4], len: 0, name, strong: true }
    }

    fn byte(start: usize, end: usize, byte: u8, name: &'static str) -> Self {
        let strong = byte.is_ascii_graphic();
        Self { source: Span::new(start, end), found_at: start, text: [byte, 0, 0, 0], len: 1, name, strong }
    }

    fn weak(self) -> Self {
        Self { strong: false, ..self }
    }

    fn scalar(start: usize, end: usize, value: u32, name: &'static str) -> Option<Self> {
        let mut text = [0; 4];
        let len = char::from_u32(value)?.encode_utf8(&mut text).len() as u8;
        let strong = (0x21..0x7f).contains(&value);
        Some(Self { source: Span::new(start, end), found_at: start, text, len, name, strong })
    }
}

impl Family {
    /// The byte that all its escapes begin with; joined strings have none.
    pub(super) fn lead(self) -> Option<u8> {
        match self {
            Self::Percent => Some(b'%'),
            Self::Backslash => Some(b'\\'),
            Self::Entity => Some(b'&'),
            Self::Quoted => Some(b'='),
            Self::Joined => None,
        }
    }

    /// The escape at `at`, if there is one.
    pub(super) fn escape(self, bytes: &[u8], at: usize) -> Option<Escape> {
        match self {
            Self::Percent => percent(bytes, at),
            Self::Backslash => backslash(bytes, at),
            Self::Entity => entity(bytes, at),
            Self::Quoted => quoted(bytes, at),
            Self::Joined => None,
        }
    }

    /// The escape at `at` if it is a reason to decode the text around it.
    ///
    /// For joined strings, `at` is the line feed between them; else it is the escape's first byte.
    pub(super) fn trigger(self, bytes: &[u8], at: usize) -> Option<Escape> {
        let escape = match self {
            Self::Joined => join::at(bytes, at),
            Self::Backslash if is_escaped(bytes, at) => None,
            Self::Percent | Self::Backslash | Self::Entity | Self::Quoted => self.escape(bytes, at),
        };
        escape.filter(|escape| escape.strong)
    }
}

/// Whether the backslash at `at` is itself escaped by an odd number of them before it.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    /// Backslashes counted; more of them in a row are no string.
    const MOST: usize = 64;
    bytes[..at].iter().rev().take(MOST).take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// The number that the hexadecimal digits from `from` to `to` write.
fn hex(bytes: &[u8], from: usize, to: usize) -> Option<u32> {
    bytes.get(from..to)?.iter().try_fold(0, |value, &byte| Some(value << 4 | char::from(byte).to_digit(16)?))
}

fn percent(bytes: &[u8], at: usize) -> Option<Escape> {
    if bytes.get(at) != Some(&b'%') {
        return None;
    }
    Some(Escape::byte(at, at + 3, hex(bytes, at + 1, at + 3)? as u8, "percent"))
}

fn backslash(bytes: &[u8], at: usize) -> Option<Escape> {
    if bytes.get(at) != Some(&b'\\') {
        return None;
    }
    let plain = |byte| Some(Escape::byte(at, at + 2, byte, "string-escape").weak());
    match *bytes.get(at + 1)? {
        b'x' => Some(Escape::byte(at, at + 4, hex(bytes, at + 2, at + 4)? as u8, "hex-escape")),
        b'u' => unicode(bytes, at),
        b'U' => Escape::scalar(at, at + 10, hex(bytes, at + 2, at + 10)?, "unicode-escape"),
        b'0'..=b'3' if is_octal(bytes, at + 1) => {
            let digit = |place: usize| bytes[at + place] - b'0';
            Some(Escape::byte(at, at + 4, digit(1) << 6 | digit(2) << 3 | digit(3), "octal-escape"))
        }
        b'/' => Some(Escape::byte(at, at + 2, b'/', "string-escape")),
        b'n' => plain(b'\n'),
        b'r' => plain(b'\r'),
        b't' => plain(b'\t'),
        byte @ (b'"' | b'\'' | b'`' | b'\\') => plain(byte),
        _ => None,
    }
}

fn is_octal(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 3).is_some_and(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')))
}

/// `\u0041`, a surrogate pair of them, or `\u{41}`.
fn unicode(bytes: &[u8], at: usize) -> Option<Escape> {
    const NAME: &str = "unicode-escape";
    if bytes.get(at + 2) == Some(&b'{') {
        let digits = bytes[at + 3..].iter().take(7).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let end = at + 3 + digits;
        let closed = (1..=6).contains(&digits) && bytes.get(end) == Some(&b'}');
        return Escape::scalar(at, end + 1, hex(bytes, at + 3, end).filter(|_| closed)?, NAME);
    }
    let unit = hex(bytes, at + 2, at + 6)?;
    if (0xd800..0xdc00).contains(&unit) {
        let low = hex(bytes, at + 8, at + 12).filter(|_| bytes[at + 6..].starts_with(b"\\u"))?;
        let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        return Escape::scalar(at, at + 12, 0x10000 + ((unit - 0xd800) << 10) + low, NAME);
    }
    Escape::scalar(at, at + 6, unit, NAME)
}

/// Named characters that can stand in or around a secret.
const NAMED: [(&[u8], u8); 17] = [
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"equals", b'='),
    (b"colon", b':'),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"commat", b'@'),
    (b"lowbar", b'_'),
    (b"num", b'#'),
    (b"plus", b'+'),
    (b"period", b'.'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"nbsp", b' '),
];

fn entity(bytes: &[u8], at: usize) -> Option<Escape> {
    const NAME: &str = "html-entity";
    /// Longest text between `&` and `;`.
    const LONGEST: usize = 8;
    if bytes.get(at) != Some(&b'&') {
        return None;
    }
    let rest = &bytes[at + 1..];
    let len = rest.iter().take(LONGEST + 1).position(|&byte| byte == b';')?;
    let (name, end) = (&rest[..len], at + len + 2);
    if let Some(number) = name.strip_prefix(b"#") {
        let value = match number.strip_prefix(b"x").or_else(|| number.strip_prefix(b"X")) {
            Some(digits) if !digits.is_empty() => hex(digits, 0, digits.len())?,
            Some(_) => return None,
            None => std::str::from_utf8(number).ok()?.parse().ok()?,
        };
        return Escape::scalar(at, end, value, NAME);
    }
    let (_, byte) = NAMED.into_iter().find(|(known, _)| *known == name)?;
    let escape = Escape::byte(at, end, byte, NAME);
    Some(if matches!(byte, b'&' | b'<' | b'>') { escape.weak() } else { escape })
}

/// Shortest line that mail software wraps, without the `=` at its end …
const WRAPPED: usize = 60;
/// … and longest: RFC 2045 §6.7 (5). Lines of base64 end in `=` too, but are seldom of that length.
const LONGEST_WRAPPED: usize = 75;

fn quoted(bytes: &[u8], at: usize) -> Option<Escape> {
    const NAME: &str = "quoted-printable";
    if bytes.get(at) != Some(&b'=') {
        return None;
    }
    let rest = &bytes[at + 1..];
    let wrap = if rest.starts_with(b"\n") { 1 } else { 2 * usize::from(rest.starts_with(b"\r\n")) };
    if wrap > 0 {
        let graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
        let above = bytes[..at].iter().rev().take(LONGEST_WRAPPED + 1).position(|&byte| byte == b'\n');
        let long = (WRAPPED..=LONGEST_WRAPPED).contains(&above.unwrap_or(at));
        let torn = long && graphic(bytes.get(at - 1)) && graphic(rest.get(wrap));
        return torn.then(|| Escape::gap(at, at + 1 + wrap, at, NAME));
    }
    let lower = rest.iter().take(2).any(u8::is_ascii_lowercase);
    let value = hex(bytes, at + 1, at + 3).filter(|_| !lower)? as u8;
    let escape = Escape::byte(at, at + 3, value, NAME);
    // `=3D` is in all such text and in hardly any other; `x=20` is everywhere.
    Some(if value == b'=' { escape } else { escape.weak() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(family: Family, text: &str) -> Option<(String, usize, bool)> {
        let escape = family.escape(text.as_bytes(), 0)?;
        assert_eq!(escape.source.start, 0);
        Some((String::from_utf8_lossy(escape.text()).into_owned(), escape.source.end, escape.strong))
    }

    #[test]
    fn each_escape_stands_for_one_character() {
        let strong = [
            (Family::Percent, "%41", "A"),
            (Family::Percent, "%3d", "="),
            (Family::Backslash, "\\x41", "A"),
            (Family::Backslash, "\\u0041", "A"),
            (Family::Backslash, "\\u{41}", "A"),
            (Family::Backslash, "\\U00000041", "A"),
            (Family::Backslash, "\\101", "A"),
            (Family::Backslash, "\\/", "/"),
            (Family::Entity, "&#65;", "A"),
            (Family::Entity, "&#x41;", "A"),
            (Family::Entity, "&quot;", "\""),
            (Family::Quoted, "=3D", "="),
        ];
        for (family, text, plain) in strong {
            assert_eq!(decoded(family, text), Some((plain.to_owned(), text.len(), true)), "{text}");
        }
    }

    #[test]
    fn common_escapes_are_no_reason_to_look() {
        for (family, text) in [
            (Family::Percent, "%20"),
            (Family::Backslash, "\\n"),
            (Family::Backslash, "\\\""),
            (Family::Backslash, "\\u00e9"),
            (Family::Backslash, "\\ud83d\\ude00"),
            (Family::Backslash, "\\033"),
            (Family::Entity, "&amp;"),
            (Family::Quoted, "=C3"),
        ] {
            assert_eq!(decoded(family, text).map(|found| found.2), Some(false), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_escape_is_none() {
        for (family, text) in [
            (Family::Percent, "%d"),
            (Family::Percent, "%4"),
            (Family::Backslash, "\\d"),
            (Family::Backslash, "\\u12"),
            (Family::Backslash, "\\ud83d"),
            (Family::Entity, "& "),
            (Family::Entity, "&unknown;"),
            (Family::Entity, "&#x;"),
            (Family::Quoted, "=x"),
            (Family::Quoted, "=\nx"),
        ] {
            assert_eq!(decoded(family, text), None, "{text}");
        }
        assert!(Family::Backslash.trigger(b"\\\\x41", 1).is_none());
    }
}
