//! Which encoding content is in, and its text as UTF-8.
//!
//! Separate from reading because it is pure: bytes in, bytes out, no error. Offsets of what is
//! found later count the transcoded bytes.

use std::borrow::Cow;

use crate::chunk::Encoding;

/// Bytes that decide the encoding of content without a byte order mark.
///
/// Git looks at 8,000 bytes; more makes the guess for UTF-16 without mark safer.
pub const SAMPLE: usize = 32 * 1024;

/// Encoding of content, as far as scanning needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// UTF-8, ASCII or any 8-bit encoding that agrees with ASCII.
    Plain,
    /// Not text.
    Binary,
    /// UTF-16, least significant byte first.
    Utf16Le,
    /// UTF-16, most significant byte first.
    Utf16Be,
    /// UTF-32, least significant byte first.
    Utf32Le,
    /// UTF-32, most significant byte first.
    Utf32Be,
}

impl Coding {
    /// Bytes of one code unit; 1 where nothing is transcoded.
    #[must_use]
    pub const fn unit(self) -> usize {
        match self {
            Self::Plain | Self::Binary => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32Le | Self::Utf32Be => 4,
        }
    }

    /// What chunks of such content are called.
    #[must_use]
    pub const fn encoding(self) -> Encoding {
        match self {
            Self::Plain => Encoding::Plain,
            Self::Binary => Encoding::Binary,
            Self::Utf16Le => Encoding::Transcoded("utf-16le"),
            Self::Utf16Be => Encoding::Transcoded("utf-16be"),
            Self::Utf32Le => Encoding::Transcoded("utf-32le"),
            Self::Utf32Be => Encoding::Transcoded("utf-32be"),
        }
    }

    /// The code unit that the first `unit()` bytes of `raw` hold.
    fn read(self, raw: &[u8]) -> u32 {
        match self {
            Self::Plain | Self::Binary => u32::from(raw[0]),
            Self::Utf16Le => u32::from(u16::from_le_bytes([raw[0], raw[1]])),
            Self::Utf16Be => u32::from(u16::from_be_bytes([raw[0], raw[1]])),
            Self::Utf32Le => u32::from_le_bytes([raw[0], raw[1], raw[2], raw[3]]),
            Self::Utf32Be => u32::from_be_bytes([raw[0], raw[1], raw[2], raw[3]]),
        }
    }
}

/// Tells the encoding from a byte order mark, else from where NUL bytes stand in the first
/// [`SAMPLE`] bytes.
///
/// A wrong guess loses nothing: whoever feeds transcoded content to the engine also feeds the
/// raw bytes when [`hides_ascii`] says that transcoding may have swallowed some.
#[must_use]
pub fn detect(content: &[u8]) -> Coding {
    if let Some(coding) = wide_mark(content) {
        return coding;
    }
    let sample = &content[..content.len().min(SAMPLE)];
    if is_clean(sample) {
        return Coding::Plain;
    }
    if memchr::memchr(0, sample).is_none() {
        return if mostly_controls(sample) { Coding::Binary } else { Coding::Plain };
    }
    [Coding::Utf32Le, Coding::Utf32Be, Coding::Utf16Le, Coding::Utf16Be]
        .into_iter()
        .find(|&coding| reads_as(coding, sample))
        .unwrap_or(Coding::Binary)
}

/// Content as UTF-8 (or untouched, where it is no wide encoding), and what it was.
#[must_use]
pub fn decode(content: &[u8]) -> (Cow<'_, [u8]>, Encoding) {
    let coding = detect(content);
    if coding.unit() == 1 {
        return (Cow::Borrowed(content), coding.encoding());
    }
    let mut text = Vec::with_capacity(content.len() / coding.unit() + content.len() / 8);
    let mut transcoder = Transcoder::new(coding);
    transcoder.push(content, &mut text);
    transcoder.finish(&mut text);
    (Cow::Owned(text), coding.encoding())
}

/// Whether `raw`, taken for UTF-16 or UTF-32, holds runs of plain ASCII long enough for a token.
///
/// Such runs turn into other letters when transcoded: a byte order mark in front of an ASCII
/// file would hide all of it.
#[must_use]
pub fn hides_ascii(raw: &[u8]) -> bool {
    /// Shortest run that can hold a token of any rule.
    const TOKEN: usize = 16;
    raw.split(|byte| !byte.is_ascii_graphic()).any(|run| run.len() >= TOKEN)
}

