//! PDF documents: what their streams say.
//!
//! Streams are found by their keywords, not by the cross-reference table, so damaged and
//! incremental documents are read as well. Of page contents the shown text is put together (a
//! word is often shown in pieces); other streams (metadata, objects, attachments) are scanned as
//! they are. Fonts that give letters numbers of their own are not looked into.

use std::io::Read;
use std::ops::Range;

use flate2::bufread::ZlibDecoder;

use super::walk::Walk;
use crate::finding::Origin;

/// Farthest a stream's dictionary begins before it.
const MAX_DICTIONARY: usize = 4096;
/// Kerning wider than this many thousandths of a letter's height is a blank.
const BLANK: f32 = 200.0;

/// Reads a document in memory; true when all its streams were read.
pub(super) fn read(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    // The word may as well stand in a text: what can be read is read, whatever it says.
    let locked = memchr::memmem::rfind(content, b"/Encrypt").is_some();
    if locked {
        walk.encrypted();
    }
    let mut at = 0;
    while let Some(stream) = next_stream(content, at) {
        // What stands between the streams: dictionaries, and texts in them.
        walk.region(content, at..stream.data.start, origin);
        at = stream.data.end;
        if stream.is_packed() && !stream.inflates() {
            walk.region(content, stream.data.clone(), origin);
            continue;
        }
        let data = &content[stream.data.clone()];
        let mut unpacked = Vec::new();
        // NOTE: the checksum at the end is often missing, and what came before it is of use.
        let _ = if stream.is_packed() {
            walk.metered(ZlibDecoder::new(data)).take(MOST).read_to_end(&mut unpacked)
        } else {
            walk.metered(data).take(MOST).read_to_end(&mut unpacked)
        };
        if walk.account.is_stopped() {
            return false;
        }
        let text = shown(&unpacked);
        let text = text.as_deref().unwrap_or(&unpacked);
        let path = format!("object-{}", stream.object);
        if !text.is_empty() && walk.member(origin, path.as_bytes(), &mut &*text, depth).is_err() {
            return false;
        }
    }
    walk.region(content, at..content.len(), origin);
    !locked
}

/// Most bytes one stream is unpacked to.
const MOST: u64 = 32 << 20;

struct Stream<'c> {
    dictionary: &'c [u8],
    data: Range<usize>,
    /// Number of the object, 0 when it is not told.
    object: u32,
}

impl Stream<'_> {
    fn has(&self, name: &[u8]) -> bool {
        memchr::memmem::find_iter(self.dictionary, name)
            .any(|at| self.dictionary.get(at + name.len()).is_none_or(|next| !next.is_ascii_alphanumeric()))
    }

    fn is_packed(&self) -> bool {
        self.has(b"/Filter")
    }

    /// Deflated and nothing else. Images have filters of their own.
    fn inflates(&self) -> bool {
        let others: [&[u8]; 7] = [
            b"/DCTDecode",
            b"/JPXDecode",
            b"/CCITTFaxDecode",
            b"/JBIG2Decode",
            b"/LZWDecode",
            b"/ASCII85Decode",
            b"/ASCIIHexDecode",
        ];
        (self.has(b"/FlateDecode") || self.has(b"/Fl")) && !others.into_iter().any(|name| self.has(name))
    }
}

/// The next stream from `at` on.
fn next_stream(content: &[u8], at: usize) -> Option<Stream<'_>> {
    let mut from = at;
    loop {
        let keyword = from + memchr::memmem::find(&content[from..], b"stream")?;
        from = keyword + b"stream".len();
        let start = match content.get(from..) {
            Some([b'\r', b'\n', ..]) => from + 2,
            Some([b'\n' | b'\r', ..]) => from + 1,
            _ => continue,
        };
        let before = content[..keyword].trim_ascii_end();
        if !before.ends_with(b">>") {
            continue;
        }
        let low = before.len().saturating_sub(MAX_DICTIONARY).max(at.min(before.len()));
        let object = memchr::memmem::rfind(&before[low..], b" obj").map(|place| low + place);
        let dictionary = &before[object.unwrap_or(low)..];
        let end =
            memchr::memmem::find(&content[start..], b"endstream").map_or(content.len(), |end| start + end);
        let object = object.map_or(0, |place| number_before(&before[..place]));
        return Some(Stream { dictionary, data: start..end, object });
    }
}

