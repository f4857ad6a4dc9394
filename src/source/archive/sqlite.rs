//! SQLite databases: the text and the blobs of their records, one value a line.
//!
//! Layout after <https://www.sqlite.org/fileformat2.html>. Pages are gone through from front to
//! back, not from the root of each tree, so nothing can loop, and pages nobody refers to are read
//! as well. A value that is divided over overflow pages is put together. What is no cell of a
//! well-formed page (free pages, deleted rows) is scanned as bytes.

use std::io;

use super::format::{Format, is_container};
use super::walk::Walk;
use crate::finding::Origin;

/// Bytes in front of the first page's own header.
const HEADER: usize = 100;
/// Bytes of one record that are put together; the rest is scanned in its pages.
const MAX_RECORD: usize = 32 << 20;
/// Bytes of text that are held before they are scanned.
const TEXT: usize = 256 << 10;
/// Longest text that is put beside another as its name.
const MAX_NAME: usize = 64;

/// Reads a database in memory; true when its header makes sense.
pub(super) fn read(walk: &Walk<'_>, content: &[u8], origin: &Origin, depth: u32) -> bool {
    let Some(file) = File::open(content) else {
        walk.damaged(origin, Format::Sqlite);
        return false;
    };
    let mut seen = Seen::new(file.pages());
    let mut rows = Rows { walk, origin, depth, text: Vec::new(), page: 0 };
    for number in 0..file.pages() {
        if file.page(number, &mut seen, &mut rows).is_err() {
            break;
        }
    }
    rows.flush();
    if walk.account.is_stopped() {
        return true;
    }
    let mut rest = 0;
    for number in 0..file.pages() {
        let start = number * file.page;
        if seen.overflow[number] {
            walk.region(content, rest..start, origin);
            rest = start + file.page;
            continue;
        }
        for (first, last) in &seen.cells[number] {
            walk.region(content, rest..start + usize::from(*first), origin);
            rest = rest.max(start + usize::from(*last) + 1);
        }
    }
    walk.region(content, rest..content.len(), origin);
    if file.is_cut_off() {
        walk.damaged(origin, Format::Sqlite);
    }
    true
}

/// Texts of records, on their way to the sink.
struct Rows<'r> {
    walk: &'r Walk<'r>,
    origin: &'r Origin,
    depth: u32,
    text: Vec<u8>,
    /// Where the text begins, counted from 1.
    page: usize,
}

impl Rows<'_> {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            let path = format!("page-{}", self.page);
            // NOTE: memory does not fail, and a budget that is used up is told once for all.
            let _ = self.walk.member(self.origin, path.as_bytes(), &mut &self.text[..], self.depth);
        }
        self.text.clear();
    }

    /// A blob that is a container of its own.
    fn blob(&self, page: usize, blob: &[u8]) {
        let path = format!("page-{page}-blob");
        // NOTE: as above.
        let _ = self.walk.member(self.origin, path.as_bytes(), &mut &blob[..], self.depth);
    }
}

/// What was read as records.
struct Seen {
    /// By page: first and last byte of each cell, ascending.
    cells: Vec<Vec<(u16, u16)>>,
    /// By page: whether it carries on a record.
    overflow: Vec<bool>,
}

impl Seen {
    fn new(pages: usize) -> Self {
        Self { cells: vec![Vec::new(); pages], overflow: vec![false; pages] }
    }
}

struct File<'c> {
    content: &'c [u8],
    page: usize,
    /// Bytes of a page that are not reserved at its end.
    usable: usize,
    /// UTF-16 in place of UTF-8, and the order of its bytes.
    wide: Option<fn([u8; 2]) -> u16>,
}