/// Turns UTF-16 or UTF-32 into UTF-8, piece by piece.
///
/// Ill-formed units become U+FFFD; a byte order mark at the start is dropped.
#[derive(Debug)]
pub struct Transcoder {
    coding: Coding,
    /// Bytes of a code unit that was cut by the end of a piece; fewer than `coding.unit()`.
    cut: Vec<u8>,
    /// First half of a surrogate pair.
    high: Option<u32>,
    at_start: bool,
}

impl Transcoder {
    /// Starts at the first byte of content in `coding`.
    #[must_use]
    pub fn new(coding: Coding) -> Self {
        Self { coding, cut: Vec::new(), high: None, at_start: true }
    }

    /// Appends the text of the next piece to `text`.
    pub fn push(&mut self, mut piece: &[u8], text: &mut Vec<u8>) {
        let unit = self.coding.unit();
        if unit == 1 {
            text.extend_from_slice(piece);
            return;
        }
        while !self.cut.is_empty() && !piece.is_empty() {
            self.cut.push(piece[0]);
            piece = &piece[1..];
            if self.cut.len() == unit {
                let value = self.coding.read(&self.cut);
                self.cut.clear();
                self.unit(value, text);
            }
        }
        let units = piece.chunks_exact(unit);
        self.cut.extend_from_slice(units.remainder());
        for raw in units {
            self.unit(self.coding.read(raw), text);
        }
    }

    /// Ends the content: what was cut short is ill-formed.
    pub fn finish(&mut self, text: &mut Vec<u8>) {
        if self.high.take().is_some() || !self.cut.is_empty() {
            self.cut.clear();
            append(char::REPLACEMENT_CHARACTER, text);
        }
    }

    fn unit(&mut self, unit: u32, text: &mut Vec<u8>) {
        if std::mem::take(&mut self.at_start) && unit == 0xfeff {
            return;
        }
        let wide = self.coding.unit() == 2;
        if let Some(high) = self.high.take() {
            if (0xdc00..0xe000).contains(&unit) {
                let scalar = 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00);
                append(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), text);
                return;
            }
            append(char::REPLACEMENT_CHARACTER, text);
        }
        if wide && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            append(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), text);
        }
    }
}

