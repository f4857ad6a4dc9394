//! Whether decoded bytes are text.

use std::borrow::Cow;

use super::super::format::store;

/// Bytes at the start of a decoding that decide whether the rest is worth decoding.
pub(super) const START: usize = 12;

/// Printable ASCII, tab, line feed and carriage return.
pub(super) const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Whether bytes that begin with `start` can be something worth following: text, UTF-16 or
/// compressed data.
pub(super) fn promising(start: &[u8; START]) -> bool {
    if start.iter().all(|&byte| is_plain(byte))
        || is_compressed(start)
        || wide(start).is_some()
        || store::begins(start)
    {
        return true;
    }
    let odd = |byte: &u8| *byte < 0x80 && !is_plain(*byte);
    if start.iter().any(odd) {
        return false;
    }
    match std::str::from_utf8(start) {
        Ok(_) => true,
        // A character cut by the end of the sample.
        Err(error) => error.error_len().is_none() && error.valid_up_to() + 3 >= START,
    }
}

/// Whether bytes that begin like this, as far as they are known, can be UTF-16 or compressed.
#[inline]
pub(super) fn may_be_packed(start: &[u8; START]) -> bool {
    matches!(start, [0, ..] | [_, 0, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || is_compressed(start)
        || store::may_begin(start)
}

/// Whether a gzip or zlib stream starts here.
pub(super) fn is_compressed(start: &[u8]) -> bool {
    match start {
        [0x1f, 0x8b, 8, flags, ..] => flags & 0xe0 == 0,
        [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..] => (0x7800 + u16::from(*flags)) % 31 == 0,
        _ => false,
    }
}

/// How UTF-16 text that starts like this stores its units: `true` when the low byte comes first.
fn wide(start: &[u8]) -> Option<bool> {
    let ascii =
        |low: usize| start.chunks_exact(2).skip(1).all(|unit| unit[1 - low] == 0 && is_plain(unit[low]));
    match start {
        [0xff, 0xfe, ..] | [0x09..=0x7e, 0, ..] if ascii(0) => Some(true),
        [0xfe, 0xff, ..] | [0, 0x09..=0x7e, ..] if ascii(1) => Some(false),
        _ => None,
    }
}

/// The text that `bytes` are, and the name of its encoding when it is not the usual one; none
/// when they are no text.
pub(super) fn as_text(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, Option<&'static str>)> {
    if let Some(little) = bytes.get(..START).and_then(wide) {
        let units = bytes.chunks_exact(2).map(|unit| {
            let unit = [unit[0], unit[1]];
            if little { u16::from_le_bytes(unit) } else { u16::from_be_bytes(unit) }
        });
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        let name = if little { "utf-16le" } else { "utf-16be" };
        return Some((Cow::Owned(text.into_bytes()), Some(name)));
    }
    // Keys in binary form are no text, but worth a look.
    (store::begins(bytes) || mostly_printable(bytes)).then_some((Cow::Borrowed(bytes), None))
}

/// Whether nine of ten bytes are printable: plain, or part of well-formed UTF-8.
fn mostly_printable(bytes: &[u8]) -> bool {
    let plain = bytes.iter().filter(|&&byte| is_plain(byte)).count();
    if plain * 10 >= bytes.len() * 9 {
        return true;
    }
    let odd: usize = bytes
        .utf8_chunks()
        .map(|chunk| {
            chunk.invalid().len() + chunk.valid().bytes().filter(|&b| b < 0x80 && !is_plain(b)).count()
        })
        .sum();
    odd * 10 <= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_archives_promise_something_and_noise_does_not() {
        let start = |bytes: &[u8]| promising(bytes[..START].try_into().expect("twelve"));
        assert!(start(b"key = value\n "));
        assert!(start("ключ = значение".as_bytes()));
        assert!(start(b"k\0e\0y\0=\0v\0a\0"));
        assert!(start(b"\x1f\x8b\x08\0\0\0\0\0\0\x03ab"));
        assert!(!start(b"key = \x01value"));
        assert!(!start(&[0x9b; 12]));
    }

    #[test]
    fn wide_text_becomes_narrow() {
        let (text, name) = as_text(b"k\0e\0y\0=\0v\0a\0l\0").expect("text");
        assert_eq!((&*text, name), (&b"key=val"[..], Some("utf-16le")));
        assert!(as_text(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).is_none());
    }
}
