//! Token runs that are base64 or hexadecimal of text.
//!
//! Base64 in either alphabet, padded or not, on one line or wrapped over many (by line feeds, or
//! by `\n` inside a string). Wrapped lines belong to the first of them, which is the trigger.

use std::ops::Range;

use super::layer::{Layer, Map};
use super::text::{self, START};
use super::{MAX_ENCODED, inflate};
use crate::finding::Span;
use crate::rule::class::ByteSet;

/// Shortest base64 that is decoded: 18 bytes of text.
const MIN_BASE64: usize = 24;
/// Shortest hexadecimal that is decoded: 16 bytes of text.
const MIN_HEX: usize = 32;
/// Shortest line that another may continue.
const MIN_LINE: usize = 32;
/// Most blanks at the start of a wrapped line.
const MAX_INDENT: usize = 64;

/// Not a base64 digit.
const NONE: u8 = 0xff;

/// Values of base64 digits in both alphabets.
const DIGIT: [u8; 256] = {
    let mut table = [NONE; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// Values of hexadecimal digits.
const HEX: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        table[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

/// Whether the run of at least `len` bytes at `start` may be encoded text. Asked for every run:
/// says no after a few bytes.
#[inline]
pub(in crate::engine) fn may_be_encoded(bytes: &[u8], start: usize, len: usize) -> bool {
    len >= MIN_BASE64 && promising(bytes, start)
}

fn promising(bytes: &[u8], start: usize) -> bool {
    let digits = &bytes[first_digit(bytes, start)..];
    starts_base64(digits) || starts_hex(hex_digits(digits))
}

/// Where the digits of the run at `start` begin: behind the letter of an escape (`\n`) that it
/// took in.
fn first_digit(bytes: &[u8], start: usize) -> usize {
    let escaped = start > 0 && bytes[start - 1] == b'\\';
    start + usize::from(escaped && matches!(bytes[start], b'n' | b'r' | b't'))
}

/// Without a `0x` in front.
fn hex_digits(digits: &[u8]) -> &[u8] {
    digits.strip_prefix(b"0x").or_else(|| digits.strip_prefix(b"\\x")).unwrap_or(digits)
}

fn starts_base64(digits: &[u8]) -> bool {
    let Some(first) = digits.first_chunk::<16>() else { return false };
    let mut start = [0; START];
    for (index, group) in first.chunks_exact(4).enumerate() {
        let digit = |value: u32, &digit: &u8| value << 6 | u32::from(DIGIT[usize::from(digit)] & 63);
        let bytes = &group.iter().fold(0, digit).to_be_bytes()[1..];
        start[3 * index..3 * index + 3].copy_from_slice(bytes);
        // Most runs end here: three bytes without controls are rare already.
        if bytes.iter().any(|&byte| byte < 0x80 && !text::is_plain(byte)) && !text::may_be_packed(&start) {
            return false;
        }
    }
    text::promising(&start)
}

fn starts_hex(digits: &[u8]) -> bool {
    let Some(first) = digits.first_chunk::<{ 2 * START }>() else { return false };
    let mut start = [0; START];
    for (pair, byte) in first.chunks_exact(2).zip(&mut start) {
        let (high, low) = (HEX[usize::from(pair[0])], HEX[usize::from(pair[1])]);
        if high == NONE || low == NONE {
            return false;
        }
        *byte = high << 4 | low;
    }
    text::promising(&start)
}

/// All that decides what [`layers`] makes of the run at `run`, when that is at most one layer whose
/// first byte is also given; `None` when it may go on over several lines.
///
/// The range may end behind `bytes`.
pub(super) fn reads(bytes: &[u8], run: usize) -> Option<(Range<usize>, usize)> {
    /// The longest break between two lines, and what may stand before and behind the digits.
    const EDGE: usize = 8;
    let in_run = |byte: &&u8| ByteSet::RUN.has(**byte);
    let len = bytes[run..].iter().take(MAX_ENCODED).take_while(in_run).count();
    let start = first_digit(bytes, run);
    if pieces(bytes, start, run + len).len() > 1 {
        return None;
    }
    let blanks = bytes[..run].iter().rev().take(MAX_INDENT).take_while(|byte| is_blank(**byte)).count();
    let above = (run - blanks).saturating_sub(EDGE);
    // What stands above is read up to its start, or beyond all that can matter.
    let line = bytes[..above].iter().rev().take(MAX_ENCODED).take_while(in_run).count();
    let first = above - line;
    // The next line does not go on from this one: it has no digits, or more of them.
    let next = EDGE + MAX_INDENT + len + 1;
    Some((first.saturating_sub(EDGE)..run + len + next, start))
}

/// The texts the run at `run` is an encoding of; none when it continues the line above.
pub(super) fn layers(bytes: &[u8], run: usize) -> Vec<Layer> {
    let len = bytes[run..].iter().take(MAX_ENCODED).take_while(|&&byte| ByteSet::RUN.has(byte)).count();
    let end = run + len;
    if !may_be_encoded(bytes, run, len) {
        return Vec::new();
    }
    let start = first_digit(bytes, run);
    if continues(bytes, run, start, end) {
        return Vec::new();
    }
    let hex = hex_digits(&bytes[start..end]);
    let hex_start = end - hex.len();
    if hex.len() >= MIN_HEX && hex.len() <= MAX_ENCODED && hex.iter().all(|&b| HEX[usize::from(b)] != NONE) {
        let found = hex_layer(hex, hex_start, start);
        if found.is_some() {
            return found.into_iter().collect();
        }
    }
    let pieces = pieces(bytes, start, end);
    if let Some(layer) = base64_layer(bytes, pieces.clone()) {
        return vec![layer];
    }
    if pieces.len() < 2 {
        return Vec::new();
    }
    // Lines that only look like one text.
    pieces.into_iter().filter_map(|piece| base64_layer(bytes, vec![piece])).collect()
}

fn hex_layer(hex: &[u8], hex_start: usize, start: usize) -> Option<Layer> {
    let decoded: Vec<u8> =
        hex.chunks_exact(2).map(|pair| HEX[usize::from(pair[0])] << 4 | HEX[usize::from(pair[1])]).collect();
    let map = Map::Digits { pieces: vec![(hex_start, hex.len())], digits: 2, bytes: 1 };
    layer(decoded, "hex", map, Span::new(start, hex_start + hex.len()))
}

fn base64_layer(bytes: &[u8], pieces: Vec<(usize, usize)>) -> Option<Layer> {
    let (&(start, _), &(last, len)) = (pieces.first()?, pieces.last()?);
    let total: usize = pieces.iter().map(|piece| piece.1).sum();
    if total < MIN_BASE64 {
        return None;
    }
    let mut decoded = Vec::with_capacity(total / 4 * 3 + 3);
    let mut url = false;
    let (mut value, mut digits) = (0_u32, 0);
    for &(start, len) in &pieces {
        for &digit in &bytes[start..start + len] {
            url |= matches!(digit, b'-' | b'_');
            value = value << 6 | u32::from(DIGIT[usize::from(digit)] & 63);
            digits += 1;
            if digits == 4 {
                decoded.extend_from_slice(&value.to_be_bytes()[1..]);
                (value, digits) = (0, 0);
            }
        }
    }
    match digits {
        2 => decoded.push((value >> 4) as u8),
        3 => decoded.extend_from_slice(&((value >> 2) as u16).to_be_bytes()),
        _ => {}
    }
    let padding = bytes[last + len..].iter().take(2).take_while(|&&byte| byte == b'=').count();
    let name = if url { "base64url" } else { "base64" };
    let span = Span::new(start, last + len + padding);
    layer(decoded, name, Map::Digits { pieces, digits: 4, bytes: 3 }, span)
}

/// The layer for `decoded`, inflated and narrowed as needed; none when it is no text.
fn layer(decoded: Vec<u8>, name: &'static str, map: Map, span: Span) -> Option<Layer> {
    let mut chain = vec![name];
    let (decoded, map, cut) = if text::is_compressed(&decoded) {
        match inflate::inflate(&decoded) {
            Some(inflated) => {
                chain.push(inflated.name);
                (inflated.bytes, Map::Whole, inflated.cut)
            }
            None => (decoded, map, false),
        }
    } else {
        (decoded, map, false)
    };
    let (text, wide) = text::as_text(&decoded)?;
    chain.extend(wide);
    let map = if wide.is_some() { Map::Whole } else { map };
    let text = text.into_owned();
    Some(Layer { span, text, chain, map, whole: true, cut })
}

/// The lines of base64 from `start` on: each at least [`MIN_LINE`] digits but for the last, none
/// longer than the one before.
fn pieces(bytes: &[u8], start: usize, end: usize) -> Vec<(usize, usize)> {
    let limit = bytes.len().min(start + MAX_ENCODED);
    let end = end.min(limit);
    let mut pieces = vec![(start, end - start)];
    let mut at = end;
    loop {
        let (_, len) = pieces[pieces.len() - 1];
        if len < MIN_LINE {
            break;
        }
        let Some(next) = after_break(bytes, at) else { break };
        let more = bytes[next..limit.max(next)].iter().take_while(|&&byte| ByteSet::RUN.has(byte)).count();
        if more == 0 || more > len {
            break;
        }
        pieces.push((next, more));
        at = next + more;
    }
    pieces
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where a line that is wrapped at `at` goes on.
fn after_break(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let broken = [&b"\r\n"[..], b"\n", b"\\r\\n", b"\\n", b"\\\n", b"\\\r\n"]
        .into_iter()
        .find(|wrap| rest.starts_with(wrap))?;
    let from = at + broken.len();
    let indent = bytes[from..].iter().take(MAX_INDENT).take_while(|byte| is_blank(**byte)).count();
    Some(from + indent)
}

/// Whether the digits from `start` to `end` (a run that began at `run`) continue the line above.
fn continues(bytes: &[u8], run: usize, start: usize, end: usize) -> bool {
    // The break before, from its end: blanks, then a line feed or the escape for one.
    let (mut at, escaped) = if start > run { (run - 1, true) } else { (run, false) };
    if escaped {
        if bytes[..at].ends_with(b"\\r") {
            at -= 2;
        }
    } else {
        let blanks = bytes[..at].iter().rev().take(MAX_INDENT).take_while(|b| is_blank(**b)).count();
        at -= blanks;
        // An escape at the end of the blanks: `\n    abc`, where the letter is no digit.
        let before = &bytes[..at];
        let broken = [&b"\\\r\n"[..], b"\\\n", b"\r\n", b"\n", b"\\r\\n", b"\\n"]
            .into_iter()
            .find(|wrap| before.ends_with(wrap));
        match broken {
            Some(wrap) => at -= wrap.len(),
            None => return false,
        }
    }
    let len = bytes[..at].iter().rev().take(MAX_ENCODED).take_while(|&&byte| ByteSet::RUN.has(byte)).count();
    // The run above may itself begin with the letter of an escape.
    let begin = at - len;
    let glued =
        begin > 0 && bytes[begin - 1] == b'\\' && len > 0 && matches!(bytes[begin], b'n' | b'r' | b't');
    let len = len - usize::from(glued);
    len >= MIN_LINE && end - start <= len
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(String, Vec<&'static str>, Span)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let len = bytes[at..].iter().take_while(|&&byte| ByteSet::RUN.has(byte)).count();
            if len >= 16 {
                for layer in layers(bytes, at) {
                    found.push((String::from_utf8_lossy(&layer.text).into_owned(), layer.chain, layer.span));
                }
            }
            at += len.max(1);
        }
        found
    }

    const PLAIN: &str =
        "the quick brown fox jumps over the lazy dog, and over the fence behind it, too: 0123456789";

    #[test]
    fn both_alphabets_with_and_without_padding() {
        let standard = STANDARD.encode(PLAIN);
        let found = texts(format!("x: {standard}\n").as_bytes());
        assert_eq!(found, [(PLAIN.to_owned(), vec!["base64"], Span::new(3, 3 + standard.len()))]);
        let url = URL_SAFE_NO_PAD.encode("a~~?>?>?>>>???~~~~~~~ is text, too");
        assert!(url.contains(['-', '_']), "{url}");
        assert_eq!(texts(url.as_bytes())[0].1, ["base64url"]);
    }

    #[test]
    fn wrapped_lines_are_one_text() {
        let long = PLAIN.repeat(3);
        let digits = STANDARD.encode(&long);
        for wrap in ["\n", "\r\n", "\n    ", "\\n", "\\r\\n", "\\\n  "] {
            let lines: Vec<&str> =
                digits.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ascii")).collect();
            let text = format!("data: {}\n# next\n", lines.join(wrap));
            let found = texts(text.as_bytes());
            assert_eq!(found.len(), 1, "{wrap:?}: {found:?}");
            assert_eq!(found[0].0, long, "{wrap:?}");
            assert_eq!(found[0].2.start, 6);
        }
    }

    #[test]
    fn hexadecimal_is_decoded_and_digests_are_not() {
        let hex: String = PLAIN.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(texts(hex.as_bytes())[0].0, PLAIN);
        assert_eq!(texts(format!("0x{}", hex.to_uppercase()).as_bytes())[0].1, ["hex"]);
        assert_eq!(texts("d41d8cd98f00b204e9800998ecf8427e".as_bytes()), []);
    }

    #[test]
    fn identifiers_are_no_text() {
        for name in ["some_long_function_name_of_a_library", "SOME/path/to/a/directory/in/a/tree"] {
            assert_eq!(texts(name.as_bytes()), [], "{name}");
        }
    }
}