/// The object's number in `12 0 obj`, given what stands before ` obj`.
fn number_before(text: &[u8]) -> u32 {
    let tail = &text[text.len().saturating_sub(32)..];
    let mut words = tail.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty()).rev();
    let number = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
    number.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The text that page content shows; none when it shows none.
fn shown(content: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut pending: Vec<u8> = Vec::new();
    let mut any = false;
    let mut at = 0;
    let mut in_array = false;
    while at < content.len() {
        match content[at] {
            b'(' => at = literal(content, at, &mut pending),
            b'<' if content.get(at + 1) != Some(&b'<') => at = hexadecimal(content, at, &mut pending),
            b'[' | b']' => {
                in_array = content[at] == b'[';
                at += 1;
            }
            b'%' => at += memchr::memchr(b'\n', &content[at..]).unwrap_or(content.len() - at),
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'\'' | b'"' | b'*') => {
                let len = content[at..]
                    .iter()
                    .take_while(|b| {
                        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'\'' | b'"' | b'*')
                    })
                    .count();
                let word = &content[at..at + len];
                match word {
                    b"Tj" | b"TJ" => {
                        any = true;
                        text.append(&mut pending);
                    }
                    b"'" | b"\"" => {
                        any = true;
                        text.push(b'\n');
                        text.append(&mut pending);
                    }
                    b"Td" | b"TD" | b"T*" | b"Tm" | b"ET" => text.push(b'\n'),
                    _ if in_array => {
                        let number: Option<f32> = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
                        if number.is_some_and(|number| number < -BLANK) {
                            pending.push(b' ');
                        }
                    }
                    _ => {}
                }
                if word.iter().any(u8::is_ascii_alphabetic) {
                    pending.clear();
                }
                at += len;
            }
            _ => at += 1,
        }
    }
    any.then_some(text)
}

/// Appends the string in parentheses at `at`; returns where it ends.
fn literal(content: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let mut depth = 0;
    let mut at = at;
    while let Some(&byte) = content.get(at) {
        at += 1;
        match byte {
            b'(' => {
                if depth > 0 {
                    text.push(byte);
                }
                depth += 1;
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
                text.push(byte);
            }
            b'\\' => {
                let Some(&next) = content.get(at) else { break };
                at += 1;
                match next {
                    b'n' => text.push(b'\n'),
                    b'r' => text.push(b'\r'),
                    b't' => text.push(b'\t'),
                    b'\n' => {}
                    b'0'..=b'7' => {
                        let digits =
                            content[at - 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
                        let (count, value) = digits.fold((0, 0_u32), |(count, value), &b| {
                            (count + 1, value * 8 + u32::from(b - b'0'))
                        });
                        text.push(value as u8);
                        at += count - 1;
                    }
                    other => text.push(other),
                }
            }
            // Letters of two bytes, the first of them nought.
            0 => {}
            other => text.push(other),
        }
    }
    at
}

/// Appends the string in angle brackets at `at`; returns where it ends.
fn hexadecimal(content: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let end = memchr::memchr(b'>', &content[at..]).map_or(content.len(), |end| at + end);
    let digits: Vec<u8> =
        content[at..end].iter().filter_map(|&byte| Some(char::from(byte).to_digit(16)? as u8)).collect();
    text.extend(
        digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).filter(|&b| b != 0),
    );
    end + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_pieces_is_put_together() {
        let page = b"BT /F1 12 Tf 72 700 Td [(to) -10 (ken\\075) 3 (ab)] TJ 0 -14 Td (next \\(line\\)) Tj ET";
        assert_eq!(shown(page).as_deref(), Some(&b"\ntoken=ab\nnext (line)\n"[..]));
        assert_eq!(shown(b"[(a) -300 (b)] TJ <00630064> Tj").as_deref(), Some(&b"a bcd"[..]));
        assert_eq!(shown(b"<x:xmpmeta>text</x:xmpmeta>"), None);
    }

    #[test]
    fn streams_are_found_with_their_objects() {
        let document =
            b"%PDF-1.4\n7 0 obj\n<< /Length 3 >>\nstream\nabc\nendstream\nendobj\nstream of words\n";
        let stream = next_stream(document, 0).expect("one");
        assert_eq!((stream.object, &document[stream.data.clone()]), (7, &b"abc\n"[..]));
        assert!(!stream.is_packed());
        assert!(next_stream(document, stream.data.end).is_none());
    }
}
