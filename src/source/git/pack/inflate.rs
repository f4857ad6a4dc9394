//! Decompression of one zlib stream of a size declared beforehand.
//!
//! Kept behind this small interface so that the decoder can be exchanged: entries of a pack are
//! tiny, and the set-up for each of them counts as much as the speed in between.

use flate2::{Decompress, FlushDecompress, Status};

use super::error::ObjectError;

/// Room beyond the declared size: the decoder's fast loop needs it, and a stream that is longer than
/// declared shows itself by writing there.
const SLACK: usize = 512;

/// Deflate cannot expand more than this: 258 bytes from 2 bits.
const MOST_EXPANSION: u64 = 1032;

/// Bytes taken or made at a time where a stream is not decompressed in one go.
const PIECE: usize = 64 * 1024;

/// A decoder, reused from stream to stream; one per thread.
pub(crate) struct Inflater {
    stream: Decompress,
    /// For streams that are there whole, into memory of their size.
    whole: libdeflater::Decompressor,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { stream: Decompress::new(true), whole: libdeflater::Decompressor::new() }
    }

    /// Like [`inflate`](Self::inflate) for a stream that should take all of `packed`: in one go, by the
    /// faster of two decoders. What that one does not like is left to the other, which knows how far
    /// a stream goes and what is wrong with it.
    pub(crate) fn inflate_all(
        &mut self,
        packed: &[u8],
        size: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, ObjectError> {
        make_room(packed, size, out)?;
        if self.is_done_at_once(packed, size, out) {
            Ok(packed.len())
        } else {
            self.inflate(packed, size, out)
        }
    }

    fn is_done_at_once(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> bool {
        // Deflate method, no dictionary, header check (RFC 1950).
        let (Some(&[method, flags]), Some((stream, &sum))) =
            (packed.first_chunk::<2>(), packed.split_last_chunk::<4>())
        else {
            return false;
        };
        let header = u16::from_be_bytes([method, flags]);
        if method & 0x8f != 0x08 || flags & 0x20 != 0 || header % 31 != 0 || stream.len() < 2 {
            return false;
        }
        // What the buffer held before is overwritten: no need to clear it.
        out.resize(size, 0);
        // That the sum is where it should be shows that the stream ends there, too.
        self.whole.deflate_decompress(&stream[2..], out) == Ok(size)
            && libdeflater::adler32(out) == u32::from_be_bytes(sum)
    }

    /// Decompresses the stream at the start of `packed` into `out`, replacing what it holds, and
    /// returns how many bytes of `packed` it took. Bytes after the stream are left alone.
    ///
    /// # Errors
    /// When the stream is damaged, ends early, or does not hold exactly `size` bytes. At no time is
    /// more memory used than `size` and a few hundred bytes.
    pub(crate) fn inflate(
        &mut self,
        packed: &[u8],
        size: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, ObjectError> {
        self.stream.reset(true);
        make_room(packed, size, out)?;
        out.clear();
        // NOTE: the decoder counts in 32 bits; an entry within the size budget fits.
        let packed = &packed[..packed.len().min(u32::MAX as usize)];
        match self.stream.decompress_vec(packed, out, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) if out.len() == size => Ok(self.stream.total_in() as usize),
            Ok(Status::StreamEnd) => Err(ObjectError::Inflate("its size is not the declared one")),
            Ok(Status::Ok | Status::BufError) if out.len() > size => {
                Err(ObjectError::Inflate("it is longer than declared"))
            }
            Ok(Status::Ok | Status::BufError) => Err(ObjectError::Inflate("it ends early")),
            Err(_) => Err(ObjectError::Inflate("not a valid zlib stream")),
        }
    }

    /// Decompresses the first bytes of a stream into `head`; fewer when it is shorter.
    pub(crate) fn peek<'a>(&mut self, packed: &[u8], head: &'a mut [u8]) -> Result<&'a [u8], ObjectError> {
        self.stream.reset(true);
        let packed = &packed[..packed.len().min(PIECE)];
        self.stream
            .decompress(packed, head, FlushDecompress::None)
            .map_err(|_| ObjectError::Inflate("not a valid zlib stream"))?;
        Ok(&head[..self.stream.total_out() as usize])
    }

    /// Finds out how many bytes of `packed` a stream of `size` bytes takes, without keeping any.
    pub(crate) fn measure(&mut self, packed: &[u8], size: u64) -> Result<u64, ObjectError> {
        let mut discarded = vec![0; PIECE];
        self.stream.reset(true);
        loop {
            let (taken, made) = (self.stream.total_in(), self.stream.total_out());
            let rest = &packed[taken as usize..];
            let rest = &rest[..rest.len().min(PIECE)];
            let status = self
                .stream
                .decompress(rest, &mut discarded, FlushDecompress::None)
                .map_err(|_| ObjectError::Inflate("not a valid zlib stream"))?;
            if self.stream.total_out() > size {
                return Err(ObjectError::Inflate("it is longer than declared"));
            }
            if status == Status::StreamEnd {
                break;
            }
            if self.stream.total_in() == taken && self.stream.total_out() == made {
                return Err(ObjectError::Inflate("it ends early"));
            }
        }
        if self.stream.total_out() == size {
            Ok(self.stream.total_in())
        } else {
            Err(ObjectError::Inflate("its size is not the declared one"))
        }
    }
}