fn append(c: char, text: &mut Vec<u8>) {
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Control bytes that text does not hold: all below space but tab, LF, FF, CR, BS, BEL and ESC.
fn is_odd_control(unit: u32) -> bool {
    unit < 0x20 && ![0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b].contains(&unit)
}

/// Whether none of the bytes is one that text does not hold. Content whose first [`SAMPLE`] bytes are
/// so, in whatever parts one looks at them, is [`Coding::Plain`] unless it has a byte order mark.
#[must_use]
pub fn is_clean(part: &[u8]) -> bool {
    // In short stretches, which compile to vector code.
    part.chunks(256).all(|stretch| !stretch.iter().fold(false, |any, &byte| any | is_odd(byte)))
}

/// The wide encoding whose byte order mark content starts with.
#[must_use]
pub fn wide_mark(content: &[u8]) -> Option<Coding> {
    match content {
        [0xff, 0xfe, 0, 0, ..] => Some(Coding::Utf32Le),
        [0, 0, 0xfe, 0xff, ..] => Some(Coding::Utf32Be),
        [0xff, 0xfe, ..] => Some(Coding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Coding::Utf16Be),
        _ => None,
    }
}

/// [`is_odd_control`] for bytes, without branches.
const fn is_odd(byte: u8) -> bool {
    (byte < 0x20) & !((byte.wrapping_sub(7) < 7) & (byte != 0x0b)) & (byte != 0x1b)
}

/// Whether more than one byte in ten is a control that text does not hold.
fn mostly_controls(sample: &[u8]) -> bool {
    // Counted in bytes per short stretch, which compiles to vector code.
    let count = |stretch: &[u8]| stretch.iter().map(|&b| u8::from(is_odd(b))).sum::<u8>();
    let odd: usize = sample.chunks(128).map(|stretch| usize::from(count(stretch))).sum();
    odd * 10 > sample.len()
}

/// Whether `sample` makes sense as text in `coding`: only scalars, no odd controls, and at least
/// one unit in eight (one in 50 for long samples) is ASCII, as spaces, digits and line ends are.
fn reads_as(coding: Coding, sample: &[u8]) -> bool {
    let unit = coding.unit();
    let whole = sample.len() / unit;
    if whole < 2 || (sample.len() < SAMPLE && !sample.len().is_multiple_of(unit)) {
        return false;
    }
    let mut ascii = 0;
    let mut high = false;
    for raw in sample.chunks_exact(unit) {
        let value = coding.read(raw);
        let low = (0xdc00..0xe000).contains(&value);
        if value == 0 || is_odd_control(value) || value >= 0x11_0000 || value & 0xfffe == 0xfffe {
            return false;
        }
        if low != high {
            return false;
        }
        high = unit == 2 && (0xd800..0xdc00).contains(&value);
        if unit == 4 && (0xd800..0xe000).contains(&value) {
            return false;
        }
        ascii += usize::from(value < 0x80);
    }
    ascii * if whole >= 400 { 50 } else { 8 } >= whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str, coding: Coding) -> Vec<u8> {
        let mut raw = Vec::new();
        match coding {
            Coding::Plain | Coding::Binary => raw.extend_from_slice(text.as_bytes()),
            Coding::Utf16Le => text.encode_utf16().for_each(|u| raw.extend(u.to_le_bytes())),
            Coding::Utf16Be => text.encode_utf16().for_each(|u| raw.extend(u.to_be_bytes())),
            Coding::Utf32Le => text.chars().for_each(|c| raw.extend((c as u32).to_le_bytes())),
            Coding::Utf32Be => text.chars().for_each(|c| raw.extend((c as u32).to_be_bytes())),
        }
        raw
    }

    const WIDE: [Coding; 4] = [Coding::Utf16Le, Coding::Utf16Be, Coding::Utf32Le, Coding::Utf32Be];

    #[test]
    fn wide_text_is_recognised_with_and_without_mark() {
        for coding in WIDE {
            for text in ["key = value\n", "пароль = секрет 1\r\n", "😀 smile\t✓ ok"] {
                for mark in ["", "\u{feff}"] {
                    let raw = encode(&format!("{mark}{text}"), coding);
                    let (decoded, encoding) = decode(&raw);
                    assert_eq!(encoding, coding.encoding(), "{text:?} {mark:?}");
                    assert_eq!(&*decoded, text.as_bytes());
                }
            }
        }
    }

    #[test]
    fn plain_and_binary_content_is_borrowed() {
        let elf = [b"\x7fELF\x02\x01\x01\0\0\0\0\0".as_slice(), &[0; 64]].concat();
        for (content, encoding) in [
            (b"plain text\n".as_slice(), Encoding::Plain),
            (b"", Encoding::Plain),
            (b"\xef\xbb\xbfwith mark", Encoding::Plain),
            (b"caf\xe9 in Latin-1", Encoding::Plain),
            (b"\x1b[31mred\x1b[0m", Encoding::Plain),
            (&elf, Encoding::Binary),
            (b"PK\x03\x04\x14\0\0\0\x08\0", Encoding::Binary),
            (b"a\0", Encoding::Binary),
            (b"\x01\x02\x03\x04\x05", Encoding::Binary),
        ] {
            let (decoded, found) = decode(content);
            assert_eq!(found, encoding, "{content:?}");
            assert!(matches!(decoded, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn ill_formed_units_become_replacement_characters() {
        let raw = [0xff, 0xfe, 0x00, 0xd8, b'a', 0, 0x00, 0xdc, b'b'];
        assert_eq!(&*decode(&raw).0, "\u{fffd}a\u{fffd}\u{fffd}".as_bytes());
    }

    #[test]
    fn ascii_behind_a_false_mark_is_noticed() {
        assert!(hides_ascii(b"\xff\xfepassword=0123456789"));
        assert!(!hides_ascii(&encode("password=0123456789", Coding::Utf16Le)));
    }

    proptest! {
        #[test]
        fn any_bytes_decode(content in prop::collection::vec(any::<u8>(), 0..300)) {
            let (decoded, encoding) = decode(&content);
            prop_assert!(decoded.len() <= content.len() * 3 / 2 + 3);
            if !matches!(encoding, Encoding::Transcoded(_)) {
                prop_assert_eq!(&*decoded, &content[..]);
            } else {
                prop_assert!(std::str::from_utf8(&decoded).is_ok());
            }
        }

        #[test]
        fn transcoding_in_pieces_equals_the_whole(
            text in "\\PC{0,60}", cuts in prop::collection::vec(0usize..240, 0..6), which in 0usize..4
        ) {
            let coding = WIDE[which];
            let raw = encode(&text, coding);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(raw.len())).collect();
            cuts.extend([0, raw.len()]);
            cuts.sort_unstable();
            let (mut transcoder, mut out) = (Transcoder::new(coding), Vec::new());
            cuts.windows(2).for_each(|pair| transcoder.push(&raw[pair[0]..pair[1]], &mut out));
            transcoder.finish(&mut out);
            prop_assert_eq!(out, text.trim_start_matches('\u{feff}').as_bytes());
        }
    }
}
