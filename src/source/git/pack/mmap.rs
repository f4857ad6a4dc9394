//! Read-only views of whole files: memory-mapped, or read where mapping is not worth it or fails.
//!
//! Separate because it is the only place of the traversal with `unsafe`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

use memmap2::{Advice, Mmap};

/// Files below this size in bytes are read: a read costs less than a mapping and its page faults.
const MAP_FROM: u64 = 64 * 1024;

/// Bytes that a processor fetches at once.
#[cfg(target_arch = "x86_64")]
const CACHE_LINE: usize = 64;
/// Lines fetched ahead: most deltas are no longer, and from there on the processor sees where it goes.
#[cfg(target_arch = "x86_64")]
const PREFETCHED: usize = 4;

/// The bytes of a file.
pub(crate) enum FileBytes {
    Mapped(Mmap),
    Read(Vec<u8>),
}

/// How a file will be gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// From front to back, mostly: the kernel reads ahead.
    Forward,
    /// Here and there.
    Random,
}

impl FileBytes {
    /// Maps the file at `path`, or reads it when it is small or cannot be mapped.
    pub(crate) fn open(path: &Path, access: Access) -> io::Result<Self> {
        let about = std::fs::metadata(path)?;
        // A pipe would be waited for, a device has no end.
        if !about.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if length >= MAP_FROM
            && let Ok(map) = map(&file)
        {
            // NOTE: advice only; a kernel that does not take it works all the same.
            let advice = if access == Access::Forward { Advice::WillNeed } else { Advice::Normal };
            let _ = map.advise(advice);
            return Ok(Self::Mapped(map));
        }
        Self::read(file, length)
    }

    /// Asks the processor to fetch the bytes from `at` on, a few lines of its cache, before they are
    /// needed. A hint: nothing happens where `at` lies outside or the processor knows no such thing.
    #[inline]
    pub(crate) fn prefetch(&self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            for line in self.get(at..).unwrap_or_default().chunks(CACHE_LINE).take(PREFETCHED) {
                // SAFETY: a prefetch reads nothing the program could see and never faults, and the
                // address lies in a slice that is alive.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }

    /// Gives the memory of a part that was read back to the system; it comes again when it is read again.
    pub(crate) fn forget(&self, part: std::ops::Range<usize>) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            // SAFETY: the mapping is of a file and never written to, so the pages that are dropped are
            // read from the file again when they are touched: no byte changes.
            let _ = unsafe {
                map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, part.start, part.len())
            };
        }
        #[cfg(not(unix))]
        let _ = part;
    }

    /// Reads the whole file.
    fn read(mut file: File, length: u64) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let expected = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        bytes.try_reserve_exact(expected).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        file.read_to_end(&mut bytes)?;
        Ok(Self::Read(bytes))
    }
}

fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only and private. Its bytes must not change while a slice of
    // them is alive: git writes packs and indexes once under a temporary name, renames them into
    // place and never writes to them again (it unlinks them, which leaves the mapping valid), and
    // keeps them mapped itself on the same grounds. Whoever truncates such a file in place can
    // end this process with SIGBUS, as it would end git; no value read from it is ever trusted.
    unsafe { Mmap::map(file) }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_and_read_bytes_are_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let content: Vec<u8> = (0..MAP_FROM as u32 + 5).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let mapped = FileBytes::open(&path, Access::Forward).unwrap();
        let read = FileBytes::read(File::open(&path).unwrap(), content.len() as u64).unwrap();
        assert!(matches!(mapped, FileBytes::Mapped(_)) && matches!(read, FileBytes::Read(_)));
        assert!(*mapped == *content && *read == *content);
        mapped.forget(5000..60_000);
        assert!(*mapped == *content, "what was forgotten is read again");
        assert!(FileBytes::open(dir.path(), Access::Forward).is_err(), "a directory");
        std::fs::write(&path, b"").unwrap();
        assert!(FileBytes::open(&path, Access::Random).unwrap().is_empty());
    }
}