impl<'c> File<'c> {
    fn open(content: &'c [u8]) -> Option<Self> {
        let header = content.get(..HEADER)?;
        let page = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 1 << 16,
            size => usize::from(size),
        };
        let usable = page.checked_sub(usize::from(header[20]))?;
        let wide: Option<fn([u8; 2]) -> u16> = match header[59] {
            2 => Some(u16::from_le_bytes),
            3 => Some(u16::from_be_bytes),
            _ => None,
        };
        (page.is_power_of_two() && page >= 512 && usable >= 480 && content.len() >= page).then_some(Self {
            content,
            page,
            usable,
            wide,
        })
    }

    fn pages(&self) -> usize {
        self.content.len() / self.page
    }

    /// Whether there are fewer pages than the header says, where what it says counts.
    fn is_cut_off(&self) -> bool {
        let header = &self.content[..HEADER];
        header[24..28] == header[92..96] && u32_at(header, 28).is_some_and(|count| count > self.pages())
    }

    /// Writes the records on a page to `rows`, and notes in `seen` which bytes they are.
    ///
    /// # Errors
    /// When a budget is used up.
    fn page(&self, number: usize, seen: &mut Seen, rows: &mut Rows<'_>) -> io::Result<()> {
        let start = number * self.page;
        let page = &self.content[start..start + self.page];
        let header = if number == 0 { HEADER } else { 0 };
        let (is_table, pointers, child) = match page[header] {
            0x0d => (true, header + 8, 0),
            0x0a => (false, header + 8, 0),
            0x02 => (false, header + 12, 4),
            _ => return Ok(()),
        };
        let count = usize::from(u16_at(page, header + 3));
        let Some(pointers) = page.get(pointers..pointers + 2 * count) else { return Ok(()) };
        let mut starts: Vec<u16> = pointers.chunks_exact(2).map(|pair| u16_at(pair, 0)).collect();
        starts.sort_unstable();
        starts.dedup();
        for at in starts {
            let Some(record) = self.record(page, usize::from(at) + child, is_table) else { continue };
            // What overlaps is taken from the budget each time.
            rows.walk.account.spend(record.payload.len() as u64)?;
            if rows.text.is_empty() {
                rows.page = number + 1;
            }
            if self.write(&record.payload, number + 1, rows).is_some() && record.whole {
                seen.cells[number].push((at, (record.end - 1) as u16));
                record.overflow.into_iter().for_each(|page| seen.overflow[page] = true);
            }
            if rows.text.len() >= TEXT {
                rows.flush();
            }
        }
        Ok(())
    }

    /// The record in the cell at `at` of `page`.
    fn record(&self, page: &[u8], mut at: usize, is_table: bool) -> Option<Record> {
        let len = varint(page, &mut at)?;
        if is_table {
            varint(page, &mut at)?;
        }
        let len = usize::try_from(len).ok().filter(|&len| len <= self.content.len())?;
        let most = if is_table { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        if len <= most {
            let payload = page.get(at..at + len)?.to_vec();
            return Some(Record { payload, end: at + len, whole: true, overflow: Vec::new() });
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let local = least + (len - least) % (self.usable - 4);
        let local = if local <= most { local } else { least };
        let end = at + local;
        let mut payload = page.get(at..end)?.to_vec();
        let mut next = u32_at(page, end)?;
        let mut overflow = Vec::new();
        while payload.len() < len.min(MAX_RECORD) {
            // Pages are counted from 1.
            let Some(place) = next.checked_sub(1).filter(|&place| place < self.pages()) else { break };
            let page = &self.content[place * self.page..][..self.usable];
            let more = (len - payload.len()).min(self.usable - 4);
            payload.extend_from_slice(&page[4..4 + more]);
            overflow.push(place);
            next = u32_at(page, 0)?;
        }
        Some(Record { whole: payload.len() == len, payload, end: end + 4, overflow })
    }

    /// Writes the texts and blobs of a record, one a line, and a name and its value side by side;
    /// none when it is not well-formed.
    fn write(&self, record: &[u8], page: usize, rows: &mut Rows<'_>) -> Option<()> {
        let mut at = 0;
        let head = usize::try_from(varint(record, &mut at)?).ok().filter(|&head| head <= record.len())?;
        let mut values = Vec::new();
        let mut body = head;
        while at < head {
            let kind = varint(record, &mut at)?;
            let len = match kind {
                0 | 8 | 9 => 0,
                1..=4 => kind as usize,
                5 => 6,
                6 | 7 => 8,
                10 | 11 => return None,
                _ => usize::try_from((kind - 12) / 2).ok()?,
            };
            // A record that was not put together in full ends early.
            let end = body.saturating_add(len).min(record.len());
            if kind >= 12 && body < end {
                values.push((kind % 2 == 1, &record[body..end]));
            }
            body = end;
        }
        let text = &mut rows.text;
        if let [(true, name), (true, value)] = values[..]
            && self.is_name(name)
        {
            self.append(name, true, text);
            text.extend_from_slice(b" = \"");
            self.append(value, true, text);
            text.extend_from_slice(b"\"\n");
            return Some(());
        }
        for (is_text, value) in values {
            if !is_text && is_container(value) {
                rows.blob(page, value);
            } else {
                self.append(value, is_text, &mut rows.text);
                rows.text.push(b'\n');
            }
        }
        Some(())
    }

    fn is_name(&self, value: &[u8]) -> bool {
        let mut plain = value.iter().filter(|&&byte| byte != 0 || self.wide.is_none());
        value.len() <= MAX_NAME && plain.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
    }

    fn append(&self, value: &[u8], is_text: bool, text: &mut Vec<u8>) {
        let Some(order) = self.wide.filter(|_| is_text) else { return text.extend_from_slice(value) };
        let units = value.chunks_exact(2).map(|pair| order([pair[0], pair[1]]));
        let letters = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        letters.for_each(|c| text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
    }
}

struct Record {
    payload: Vec<u8>,
    /// Where its cell ends in its page.
    end: usize,
    /// All of it is in `payload`.
    whole: bool,
    /// Pages that carry it on, counted from 0.
    overflow: Vec<usize>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_be_bytes(*bytes.get(at..at + 4)?.first_chunk()?) as usize)
}

/// Seven bits a byte, the high ones first, at most nine bytes, the last of them with eight bits.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for count in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if count == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}
