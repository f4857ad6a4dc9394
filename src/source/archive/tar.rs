//! tar: old, POSIX (pax) and GNU.

use std::io::{self, BufRead, Read};

use super::walk::{Names, Walk, drain};
use crate::finding::Origin;

/// Bytes of a header, and what everything is padded to.
const BLOCK: usize = 512;
/// Longest name and longest extended header.
const MAX_EXTENDED: u64 = 1 << 20;

pub(super) fn read(walk: &Walk<'_>, reader: &mut dyn BufRead, origin: &Origin, depth: u32) -> io::Result<()> {
    let mut names = Names::new(walk, origin);
    let mut next = Next::default();
    let mut first = true;
    let mut header = [0; BLOCK];
    loop {
        match read_block(reader, &mut header)? {
            0 if first => return Err(io::ErrorKind::UnexpectedEof.into()),
            0 => return Ok(()),
            BLOCK => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        if header.iter().all(|&byte| byte == 0) {
            // The end, or zeros between joined archives; what follows is looked at all the same.
            continue;
        }
        if !checksum_holds(&header) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        first = false;
        let size =
            next.size.take().or_else(|| number(&header[124..136])).ok_or(io::ErrorKind::InvalidData)?;
        let mut data = (&mut *reader).take(size);
        match header[156] {
            b'L' => next.name = Some(text(&read_extended(&mut data)?).to_vec()),
            b'K' => names.add(text(&read_extended(&mut data)?)),
            b'x' => next.extend(&read_extended(&mut data)?, &mut names),
            b'g' => Next::default().extend(&read_extended(&mut data)?, &mut names),
            kind => {
                let name = next.name.take().unwrap_or_else(|| header_name(&header));
                names.add(&name);
                names.add(text(&header[157..257]));
                if size > 0 && kind != b'5' {
                    walk.member(origin, &name, &mut data, depth)?;
                }
            }
        }
        drain(&mut data)?;
        let cut = data.limit() > 0;
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        if cut || drain(&mut (&mut *reader).take(padding))? < padding {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// What an extended header says of the entry after it.
#[derive(Default)]
struct Next {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Next {
    /// Reads the records of a pax header, each `length key=value` and a line feed.
    fn extend(&mut self, mut records: &[u8], names: &mut Names<'_>) {
        names.add(records);
        while let Some(blank) = records.iter().position(|&byte| byte == b' ') {
            let len =
                std::str::from_utf8(&records[..blank]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(record) = len.and_then(|len| records.get(blank + 1..len)) else { return };
            let rest = blank + 1 + record.len();
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            if let Some(path) = record.strip_prefix(b"path=") {
                self.name = Some(path.to_vec());
            } else if let Some(size) = record.strip_prefix(b"size=") {
                self.size = std::str::from_utf8(size).ok().and_then(|digits| digits.parse().ok());
            }
            records = &records[rest..];
        }
    }
}

fn read_extended(data: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    data.take(MAX_EXTENDED).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes read: a whole block, or fewer at the end.
fn read_block(reader: &mut dyn BufRead, block: &mut [u8; BLOCK]) -> io::Result<usize> {
    let mut read = 0;
    while read < BLOCK {
        match reader.read(&mut block[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|&byte| byte == 0).unwrap_or(field.len())]
}

fn header_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        [prefix, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

/// Octal digits, or GNU's binary form for large numbers.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let high = u64::from(field[0] & 0x7f);
        return field[1..]
            .iter()
            .try_fold(high, |value, &byte| Some(value.checked_mul(256)? + u64::from(byte)));
    }
    let digits = field.iter().skip_while(|&&byte| byte == b' ').take_while(|byte| !matches!(byte, b' ' | 0));
    digits.into_iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 8)?;
        Some(value.checked_mul(8)? + u64::from(digit))
    })
}

/// Whether the bytes of a header add up to what it says, itself counted as blanks.
pub(super) fn checksum_holds(header: &[u8]) -> bool {
    let field = &header[148..156];
    if !field[..6].iter().all(|byte| matches!(byte, b' ' | b'0'..=b'7' | 0)) {
        return false;
    }
    let Some(said) = number(field) else { return false };
    let sum: u64 = header[..BLOCK].iter().map(|&byte| u64::from(byte)).sum();
    let own: u64 = field.iter().map(|&byte| u64::from(byte)).sum();
    said > 0 && said == sum - own + 8 * u64::from(b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"  644 \0\0"), Some(0o644));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(2 << 32));
        assert_eq!(number(b"12x4\0"), None);
        assert!(!checksum_holds(&[0; BLOCK]));
        assert!(!checksum_holds(&[b'a'; BLOCK]));
    }
}
