//! cpio in its ASCII forms: initramfs images, and what RPM packages hold.

use std::io::{self, BufRead, Read};

use super::walk::{Walk, drain};
use crate::finding::Origin;

/// Name of the entry that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";
/// Longest name of an entry.
const MAX_NAME: u64 = 1 << 16;

pub(super) fn read(walk: &Walk<'_>, reader: &mut dyn BufRead, origin: &Origin, depth: u32) -> io::Result<()> {
    loop {
        let mut magic = [0; 6];
        reader.read_exact(&mut magic)?;
        let entry = match &magic {
            b"070701" | b"070702" => new_form(reader)?,
            b"070707" => old_form(reader)?,
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if entry.name_len > MAX_NAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut name = Vec::new();
        (&mut *reader).take(entry.name_len).read_to_end(&mut name)?;
        name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
        pad(reader, entry.header_len + entry.name_len, entry.align)?;
        if name == TRAILER {
            return Ok(());
        }
        let mut data = (&mut *reader).take(entry.size);
        if entry.size > 0 {
            walk.member(origin, &name, &mut data, depth)?;
        }
        drain(&mut data)?;
        if data.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pad(reader, entry.size, entry.align)?;
    }
}

struct Entry {
    header_len: u64,
    name_len: u64,
    size: u64,
    align: u64,
}

/// Thirteen fields of eight hexadecimal digits; names and data padded to four bytes.
fn new_form(reader: &mut dyn BufRead) -> io::Result<Entry> {
    let mut fields = [0; 104];
    reader.read_exact(&mut fields)?;
    let field = |index: usize| digits(&fields[index * 8..index * 8 + 8], 16);
    Ok(Entry { header_len: 110, name_len: field(11)?, size: field(6)?, align: 4 })
}

/// Octal fields; nothing padded.
fn old_form(reader: &mut dyn BufRead) -> io::Result<Entry> {
    let mut fields = [0; 70];
    reader.read_exact(&mut fields)?;
    Ok(Entry {
        header_len: 76,
        name_len: digits(&fields[53..59], 8)?,
        size: digits(&fields[59..70], 8)?,
        align: 1,
    })
}

fn digits(field: &[u8], radix: u32) -> io::Result<u64> {
    std::str::from_utf8(field)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, radix).ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn pad(reader: &mut dyn BufRead, len: u64, align: u64) -> io::Result<()> {
    drain(&mut reader.take((align - len % align) % align)).map(drop)
}
