//! One compressed content: gzip, bzip2, xz, Zstandard, LZ4.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::format::Format;
use super::walk::Walk;
use crate::finding::Origin;

/// Most memory an xz stream may ask for, in KiB: what level 9 needs, and some.
const XZ_MEMORY: u32 = 100 << 10;
/// Largest window of a Zstandard frame.
const ZSTD_WINDOW: u64 = 64 << 20;

pub(super) fn read(
    walk: &Walk<'_>,
    format: Format,
    reader: &mut dyn BufRead,
    origin: &Origin,
    depth: u32,
) -> io::Result<()> {
    let unpacked = decoder(format, reader);
    walk.within(origin, &mut walk.metered(unpacked), depth)
}

/// What `reader` holds, unpacked. Formats that are no compression pass through.
pub(super) fn decoder<'r>(format: Format, reader: &'r mut dyn BufRead) -> Box<dyn Read + 'r> {
    match format {
        Format::Gzip => Box::new(Members { member: Some(GzDecoder::new(reader)) }),
        Format::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
        Format::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, XZ_MEMORY)),
        Format::Zstd => Box::new(Frames::new(reader)),
        Format::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(reader)),
        Format::Zip
        | Format::Tar
        | Format::Ar
        | Format::Cpio
        | Format::Rpm
        | Format::Pdf
        | Format::SevenZip
        | Format::GitBundle
        | Format::GitPack
        | Format::Plist
        | Format::Sqlite => Box::new(reader),
    }
}

/// All members of a gzip file; whatever is not gzip behind them is left alone.
struct Members<'r> {
    member: Option<GzDecoder<&'r mut dyn BufRead>>,
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let reader = self.member.take().map(GzDecoder::into_inner);
            if let Some(reader) = reader
                && reader.fill_buf()?.starts_with(&[0x1f, 0x8b])
            {
                self.member = Some(GzDecoder::new(reader));
            }
        }
        Ok(0)
    }
}

/// All frames of a Zstandard file, those that carry no data passed over.
struct Frames<'r> {
    reader: &'r mut dyn BufRead,
    decoder: Box<FrameDecoder>,
    /// A frame has been begun.
    active: bool,
}

impl<'r> Frames<'r> {
    fn new(reader: &'r mut dyn BufRead) -> Self {
        let mut decoder = Box::new(FrameDecoder::new());
        decoder.set_max_window_size(ZSTD_WINDOW);
        Self { reader, decoder, active: false }
    }

    /// Begins the next frame; false at the end of the file, or of what is Zstandard in it.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            match self.reader.fill_buf()? {
                [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                    self.decoder.init(&mut self.reader).map_err(failed)?;
                    self.active = true;
                    return Ok(true);
                }
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                    let mut header = [0; 8];
                    self.reader.read_exact(&mut header)?;
                    let len = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
                    io::copy(&mut self.reader.take(u64::from(len)), &mut io::sink())?;
                }
                _ => return Ok(false),
            }
        }
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.active {
                let read = self.decoder.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
                if !self.decoder.is_finished() {
                    let few = BlockDecodingStrategy::UptoBlocks(1);
                    self.decoder.decode_blocks(&mut self.reader, few).map_err(failed)?;
                    continue;
                }
                self.active = false;
            }
            if !self.begin()? {
                return Ok(0);
            }
        }
    }
}

/// A window that is too large is a matter of memory; all else is damage.
fn failed(error: FrameDecoderError) -> io::Error {
    let kind = if matches!(error, FrameDecoderError::WindowSizeTooBig { .. }) {
        io::ErrorKind::OutOfMemory
    } else {
        io::ErrorKind::InvalidData
    };
    io::Error::new(kind, "zstd")
}
