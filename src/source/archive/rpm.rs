//! RPM packages: a header with scripts and texts, and a compressed cpio archive.

use std::io::{self, BufRead, Read};

use super::compressed;
use super::format::Format;
use super::walk::Walk;
use crate::finding::Origin;

/// Bytes of the lead, which nobody uses any more.
const LEAD: u64 = 96;
/// Largest header; real ones have a few hundred kilobytes.
const MAX_HEADER: u64 = 64 << 20;
/// Path under which the texts of the header are reported.
const HEADER: &[u8] = b"header";

pub(super) fn read(walk: &Walk<'_>, reader: &mut dyn BufRead, origin: &Origin, depth: u32) -> io::Result<()> {
    io::copy(&mut (&mut *reader).take(LEAD), &mut io::sink())?;
    let signature = header_len(reader)?;
    let padded = signature.div_ceil(8) * 8;
    io::copy(&mut (&mut *reader).take(padded), &mut io::sink())?;
    let header = header_len(reader)?;
    let mut texts = (&mut *reader).take(header);
    walk.member(origin, HEADER, &mut texts, depth)?;
    super::walk::drain(&mut texts)?;
    // The payload is compressed; what it holds takes the package's place.
    let head = reader.fill_buf()?;
    match Format::of(head) {
        Some(format) if format.is_compression() => {
            let unpacked = compressed::decoder(format, reader);
            walk.within(origin, &mut walk.metered(unpacked), depth)
        }
        _ => walk.within(origin, &mut &mut *reader, depth),
    }
}

/// Length of the index and the data of the header that starts here.
fn header_len(reader: &mut dyn BufRead) -> io::Result<u64> {
    let mut intro = [0; 16];
    reader.read_exact(&mut intro)?;
    let number =
        |at: usize| u64::from(u32::from_be_bytes([intro[at], intro[at + 1], intro[at + 2], intro[at + 3]]));
    let len = number(8) * 16 + number(12);
    if intro[..3] != [0x8e, 0xad, 0xe8] || len > MAX_HEADER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(len)
}