/// Sees to it that `out` has room for `size` bytes and the slack.
///
/// # Errors
/// When `packed` cannot hold so many, or there is no memory for them.
fn make_room(packed: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), ObjectError> {
    if size as u64 > (packed.len() as u64).saturating_mul(MOST_EXPANSION) {
        return Err(ObjectError::Inflate("it is too short for the declared size"));
    }
    let more = size.saturating_add(SLACK).saturating_sub(out.len());
    out.try_reserve(more).map_err(|_| ObjectError::Io(format!("no memory for {size} bytes")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn takes_exactly_the_stream() {
        let mut inflater = Inflater::new();
        let mut out = Vec::new();
        for content in [b"".to_vec(), b"x".to_vec(), vec![7; 100_000]] {
            let mut packed = deflate(&content);
            let length = packed.len();
            assert_eq!(inflater.inflate_all(&packed, content.len(), &mut out), Ok(length));
            assert_eq!(out, content);
            packed.extend_from_slice(b"trailing bytes");
            assert_eq!(inflater.inflate_all(&packed, content.len(), &mut out), Ok(length));
            assert_eq!(out, content);
            assert_eq!(inflater.inflate(&packed, content.len(), &mut out), Ok(length));
            assert_eq!(out, content);
            assert_eq!(inflater.measure(&packed, content.len() as u64), Ok(length as u64));
            let mut head = [0; 10];
            assert!(content.starts_with(inflater.peek(&packed, &mut head).unwrap()));
        }
    }

    #[test]
    fn refuses_what_is_not_as_declared() {
        let mut inflater = Inflater::new();
        let mut out = Vec::new();
        let packed = deflate(&vec![7; 100_000]);
        assert!(inflater.inflate(&packed, 99_999, &mut out).is_err());
        assert!(inflater.inflate(&packed, 100_001, &mut out).is_err());
        assert!(inflater.inflate(&packed, 10, &mut out).is_err());
        assert!(inflater.inflate(&packed[..packed.len() - 1], 100_000, &mut out).is_err());
        assert!(inflater.inflate(&packed, usize::MAX, &mut out).is_err());
        assert!(inflater.inflate(b"no stream", 3, &mut out).is_err());
        for length in 0..packed.len() {
            assert!(inflater.inflate_all(&packed[..length], 100_000, &mut out).is_err(), "{length}");
        }
        assert!(inflater.inflate_all(&packed, 99_999, &mut out).is_err());
        assert!(inflater.measure(&packed, 99_999).is_err());
        assert!(inflater.measure(&packed, 100_001).is_err());
        assert!(inflater.measure(&packed[..packed.len() - 1], 100_000).is_err());
        assert!(inflater.measure(b"no stream", 3).is_err());
        assert!(out.capacity() < 300_000);
    }
}
