//! ar: Debian packages and static libraries.

use std::io::{self, BufRead, Read};

use super::walk::{Walk, drain};
use crate::finding::Origin;

/// Longest table of long names.
const MAX_TABLE: u64 = 1 << 20;

pub(super) fn read(walk: &Walk<'_>, reader: &mut dyn BufRead, origin: &Origin, depth: u32) -> io::Result<()> {
    let mut magic = [0; 8];
    reader.read_exact(&mut magic)?;
    let mut long_names = Vec::new();
    loop {
        if reader.fill_buf()?.is_empty() {
            return Ok(());
        }
        let mut header = [0; 60];
        reader.read_exact(&mut header)?;
        let size = decimal(&header[48..58]).filter(|_| header[58..] == *b"`\n");
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        let mut data = (&mut *reader).take(size);
        let field = header[..16].trim_ascii_end();
        if field == b"//" {
            (&mut data).take(MAX_TABLE).read_to_end(&mut long_names)?;
        } else {
            let name = name(field, &long_names, &mut data)?;
            walk.member(origin, &name, &mut data, depth)?;
        }
        drain(&mut data)?;
        if data.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        drain(&mut (&mut *reader).take(size % 2))?;
    }
}

/// `name/`, `/offset` into the table of long names, or `#1/length` with the name before the data.
fn name(field: &[u8], long_names: &[u8], data: &mut dyn Read) -> io::Result<Vec<u8>> {
    if let Some(len) = field.strip_prefix(b"#1/").and_then(decimal) {
        let mut name = Vec::new();
        data.take(len.min(4096)).read_to_end(&mut name)?;
        return Ok(name.split(|&byte| byte == 0).next().unwrap_or_default().to_vec());
    }
    let long = field.strip_prefix(b"/").and_then(decimal).and_then(|at| long_names.get(at as usize..));
    if let Some(long) = long {
        let end = long.iter().position(|&byte| matches!(byte, b'\n' | b'/' | 0)).unwrap_or(long.len());
        return Ok(long[..end].to_vec());
    }
    Ok(field.strip_suffix(b"/").unwrap_or(field).to_vec())
}

fn decimal(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}
