//! Compressed data inside encoded text: gzip and zlib, within a budget.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

/// Most bytes one stream is inflated to.
const MOST: usize = 16 << 20;

/// What a stream holds.
pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    pub(super) name: &'static str,
    /// There was more.
    pub(super) cut: bool,
}

/// Inflates the stream at the start of `data`; a damaged end costs only what follows it.
pub(super) fn inflate(data: &[u8]) -> Option<Inflated> {
    if data.starts_with(&[0x1f, 0x8b]) {
        read(MultiGzDecoder::new(data), "gzip")
    } else {
        read(ZlibDecoder::new(data), "zlib")
    }
}

fn read(stream: impl Read, name: &'static str) -> Option<Inflated> {
    let mut bytes = Vec::new();
    // NOTE: what came before an error is kept, so the error itself says nothing of use.
    let _ = stream.take(MOST as u64 + 1).read_to_end(&mut bytes);
    let cut = bytes.len() > MOST;
    bytes.truncate(MOST);
    (!bytes.is_empty()).then_some(Inflated { bytes, name, cut })
}
