//! Binary property lists: settings of Apple's programs, profiles, archived objects.
//!
//! Layout after `CFBinaryPList.c` of <https://github.com/apple-oss-distributions/CF>. The table of
//! objects is gone through from front to back, so nothing can loop. Strings are text, one a line;
//! those that a dictionary names are `key = "value"`. Data is a member of its own.

use super::format::Format;
use super::walk::{Walk, drain};
use crate::finding::Origin;

const MAGIC: usize = 8;
const TRAILER: usize = 32;
/// Longest key and value that are put side by side.
const MAX_PAIRED: usize = 4096;
/// Bytes of text that are held before they are scanned.
const TEXT: usize = 1 << 20;
/// Path of the strings.
const STRINGS: &[u8] = b"strings";

/// Reads a property list in memory; true when all of it was read.
pub(super) fn read(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    let Some(table) = Table::find(content) else {
        walk.damaged(origin, Format::Plist);
        return false;
    };
    let mut scan = Scan { walk, origin, depth, text: Vec::new(), paired: vec![false; table.count] };
    let mut whole = true;
    // Dictionaries that overlap could make this take for ever.
    let mut left = content.len();
    for number in 0..table.count {
        match table.object(number) {
            Some(Object::Dictionary(references)) if references.len() <= left => {
                left -= references.len();
                scan.dictionary(&table, references);
            }
            Some(Object::Ascii(_) | Object::Wide(_) | Object::Data(_) | Object::Other) => {}
            Some(Object::Dictionary(_)) | None => whole = false,
        }
    }
    for number in 0..table.count {
        if walk.account.is_stopped() {
            return false;
        }
        match table.object(number) {
            Some(Object::Data(data)) => {
                let path = format!("data-{number}");
                // NOTE: memory does not fail, and a budget that is used up is told once for all.
                let _ = walk.member(origin, path.as_bytes(), &mut walk.metered(data), depth);
            }
            Some(Object::Ascii(_) | Object::Wide(_)) if scan.paired[number] => {}
            Some(string @ (Object::Ascii(_) | Object::Wide(_))) => {
                string.append(&mut scan.text);
                scan.line();
            }
            Some(Object::Dictionary(_) | Object::Other) | None => {}
        }
    }
    scan.flush();
    if !whole {
        walk.damaged(origin, Format::Plist);
    }
    whole
}

struct Scan<'s> {
    walk: &'s Walk<'s>,
    origin: &'s Origin,
    depth: u32,
    text: Vec<u8>,
    /// Strings that were written as a key or a value.
    paired: Vec<bool>,
}

impl Scan<'_> {
    /// Writes the pairs of a dictionary: the first half of its references are keys.
    fn dictionary(&mut self, table: &Table<'_>, references: &[u8]) {
        let (keys, values) = references.split_at(references.len() / 2);
        for (key, value) in table.references(keys).zip(table.references(values)) {
            let short = |number| table.object(number).filter(Object::is_short_string);
            let (Some(name), Some(text)) = (short(key), short(value)) else { continue };
            name.append(&mut self.text);
            self.text.extend_from_slice(b" = \"");
            text.append(&mut self.text);
            self.text.push(b'"');
            self.line();
            (self.paired[key], self.paired[value]) = (true, true);
            if self.walk.account.is_stopped() {
                return;
            }
        }
    }

    fn line(&mut self) {
        self.text.push(b'\n');
        if self.text.len() >= TEXT {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let mut text = self.walk.metered(&self.text[..]);
            // NOTE: as above.
            let _ = self.walk.member(self.origin, STRINGS, &mut text, self.depth);
            let _ = drain(&mut text);
        }
        self.text.clear();
    }
}

enum Object<'c> {
    Ascii(&'c [u8]),
    /// UTF-16, the high byte first.
    Wide(&'c [u8]),
    Data(&'c [u8]),
    /// References to the keys, then to the values.
    Dictionary(&'c [u8]),
    Other,
}

impl Object<'_> {
    fn is_short_string(&self) -> bool {
        matches!(self, Self::Ascii(text) | Self::Wide(text) if text.len() <= MAX_PAIRED)
    }

    /// Appends a string as UTF-8.
    fn append(&self, text: &mut Vec<u8>) {
        match self {
            Self::Ascii(ascii) => text.extend_from_slice(ascii),
            Self::Wide(wide) => {
                let units = wide.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                let letters = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
                letters.for_each(|c| text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
            }
            Self::Data(_) | Self::Dictionary(_) | Self::Other => {}
        }
    }
}

/// Where the objects are.
struct Table<'c> {
    /// All before the table.
    objects: &'c [u8],
    offsets: &'c [u8],
    offset_len: usize,
    reference_len: usize,
    count: usize,
}

impl<'c> Table<'c> {
    /// The table that the trailer tells of; none when it cannot be there.
    fn find(content: &'c [u8]) -> Option<Self> {
        let at = content.len().checked_sub(TRAILER).filter(|&at| at >= MAGIC)?;
        let trailer = &content[at..];
        let (offset_len, reference_len) = (usize::from(trailer[6]), usize::from(trailer[7]));
        if !(1..=8).contains(&offset_len) || !(1..=8).contains(&reference_len) {
            return None;
        }
        let count = number(&trailer[8..16])?;
        let start = number(&trailer[24..32])?;
        let end = count.checked_mul(offset_len)?.checked_add(start)?;
        let offsets = content[..at].get(start..end)?;
        Some(Self { objects: &content[..start], offsets, offset_len, reference_len, count })
    }

    /// An object by its number; none when it is damaged.
    fn object(&self, number_of: usize) -> Option<Object<'c>> {
        let at = number_of * self.offset_len;
        let start = number(self.offsets.get(at..at + self.offset_len)?)?;
        let (&marker, rest) = self.objects.get(start..)?.split_first()?;
        let (mut count, mut rest) = (usize::from(marker & 15), rest);
        if count == 15 && matches!(marker >> 4, 4..=7 | 13) {
            // The count is an integer object of its own.
            let (&kind, after) = rest.split_first()?;
            let len = 1 << (kind & 15).min(4);
            count = number(after.get(..len).filter(|_| kind >> 4 == 1)?)?;
            rest = &after[len..];
        }
        Some(match marker >> 4 {
            4 => Object::Data(rest.get(..count)?),
            // UTF-8 where it is newer than this format.
            5 | 7 => Object::Ascii(rest.get(..count)?),
            6 => Object::Wide(rest.get(..count.checked_mul(2)?)?),
            13 => Object::Dictionary(rest.get(..count.checked_mul(2 * self.reference_len)?)?),
            _ => Object::Other,
        })
    }

    fn references(&self, bytes: &'c [u8]) -> impl Iterator<Item = usize> + use<'c, '_> {
        // One that leads nowhere is a number that no object has.
        let last = self.count;
        bytes
            .chunks_exact(self.reference_len)
            .map(move |one| number(one).filter(|&number| number < last).unwrap_or(usize::MAX / 16))
    }
}

/// An unsigned number, the high byte first.
fn number(bytes: &[u8]) -> Option<usize> {
    bytes.iter().try_fold(0_usize, |value, &byte| Some(value.checked_mul(256)? | usize::from(byte)))
}
