//! Reading an object from front to back without holding it: for those too large to be held.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::error::ObjectError;
use super::mmap::FileBytes;

/// Packed bytes handed to the decoder at a time.
const PIECE: usize = 64 << 10;

/// Packed bytes after which those already read are given back to the system.
const FORGET_EACH: usize = 4 << 20;

/// The content of an object that is stored whole.
///
/// Reads end where the object does, after its checksum. Packed bytes that were read do not stay in
/// memory.
pub(in crate::source) struct ObjectStream<'a> {
    packed: &'a [u8],
    /// How much of it was read.
    at: usize,
    /// The file it is a part of, and where in it.
    file: Option<(&'a FileBytes, usize)>,
    forgotten: usize,
    decoder: Decompress,
    /// Bytes of content still to come.
    left: u64,
    /// Whether the end of the packed data was reached.
    ended: bool,
    failure: Option<ObjectError>,
}

impl<'a> ObjectStream<'a> {
    /// Reads the stream that `packed` begins with: `skipped` bytes that are no content, then `size` that are.
    /// With the `file` that it is a part of, and the place in it, what was read is forgotten.
    ///
    /// # Errors
    /// When the bytes to be skipped cannot be read.
    pub(super) fn new(
        packed: &'a [u8],
        file: Option<(&'a FileBytes, usize)>,
        skipped: usize,
        size: u64,
    ) -> Result<Self, ObjectError> {
        let mut stream = Self {
            packed,
            at: 0,
            file,
            forgotten: 0,
            decoder: Decompress::new(true),
            left: size + skipped as u64,
            ended: false,
            failure: None,
        };
        let mut header = vec![0; skipped];
        match stream.read_exact(&mut header) {
            Ok(()) => Ok(stream),
            Err(_) => Err(stream.failure.unwrap_or(ObjectError::LooseHeader)),
        }
    }

    /// How many packed bytes are left behind the object; none when it was not read to its end.
    ///
    /// # Errors
    /// What was wrong with the object, as far as it was read.
    pub(super) fn finish(self) -> Result<Option<usize>, ObjectError> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.ended.then_some(self.packed.len() - self.at)),
        }
    }

    /// Unpacks into `out`, and tells how many bytes that gave.
    fn unpack(&mut self, out: &mut [u8]) -> Result<usize, ObjectError> {
        let piece = &self.packed[self.at..self.packed.len().min(self.at + PIECE)];
        let (taken, made) = (self.decoder.total_in(), self.decoder.total_out());
        let status = self
            .decoder
            .decompress(piece, out, FlushDecompress::None)
            .map_err(|_| ObjectError::Inflate("not a valid zlib stream"))?;
        let taken = (self.decoder.total_in() - taken) as usize;
        let made = (self.decoder.total_out() - made) as usize;
        self.at += taken;
        if let Some((file, start)) = self.file
            && self.at - self.forgotten >= FORGET_EACH
        {
            file.forget(start + self.forgotten..start + self.at);
            self.forgotten = self.at;
        }
        self.ended = status == Status::StreamEnd;
        if taken == 0 && made == 0 && !self.ended {
            return Err(ObjectError::Inflate("it ends early"));
        }
        Ok(made)
    }

    fn next(&mut self, out: &mut [u8]) -> Result<usize, ObjectError> {
        let mut over = [0];
        while !self.ended {
            let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
            // Behind the last byte of content there is a checksum, and nothing else to unpack.
            let made = if self.left > 0 { self.unpack(&mut out[..room])? } else { self.unpack(&mut over)? };
            self.left = self
                .left
                .checked_sub(made as u64)
                .ok_or(ObjectError::Inflate("it is longer than declared"))?;
            if made > 0 {
                return Ok(made);
            }
        }
        if self.left == 0 { Ok(0) } else { Err(ObjectError::Inflate("its size is not the declared one")) }
    }
}

impl Read for ObjectStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.failure.is_none() {
            match self.next(buffer) {
                Ok(read) => return Ok(read),
                Err(error) => self.failure = Some(error),
            }
        }
        Err(io::Error::other(self.failure.as_ref().map(ToString::to_string).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// What a stream over `packed` brings, and how it ends.
    fn drain(packed: Vec<u8>, skipped: usize, size: u64) -> (Vec<u8>, Result<Option<usize>, ObjectError>) {
        let mut out = Vec::new();
        let outcome = ObjectStream::new(&packed, None, skipped, size).and_then(|mut stream| {
            let _ = stream.read_to_end(&mut out);
            stream.finish()
        });
        (out, outcome)
    }

    #[test]
    fn reads_the_content_and_tells_what_follows() {
        for content in [vec![b'x'; 300_000], b"abc".to_vec(), Vec::new()] {
            let packed = deflate(&content);
            assert_eq!(drain(packed.clone(), 0, content.len() as u64), (content.clone(), Ok(Some(0))));
            let followed = [&packed[..], b"more"].concat();
            assert_eq!(drain(followed, 0, content.len() as u64), (content.clone(), Ok(Some(4))));
        }
        let packed = deflate(b"blob 3\0abc");
        assert_eq!(drain(packed, 7, 3), (b"abc".to_vec(), Ok(Some(0))));
    }

    #[test]
    fn whatever_is_wrong_is_told() {
        let content: Vec<u8> =
            (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (packed, len) = (deflate(&content), content.len() as u64);
        let why = |packed: &[u8], size: u64| drain(packed.to_vec(), 0, size).1.unwrap_err().to_string();
        assert!(why(&packed[..packed.len() / 2], len).contains("ends early"));
        assert!(why(&packed[..packed.len() - 1], len).contains("ends early"), "the checksum is part of it");
        assert!(why(&packed, len - 1).contains("longer than declared"));
        assert!(why(&packed, len + 1).contains("not the declared one"));
        let mut damaged = packed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(why(&damaged, len).contains("not a valid zlib stream"));
        assert!(why(b"", 5).contains("ends early"));
    }

    proptest! {
        /// In pieces of any size it is what unpacking in one go gives.
        #[test]
        fn pieces_do_not_matter(
            seed in any::<u32>(), len in 0_usize..200_000, pieces in prop::collection::vec(1_usize..70_000, 1..6)
        ) {
            let content: Vec<u8> = (0..len as u32).map(|i| (i.wrapping_mul(seed | 1) >> 20) as u8 & 63).collect();
            let packed = deflate(&content);
            let mut stream = ObjectStream::new(&packed, None, 0, len as u64).unwrap();
            let mut out = Vec::new();
            for piece in pieces.iter().cycle() {
                let mut buffer = vec![0; *piece];
                let read = stream.read(&mut buffer).unwrap();
                if read == 0 {
                    break;
                }
                out.extend_from_slice(&buffer[..read]);
            }
            prop_assert_eq!(out, content);
            prop_assert_eq!(stream.finish(), Ok(Some(0)));
        }
    }
}
